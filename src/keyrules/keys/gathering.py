"""Brings together what `keyrules keys` joins: reports or the live account, states, code and earlier reports."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

from keyrules.code.literals.masking import KnownSecrets
from keyrules.code.state.reading import State
from keyrules.code.state.sources import STDIN, find_states, read_states
from keyrules.keys.declarations import ROTATION_RULE, CodeUnit, read_code
from keyrules.keys.history import read_history
from keyrules.keys.inventory import Inventory, InventoryRequest, inventory, thresholds
from keyrules.keys.join import JoinRequest, join
from keyrules.keys.live import LiveKey, LiveReport, Looking, read_report, unread, verified
from keyrules.keys.owners import Declared
from keyrules.keys.rules import DECLARED_RULE, TOLERANCE_RULE
from keyrules.live.account_audit import AuditRequest
from keyrules.live.collection import Address, Reach
from keyrules.live.collection import gather as collect
from keyrules.live.instants import CLOCK_TOLERANCE
from keyrules.live.limits import Limits, overrides_of
from keyrules.live.report_inputs import ReportSource, find_reports, from_stream, opened
from keyrules.live.wanted import Wanted
from keyrules.model import EvaluationError, InputError, Plane, Rule, Selection, Severity, Subject, UsageError
from keyrules.pack.catalog import load_pack
from keyrules.pack.pack import Pack
from keyrules.pack.selection import select
from keyrules.records import dataclass, replace
from keyrules.reports.text_style import iso_utc, printable
from keyrules.run.configuration.exclude_globs import excluded_paths
from keyrules.run.exceptions.chosen import chosen_exceptions
from keyrules.run.exceptions.file import utc_day
from keyrules.run.exceptions.match import ExceptionUse
from keyrules.run.framework import choose
from keyrules.run.settings import Settings


@dataclass(frozen=True)
class Gathering:
    """What was asked for, as the command line says it."""

    reports: Sequence[str]
    code: Sequence[str]
    states: Sequence[str]
    complete: bool
    account: str | None
    since: Sequence[str]
    address: Address
    accounts: Wanted
    verify: bool
    owner_tag: str
    max_age: timedelta | None
    now: datetime


def gather(asked: Gathering, settings: Settings) -> tuple[Inventory, KnownSecrets, dict[str, Severity]]:
    """The inventory, the secrets that states hold (to be masked), and the severity of each rule. Raises UsageError."""
    _refuse(asked)
    pack = load_pack()
    selection = _selection(asked, settings, pack)
    exceptions = chosen_exceptions(settings, pack, asked.now)
    use = ExceptionUse(exceptions, Plane.LIVE) if exceptions else None
    history = read_history(asked.since)
    sources, state_sources = find_reports(asked.reports), find_states(asked.states)
    limits = Limits(selection, overrides_of(settings.overrides, selection))
    looking = Looking(limits, asked.now, settings.as_of, asked.max_age, use)
    # Code first: the processes that read it are copies of this one, which has read no state yet.
    units, code_errors = _code(asked, settings, pack)
    states, errors = read_states(state_sources, sys.stdin.buffer.read, asked.owner_tag)
    request = AuditRequest(pack.stamp, limits, asked.now, settings.as_of, asked.max_age)
    reports = _reports(asked, sources, looking, request)
    as_of = settings.as_of or max((report.as_of for report in reports), default=asked.now)
    for name, moment in history.latest:
        if moment > as_of + CLOCK_TOLERANCE:
            raise UsageError(
                f"--since: {name} is of {iso_utc(moment)}, later than what it is compared with ({iso_utc(as_of)}); "
                "give earlier reports only"
            )
    errors += [*code_errors, *(error for report in reports for error in report.errors)]
    live, doubled = _once(reports)
    errors += [*doubled, *_other_accounts(asked, states, reports)]
    tolerance = next(rule for rule in pack.rules if rule.id == TOLERANCE_RULE)
    days = selection.value(tolerance, "tolerance_days")
    joining = JoinRequest(
        live=live,
        accounts={account: report.as_of for report in reports for account in report.accounts},
        states=states,
        units=units,
        account=asked.account,
        complete=asked.complete and not errors,
        tolerance=timedelta(days=days if isinstance(days, int) else 0),
    )
    found = inventory(
        InventoryRequest(
            as_of=as_of,
            joined=join(joining),
            selection=selection,
            days_of=lambda selection: thresholds(pack.rules, selection),
            history=history,
            declared=Declared(
                settings.owners.value,
                settings.longest_cycles.value,
                settings.longest_cycle_days.value,
            ),
            complete=joining.complete,
            tolerance=joining.tolerance,
            owner_tag=asked.owner_tag,
            state_owners={user: owner for state in states for user, owner in state.owners.items()},
            exempt=lambda rule, key: _is_exempt(use, rule, key, as_of),
        )
    )
    notes = [*settings.notes, *sources.note(), *(note for report in reports for note in report.notes), *_notes(found)]
    found = replace(found, errors=tuple(dict.fromkeys(errors)), notes=tuple(notes))
    secrets = KnownSecrets(digest for state in states for digest in state.digests)
    return found, secrets, {rule.id: rule.severity for rule in pack.rules}


def _refuse(asked: Gathering) -> None:
    if asked.account is not None and not re.fullmatch("[0-9]{12}", asked.account):
        raise UsageError(f"--account: {asked.account!r} is no account; give its 12 digits")
    if STDIN in asked.reports and STDIN in asked.states:
        raise UsageError("- stands for standard input and can be given once, as a report or as a state")
    if asked.complete and not asked.states:
        raise UsageError("--state-complete says that all states were given; name them with --state")


def _selection(asked: Gathering, settings: Settings, pack: Pack) -> Selection:
    """The rules of the run. Who says that all states are here asks whether each key is in one."""
    selection = choose(settings, pack).selection
    if not asked.complete or selection.rule(DECLARED_RULE) is not None or DECLARED_RULE in settings.rules.skipped:
        return selection
    ids = [rule.id for rule in selection.rules]
    return select(pack, [*ids, DECLARED_RULE], (), settings.rules.thresholds)


def _code(asked: Gathering, settings: Settings, pack: Pack) -> tuple[list[CodeUnit], list[EvaluationError]]:
    if not asked.code:
        return [], []
    from keyrules.code.discovery import discover
    from keyrules.code.scan_unit import Limits

    for name in asked.code:
        if not Path(name).exists():
            raise UsageError(f"--code: {name} does not exist; name a file or a folder of code")
    rule: Rule = next(rule for rule in pack.rules if rule.id == ROTATION_RULE)
    found = discover([Path(name) for name in asked.code], Path.cwd(), excluded_paths(settings))
    return read_code(found, rule, settings.as_of or asked.now, Limits())


def _reports(
    asked: Gathering, sources: Sequence[ReportSource], looking: Looking, request: AuditRequest
) -> list[LiveReport]:
    reach = Reach(asked.address, asked.accounts.default)
    reports = [_of_file(source, looking) for source in sources] or _of_accounts(asked, reach, request, looking)
    return [_verified(report, reach, looking, asked) for report in reports] if asked.verify else reports


def _of_file(source: ReportSource, looking: Looking) -> LiveReport:
    try:
        with opened(source, lambda: cast(io.BufferedReader, sys.stdin.buffer)) as report:
            return read_report(source.name, report, looking)
    except InputError as error:
        return unread(source.name, str(error), looking)


def _of_accounts(asked: Gathering, reach: Reach, request: AuditRequest, looking: Looking) -> list[LiveReport]:
    """The live account, or each one of the list."""
    try:
        targets = asked.accounts.find(reach)
    except InputError as error:
        name = "the list of accounts" if asked.accounts.several else "the live account"
        return [unread(name, f"could not be evaluated: {error}", looking)]
    reach.targets = {target.account: target for target in targets.accounts}
    reports = [unread(place, sentence, looking) for place, sentence in targets.problems]
    gathered = collect(targets.accounts, reach, None, request)
    for target in targets.accounts:
        failure = gathered.failures.get(target.account)
        if failure is not None:
            reports.append(unread(target.label, f"could not be evaluated: {failure}", looking))
            continue
        report = gathered.reports.pop(target.account)
        stream = from_stream(io.BytesIO(report.content), report.generated_at)
        reports.append(read_report(target.label, stream, looking))
    if reports:
        reports[0].notes += [*targets.notes, *gathered.notes]
    return reports


def _verified(report: LiveReport, reach: Reach, looking: Looking, asked: Gathering) -> LiveReport:
    """The report as its account confirms it; as it is where that cannot be asked, with that as an error."""
    if not report.accounts:
        return report
    try:
        account = reach.account(min(report.accounts))
        return verified(report, account, looking.as_of or looking.now, asked.owner_tag)
    except InputError as error:
        sentence = f"{printable(report.name)} could not be verified: {error}."
        return replace(report, errors=[*report.errors, EvaluationError(report.name, "verify", sentence)])


def _once(reports: Sequence[LiveReport]) -> tuple[list[LiveKey], list[EvaluationError]]:
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


def _other_accounts(asked: Gathering, states: Sequence[State], reports: Sequence[LiveReport]) -> list[EvaluationError]:
    """Reports of accounts that nothing which was given is about."""
    meant = {asked.account} if asked.account is not None else {each for state in states for each in state.accounts}
    reported = {account for report in reports for account in report.accounts}
    if not meant or not reported or (asked.account is None and meant & reported):
        return []
    said = "--account says" if asked.account is not None else "the states are of"
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


def _is_exempt(use: ExceptionUse | None, rule: str, key: LiveKey, as_of: datetime) -> bool:
    if use is None or not use.concerns(rule):
        return False
    subject = Subject("access_key", f"access key {key.slot} of {key.user}", key.account, key.arn, key.user, key.slot)
    return use.covering(rule, subject, utc_day(as_of)) is not None


def _notes(found: Inventory) -> list[str]:
    notes = []
    if any(row.cycle.source == "assumed" for row in found.rows):
        notes.append(
            "How long the callers of some keys may be silent is not declared, so 31 days are assumed: say it "
            "with `longest_cycle_days` or `longest_cycles` in the configuration, or the user tag longest-cycle-days."
        )
    if any(row.live.key_id is None and not row.live.root for row in found.rows):
        notes.append(
            "Reports hold no access key ids: ID_OF_KEY_1 and ID_OF_KEY_2 stand for them; --verify fills them in."
        )
    for rule in found.open_rules:
        notes.append(f"{rule} could not be decided for every key: not all that it asks for was given or could be read.")
    return notes
