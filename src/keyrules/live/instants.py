"""Points in time as text that sorts: ISO 8601 in UTC without a zone, as in `2026-05-31T12:00:00`.

A credential report of a million users holds several million dates, and only a few of them end up in a finding. Dates
of one form compare as text exactly as they compare in time, so they are compared that way and turned into numbers only
for people. A fraction of a second, where there is one, has six digits and sorts behind the whole second.

The report itself writes a zone: `2026-05-31T12:00:00Z` in current reports, `2016-10-11T09:00:00+00:00` in older ones.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Final, TypeAlias

from keyrules.terms import YEARS, UsageError

_LETTERS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_SPAN: Final = re.compile(r"([0-9]+)([smhd])", re.ASCII)
_DIGITS: Final = 6
_RECENT: Final = 256
"""A finding asks for the same few dates again and again, and then nobody does."""


def parse_span(option: str, text: str) -> timedelta:
    """A whole number of up to six digits and a unit. UsageError, naming the option, for anything else."""
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{option}: {text!r} is no length of time; write a number and s, m, h or d, as in 24h or 14d")
    number = match[1].lstrip("0") or "0"
    if len(number) > _DIGITS:
        raise UsageError(f"{option}: {text.strip()[:40]!r} is too long; write a number up to 999,999 with its unit")
    return int(number) * UNITS[_LETTERS[match[2]]]


Instant: TypeAlias = str
"""A point in time, to be compared with `<`; the empty text, which sorts before all, where the report has no date."""

ABSENT: Final = ""

UNITS: Final = {
    "seconds": timedelta(seconds=1),
    "minutes": timedelta(minutes=1),
    "hours": timedelta(hours=1),
    "days": timedelta(days=1),
}
"""The units that a fact or a parameter can have."""

CLOCK_TOLERANCE: Final = timedelta(minutes=5)
"""Clocks of a workstation and of AWS's services may differ this much without anything being wrong."""

_NOTHING: Final = timedelta(0)
_EARLIEST: Final = -CLOCK_TOLERANCE

_TIMESTAMP: Final = re.compile(
    r"([0-9]{4})-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.([0-9]{1,9}))?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)


def parse(text: str) -> Instant:
    """An ISO 8601 timestamp with seconds and zone. ValueError on anything else; digits below 1 µs are cut off."""
    match = _TIMESTAMP.fullmatch(text)
    if match is None or int(match[1]) not in YEARS:
        raise ValueError("not a date in ISO 8601 with seconds and zone")
    fraction = (match[2] or "0")[:6].ljust(6, "0")
    zone = "+00:00" if text.endswith("Z") else text[-6:]
    return from_datetime(datetime.fromisoformat(f"{text[:19]}.{fraction}{zone}"))


def from_datetime(moment: datetime) -> Instant:
    """An aware datetime, exact to the microsecond. ValueError when it has no zone."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone cannot be compared with a credential report")
    return moment.astimezone(timezone.utc).replace(tzinfo=None).isoformat()


@lru_cache(maxsize=_RECENT)
def to_datetime(instant: Instant) -> datetime:
    """The aware datetime in UTC of an instant that is not ABSENT."""
    return datetime.fromisoformat(f"{instant}+00:00")


def to_iso(instant: Instant) -> str:
    """ISO 8601 in UTC with `Z` of an instant that is not ABSENT."""
    return f"{instant}Z"


@lru_cache(maxsize=_RECENT)
def age_at(instant: Instant, as_of: datetime) -> timedelta | None:
    """The age at a moment of an instant that is not ABSENT; None for one that is later than clocks may differ."""
    age = as_of - to_datetime(instant)
    if age < _NOTHING:
        return None if age < _EARLIEST else _NOTHING
    return age
