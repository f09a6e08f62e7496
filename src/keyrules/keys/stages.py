"""At which step of a safe rotation a user's keys are, and what the next step is. Pure: observations in, steps out.

What is safe depends on the longest cycle of the callers, which no report knows: its owner declares it. A key is quiet
when it was not used for that long, seen by observations that span as much: AWS records only the first use in 15
minutes, and a report may be four hours old
(https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html), so 4 h 30 min come off. Nothing
is deactivated or deleted on one observation, nor across a gap between two that is longer than the cycle.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum
from itertools import pairwise
from typing import NamedTuple

from keyrules.live.instants import CLOCK_TOLERANCE
from keyrules.records import dataclass
from keyrules.run.settings import SHORTEST_CYCLE_DAYS

LAG = timedelta(hours=4, minutes=30)
"""How far behind the last use in a report may be."""

SHORTEST_CYCLE = timedelta(days=SHORTEST_CYCLE_DAYS)
USUAL_CYCLE = timedelta(days=31)
"""What is assumed where nobody declares the longest cycle."""


class Stage(Enum):
    """A step of a rotation, or why there is none."""

    NONE = "none"
    DUE = "due"
    IDLE = "idle"
    CREATED = "created"
    MOVING = "moving"
    QUIET = "quiet"
    DEACTIVATED = "deactivated"
    DELETE = "delete"
    BLOCKED = "blocked"
    ROLL_BACK = "roll_back"
    UNCLEAR = "unclear"


class Action(Enum):
    """What to do next. Only DEACTIVATE and DELETE can cut a caller off."""

    NOTHING = "nothing"
    CREATE = "create"
    WAIT = "wait"
    OBSERVE = "observe"
    MOVE = "move_callers"
    ASK = "ask_the_owner"
    DEACTIVATE = "deactivate"
    DELETE = "delete"


DESTRUCTIVE = frozenset({Action.DEACTIVATE, Action.DELETE})


class Seen(NamedTuple):
    """A key in one observation. `created` and the id, where one is known, tell it from others."""

    created: datetime
    active: bool
    used: datetime | None
    key_id: str | None = None


@dataclass(frozen=True)
class Observation:
    """The keys of one user at one moment. A `partial` one may lack keys that were there."""

    at: datetime
    keys: tuple[Seen, ...]
    partial: bool = False


@dataclass(frozen=True)
class Limits:
    """`cycle` is the longest time between two uses by one caller; `max_age` is from when on a key is due, `idle` how
    long an idle key rests, `grace` how long an inactive one does."""

    cycle: timedelta = USUAL_CYCLE
    max_age: timedelta = timedelta(days=90)
    idle: timedelta = timedelta(days=45)
    grace: timedelta = timedelta(days=30)

    @property
    def longest(self) -> timedelta:
        """The cycle, and never less than what any caller may have."""
        return max(self.cycle, SHORTEST_CYCLE)


class Step(NamedTuple):
    """A key's stage, since when, and the next action on it, not before a moment. `why` is a stable word."""

    stage: Stage
    why: str
    action: Action = Action.NOTHING
    since: datetime | None = None
    not_before: datetime | None = None


def steps(history: Sequence[Observation], limits: Limits, user_created: datetime) -> list[Step]:
    """A step for each key of the newest observation, in its order."""
    now = max(history, key=lambda each: each.at)
    if any(_contradicts(key, now.at) for key in now.keys) or user_created > now.at + CLOCK_TOLERANCE:
        return [Step(Stage.UNCLEAR, "later_than_observed", Action.OBSERVE) for _ in now.keys]
    if len({_name(key) for key in now.keys}) < len(now.keys):
        return [Step(Stage.UNCLEAR, "same_second", Action.OBSERVE) for _ in now.keys]
    history = _sound(sorted(history, key=lambda each: each.at), min(user_created, now.at))
    order = sorted(range(len(now.keys)), key=lambda index: now.keys[index].created)
    tracks = [_Track.of(now.keys[index], history, limits) for index in order]
    found = [_alone(tracks[0], limits)] if len(tracks) == 1 else _of_two(tracks[0], tracks[1], limits)
    placed = dict(zip(order, found, strict=True))
    return [placed[index] for index in range(len(now.keys))]


def _name(key: Seen) -> object:
    return key.key_id or key.created


def _contradicts(key: Seen, at: datetime) -> bool:
    late = at + CLOCK_TOLERANCE
    return key.created > late or (key.used is not None and key.used > late)


def _sound(history: Sequence[Observation], user_created: datetime) -> list[Observation]:
    """The observations of this very user, from the last one on after which time runs forward."""
    found = [each for each in history if each.at >= user_created]
    start = 0
    for index, (before, after) in enumerate(pairwise(found), 1):
        used = {key.created: key.used for key in before.keys}
        for key in after.keys:
            old = used.get(key.created)
            if old is not None and (key.used is None or key.used < old):
                start = index
    return found[start:]


@dataclass(frozen=True)
class _Track:
    """What the observations say of one key. `same_since` is the first in a row, without a gap longer than the cycle, in
    which last use and status were as they are now; `status_since` the same for the status alone."""

    key: Seen
    at: datetime
    first: datetime
    same_since: datetime
    status_since: datetime
    looks: int

    @classmethod
    def of(cls, key: Seen, history: Sequence[Observation], limits: Limits) -> _Track:
        """The track of a key in a history that ends with an observation of it."""
        at = history[-1].at
        first = same = status = later = at
        looks, is_same, is_status = 0, True, True
        for observation in reversed(history):
            then = next((each for each in observation.keys if _same(each, key)), None)
            if then is None:
                if observation.partial:
                    continue
                break
            if later - observation.at > limits.longest:
                break
            later = first = observation.at
            is_status = is_status and then.active == key.active
            is_same = is_same and is_status and then.used == key.used
            if is_status:
                status = observation.at
            if is_same:
                same = observation.at
                looks += 1
        return cls(key, at, first, same, status, looks)

    @property
    def last(self) -> datetime:
        """The last use, or the creation of a key that was never used."""
        return self.key.used or self.key.created

    @property
    def lull(self) -> timedelta:
        """How long ago that is at least, as the newest observation says."""
        return self.at - LAG - self.last

    def rests(self, length: timedelta) -> bool:
        """Whether it was surely not used for that long: by its last use, and by observations that span as much."""
        return self.looks > 1 and self.lull >= length and self.at - self.same_since >= length

    def may_rest_at(self, length: timedelta) -> datetime:
        """The earliest moment at which `rests` can hold, if it is not used again."""
        return max(self.last + LAG, self.same_since) + length

    def off_for(self, length: timedelta) -> bool:
        """Whether it was seen inactive for that long, without a gap and without a use, which tells that it was not."""
        return not self.key.active and self.at >= self.may_go_at(length)

    def may_go_at(self, length: timedelta) -> datetime:
        """The earliest moment at which that can be, if it stays inactive."""
        return self.same_since + LAG + length


def _same(then: Seen, key: Seen) -> bool:
    if then.key_id is not None and key.key_id is not None:
        return then.key_id == key.key_id
    return then.created == key.created


def _alone(track: _Track, limits: Limits) -> Step:
    if not track.key.active:
        return _leftover(track, None, limits)
    resting = max(limits.idle, limits.longest)
    if track.rests(resting):
        return Step(Stage.IDLE, "not_used", Action.DEACTIVATE, track.last, track.at)
    if track.lull >= resting:
        return Step(Stage.UNCLEAR, "seen_once", Action.OBSERVE, track.last, track.may_rest_at(resting))
    if track.at - track.key.created > limits.max_age:
        return Step(Stage.DUE, "too_old", Action.CREATE, track.key.created + limits.max_age, track.at)
    return Step(Stage.NONE, "not_due")


def _of_two(older: _Track, younger: _Track, limits: Limits) -> list[Step]:
    """The older key has the step of the rotation, the younger one its own."""
    if older.key.active and younger.key.active:
        return _both_active(older, younger, limits)
    if older.key.active:
        step = _alone(older, limits)
        if step.stage is Stage.DUE:
            step = Step(Stage.BLOCKED, "slot_taken", Action.WAIT, step.since, younger.may_go_at(_rest(limits)))
        return [step, _leftover(younger, older, limits)]
    if not younger.key.active:
        return [_leftover(older, None, limits), _leftover(younger, None, limits)]
    if younger.key.used is None:
        since = older.status_since
        return [
            Step(Stage.ROLL_BACK, "younger_never_used", Action.ASK, since),
            Step(Stage.CREATED, "never_used", Action.MOVE, younger.key.created),
        ]
    return [_leftover(older, younger, limits), _younger(younger, limits)]


def _both_active(older: _Track, younger: _Track, limits: Limits) -> list[Step]:
    cycle = limits.longest
    if younger.key.used is None:
        overdue = younger.at - younger.key.created > limits.grace
        action = Action.ASK if overdue else Action.MOVE
        wait = Step(Stage.CREATED, "younger_never_used", action, younger.key.created, None)
        return [wait, Step(Stage.CREATED, "never_used", action, younger.key.created)]
    moved = older.key.used is None or older.key.used < younger.key.used
    if moved and older.rests(cycle):
        return [
            Step(Stage.QUIET, "not_used", Action.DEACTIVATE, older.last, older.at),
            _younger(younger, limits),
        ]
    if _used_throughout(older, cycle) and _used_throughout(younger, cycle):
        both = Step(Stage.BLOCKED, "both_in_use", Action.ASK, younger.first)
        return [both, both]
    if moved and older.lull >= cycle:
        once = Step(Stage.UNCLEAR, "seen_once", Action.OBSERVE, older.last, older.may_rest_at(cycle))
        return [once, _younger(younger, limits)]
    return [
        Step(Stage.MOVING, "older_in_use", Action.WAIT, younger.key.created, older.may_rest_at(cycle)),
        _younger(younger, limits),
    ]


def _used_throughout(track: _Track, cycle: timedelta) -> bool:
    """Whether a key was in use at both ends of two cycles that observations span."""
    return track.lull < cycle and track.at - track.first >= 2 * cycle and track.last >= track.first + cycle


def _younger(track: _Track, limits: Limits) -> Step:
    if track.at - track.key.created > limits.max_age:
        return Step(Stage.DUE, "after_the_other", Action.WAIT, track.key.created + limits.max_age)
    return Step(Stage.NONE, "not_due")


def _leftover(track: _Track, other: _Track | None, limits: Limits) -> Step:
    """An inactive key: it goes when it was seen inactive long enough, and what took its place is in use since."""
    needed = _rest(limits)
    replaced = other is None or (other.key.used is not None and other.key.used > track.status_since)
    if track.off_for(needed) and replaced:
        return Step(Stage.DELETE, "inactive", Action.DELETE, track.status_since, track.at)
    return Step(Stage.DEACTIVATED, "inactive", Action.WAIT, track.status_since, track.may_go_at(needed))


def _rest(limits: Limits) -> timedelta:
    """How long an inactive key is kept, so that whoever misses it can say so."""
    return max(limits.longest, limits.grace)
