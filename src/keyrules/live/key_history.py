"""What the credentials of one row look like to a person: names, ages, last uses. No verdicts here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from operator import attrgetter, itemgetter
from typing import Final, NamedTuple

from keyrules.live.credential_report import ROOT_USER, Row
from keyrules.live.fact_readers import (
    CERTIFICATE_1,
    CERTIFICATE_2,
    KEY_1,
    KEY_2,
    PASSWORD,
    ROOT,
    SubjectKind,
    root_last_use,
)
from keyrules.live.instants import ABSENT, Instant, age_at, to_datetime
from keyrules.live.report_columns import NO_VALUE, NOT_SUPPORTED
from keyrules.reports.text_style import duration_beyond, human_duration, iso_utc

NO_PLACE: Final = frozenset({"", NO_VALUE, NOT_SUPPORTED, "no_information"})
"""What a report writes where there is no service or region of a last use."""


_KEYS: Final = {
    slot: itemgetter(
        *(Row._fields.index(f"key_{slot}_{name}") for name in ("active", "created", "used", "region", "service"))
    )
    for slot in (1, 2)
}
"""What takes the fields of an access key out of a row, by slot."""


class Key(NamedTuple):
    """One access key of a row. `service` and `region` of the last use are empty where the report has none."""

    slot: int
    active: bool
    created: Instant
    used: Instant
    service: str
    region: str


_new: Final = tuple.__new__


def key_of(row: Row, slot: int) -> Key:
    """The access key in slot 1 or 2, whether or not there is one."""
    active, created, used, region, service = _KEYS[slot](row)
    service, region = "" if service in NO_PLACE else service, "" if region in NO_PLACE else region
    return _new(Key, (slot, active != "", created, used, service, region))


def keys_of(row: Row) -> list[Key]:
    """The access keys that exist, by slot."""
    keys = [key_of(row, 1)] if row.key_1_active or row.key_1_created else []
    if row.key_2_active or row.key_2_created:
        keys.append(key_of(row, 2))
    return keys


def owner_of(row: Row) -> str:
    """`alice`, or `the root user`."""
    return "the root user" if row.user == ROOT_USER else row.user


def name_of(subject: SubjectKind, row: Row) -> str:
    """`access key 1 of alice`, `the console password of alice`, `the root user`."""
    owner = owner_of(row)
    if subject.kind == "access_key":
        return f"access key {subject.slot} of {owner}"
    if subject.kind == "signing_certificate":
        return f"signing certificate {subject.slot} of {owner}"
    return owner if subject == ROOT else f"the console password of {owner}"


def is_absent_root(subject: SubjectKind, row: Row) -> bool:
    """Whether the row only stands for one of the root user that the report does not have: every other has a date."""
    return subject == ROOT and not row.user_created


CREATED: Final[Mapping[SubjectKind, Callable[[Row], Instant]]] = {
    KEY_1: attrgetter("key_1_created"),
    KEY_2: attrgetter("key_2_created"),
    CERTIFICATE_1: attrgetter("certificate_1_created"),
    CERTIFICATE_2: attrgetter("certificate_2_created"),
    PASSWORD: attrgetter("user_created"),
    ROOT: attrgetter("user_created"),
}
"""When a credential came to be; for a password and for root, when the user did, because that identifies it."""


def created_at(subject: SubjectKind, row: Row) -> Instant:
    """When the credential came to be, as CREATED has it."""
    return CREATED[subject](row)


LAST_USED: Final[Mapping[SubjectKind, Callable[[Row], Instant]]] = {
    KEY_1: attrgetter("key_1_used"),
    KEY_2: attrgetter("key_2_used"),
    CERTIFICATE_1: lambda _: ABSENT,
    CERTIFICATE_2: lambda _: ABSENT,
    PASSWORD: attrgetter("password_used"),
    ROOT: root_last_use,
}
"""The last recorded use of a credential, or ABSENT. The report has none for certificates."""


def last_used_at(subject: SubjectKind, row: Row) -> Instant:
    """The last recorded use of the credential, as LAST_USED has it."""
    return LAST_USED[subject](row)


_UNKNOWN_TIME: Final = "an unknown time"
"""Ago, or old, where the report has no date."""


def ago(instant: Instant, as_of: datetime) -> str:
    """How long ago an instant was, for people: `412 days ago`; the time itself where that is after the evaluation."""
    if not instant:
        return f"{_UNKNOWN_TIME} ago"
    length = age_at(instant, as_of)
    if length is None:
        return f"at {iso_utc(to_datetime(instant))}, after the moment of evaluation"
    return f"{human_duration(length)} ago"


def age(instant: Instant, as_of: datetime) -> str:
    """The same as an age: `412 days old`."""
    if not instant:
        return f"{_UNKNOWN_TIME} old"
    length = age_at(instant, as_of)
    if length is None:
        return f"created at {iso_utc(to_datetime(instant))}, after the moment of evaluation"
    return f"{human_duration(length)} old"


def beyond(instant: Instant, as_of: datetime, limit_days: int) -> str:
    """The length of an age, exact enough to show that it is longer than the limit."""
    return duration_beyond(as_of - to_datetime(instant), limit_days) if instant else _UNKNOWN_TIME


def last_use(key: Key, as_of: datetime) -> str:
    """`last used 3 days ago by s3 in eu-west-1`, `never used`."""
    if not key.used:
        return "never used"
    service = f" with {key.service}" if key.service else ""
    region = f" in {key.region}" if key.region else ""
    return f"last used {ago(key.used, as_of)}{service}{region}"
