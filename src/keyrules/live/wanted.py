"""Which accounts a command line means, checked before AWS is asked, and found where their list is."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from keyrules.live.accounts_file import AccountsFile, read_accounts
from keyrules.live.organization import checked_units, list_accounts
from keyrules.live.roles import account_of, checked_external_id, checked_via, role_everywhere
from keyrules.live.targets import Target, Targets, chosen, is_account
from keyrules.model import UsageError
from keyrules.records import dataclass
from keyrules.reports.text_style import printable

if TYPE_CHECKING:
    from keyrules.live.collection import Reach


@dataclass(frozen=True)
class Wanted:
    """`default` is a target without an account, reached as the options say. `entries` are those of `file`, and `own` is
    the account that --role names by its ARN."""

    organization: bool
    file: Path | None
    entries: AccountsFile | None
    units: tuple[str, ...]
    excluded: frozenset[str]
    via: tuple[str, ...]
    default: Target
    own: str | None

    @property
    def several(self) -> bool:
        """Whether there is a list of accounts."""
        return self.organization or self.file is not None

    def listed(self, reach: Reach) -> list[Target]:
        """The accounts of the organization, those too that are not active. InputError where AWS does not say them."""
        return [each for each in self._of_organization(reach) if each.account not in self.excluded]

    def _of_organization(self, reach: Reach) -> list[Target]:
        return list_accounts(reach.aws, reach.own_session(), self.units, self.default)

    def find(self, reach: Reach) -> Targets:
        """The accounts. InputError where AWS does not say them."""
        if self.entries is not None:
            return chosen(self.entries.targets, self.excluded, self.entries.problems)
        if self.organization:
            return chosen(self._of_organization(reach), self.excluded)
        account = self.own or reach.identity[0]
        return Targets((Target(account, roles=self.default.roles, external_id=self.default.external_id),))


def wanted(args: argparse.Namespace) -> Wanted:
    """What the options say. Raises UsageError for what they cannot mean, as a shell's variable that is not set: without
    the option the run would be another one."""
    given = vars(args)
    for name, value in given.items():
        if value == "":
            raise UsageError(f"--{name.replace('_', '-')}: the value is empty; write one, or leave the option out")
    if "" in given.get("reports", ()):
        raise UsageError("one of the reports is named by the empty text; name a file or a folder, or . for this folder")
    file, external_id = given.get("accounts"), checked_external_id(given.get("external_id"))
    if args.organization and file:
        raise UsageError("--organization and --accounts are two lists of accounts; give one of them")
    if args.ou and not args.organization:
        raise UsageError("--ou is a part of an organization; add --organization")
    if args.exclude_account and not args.organization and not file:
        raise UsageError("--exclude-account leaves accounts out of a list; add --organization or --accounts FILE")
    for number in args.exclude_account:
        if not is_account(number):
            raise UsageError(f"--exclude-account: {printable(number)!r} is no account; write its number of 12 digits")
    if external_id is not None and not args.role and not args.via and not file:
        raise UsageError("--external-id is for a role; add --role NAME")
    role = role_everywhere(args.role) if args.role else None
    default = Target("", roles=(role,) if role else (), external_id=external_id)
    path = Path(file) if file else None
    return Wanted(
        organization=args.organization,
        file=path,
        entries=read_accounts(path, default) if path is not None else None,
        units=checked_units(args.ou),
        excluded=frozenset(args.exclude_account),
        via=checked_via(args.via),
        default=default,
        own=account_of(args.role) if args.role else None,
    )
