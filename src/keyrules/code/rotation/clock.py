"""Clocks: what makes a value change by itself, and how often.

How `time_rotating` computes its moment of rotation is read from terraform-provider-time 0.13
(internal/provider/resource_time_rotating.go: setRotationValues and the validators of its schema).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from typing import Any

from keyrules.code.terraform.evaluate import evaluate
from keyrules.code.terraform.evidence import settings_behind
from keyrules.code.terraform.hcl.values import UNKNOWN, number
from keyrules.code.terraform.identity import Atom
from keyrules.code.terraform.module import Declaration
from keyrules.code.terraform.scope import Frame, format_key
from keyrules.model import TraceStep
from keyrules.records import dataclass, replace

SECONDS_PER_DAY = 86_400

NO_MAX_AGE = 2**31 - 1
"""What cloudposse/awsutils takes for the `max_age` of a key that does not expire."""

PERIOD_ARGUMENTS = (
    ("rotation_days", 1, 1),
    ("rotation_hours", 1, 24),
    ("rotation_minutes", 1, 1440),
    ("rotation_months", 30, 1),
    ("rotation_years", 365, 1),
)
"""With their length in days as a fraction, months and years by their nominal length. In the provider's order: where
several are set, the last one decides."""

FIXED_ATTRIBUTES = frozenset({name for name, _, _ in PERIOD_ARGUMENTS} | {"triggers"})
"""Arguments of time_rotating: they are the same before and after it rotates."""

_FORMAT_PERIODS = (
    ("s", 0.0),
    ("m", 0.0),
    ("h", 1 / 24),
    ("H", 1 / 24),
    ("D", 1.0),
    ("E", 1.0),
    ("M", 31.0),
    ("Y", 366.0),
)
"""The finest part of a formatdate() pattern says how often its result changes."""


class Kind(Enum):
    """What a clock does: fires every `days`, never again, makes the plan fail, or cannot be told."""

    PERIODIC = "periodic"
    CONSTANT = "constant"
    FORBIDDEN = "forbidden"
    UNRESOLVED = "unresolved"


@dataclass(frozen=True)
class Clock:
    """A clock behind a value.

    `days` is its period (0: at every apply); `way` are the declarations between the clock and the value, nearest to
    the value first; `why` says what keeps one that is not periodic so. `exact` is True of plantimestamp(): the plan
    knows its value, so that a function can hide a change. Every other clock is unknown while Terraform plans, and so is
    what is computed from it, which replaces whatever it triggers. `unseen` says that the value behind the clock stays
    the same, only that the plan cannot know. `needs` are conditions that the code leaves open, `files` are files that
    the clock rests on besides those on the way, `settings` the places of the inputs and locals that its period is made
    of.
    """

    kind: Kind
    label: str
    path: str
    line: int
    days: float | None = None
    way: tuple[TraceStep, ...] = ()
    why: str = ""
    exact: bool = False
    unseen: bool = False
    needs: frozenset[Atom] = frozenset()
    files: frozenset[str] = frozenset()
    settings: tuple[TraceStep, ...] = ()

    @property
    def source(self) -> tuple[TraceStep, ...]:
        """What sets the period, and the clock."""
        return *self.settings, TraceStep(self.label, self.path, self.line)

    @property
    def steps(self) -> tuple[TraceStep, ...]:
        """What sets the period, the clock, and what carries it, in the order in which a change goes."""
        return *self.source, *reversed(self.way)

    @property
    def order(self) -> tuple[float, str, tuple[str, ...]]:
        """What clocks are sorted by: the one that fires first comes first."""
        return self.days or 0.0, self.label, tuple(step.label for step in self.way)


def period_text(days: float) -> str:
    """A period for a sentence, exact to the second: `90 days`, `90.0000116 days`, `12 hours`."""
    if days >= 1:
        return f"{days:.9g} days" if days != 1 else "1 day"
    return f"{days * 24:.9g} hours"


def rotating_clock(declared: Declaration, frame: Frame) -> Clock:
    """The clock of one instance of time_rotating, whose base timestamp nothing sets."""
    label = f"{frame.scope.prefix}{declared.name}{format_key(frame.key)}"
    if declared.value("rotation_rfc3339") is not None and not _set(declared, "rotation_years", frame):
        value = evaluate(declared.value("rotation_rfc3339"), frame)
        if value not in (None, ""):
            why = "rotates at a fixed moment, so it fires once and is then always expired"
            return Clock(Kind.CONSTANT, label, declared.path, declared.line_of("rotation_rfc3339"), why=why)
    for argument, days, parts in reversed(PERIOD_ARGUMENTS):
        if not _set(declared, argument, frame):
            continue
        line = declared.line_of(argument)
        value = evaluate(declared.value(argument), frame)
        settings = settings_behind([declared.value(argument)], frame)
        if value is UNKNOWN:
            return Clock(Kind.UNRESOLVED, label, declared.path, line, settings=settings)
        amount = number(value)
        if amount is None or amount < 1 or not amount.is_integer():
            why = f"has no {argument} that the provider accepts; it takes whole numbers from 1"
            return Clock(Kind.CONSTANT, label, declared.path, line, why=why, settings=settings)
        return Clock(Kind.PERIODIC, label, declared.path, line, amount * days / parts, settings=settings)
    return Clock(Kind.CONSTANT, label, declared.path, declared.start_line, why="sets no period")


def _set(declared: Declaration, argument: str, frame: Frame) -> bool:
    expr = declared.value(argument)
    return expr is not None and evaluate(expr, frame) is not None


def formatted(clock: Clock, pattern: Any) -> Clock:
    """A clock whose time is written by formatdate() with a pattern."""
    if not clock.exact or clock.kind is not Kind.PERIODIC:
        return clock
    if not isinstance(pattern, str):
        return replace(clock, kind=Kind.UNRESOLVED, days=None)
    letters = re.sub(r"'[^']*'", "", pattern)
    days = next((period for letter, period in _FORMAT_PERIODS if letter in letters), None)
    if days is None:
        return replace(clock, kind=Kind.CONSTANT, days=None, why="is written with a pattern that keeps no part of it")
    return replace(clock, label=f"formatdate() of {clock.label}", days=max(days, clock.days or 0.0))


def shortened(clock: Clock, offset: Any, length: Any) -> Clock:
    """A clock whose time, as 2006-01-02T15:04:05Z, is cut by substr()."""
    start, count = number(offset), number(length)
    if not clock.exact or clock.kind is not Kind.PERIODIC:
        return clock
    if start != 0 or count is None or 0 <= count < 4:
        return replace(clock, kind=Kind.UNRESOLVED, days=None)
    steps = ((16, 0.0), (13, 1 / 24), (10, 1.0), (7, 31.0), (4, 366.0))
    days = 0.0 if count < 0 else next(period for least, period in steps if count >= least)
    return replace(clock, label=f"substr() of {clock.label}", days=max(days, clock.days or 0.0))


def blurred(clock: Clock) -> Clock:
    """A clock behind a function that may give the same result for different times."""
    return replace(clock, kind=Kind.UNRESOLVED, days=None) if clock.exact and clock.kind is Kind.PERIODIC else clock


def doubtful(clock: Clock) -> Clock:
    """A clock behind a comparison or a function whose result may be the same every time: whether a plan sees that is
    up to the version of Terraform."""
    if clock.kind is not Kind.PERIODIC:
        return clock
    why = "stands behind a test or a function that may give the same result every time; use its id itself"
    return replace(clock, kind=Kind.UNRESOLVED, days=None, why=why)


def without_effect(clock: Clock, *, plans_see_it: bool) -> Clock:
    """A clock that an expression names although its value is decided without it.

    Up to version 1.11 a plan does not know the result of a logical operator or a conditional whose test it does not
    know, whatever the rest is, and replaces; later versions know more.
    """
    if clock.kind is Kind.CONSTANT or clock.unseen:
        return clock
    if plans_see_it:
        why = "is named, but the value is the same whatever it says"
        return replace(clock, kind=Kind.CONSTANT, days=None, why=why)
    why = "is named, but the value is the same whatever it says, which not every version of Terraform sees in a plan"
    return replace(clock, kind=Kind.UNRESOLVED, days=None, why=why, unseen=True)


def earliest(clocks: Iterable[Clock]) -> Clock | None:
    """The periodic clock that fires first."""
    periodic = [clock for clock in clocks if clock.kind is Kind.PERIODIC and clock.days is not None]
    return min(periodic, key=lambda clock: clock.order, default=None)


def one_of(choices: list[tuple[Clock, ...]]) -> tuple[Clock, ...]:
    """What is sure of a value that is one of several, nobody knows which: the slowest, if every one has a clock."""
    first = [earliest(choice) for choice in choices]
    periodic = [clock for clock in first if clock is not None]
    if choices and len(periodic) == len(choices):
        return (max(periodic, key=lambda clock: clock.order),)
    everything = tuple(clock for choice in choices for clock in choice)
    return tuple(
        replace(clock, kind=Kind.UNRESOLVED, days=None) if clock.kind is Kind.PERIODIC else clock
        for clock in everything
    )
