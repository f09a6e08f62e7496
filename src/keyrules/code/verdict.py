"""What a rule's logic on code takes and gives, the same for Terraform, plans and CloudFormation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from keyrules.model import FactValue, Rule, Selection, Status, TraceStep
from keyrules.records import dataclass, field

_LISTED = 10


def listed(names: Sequence[str]) -> str:
    """Names for a sentence: `a, b, c`; of very many the first ones and how many more there are."""
    left = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {left} more" if left > 0 else "")


@dataclass(frozen=True)
class Verdict:
    """One rule on one block: PASS, FAIL or UNKNOWN with a stable `reason` word and a sentence for people.

    `path` is absolute; `address` is the Terraform address or the CloudFormation logical id; lines are 1-based and
    inclusive. `evidence` are the absolute paths of further files that the verdict rests on, `skipped` is the reason of
    a skip comment on it. No field ever holds a secret's value.
    """

    rule: str
    status: Status
    path: str
    address: str
    start_line: int
    end_line: int
    reason: str
    message: str
    facts: Mapping[str, FactValue] = field(default_factory=dict)
    trace: tuple[TraceStep, ...] = ()
    evidence: tuple[str, ...] = ()
    skipped: str | None = None


@dataclass(frozen=True)
class Opinion:
    """What a rule says of one subject, without the subject's place."""

    status: Status
    reason: str
    message: str
    facts: Mapping[str, FactValue] = field(default_factory=dict)
    trace: tuple[TraceStep, ...] = ()
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class Context:
    """The rule being judged with its parameter values in force."""

    rule: Rule
    selection: Selection

    def limit(self, parameter: str) -> int:
        """The value of an integer parameter. Raises TypeError when the parameter is a list."""
        value = self.selection.value(self.rule, parameter)
        if not isinstance(value, int):
            raise TypeError(f"{self.rule.id}.{parameter} is not one number")
        return value


@dataclass(frozen=True)
class TimedContext(Context):
    """The same with the moment that ages are counted to (UTC). Only plans are judged by it."""

    as_of: datetime
