"""Which of a user's two access keys goes and which one stays: what the steps of a rotation depend on.

A user has at most two keys (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html), so where both
slots are taken, a rotation can only start or end by removing one. The one that nobody needs goes; where both may be
needed, the younger stays, because it is what the callers of the older are to move to.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple

from keyrules.live.instants import to_datetime
from keyrules.live.key_history import Key, keys_of
from keyrules.live.report_columns import Row


class Why(Enum):
    """Why a key is the one to go."""

    INACTIVE = "inactive"
    IDLE = "idle"
    OLDER = "older"


class Choice(NamedTuple):
    """`goes` is removed for the reason `why`, `stays` is kept."""

    goes: Key
    stays: Key
    why: Why


def is_idle(key: Key, as_of: datetime, idle_days: int) -> bool:
    """Whether a key that may be active has had no use for so many days; one never used counts from its creation."""
    since = key.used or key.created
    return bool(since) and as_of - to_datetime(since) >= timedelta(days=idle_days)


def choose(row: Row, as_of: datetime, idle_days: int) -> Choice | None:
    """Which key of two goes; None where the user has fewer.

    An inactive key, else the one that is idle for longer, else the older one.
    """
    keys = keys_of(row)
    if len(keys) < 2:
        return None
    inactive = [key for key in keys if not key.active]
    idle = [key for key in keys if is_idle(key, as_of, idle_days)]
    if inactive:
        return _choice(keys, min(inactive, key=lambda key: key.created), Why.INACTIVE)
    if idle:
        return _choice(keys, min(idle, key=lambda key: (key.used or key.created, key.created)), Why.IDLE)
    return _choice(keys, min(keys, key=lambda key: key.created), Why.OLDER)


def _choice(keys: list[Key], goes: Key, why: Why) -> Choice:
    return Choice(goes, next(key for key in keys if key.slot != goes.slot), why)
