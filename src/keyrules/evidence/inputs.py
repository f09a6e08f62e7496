"""What a package stores as it was received: credential reports from files, those that AWS gave, and the configuration
and the exceptions of the run."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from keyrules.evidence.folder import ACCOUNTS, REPORTS, safe_name, write, write_text
from keyrules.evidence.secrets import refuse_secrets
from keyrules.files import read_named
from keyrules.live.account_audit import AuditRequest, ReportResult, audit_report, unreadable
from keyrules.live.aws_errors import AccountError
from keyrules.live.collection import Gathered, Reach, gather, judged_accounts
from keyrules.live.found_reports import STDIN, find_reports
from keyrules.live.kept_reports import KeptReports
from keyrules.live.newest_reports import newest_of_each_account
from keyrules.live.report_inputs import OpenReport, ReportSource, opened
from keyrules.live.targets import Target, Targets
from keyrules.live.wanted import Wanted
from keyrules.model import AccountState, InputError
from keyrules.records import dataclass
from keyrules.reports.json import dump
from keyrules.reports.text_style import iso_utc, printable
from keyrules.run.settings import Settings


@dataclass
class Stored:
    """What was stored: by path in the package where each input came from, and notes on what was left out."""

    sources: dict[str, str]
    notes: tuple[str, ...] = ()


def store_reports(names: Sequence[str], folder: Path) -> Stored:
    """Copies the reports that the arguments name, the newest of each account where a folder has several.

    Raises UsageError as keyrules.live.found_reports does, and InputError for what cannot be read or holds a secret.
    """
    found = find_reports(names)
    chosen = newest_of_each_account(found)
    stored = Stored({}, (*found.note(), *chosen.notes))
    for source in chosen.judged:
        if source.problem is not None:
            raise InputError(f"{printable(source.name)} cannot be read: {source.problem}; nothing was written")
        data = _received(source)
        refuse_secrets(source.name, data)
        kind = ".json" if data.lstrip().startswith(b"{") else ".csv"
        short = f"stdin{kind}" if source.path is None else _short(source.path, source.name, names)
        path = _free(f"{REPORTS}/{safe_name(short)}", stored.sources)
        write(folder / path, [data])
        stored.sources[path] = printable(source.name)
    return stored


def _received(source: ReportSource) -> bytes:
    if source.path is None:
        return cast(io.BufferedReader, sys.stdin.buffer).read()
    try:
        return source.path.read_bytes()
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise InputError(f"{printable(source.name)} cannot be read: {why}; nothing was written") from None


def _short(path: Path, shown: str, names: Sequence[str]) -> str:
    """The path of a file from the argument that names it or its folder on."""
    for name in names:
        if name != STDIN and Path(name).is_dir() and shown.startswith(f"{Path(name).as_posix()}/"):
            return os.path.relpath(shown, Path(name).parent)
    return path.name


def _free(path: str, taken: Mapping[str, str]) -> str:
    """The path, or one beside it that nothing has."""
    head, _, last = path.rpartition("/")
    number = 1
    while path in taken:
        number += 1
        path = f"{head}/{number}-{last}"
    return path


def store_accounts(accounts: Wanted, reach: Reach, request: AuditRequest, folder: Path) -> datetime:
    """Asks the live accounts for their reports and stores each as AWS gave it, with what became of every account.

    Gives the time when all had answered. Raises InputError where AWS cannot be reached at all.
    """
    targets = accounts.find(reach)
    reach.targets = {target.account: target for target in targets.accounts}
    (folder / REPORTS).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = KeptReports(folder / REPORTS, resume=False)
    gathered = gather(targets.accounts, reach, kept, request)
    for account, report in gathered.reports.items():
        # One that is of another account, which the judgement says.
        kept.keep(account, report)
    document = {
        "ended": iso_utc(gathered.ended),
        "accounts": [{"account": each.account, "name": each.name} for each in targets.accounts],
        "failures": {
            account: {"state": getattr(error, "state", "failed"), "cause": str(error)}
            for account, error in sorted(gathered.failures.items())
        },
        "not_in_the_list": [
            {name: getattr(each, name) for name in ("account", "state", "cause", "name")} for each in targets.skipped
        ],
        "problems": [list(each) for each in targets.problems],
        "notes": [*targets.notes, *gathered.notes],
    }
    write_text(folder / ACCOUNTS, [dump(document)])
    return gathered.ended


class _FromPackage(Gathered):
    """Reports that a package holds, in place of those that were just asked for."""

    def name_of(self, target: Target) -> str:
        return f"{REPORTS}/{target.account}.json"

    @contextmanager
    def opened(self, target: Target) -> Iterator[OpenReport]:
        with opened(ReportSource(self.name_of(target), Path(self.name_of(target))), _no_stdin) as report:
            yield report


def judged_reports(request: AuditRequest, accounts: bytes | None, names: Sequence[str]) -> Iterator[ReportResult]:
    """The result of each report of a package, whose folder is the working directory.

    `accounts` is what it says of live accounts, `names` are its reports. Raises InputError where that is not what a
    package has.
    """
    if accounts is not None:
        targets, gathered = _read_accounts(accounts, request.now)
        yield from (unreadable(place, sentence, request) for place, sentence in targets.problems)
        yield from judged_accounts(targets.accounts, gathered, request, lambda _: None)
        return
    for name in names:
        try:
            with opened(ReportSource(name, Path(name)), _no_stdin) as report:
                yield audit_report(name, report, request)
        except InputError as error:
            yield unreadable(name, str(error), request)


def accounts_said(accounts: bytes | None, now: datetime) -> tuple[Sequence[str], Sequence[AccountState]]:
    """The notes on live accounts, and those that were not to be asked."""
    if accounts is None:
        return (), ()
    targets, gathered = _read_accounts(accounts, now)
    return (*targets.notes, *gathered.notes), targets.skipped


def _read_accounts(data: bytes, now: datetime) -> tuple[Targets, _FromPackage]:
    try:
        document: Any = json.loads(data)
        failures: dict[str, InputError] = {
            account: AccountError(str(each["cause"]), str(each["state"]))
            for account, each in document["failures"].items()
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
    return targets, _FromPackage(None, now, failures=failures, notes=notes)


def _number(account: str) -> str:
    if not (isinstance(account, str) and account.isascii() and account.isdigit() and len(account) == 12):
        raise ValueError(account)
    return account


def _no_stdin() -> io.BufferedReader:
    raise InputError("is no file")


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
