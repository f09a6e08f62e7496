"""What a run says about controls: counts and verdicts. Plain data, found in keyrules.model, too."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from keyrules.records import dataclass, field


@dataclass(frozen=True)
class Counts:
    """Verdicts by status; `evaluated` is their sum. `known` are those FAIL and UNKNOWN that the baseline holds."""

    passed: int = 0
    failed: int = 0
    exempt: int = 0
    unknown: int = 0
    known: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.passed + other.passed,
            self.failed + other.failed,
            self.exempt + other.exempt,
            self.unknown + other.unknown,
            self.known + other.known,
        )

    @property
    def evaluated(self) -> int:
        """All verdicts, whatever their status."""
        return self.passed + self.failed + self.exempt + self.unknown + self.known


class Outcome(enum.Enum):
    """What a run says about a control; keyrules.controls.verdicts says when."""

    SATISFIED = "satisfied"
    WITH_EXCEPTIONS = "satisfied with exceptions"
    NOT_SATISFIED = "not satisfied"
    PARTLY_ASSESSED = "partly assessed"
    ADVERSE_EVIDENCE = "evidence only, adverse"
    CLEAN_EVIDENCE = "evidence only, clean"
    NOT_ASSESSED = "not assessed"


@dataclass(frozen=True)
class RulePart:
    """A rule's part in a control's verdict: how the row relates them, the bounds it demands, what the rule found.

    `statement` is the part of the control that the row is about, empty for all of it.
    """

    rule: str
    relation: str
    bound: str
    counts: Counts
    statement: str = ""


@dataclass(frozen=True)
class ControlResult:
    """The verdict on one control. `rest` says what nothing decided; `exceptions` counts EXEMPT among deciding rules.

    `framework` is the key of its edition, empty where a rule stands for a control. `statements` has a verdict on each
    part of the control that its rows name, in order; there `statement` is its id. `by_account` has the accounts of a
    run on several, each below the verdict that it would have alone; they are sorted.
    """

    control: str
    title: str
    outcome: Outcome
    reason: str
    parts: tuple[RulePart, ...]
    rest: tuple[str, ...] = ()
    exceptions: int = 0
    framework: str = ""
    statement: str = ""
    statements: tuple[ControlResult, ...] = ()
    by_account: Mapping[Outcome, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class FrameworkReport:
    """The controls of a framework edition, in its order; `notes` say where limits differ from its own.

    Several editions that a run was asked for follow each other, and their keys, names and addresses do, too; `editions`
    has those apart.
    """

    key: str
    name: str
    url: str
    controls: tuple[ControlResult, ...]
    notes: tuple[str, ...] = ()
    editions: tuple[tuple[str, str, str], ...] = ()

    @property
    def several(self) -> bool:
        """Whether there are controls of more than one edition, so that each is to be named with its own."""
        return len({control.framework for control in self.controls}) > 1

    def label(self, control: ControlResult) -> str:
        """The control's id, with its edition where that could be another."""
        return f"{control.framework} {control.control}" if self.several else control.control
