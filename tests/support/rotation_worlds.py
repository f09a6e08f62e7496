"""Random worlds of one user, two slots and periodic callers, in which somebody follows the plan and others meddle.

A caller uses its key every so often, within the longest cycle that the owner declared, and moves to a newer key late,
or never. Reports lag and see only the first use in 15 minutes. People deactivate keys without asking; a caller that
fails then has its key switched on again.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from keyrules.keys.stages import DESTRUCTIVE, Action, Limits, Observation, Seen, Stage, steps

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
HOUR, DAY = 3_600, 86_400
BUCKET, MOST_LAG = 900, 4 * HOUR + 900


@dataclass
class Key:
    """A key with the seconds of its recorded uses."""

    created: int
    active: bool = True
    uses: list[int] = field(default_factory=list)

    def seen(self, upto: int) -> Seen:
        """The key as a report shows it that knows of uses up to a second."""
        recorded = None
        for use in self.uses:
            if use <= upto and (recorded is None or use - recorded >= BUCKET):
                recorded = use
        used = None if recorded is None else START + timedelta(seconds=recorded)
        return Seen(START + timedelta(seconds=self.created), self.active, used)


@dataclass
class Caller:
    """Uses `key` every `period` seconds; `moves_after` a newer key is there, or never."""

    key: Key
    period: int
    next: int
    moves_after: int | None


@dataclass
class World:
    """One history. `run` gives each destructive step that the plan asks for, and whether a caller still needs the
    key."""

    seed: int
    cycle_days: int
    stages: set[Stage] = field(default_factory=set)

    def run(self) -> Iterator[tuple[Action, bool]]:
        dice = random.Random(self.seed)
        cycle = self.cycle_days * DAY
        limits = Limits(timedelta(days=self.cycle_days))
        keys = [Key(0)]
        periods = [p for p in (HOUR, 6 * HOUR, DAY, 7 * DAY, 30 * DAY, 90 * DAY, cycle) if p <= cycle]
        callers = []
        for _ in range(dice.randint(0, 3)):
            period = dice.choice(periods)
            moves = None if dice.random() < 0.25 else dice.randint(HOUR, 60 * DAY)
            callers.append(Caller(keys[0], period, dice.randint(1, period), moves))
        lag, history, now = dice.choice((0, BUCKET, HOUR, MOST_LAG)), [], 0
        every = dice.choice((4 * HOUR + BUCKET, DAY, 7 * DAY, cycle // 3))
        for _ in range(dice.randint(20, 120)):
            then, now = now, now + dice.randint(every // 2, every)
            self._live(callers, keys, then, now)
            if dice.random() < 0.05:
                dice.choice(keys).active ^= True
            if dice.random() < 0.1:
                continue
            moment = START + timedelta(seconds=now)
            history.append(Observation(moment, tuple(key.seen(now - lag) for key in keys)))
            known = [each for each in history[:-1] if dice.random() < 0.9] + history[-1:]
            found = steps(known, limits, START - timedelta(days=1))
            self.stages |= {step.stage for step in found}
            for key, step in list(zip(keys, found, strict=True)):
                if step.action in DESTRUCTIVE:
                    yield step.action, any(self._key_of(caller, keys) is key for caller in callers)
                if dice.random() < 0.5:
                    self._follow(step.action, key, keys, now)

    def _live(self, callers: list[Caller], keys: list[Key], then: int, now: int) -> None:
        for caller in callers:
            while caller.next <= now:
                caller.key = self._key_of(caller, keys)
                # A caller that fails has its owner switch the key on again.
                caller.key.active = True
                caller.key.uses.append(caller.next)
                caller.next += caller.period
        for key in keys:
            key.uses.sort()

    def _key_of(self, caller: Caller, keys: list[Key]) -> Key:
        """The key of the next call: nobody moves to a key that is switched off."""
        newest = max(keys, key=lambda key: key.created)
        moves = caller.moves_after is not None and newest.created + caller.moves_after <= caller.next
        return newest if moves and newest.active else caller.key

    def _follow(self, action: Action, key: Key, keys: list[Key], now: int) -> None:
        if action is Action.CREATE and len(keys) < 2:
            keys.append(Key(now))
        elif action is Action.DEACTIVATE:
            key.active = False
        elif action is Action.DELETE and key in keys:
            keys.remove(key)
            if not keys:
                keys.append(Key(now))
