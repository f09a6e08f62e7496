"""Something around the keys of an account, and the account that it is made from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeAlias

from keyrules.live.around.documents import Document
from keyrules.live.credential_report import Row, account_of, partition_of
from keyrules.live.instants import ABSENT, Instant, from_datetime, parse
from keyrules.model import FactValue, InputError


class Thing(NamedTuple):
    """A subject of rules that is in no credential report.

    `label` is the user whose it is, or the name where it is nobody's; `name` is as sentences have it. `known` are the
    facts by name, those that are ages as instants; `shown` is what reports say beside them; `words` are what stands for
    words in capitals in the steps of its rules. `problem` is why nothing is known.
    """

    label: str
    arn: str
    account_prefix: str
    kind: str
    name: str
    user: str = ""
    created: Instant = ABSENT
    id: str = ""
    known: Mapping[str, Any] = {}
    shown: Mapping[str, FactValue] = {}
    words: Mapping[str, str] = {}
    problem: str = ""

    @property
    def account(self) -> str:
        """The account number."""
        return account_of(self.account_prefix)


Items: TypeAlias = Iterator[tuple[str, Any]]
"""The members of a document and the items of those that are lists, as (member, value)."""


class User(NamedTuple):
    """A user of a report."""

    arn: str
    has_active_key: bool


class Report(NamedTuple):
    """What a credential report says of the users of an account, by name, and of the root user; `newest` is when the
    youngest user was created."""

    users: dict[str, User]
    root: Row | None
    newest: Instant = ABSENT


class Account(NamedTuple):
    """An account as its credential report has it, and what gives the items of its documents.

    `prefix` is that of its ARNs. `items` may raise InputError while it is read.
    """

    prefix: str
    report: Report
    items: Callable[[Document], Items]

    @property
    def partition(self) -> str:
        """aws, aws-cn, aws-us-gov …"""
        return partition_of(self.prefix)

    def own(self, arn: str) -> str:
        """The ARN. InputError where it is that of another account."""
        if not arn.startswith(self.prefix) or not (arn.isascii() and arn.isprintable()):
            parts = arn.split(":")
            other = f"account {parts[4]}" if len(parts) > 5 and parts[4].isdigit() else "no account"
            mine = account_of(self.prefix)
            raise InputError(
                f"is of {other} and not of account {mine}, whose credential report it is beside: put each account's "
                "into a folder of its own"
            )
        return arn

    def of_user(self, user: str, **more: Any) -> Thing:
        """Something that a user has; its ARN is the user's, as far as the report has it."""
        known = self.report.users.get(user)
        arn = known.arn if known is not None else f"{self.prefix}user/{user}"
        return Thing(label=user, arn=arn, account_prefix=self.prefix, user=user, **more)

    def thing(self, kind: str, name: str, **more: Any) -> Thing:
        """One that belongs to the account as a whole."""
        return Thing(name, f"{self.prefix}root", self.prefix, kind, name, **more)


def value_of(item: Mapping[str, Any], key: str, of: type | tuple[type, ...], needed: bool = True) -> Any:
    """A value of an item; None where it is absent. InputError, naming the key, for one of another type."""
    value = item.get(key)
    if value is None and not needed:
        return None
    if not isinstance(value, of) or (isinstance(value, bool) and of is int):
        found = "nothing" if value is None else type(value).__name__
        raise InputError(f"has {found} as {key}, which AWS never answers: get it again")
    return value


_NAME: Final = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)
"""The names and ids that IAM allows."""


def name_in(item: Mapping[str, Any], key: str) -> str:
    """A name or an id of an item. InputError, naming the key, for what IAM allows as none, without quoting it."""
    value = value_of(item, key, str)
    if not _NAME.fullmatch(value):
        raise InputError(f"has something as {key} that is no name or id of IAM: get it again")
    return str(value)


def moment_of(item: Mapping[str, Any], key: str) -> Instant:
    """A date of an item; ABSENT where there is none. InputError, naming the key, for what is no date."""
    value = item.get(key)
    if value is None:
        return ABSENT
    try:
        return from_datetime(value) if isinstance(value, datetime) else parse(value)
    except (ValueError, TypeError):
        raise InputError(f"has no date with seconds and zone as {key}: get it again") from None
