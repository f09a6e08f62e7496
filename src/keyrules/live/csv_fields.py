"""One line of a credential report as fields, with the commas that user names may hold."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from typing import Final

from keyrules.live.report_columns import MORE_CREDENTIALS

ACCOUNT_PREFIX: Final = re.compile(r"(arn:[^:,]+:iam::[^:,]+:)(root|user/.+)", re.DOTALL)
"""An ARN of the root user or of an IAM user: the account's part, and the resource."""

_CONTROL: Final = re.compile(r"[\x00-\x1f]")
_DATE_LIKE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T.*")


class FieldError(Exception):
    """The line is no row of this report; the text says why, in words that follow "the row"."""


def split_fields(line: str, header: Sequence[str]) -> list[str]:
    """As many fields as the header has. `line` comes without its line break. FieldError when that cannot be."""
    if _CONTROL.search(line):
        raise FieldError("has a control character, which no value of a report has: it is damaged, get it again")
    fields = _csv_fields(line) if '"' in line else line.split(",")
    return fields if len(fields) == len(header) else _rejoined(fields, header)


def header_fields(line: str) -> list[str]:
    """The column names of a first line. FieldError when its quoting is broken."""
    return [name.strip() for name in _csv_fields(line)]


def _csv_fields(line: str) -> list[str]:
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error:
        raise FieldError(
            "has a quoted field that does not end: the report is truncated or damaged, get it again"
        ) from None


def _rejoined(fields: Sequence[str], header: Sequence[str]) -> list[str]:
    """The fields with the commas of an unquoted user name put back.

    The name is the text that the ARN repeats after a slash at its end, and the field after the ARN is a date; surplus
    fields may also belong to a sentence in the last column. FieldError unless exactly one reading fits.
    """
    surplus = len(fields) - len(header)
    if surplus < 0:
        raise FieldError(
            f"has {len(fields)} of {len(header)} columns: the report is truncated or damaged, get it again"
        )
    readings = []
    if list(header[:3]) == ["user", "arn", "user_creation_time"]:
        for left in range(surplus + 1) if header[-1] == MORE_CREDENTIALS else [surplus]:
            readings.extend(_readings(fields, after=2 + left, last=len(header) - 1 + left))
    if len(readings) != 1:
        raise FieldError(
            f"has {len(fields)} columns where the header has {len(header)}, and the commas are not clearly those of "
            "a user name: quote the fields that hold commas, or get the report again"
        )
    return readings[0]


def _readings(fields: Sequence[str], after: int, last: int) -> list[list[str]]:
    """The ways to read `fields[:after]` as a user and an ARN that fit each other; `fields[last:]` are one value."""
    if not _DATE_LIKE.fullmatch(fields[after]):
        return []
    pairs = ((",".join(fields[:cut]), ",".join(fields[cut:after])) for cut in range(1, after))
    return [
        [user, arn, *fields[after:last], ",".join(fields[last:])]
        for user, arn in pairs
        if ACCOUNT_PREFIX.fullmatch(arn) and arn.endswith(f"/{user}")
    ]
