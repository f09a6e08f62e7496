"""Collects what could not be evaluated in one report, as sentences that name it; repetition is summed up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from keyrules.live.credential_report import Row, RowProblem
from keyrules.live.instants import CLOCK_TOLERANCE, from_datetime, to_datetime
from keyrules.live.shown_values import shown
from keyrules.model import EvaluationError
from keyrules.reports.text_style import iso_utc, printable

_MOST_OF_A_KIND: Final = 50
_DATES: Final = (
    ("user_created", "user_creation_time"),
    ("password_used", "password_last_used"),
    ("password_changed", "password_last_changed"),
    ("key_1_created", "access_key_1_last_rotated"),
    ("key_1_used", "access_key_1_last_used_date"),
    ("key_2_created", "access_key_2_last_rotated"),
    ("key_2_used", "access_key_2_last_used_date"),
    ("certificate_1_created", "cert_1_last_rotated"),
    ("certificate_2_created", "cert_2_last_rotated"),
)


class ReportErrors:
    """The errors of the report `name`. After 50 of a kind the rest is counted, so that memory has a bound."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._errors: list[EvaluationError] = []
        self._seen: Counter[str] = Counter()

    def add(self, kind: str, sentence: str) -> None:
        """Something about the report as a whole; the sentence follows its name and has no full stop."""
        self._errors.append(EvaluationError(self._name, kind, f"{printable(self._name)} {sentence}."))

    def around(self, problems: Iterable[tuple[str, str]]) -> None:
        """Something about documents beside the report: their names, each with a sentence that follows it."""
        for name, sentence in problems:
            self._errors.append(EvaluationError(name, "account_document", f"{printable(name)} {sentence}."))

    def row(self, problem: RowProblem) -> None:
        """Something in one row."""
        self._in_row(problem.kind, f"row {problem.line}: {problem.message}")

    def contradiction(self, row: Row, as_of: datetime) -> None:
        """A row with a date after the moment of evaluation, by more than clocks may differ."""
        limit = from_datetime(as_of + CLOCK_TOLERANCE)
        for field, column in _DATES:
            instant = getattr(row, field)
            if instant > limit:
                self._in_row(
                    "later_than_as_of",
                    f"user {shown(row.user)}: the column {column} has {iso_utc(to_datetime(instant))}, which is after "
                    f"the moment of evaluation, {iso_utc(as_of)}: get a new report, or give --as-of at or after the "
                    "time when this one was made",
                )

    def _in_row(self, kind: str, sentence: str) -> None:
        self._seen[kind] += 1
        if self._seen[kind] <= _MOST_OF_A_KIND:
            self._errors.append(EvaluationError(self._name, kind, f"{printable(self._name)}, {sentence}."))

    def __iter__(self) -> Iterator[EvaluationError]:
        """In the order of the report, with one error more for each kind that was summed up."""
        yield from self._errors
        for kind, number in sorted(self._seen.items()):
            if number > _MOST_OF_A_KIND:
                yield EvaluationError(
                    self._name,
                    kind,
                    f"{printable(self._name)} has {number - _MOST_OF_A_KIND:,} more problems of the kind {kind}.",
                )


def of_another(found: str, wanted: str) -> str:
    """What is wrong with a report that has the accounts `found`, or none, where one of another was to be."""
    held = f"the report of account {found}" if found else "no row that can be read"
    return f"holds {held} and not the report of account {wanted}"
