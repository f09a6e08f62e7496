"""The accounts of an organisation, as AWS Organizations lists them to its management or a delegated account."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from keyrules.live.targets import Target
from keyrules.model import UsageError
from keyrules.records import replace
from keyrules.reports.text_style import printable

if TYPE_CHECKING:
    from keyrules.live.aws import Aws, Session

_PAGE: Final = 20
_UNIT: Final = re.compile(r"ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}|r-[0-9a-z]{4,32}", re.ASCII)


def checked_units(ids: Sequence[str]) -> tuple[str, ...]:
    """Organizational units of the command line. UsageError."""
    for unit in ids:
        if not _UNIT.fullmatch(unit):
            raise UsageError(
                f"--ou: {printable(unit)!r} is no organizational unit; write its id, as in ou-ab12-34cd56ef, or that "
                "of the root, as in r-ab12"
            )
    return tuple(dict.fromkeys(ids))


def list_accounts(aws: Aws, session: Session, units: Sequence[str], default: Target) -> list[Target]:
    """Every account, or those in the units and in the units below them, each once; what AWS does not say is as in
    `default`. InputError where AWS refuses."""
    listed = (
        _below(aws, session, units)
        if units
        else aws.pages("organizations:ListAccounts", "Accounts", session, MaxResults=_PAGE)
    )
    found = {each["Id"]: each for each in listed}
    return [_target(each, default) for _, each in sorted(found.items())]


def _below(aws: Aws, session: Session, units: Sequence[str]) -> Iterator[Any]:
    waiting, seen = list(units), set(units)
    while waiting:
        parent = waiting.pop()
        asked: dict[str, Any] = {"ParentId": parent, "MaxResults": _PAGE}
        yield from aws.pages("organizations:ListAccountsForParent", "Accounts", session, **asked)
        below = aws.pages("organizations:ListOrganizationalUnitsForParent", "OrganizationalUnits", session, **asked)
        for unit in (each["Id"] for each in below):
            if unit not in seen:
                seen.add(unit)
                waiting.append(unit)


def _target(account: dict[str, Any], default: Target) -> Target:
    """`State` says more than `Status`, which is to go; botocore before 1.40 does not know it."""
    state = account.get("State") or account.get("Status") or "in an unknown state"
    return replace(default, account=account["Id"], name=account.get("Name", ""), state=state)
