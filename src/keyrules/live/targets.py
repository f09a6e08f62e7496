"""The accounts that a run over an organisation is about, wherever their list comes from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from keyrules.model import AccountState
from keyrules.records import dataclass
from keyrules.reports.text_style import printable

_NUMBER: Final = re.compile(r"[0-9]{12}", re.ASCII)
ACTIVE: Final = "ACTIVE"


@dataclass(frozen=True)
class Target:
    """One account. `roles` are assumed in their order to reach it, by name or ARN, starting from the credentials of
    `profile` (None: those in use). `state` is what the organisation says of the account, as in SUSPENDED.
    """

    account: str
    name: str = ""
    roles: tuple[str, ...] = ()
    external_id: str | None = None
    profile: str | None = None
    state: str = ACTIVE

    @property
    def label(self) -> str:
        """As messages name it."""
        return f"account {self.account} ({printable(self.name)})" if self.name else f"account {self.account}"


@dataclass(frozen=True)
class Targets:
    """The accounts to evaluate, sorted by number. `skipped` are those that are not open, `problems` are places in
    the list with a sentence that follows each, `notes` what else is to be said.
    """

    accounts: tuple[Target, ...]
    skipped: tuple[AccountState, ...] = ()
    problems: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


def is_account(text: str) -> bool:
    """Whether it is an account number."""
    return bool(_NUMBER.fullmatch(text))


def chosen(found: Sequence[Target], excluded: frozenset[str], problems: Sequence[tuple[str, str]] = ()) -> Targets:
    """What remains of the accounts of a list: without the excluded ones, and with those that are not open apart."""
    kept = sorted((each for each in found if each.account not in excluded), key=lambda each: each.account)
    skipped = tuple(
        AccountState(each.account, word, f"the organization has it as {printable(each.state)}", each.name)
        for each in kept
        if each.state != ACTIVE
        for word in (each.state.casefold().replace("_", " "),)
    )
    notes = []
    if skipped:
        listed = ", ".join(f"{each.account} ({each.state})" for each in skipped)
        notes.append(f"Not evaluated, because they are not active in the organization: {listed}.")
    absent = sorted(excluded - {each.account for each in found})
    if absent:
        notes.append(f"Excluded, but not in the list of accounts: {', '.join(absent)}.")
    return Targets(tuple(each for each in kept if each.state == ACTIVE), skipped, tuple(problems), tuple(notes))
