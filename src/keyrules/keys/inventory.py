"""One row per key: what was joined, who owns it, what the rules find, at which stage it is and what comes next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from keyrules.keys.advice import Next, alternative, declared_by, next_step
from keyrules.keys.history import History
from keyrules.keys.join import Joined, JoinedKey, Unjoined, overdue
from keyrules.keys.live import LiveKey
from keyrules.keys.owners import CodeOwners, Cycle, Declared, Owner, named
from keyrules.keys.rules import is_joined, judge
from keyrules.keys.stages import Action, Limits, Observation, Seen, Stage, Step, steps
from keyrules.live.age_buckets import AgeBuckets
from keyrules.live.instants import ABSENT, from_datetime
from keyrules.model import EvaluationError, KeyAges, Rule, Selection, Status
from keyrules.records import dataclass, field


@dataclass(frozen=True)
class KeyRow:
    """A key with all that is known of it. `rotation` is the word for whether the declared rotation happens."""

    joined: JoinedKey
    owner: Owner | None
    findings: tuple[str, ...]
    rotation: str
    step: Step
    next: Next
    alternative: str | None
    cycle: Cycle

    @property
    def live(self) -> LiveKey:
        """The key as the account has it."""
        return self.joined.live


@dataclass(frozen=True)
class Inventory:
    """What `keyrules keys` found. `open_rules` are those that could not be decided on some key."""

    as_of: datetime
    rows: tuple[KeyRow, ...]
    unjoined: tuple[Unjoined, ...]
    ages: KeyAges
    errors: tuple[EvaluationError, ...] = ()
    notes: tuple[str, ...] = ()
    open_rules: tuple[str, ...] = ()


class Days(NamedTuple):
    """The thresholds of the rules, in days."""

    max_age: int
    idle: int
    grace: int


@dataclass(frozen=True)
class InventoryRequest:
    """What the rows are made from; `state_owners` are owner tags by account and user, as the states have them."""

    as_of: datetime
    joined: Joined
    selection: Selection
    days_of: Callable[[Selection], Days]
    history: History
    declared: Declared
    complete: bool
    tolerance: timedelta
    owner_tag: str
    state_owners: Mapping[tuple[str, str], str] = field(default_factory=dict)
    exempt: Callable[[str, LiveKey], bool] = lambda rule, key: False


def inventory(request: InventoryRequest) -> Inventory:
    """The rows, in the order of account, user and creation."""
    codeowners = CodeOwners()
    ages = AgeBuckets(request.days_of(request.selection).max_age, request.as_of)
    users: dict[str, list[JoinedKey]] = defaultdict(list)
    for key in request.joined.keys:
        users[key.live.arn].append(key)
        if key.live.active and not key.live.root:
            ages.add(from_datetime(key.live.created) if key.live.created is not None else ABSENT)
    rows: list[KeyRow] = []
    open_rules: set[str] = set()
    for keys in users.values():
        cycle = request.declared.cycle_of(keys[0].live)
        for key, step in zip(keys, _steps(keys, cycle, request), strict=True):
            other = next((each.live for each in keys if each is not key), None)
            findings, undecided = _findings(key, request)
            open_rules |= undecided
            rows.append(
                KeyRow(
                    key,
                    _owner(key, request, codeowners),
                    findings,
                    _rotation(key, request.tolerance),
                    step,
                    next_step(key, step, other, cycle),
                    alternative(key.live),
                    cycle,
                )
            )
    rows.sort(key=_order)
    return Inventory(
        request.as_of, tuple(rows), request.joined.unjoined, ages.result(), open_rules=tuple(sorted(open_rules))
    )


def _order(row: KeyRow) -> tuple[str, str, str, int]:
    created = row.live.created.isoformat() if row.live.created is not None else ""
    return (row.live.account, row.live.user, created, row.live.slot)


def _steps(keys: Sequence[JoinedKey], cycle: Cycle, request: InventoryRequest) -> list[Step]:
    """The steps of one user's keys; without a date of creation there is no history to go by."""
    lives = [key.live for key in keys]
    seen = [Seen(live.created, live.active, live.used, live.key_id) for live in lives if live.created is not None]
    if len(seen) < len(lives):
        return [Step(Stage.UNCLEAR, "no_date", Action.OBSERVE) for _ in lives]
    first = lives[0]
    earlier = request.history.of(first.account, first.user)
    current = Observation(first.observed_at, tuple(seen))
    days = request.days_of(first.selection or request.selection)
    limits = Limits(cycle.length, *(timedelta(days=each) for each in (days.max_age, days.idle, days.grace)))
    return steps([*(each for each in earlier if each.at < current.at), current], limits, first.user_created)


def _findings(key: JoinedKey, request: InventoryRequest) -> tuple[tuple[str, ...], set[str]]:
    """The rules that fail on a key, and those about joined keys that cannot be decided."""
    found, undecided = set(key.live.findings), set()
    for rule in request.selection.rules:
        if is_joined(rule):
            status = judge(key, rule, request.selection, request.complete)
            if status is Status.FAIL and not request.exempt(rule.id, key.live):
                found.add(rule.id)
            elif status is Status.UNKNOWN:
                undecided.add(rule.id)
    return tuple(sorted(found)), undecided


def _owner(key: JoinedKey, request: InventoryRequest, codeowners: CodeOwners) -> Owner | None:
    live = key.live
    tag = live.tags.get(request.owner_tag)
    if tag:
        return Owner(tag, "tag")
    state_tag = request.state_owners.get((live.account, live.user))
    if state_tag:
        return Owner(state_tag, "state_tag")
    join = declared_by(key)
    path = join.declaration.path if join is not None else None
    by_path = codeowners.of(path) if path is not None else None
    if by_path:
        return Owner(by_path, "codeowners")
    configured = named(request.declared.owners, live)
    return Owner(configured, "configuration") if configured is not None else None


def _rotation(key: JoinedKey, tolerance: timedelta) -> str:
    declaration = key.rotation
    if declaration is None:
        return "code_not_given" if key.declared else "not_declared"
    if declaration.rotation_days is None:
        return declaration.rotation.removeprefix("rotation_")
    return "overdue" if overdue(key.live, declaration, tolerance) else "on_time"


def thresholds(rules: Sequence[Rule], selection: Selection) -> Days:
    """The days in force, the pack's own where a run leaves a rule out."""

    def days(rule_id: str, parameter: str) -> int:
        rule = next(rule for rule in rules if rule.id == rule_id)
        value = selection.value(rule, parameter)
        return value if isinstance(value, int) else 0

    return Days(
        days("KEY_AWS_001", "max_age_days"), days("KEY_AWS_002", "max_idle_days"), days("KEY_AWS_006", "grace_days")
    )
