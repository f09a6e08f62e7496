"""Ages of active access keys in buckets, in memory that does not grow with the number of keys."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime, timedelta

from keyrules.live.instants import CLOCK_TOLERANCE, Instant, from_datetime
from keyrules.model import KeyAges, Selection

AGE_RULE = "KEY_AWS_001"
_LIMITS = 4
_BEFORE_ALL = " "


class AgeBuckets:
    """Counts creation dates by age at `as_of` (aware): buckets of a part of the limit up to four limits, then the rest.

    The limit itself ends a bucket, so that what is beyond it is exactly what the rule calls too old.
    """

    def __init__(self, limit_days: int, as_of: datetime) -> None:
        self._limit_days = limit_days
        edges = [_edge(limit_days, number, as_of) for number in range(KeyAges.PER_LIMIT * _LIMITS, 0, -1)]
        # A blank sorts behind no date and before every date; after a date, behind that one and before all later ones.
        self._edges = [_BEFORE_ALL, *edges, from_datetime(as_of + CLOCK_TOLERANCE) + " "]
        self._counts = [0] * (len(self._edges) + 1)

    def add(self, created: Instant) -> None:
        """Counts one key; a date that is absent or later than `as_of` is no usable date."""
        self._counts[bisect_right(self._edges, created)] += 1

    def result(self) -> KeyAges:
        """What was counted so far."""
        absent, *counts, later = self._counts
        return KeyAges(self._limit_days, tuple(reversed(counts)), absent + later)


def _edge(limit_days: int, number: int, as_of: datetime) -> Instant:
    """The creation date of a key that is as old as the end of that bucket; before all dates where no calendar goes."""
    try:
        return from_datetime(as_of - timedelta(days=limit_days) * number / KeyAges.PER_LIMIT)
    except OverflowError:
        return _BEFORE_ALL


def age_buckets(selection: Selection, as_of: datetime) -> AgeBuckets | None:
    """Buckets for the limit that the run has; None where no rule of it looks at the age of keys."""
    rule = selection.rule(AGE_RULE)
    limit = selection.value(rule, "max_age_days") if rule is not None else None
    return AgeBuckets(limit, as_of) if isinstance(limit, int) else None


def added(ages: Iterable[KeyAges]) -> KeyAges | None:
    """Several reports as one; None for none. All are of one run, and so have one limit."""
    found = list(ages)
    if not found:
        return None
    counts = tuple(sum(column) for column in zip(*(each.counts for each in found), strict=True))
    return KeyAges(found[0].limit_days, counts, sum(each.undated for each in found))
