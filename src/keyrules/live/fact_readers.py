"""Where each fact of keyrules.live.facts comes from in a row of a credential report.

A reader gives None, or no instant, where the report does not say: the fact is then unknown, never a default.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, TypeAlias

from keyrules.live.credential_report import Row
from keyrules.live.facts import ACCOUNT_KINDS, FACTS, Fact
from keyrules.live.instants import ABSENT, UNITS, Instant, age_at, to_datetime
from keyrules.live.report_columns import NOT_SUPPORTED
from keyrules.model import FactValue


class FlagColumn(NamedTuple):
    """A flag that one field of the row holds; with `empty`, whether it holds nothing."""

    field: str
    empty: bool = False


class Flag(NamedTuple):
    """A flag that is worked out from the row; None is unknown."""

    read: Callable[[Row], bool | None]


class Number(NamedTuple):
    """A whole number that is worked out from the row; None is unknown."""

    read: Callable[[Row], int | None]


class Fixed(NamedTuple):
    """A number that is the same for every subject of the kind and slot."""

    value: int


class AgeColumns(NamedTuple):
    """Time since the first of these fields that has a date."""

    fields: tuple[str, ...]


class Age(NamedTuple):
    """Time since an instant that is worked out from the row."""

    since: Callable[[Row], Instant]


class Gap(NamedTuple):
    """Time between two instants of the row, however they are ordered."""

    first: str
    second: str


Reader: TypeAlias = FlagColumn | Flag | Number | Fixed | AgeColumns | Age | Gap


class SubjectKind(NamedTuple):
    """A kind of credential at one place in a row; `slot` is None where a row has at most one."""

    kind: str
    slot: int | None


def first_of(fields: tuple[str, ...]) -> Callable[[Row], Instant]:
    """What gives the first of up to three fields that has a date, or ABSENT."""
    indexes = [*map(Row._fields.index, fields)]
    first, second, third = (*indexes, indexes[-1], indexes[-1])[:3]
    return lambda row: row[first] or row[second] or row[third]


def gap(reader: Gap, row: Row) -> timedelta | None:
    """The length of a gap, or None where one of its ends is not in the row."""
    first, second = getattr(row, reader.first), getattr(row, reader.second)
    return abs(to_datetime(first) - to_datetime(second)) if first and second else None


def _younger_active_key(row: Row) -> Instant:
    one, other = row.key_1_created, row.key_2_created
    if row.key_1_active and row.key_2_active:
        return max(one, other) if one and other else ABSENT
    return one if row.key_1_active else other if row.key_2_active else ABSENT


_ACTIVE: Final = (Row._fields.index("key_1_active"), Row._fields.index("key_2_active"))
"""By their places, because every key of a report asks for them."""


def _is_younger_key(slot: int) -> Callable[[Row], bool | None]:
    one, two = _ACTIVE

    def read(row: Row) -> bool | None:
        if not (row[one] and row[two]):
            return False
        if not (row.key_1_created and row.key_2_created):
            return None
        # Of two keys that were created in the same second, the one in slot 2 counts as the younger.
        return (row.key_2_created >= row.key_1_created) == (slot == 2)

    return read


def _root_has_keys(row: Row) -> bool:
    return bool(row.key_1_active or row.key_1_created or row.key_2_active or row.key_2_created)


def _root_has_credentials(row: Row) -> bool:
    if row.key_1_active or row.key_2_active or row.certificate_1_active or row.certificate_2_active:
        return True
    if row.password_enabled == NOT_SUPPORTED:
        # Reports of before 2022 say this of every root user; in AWS GovCloud (US) the root user cannot sign in.
        return row.partition != "aws-us-gov"
    return bool(row.password_enabled)


def root_last_use(row: Row) -> Instant:
    """The latest use of any credential of the root user, or ABSENT."""
    return max(row.password_used, row.key_1_used, row.key_2_used)


def _access_key(slot: int) -> Mapping[str, Reader]:
    created, used = f"key_{slot}_created", f"key_{slot}_used"
    one, two = _ACTIVE
    return {
        "active": FlagColumn(f"key_{slot}_active"),
        "slot": Fixed(slot),
        "days_since_rotation": AgeColumns((created,)),
        "days_since_use": AgeColumns((used, created)),
        "never_used": FlagColumn(used, empty=True),
        "user_has_console_password": FlagColumn("password_enabled"),
        "minutes_between_user_and_key_creation": Gap("user_created", created),
        "active_keys_of_user": Number(lambda row: (row[one] != "") + (row[two] != "")),
        "days_since_younger_key_of_user": Age(_younger_active_key),
        "is_younger_key_of_user": Flag(_is_younger_key(slot)),
    }


def _certificate(slot: int) -> Mapping[str, Reader]:
    return {
        "active": FlagColumn(f"certificate_{slot}_active"),
        "slot": Fixed(slot),
        "days_since_rotation": AgeColumns((f"certificate_{slot}_created",)),
    }


KEY_1: Final = SubjectKind("access_key", 1)
KEY_2: Final = SubjectKind("access_key", 2)
PASSWORD: Final = SubjectKind("console_password", None)
CERTIFICATE_1: Final = SubjectKind("signing_certificate", 1)
CERTIFICATE_2: Final = SubjectKind("signing_certificate", 2)
ROOT: Final = SubjectKind("root", None)


def _of_thing(fact: Fact) -> Reader:
    """Reads a fact that the documents of an account give; an age is counted from the instant that they have."""

    def read(thing: Any) -> Any:
        return thing.known.get(fact.name)

    if fact.type is float:
        return Age(lambda thing: read(thing) or ABSENT)
    return Flag(read) if fact.type is bool else Number(read)


READERS: Final[Mapping[SubjectKind, Mapping[str, Reader]]] = {
    KEY_1: _access_key(1),
    KEY_2: _access_key(2),
    PASSWORD: {
        "enabled": FlagColumn("password_enabled"),
        "mfa_active": FlagColumn("mfa_active"),
        "days_since_use": AgeColumns(("password_used", "password_changed", "user_created")),
        "days_since_change": AgeColumns(("password_changed",)),
    },
    CERTIFICATE_1: _certificate(1),
    CERTIFICATE_2: _certificate(2),
    ROOT: {
        "has_access_keys": Flag(_root_has_keys),
        "has_credentials": Flag(_root_has_credentials),
        "mfa_active": FlagColumn("mfa_active"),
        "ever_used": Flag(lambda row: bool(root_last_use(row))),
        "days_since_use": Age(lambda row: root_last_use(row) or row.user_created),
    },
    **{
        SubjectKind(kind, None): {name: _of_thing(fact) for name, fact in FACTS[kind].items()}
        for kind in sorted(ACCOUNT_KINDS)
    },
}


def fact_values(subject: SubjectKind, row: Row, as_of: datetime) -> dict[str, FactValue]:
    """Every fact of a subject for people and reports: durations rounded, None where unknown or negative."""
    return {name: read(row, as_of) for name, read in READ[subject].items()}


Read: TypeAlias = Callable[[Row, datetime], FactValue]
"""What gives a fact of a row, at the moment of evaluation, as people read it."""


def _read(reader: Reader, unit: str) -> Read:
    if isinstance(reader, FlagColumn):
        place, empty = Row._fields.index(reader.field), reader.empty
        return lambda row, as_of: (row[place] == "") is empty
    if isinstance(reader, Flag | Number):
        read = reader.read
        return lambda row, as_of: read(row)
    if isinstance(reader, Fixed):
        fixed = reader.value
        return lambda row, as_of: fixed
    length = UNITS[unit]
    if isinstance(reader, Gap):
        return lambda row, as_of: None if (found := gap(reader, row)) is None else round(found / length, 2)
    since = reader.since if isinstance(reader, Age) else first_of(reader.fields)

    def age(row: Row, as_of: datetime) -> FactValue:
        date = since(row)
        if not date or (found := age_at(date, as_of)) is None:
            return None
        return round(found / length, 2)

    return age


READ: Final[Mapping[SubjectKind, Mapping[str, Read]]] = {
    subject: {name: _read(reader, FACTS[subject.kind][name].unit) for name, reader in readers.items()}
    for subject, readers in READERS.items()
}
"""The same readers for people and reports."""
