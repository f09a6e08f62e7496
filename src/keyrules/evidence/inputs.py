"""What a package stores as it was received: credential reports from files, those that AWS gave, and the configuration
and the exceptions of the run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from keyrules.evidence.answers import Recorded, record
from keyrules.evidence.folder import ACCOUNTS, REPORTS, safe_name, write, write_text
from keyrules.evidence.secrets import refuse_secrets
from keyrules.files import read_named
from keyrules.live.account_audit import AuditRequest, ReportResult, audit_report, unreadable
from keyrules.live.around.documents import Document
from keyrules.live.around.files import Folders
from keyrules.live.around.judging import Giver, Whose
from keyrules.live.aws_errors import AccountError
from keyrules.live.collection import Gathered, Reach, gather, judged_accounts
from keyrules.live.credential_report import ROOT_USER, read_rows
from keyrules.live.found_reports import STDIN, Reports, find_reports
from keyrules.live.kept_reports import KeptReports
from keyrules.live.newest_reports import newest_of_each_account
from keyrules.live.report_inputs import OpenReport, ReportSource, opened
from keyrules.live.targets import Target, Targets
from keyrules.live.wanted import Wanted
from keyrules.live.workers import in_parallel
from keyrules.model import AccountState, InputError, UsageError
from keyrules.records import dataclass
from keyrules.reports.json import dump
from keyrules.reports.text_style import iso_utc, printable
from keyrules.run.settings import Settings
from keyrules.terminal import standard_input


@dataclass
class Stored:
    """What was stored: by path in the package where each input came from, and notes on what was left out."""

    sources: dict[str, str]
    notes: tuple[str, ...] = ()


def store_reports(names: Sequence[str], folder: Path) -> Stored:
    """Copies the reports that the arguments name, the newest of each account where a folder has several, and the
    documents of their accounts, which stay beside them.

    Raises UsageError as keyrules.live.found_reports does, and InputError for what cannot be read, belongs to no report
    or holds a secret.
    """
    found = find_reports(names)
    chosen = newest_of_each_account(found)
    for problem in Folders(found).problems:
        raise InputError(f"{problem.message} Nothing was written.")
    stored = Stored({}, (*found.note(), *chosen.notes))
    places = _Places(names)
    for source in chosen.judged:
        if source.problem is not None:
            raise InputError(f"{printable(source.name)} cannot be read: {source.problem}; nothing was written")
        data = _received(source.path, source.name)
        kind = ".json" if data.lstrip().startswith(b"{") else ".csv"
        _store(data, source.name, places.of(source.path or Path(f"stdin/report{kind}")), folder, stored)
    folders = {source.path.parent for source in chosen.judged if source.path is not None}
    accounts = {source.account for source in chosen.judged}
    for document in found.documents:
        where = document.path.parent
        if where in folders or where.name in accounts:
            _store(_received(document.path, document.name), document.name, places.of(document.path), folder, stored)
    _refuse_others(stored, folder)
    return stored


def _refuse_others(stored: Stored, folder: Path) -> None:
    """Raises InputError for a file that was named and is no report: whoever verifies would not take it for one."""
    try:
        found = find_reports([str(folder / REPORTS)])
    except UsageError:
        found = Reports()
    there = {each.path for each in (*found, *found.documents)}
    for path, name in stored.sources.items():
        if folder / path not in there:
            raise InputError(
                f"{name} is no credential report, neither CSV nor JSON of the AWS CLI; nothing was written"
            )


def _store(data: bytes, name: str, place: str, folder: Path, stored: Stored) -> None:
    refuse_secrets(name, data)
    path = _free(f"{REPORTS}/{place}", stored.sources)
    write(folder / path, [data])
    stored.sources[path] = printable(name)


def _received(path: Path | None, name: str) -> bytes:
    if path is None:
        return standard_input().read()
    try:
        return path.read_bytes()
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise InputError(f"{printable(name)} cannot be read: {why}; nothing was written") from None


class _Places:
    """Where files go: those of one folder into one folder, those of different ones into different ones, whatever their
    names, because a folder says which documents belong to which report."""

    def __init__(self, names: Sequence[str]) -> None:
        self._given = [Path(name) for name in names if name != STDIN and Path(name).is_dir()]
        self._folders: dict[Path, str] = {}

    def of(self, path: Path) -> str:
        """The place of a file."""
        if path.parent not in self._folders:
            given = next((each for each in self._given if path.is_relative_to(each)), None)
            shown = (path.parent.name or "files") if given is None else os.path.relpath(path.parent, given.parent)
            place, number = safe_name(shown), 1
            while place in self._folders.values():
                number += 1
                place = f"{number}/{safe_name(shown)}"
            self._folders[path.parent] = place
        return f"{self._folders[path.parent]}/{safe_name(path.name)}"


def _free(path: str, taken: Mapping[str, str]) -> str:
    """The path, or one beside it that nothing has."""
    head, _, last = path.rpartition("/")
    number = 1
    while path in taken:
        number += 1
        path = f"{head}/{number}-{last}"
    return path


def store_accounts(
    accounts: Wanted, reach: Reach, request: AuditRequest, wanted: Sequence[Document], folder: Path
) -> datetime:
    """Asks the live accounts for their reports and for the documents, and stores each as AWS gave it, with what became
    of every account.

    Gives the time when all had answered. Raises InputError where AWS cannot be reached at all, and for an answer that
    holds a secret.
    """
    targets = accounts.find(reach)
    reach.targets = {target.account: target for target in targets.accounts}
    (folder / REPORTS).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = KeptReports(folder / REPORTS, resume=False)
    gathered = gather(targets.accounts, reach, kept, request)
    for account, report in gathered.reports.items():
        # One that is of another account, which the judgement says.
        kept.keep(account, report)

    def ask(target: Target) -> dict[str, str]:
        return record(
            reach.giver(target), Whose(target.account, reach.identity[1], _users(kept, target.account)), wanted, folder
        )

    there = [target for target in targets.accounts if target.account in kept]
    unread = {target.account: failed for target, failed in in_parallel(there, ask, reach.parallel) if failed}
    ended = reach.later(request.now)
    document = {
        "ended": iso_utc(ended),
        "accounts": [{"account": each.account, "name": each.name} for each in targets.accounts],
        "failures": {
            account: {"state": getattr(error, "state", "failed"), "cause": str(error)}
            for account, error in sorted(gathered.failures.items())
        },
        "documents_not_read": dict(sorted(unread.items())),
        "not_in_the_list": [
            {name: getattr(each, name) for name in ("account", "state", "cause", "name")} for each in targets.skipped
        ],
        "problems": [list(each) for each in targets.problems],
        "notes": [*targets.notes, *gathered.notes],
    }
    write_text(folder / ACCOUNTS, [dump(document)])
    return ended


def _users(kept: KeptReports, account: str) -> tuple[str, ...]:
    """The users in an account's report; none where that cannot be read, which the judgement says."""
    try:
        with kept.read(account) as report:
            users = (row.user for row in read_rows(report.stream, lambda problem: None))
            return tuple(dict.fromkeys(user for user in users if user != ROOT_USER))
    except InputError:
        return ()


class _FromPackage(Gathered):
    """Reports that a package holds, in place of those that were just asked for."""

    def name_of(self, target: Target) -> str:
        return f"{REPORTS}/{target.account}.json"

    @contextmanager
    def opened(self, target: Target) -> Iterator[OpenReport]:
        with opened(ReportSource(self.name_of(target), Path(self.name_of(target)))) as report:
            yield report


class StoredReports:
    """The reports of a package, whose folder is to be the working directory whenever they are judged.

    `accounts` is what the package says of live accounts, None where its reports came from files. `notes` are on the
    accounts, `skipped` those that were not to be asked, `problems` documents that belong to no report. Raises
    InputError for what is not what a package has there.
    """

    def __init__(self, accounts: bytes | None, received: Sequence[str], now: datetime) -> None:
        self._received = received
        self._found = find_reports([REPORTS]) if accounts is None else Reports()
        self._folders = Folders(self._found)
        self._targets, self._gathered, self._unread = _read_accounts(accounts, now)
        self.notes = (*self._targets.notes, *self._gathered.notes)
        self.skipped = self._targets.skipped
        self.problems = self._folders.problems

    def judged(self, request: AuditRequest) -> Iterator[ReportResult]:
        """The result of each report."""
        for place, sentence in self._targets.problems:
            yield unreadable(place, sentence, request)
        yield from judged_accounts(self._targets.accounts, self._gathered, request, self._giver)
        for source in self._found:
            try:
                with opened(source) as report:
                    yield audit_report(source.name, report, request, giver=self._folders.giver(source))
            except InputError as error:
                yield unreadable(source.name, str(error), request)

    def _giver(self, target: Target) -> Giver:
        return Recorded(target.account, target.label, self._unread.get(target.account, {}), self._received)


def _read_accounts(data: bytes | None, now: datetime) -> tuple[Targets, _FromPackage, Mapping[str, Mapping[str, str]]]:
    if data is None:
        return Targets(()), _FromPackage(None, now), {}
    try:
        document: Any = json.loads(data)
        failures: dict[str, InputError] = {
            account: AccountError(str(each["cause"]), str(each["state"]))
            for account, each in document["failures"].items()
        }
        unread = {
            _number(account): {str(command): str(why) for command, why in each.items()}
            for account, each in document["documents_not_read"].items()
        }
        targets = Targets(
            tuple(Target(_number(each["account"]), str(each["name"])) for each in document["accounts"]),
            tuple(
                AccountState(str(each["account"]), str(each["state"]), str(each["cause"]), str(each["name"]))
                for each in document["not_in_the_list"]
            ),
            tuple((str(place), str(sentence)) for place, sentence in document["problems"]),
        )
        notes = [str(note) for note in document["notes"]]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise InputError(f"{ACCOUNTS} is not what a package says of its accounts") from None
    return targets, _FromPackage(None, now, failures=failures, notes=notes), unread


def _number(account: str) -> str:
    if not (isinstance(account, str) and account.isascii() and account.isdigit() and len(account) == 12):
        raise ValueError(account)
    return account


def store_settings(settings: Settings, plane: str, folder: Path) -> Stored:
    """Copies the configuration and the exceptions that are in force. Raises InputError for one that holds a secret."""
    stored = Stored({})
    files = {"keyrules.yaml": settings.file.path if settings.file is not None else None}
    files["exceptions.yaml"] = Path(settings.exceptions.value) if settings.exceptions.value is not None else None
    for name, path in files.items():
        if path is not None:
            data = read_named(str(path))
            refuse_secrets(str(path), data)
            place = f"configuration/{plane}/{name}"
            write(folder / place, [data])
            stored.sources[place] = printable(str(path))
    return stored
