"""What an audit that was given code and states says of the keys in its findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeAlias

from keyrules.live.credential_report import Row
from keyrules.live.verification import Verified
from keyrules.model import DeclaredAt, EvaluationError, FactValue, Subject
from keyrules.records import dataclass, field

Identity: TypeAlias = tuple[str | None, datetime | None, int | None]
"""The ARN of its user, its creation and its slot: what tells a key from the others of a report."""


@dataclass(frozen=True)
class Carried:
    """What declares the keys of a run: None where nobody asked, else by identity.

    `held` says of those for whose users something is declared whether a state holds them; `complete` whether all states
    of the accounts could be read, None where nobody said that all were given.
    """

    declared: Mapping[Identity, tuple[DeclaredAt, ...]] | None = None
    held: Mapping[Identity, bool] = field(default_factory=dict)
    complete: bool | None = None
    errors: tuple[EvaluationError, ...] = ()

    def of(self, subject: Subject) -> tuple[DeclaredAt, ...] | None:
        """What declares a credential; None where that is no access key."""
        if self.declared is None or subject.kind != "access_key":
            return None
        return self.declared.get(_identity(subject), ())

    def facts(self, subject: Subject) -> Mapping[str, FactValue]:
        """Whether a state holds a key, where it was said that all of them were given."""
        if self.complete is None or subject.kind != "access_key":
            return {}
        return {"held_by_a_state": self.held.get(_identity(subject), False) if self.complete else None}


def _identity(subject: Subject) -> Identity:
    return (subject.arn, subject.created_at, subject.slot)


class ReportKeys(Protocol):
    """Takes note of the keys of one report."""

    def passing(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows, as they are judged."""

    def finish(self, verified: Verified) -> None:
        """Ends the report; what was taken of one that is not ended is forgotten."""


class Carrying(Protocol):
    """Joins the keys of a run with what was given."""

    def report(self, name: str, as_of: datetime) -> ReportKeys:
        """Begins a report."""

    def joined(self, errors: Sequence[EvaluationError]) -> Carried:
        """What all reports come to; `errors` are those of the run so far."""
