"""What declares keys: the code and states that a run was given, read once, and what is joined with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from keyrules.code.literals.masking import KnownSecrets
from keyrules.code.state.reading import State
from keyrules.code.state.sources import STDIN, find_states, read_states
from keyrules.keys.declarations import ROTATION_RULE, CodeUnit, read_code
from keyrules.keys.join import JoinRequest
from keyrules.keys.live import LiveKey, LiveReport
from keyrules.keys.rules import TOLERANCE_RULE
from keyrules.model import EvaluationError, Rule, Selection, UsageError
from keyrules.pack.pack import Pack
from keyrules.records import dataclass
from keyrules.reports.text_style import printable
from keyrules.run.configuration.exclude_globs import excluded_paths
from keyrules.run.settings import Settings
from keyrules.terminal import standard_input


@dataclass(frozen=True)
class Given:
    """What declares keys, as the command line names it. `complete` says that these are all states of the accounts,
    `account` is that of states and code that name none."""

    code: Sequence[str]
    states: Sequence[str]
    complete: bool
    account: str | None
    owner_tag: str

    def check(self, reports: Sequence[str]) -> None:
        """Raises UsageError for what cannot be meant."""
        if self.account is not None and not re.fullmatch("[0-9]{12}", self.account):
            raise UsageError(f"--account: {self.account!r} is no account; give its 12 digits")
        if STDIN in reports and STDIN in self.states:
            raise UsageError("- stands for standard input and can be given once, as a report or as a state")
        if self.complete and not self.states:
            raise UsageError("--state-complete says that all states were given; name them with --state")

    def read(self, settings: Settings, pack: Pack, now: datetime) -> Declaring:
        """What they hold. Raises UsageError for what is not there."""
        sources = find_states(self.states)
        # Code first: the processes that read it are copies of this one, which has read no state yet.
        units, errors = self._code(settings, pack, now)
        states, state_errors = read_states(sources, lambda: standard_input().read(), self.owner_tag)
        return Declaring(self, states, units, (*state_errors, *errors))

    def _code(self, settings: Settings, pack: Pack, now: datetime) -> tuple[list[CodeUnit], list[EvaluationError]]:
        if not self.code:
            return [], []
        from keyrules.code.discovery import discover
        from keyrules.code.scan_unit import Limits

        for name in self.code:
            if not Path(name).exists():
                raise UsageError(f"--code: {name} does not exist; name a file or a folder of code")
        rule: Rule = next(rule for rule in pack.rules if rule.id == ROTATION_RULE)
        found = discover([Path(name) for name in self.code], Path.cwd(), excluded_paths(settings))
        return read_code(found, rule, settings.as_of or now, Limits())


@dataclass(frozen=True)
class Declaring:
    """The states and code that were read, and what could not be read of them."""

    given: Given
    states: Sequence[State]
    units: Sequence[CodeUnit]
    errors: tuple[EvaluationError, ...]

    @property
    def secrets(self) -> KnownSecrets:
        """Those that the states hold, to be masked."""
        return KnownSecrets(digest for state in self.states for digest in state.digests)

    def other_accounts(self, reports: Sequence[LiveReport]) -> list[EvaluationError]:
        """Reports of accounts that nothing which was given is about."""
        account = self.given.account
        meant = {account} if account is not None else {each for state in self.states for each in state.accounts}
        reported = {account for report in reports for account in report.accounts}
        if not meant or not reported or (account is None and meant & reported):
            return []
        said = "--account says" if account is not None else "the states are of"
        return [
            EvaluationError(
                report.name,
                "other_account",
                f"{printable(report.name)} is of account {', '.join(sorted(report.accounts))}, and {said} "
                f"{', '.join(sorted(meant))}: give the report of that account.",
            )
            for report in reports
            if report.accounts and not report.accounts & meant
        ]

    def joining(
        self, live: Sequence[LiveKey], reports: Sequence[LiveReport], tolerance: timedelta, everything: bool
    ) -> JoinRequest:
        """What is joined; `everything` says that all that was given could be read."""
        return JoinRequest(
            live=live,
            accounts={account: report.as_of for report in reports for account in report.accounts},
            states=self.states,
            units=self.units,
            account=self.given.account,
            complete=self.given.complete and everything,
            tolerance=tolerance,
        )


def newest_keys(reports: Sequence[LiveReport]) -> tuple[list[LiveKey], list[EvaluationError]]:
    """The keys of each account from its newest report; another report of the same account is an error."""
    newest: dict[str, LiveReport] = {}
    errors = []
    for report in reports:
        for account in sorted(report.accounts):
            known = newest.setdefault(account, report)
            if known is not report:
                older, newer = sorted((known, report), key=lambda each: each.as_of)
                newest[account] = newer
                sentence = (
                    f"{printable(older.name)} and {printable(newer.name)} are both of account {account}, and the first "
                    "was not joined: give an earlier state of affairs with --since, as the JSON of an earlier run."
                )
                errors.append(EvaluationError(older.name, "two_reports", sentence))
    return [key for report in reports for key in report.keys if newest[key.account] is report], errors


def tolerance_in(pack: Pack, selection: Selection) -> timedelta:
    """How long a declared rotation may be late."""
    rule = next(rule for rule in pack.rules if rule.id == TOLERANCE_RULE)
    days = selection.value(rule, "tolerance_days")
    return timedelta(days=days if isinstance(days, int) else 0)
