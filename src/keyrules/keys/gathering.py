"""Brings together what `keyrules keys` joins: reports or the live account, states, code and earlier reports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from keyrules.code.literals.masking import KnownSecrets
from keyrules.keys.given import Given, newest_keys, tolerance_in
from keyrules.keys.history import read_history
from keyrules.keys.inventory import Inventory, InventoryRequest, inventory, thresholds
from keyrules.keys.join import join
from keyrules.keys.live import LiveKey, LiveReport, Looking, read_report, unread, verified
from keyrules.keys.owners import Declared
from keyrules.keys.rules import DECLARED_RULE
from keyrules.live.account_audit import AuditRequest
from keyrules.live.collection import Address, Gathered, Reach
from keyrules.live.collection import gather as collect
from keyrules.live.found_reports import find_reports
from keyrules.live.instants import CLOCK_TOLERANCE
from keyrules.live.kept_reports import KeptReports
from keyrules.live.limits import Limits, overrides_of
from keyrules.live.report_errors import of_another
from keyrules.live.report_inputs import ReportSource, opened
from keyrules.live.targets import Target
from keyrules.live.wanted import Wanted
from keyrules.model import EvaluationError, InputError, Plane, Selection, Severity, Subject, UsageError
from keyrules.pack.catalog import load_pack
from keyrules.pack.pack import Pack
from keyrules.pack.selection import select
from keyrules.records import dataclass, replace
from keyrules.reports.text_style import iso_utc, printable
from keyrules.run.exceptions.chosen import chosen_exceptions
from keyrules.run.exceptions.file import utc_day
from keyrules.run.exceptions.match import ExceptionUse
from keyrules.run.framework import choose
from keyrules.run.settings import Settings


@dataclass(frozen=True)
class Gathering:
    """What was asked for, as the command line says it."""

    reports: Sequence[str]
    given: Given
    since: Sequence[str]
    address: Address
    accounts: Wanted
    kept: KeptReports | None
    verify: bool
    max_age: timedelta | None
    now: datetime


def gather(asked: Gathering, settings: Settings) -> tuple[Inventory, KnownSecrets, dict[str, Severity]]:
    """The inventory, the secrets that states hold (to be masked), and the severity of each rule. Raises UsageError."""
    asked.given.check(asked.reports)
    pack = load_pack()
    selection = _selection(asked, settings, pack)
    exceptions = chosen_exceptions(settings, pack, asked.now)
    use = ExceptionUse(exceptions, Plane.LIVE) if exceptions else None
    history = read_history(asked.since)
    sources = find_reports(asked.reports)
    limits = Limits(selection, overrides_of(settings.overrides, selection))
    looking = Looking(limits, asked.now, settings.as_of, asked.max_age, use)
    declaring = asked.given.read(settings, pack, asked.now)
    request = AuditRequest(pack.stamp, limits, asked.now, settings.as_of, asked.max_age)
    reports = _reports(asked, sources, looking, request)
    as_of = settings.as_of or max((report.as_of for report in reports), default=asked.now)
    for name, moment in history.latest:
        if moment > as_of + CLOCK_TOLERANCE:
            raise UsageError(
                f"--since: {name} is of {iso_utc(moment)}, later than what it is compared with ({iso_utc(as_of)}); "
                "give earlier reports only"
            )
    live, doubled = newest_keys(reports)
    errors = [*declaring.errors, *(error for report in reports for error in report.errors)]
    errors += [*doubled, *declaring.other_accounts(reports)]
    joining = declaring.joining(live, reports, tolerance_in(pack, selection), everything=not errors)
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
            owner_tag=asked.given.owner_tag,
            state_owners={user: owner for state in declaring.states for user, owner in state.owners.items()},
            exempt=lambda rule, key: _is_exempt(use, rule, key, as_of),
        )
    )
    notes = [*settings.notes, *sources.note(), *(note for report in reports for note in report.notes), *_notes(found)]
    found = replace(found, errors=tuple(dict.fromkeys(errors)), notes=tuple(notes))
    return found, declaring.secrets, {rule.id: rule.severity for rule in pack.rules}


def _selection(asked: Gathering, settings: Settings, pack: Pack) -> Selection:
    """The rules of the run. Who says that all states are here asks whether each key is in one."""
    selection = choose(settings, pack).selection
    if not asked.given.complete or selection.rule(DECLARED_RULE) is not None or DECLARED_RULE in settings.rules.skipped:
        return selection
    ids = [rule.id for rule in selection.rules]
    return select(pack, [*ids, DECLARED_RULE], (), settings.rules.thresholds)


def _reports(
    asked: Gathering, sources: Sequence[ReportSource], looking: Looking, request: AuditRequest
) -> list[LiveReport]:
    reach = Reach(asked.address, asked.accounts.default)
    reports = [_of_file(source, looking) for source in sources] or _of_accounts(asked, reach, request, looking)
    return [_verified(report, reach, looking, asked) for report in reports] if asked.verify else reports


def _of_file(source: ReportSource, looking: Looking) -> LiveReport:
    try:
        with opened(source, piped=True) as report:
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
    gathered = collect(targets.accounts, reach, asked.kept, request)
    for target in targets.accounts:
        failure = gathered.failures.get(target.account)
        if failure is not None:
            reports.append(unread(target.label, f"could not be evaluated: {failure}", looking))
        else:
            reports.append(_of_account(target, gathered, looking, request))
    if reports:
        reports[0].notes += [*targets.notes, *gathered.notes]
    return reports


def _of_account(target: Target, gathered: Gathered, looking: Looking, request: AuditRequest) -> LiveReport:
    name = gathered.name_of(target)
    try:
        with gathered.opened(target) as stream:
            found = read_report(name, stream, replace(looking, now=gathered.in_time(stream, request).now))
    except InputError as error:
        return unread(name, str(error), looking)
    if found.accounts - {target.account}:
        return unread(name, of_another(", ".join(sorted(found.accounts)), target.account), looking)
    return replace(found, errors=[*found.errors, *gathered.problems(target, name)])


def _verified(report: LiveReport, reach: Reach, looking: Looking, asked: Gathering) -> LiveReport:
    """The report as its account confirms it; as it is where that cannot be asked, with that as an error."""
    if not report.accounts:
        return report
    try:
        account = reach.account(min(report.accounts))
        return verified(report, account, looking.as_of or reach.later(looking.now), asked.given.owner_tag)
    except InputError as error:
        sentence = f"{printable(report.name)} could not be verified: {error}."
        return replace(report, errors=[*report.errors, EvaluationError(report.name, "verify", sentence)])


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
