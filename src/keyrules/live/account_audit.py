"""From reports to one evaluation: each report judged at its own moment, verified if asked, then put together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from keyrules.live.age_buckets import added, age_buckets
from keyrules.live.around.judging import Giver, ReportUsers, ThingVerdict, judge_around
from keyrules.live.audit import (
    Population,
    Tally,
    Verdict,
    absent_root_verdicts,
    asks_of_root,
    judge_rows,
    never_has_root,
)
from keyrules.live.audit_notes import (
    gap_notes,
    key_id_note,
    moment_notes,
    population_note,
    repetition_notes,
    root_notes,
)
from keyrules.live.carried import Carried, Carrying
from keyrules.live.credential_report import Row, RowProblem, account_of, read_rows
from keyrules.live.due_soon import Due, due_within
from keyrules.live.fact_readers import ROOT
from keyrules.live.instants import to_datetime
from keyrules.live.limits import Limits
from keyrules.live.live_findings import Kept, Known, LiveFindings, absent_root_row
from keyrules.live.plan import Plan, make_plan
from keyrules.live.report_errors import ReportErrors, of_another
from keyrules.live.report_inputs import OpenReport, check_age
from keyrules.live.taken import Taken
from keyrules.live.verification import SlotOfUser, Verified
from keyrules.model import (
    AccountState,
    Counts,
    Evaluation,
    EvaluationError,
    Input,
    InputError,
    KeyAges,
    PackStamp,
    Plane,
    Severity,
    Status,
)
from keyrules.records import dataclass, field, replace
from keyrules.run.exceptions.apply import Moves, counts_after
from keyrules.run.exceptions.match import ExceptionUse
from keyrules.run.exceptions.scope import audit_scope, exception_warnings, expiry_warnings

Verifier: TypeAlias = Callable[[str, Sequence[Verdict], Plan, datetime], Verified]
"""Takes an account number, the verdicts that did not pass there, their plan and the moment of the report. May raise
InputError."""


@dataclass(frozen=True)
class AuditRequest:
    """What to evaluate, when, and what to keep.

    `now` is the clock, `as_of` the moment that was asked for or None for each report's own. `max_age` is None where a
    report may be of any age. `keep_findings` False counts only. `exceptions` notes which of its entries were used, and
    `kept` takes what is to be listed; both are of one run, and so is `carrying`, which says what declares the keys.
    `progress` is told of each report and of its rows. `asked` are the rules that somebody asked for, by name or for a
    framework: for want of what they need they are UNKNOWN.
    """

    pack: PackStamp
    limits: Limits
    now: datetime
    as_of: datetime | None = None
    max_age: timedelta | None = timedelta(hours=24)
    keep_findings: bool = True
    keep_passing: bool = False
    due_within: timedelta | None = None
    verifier: Verifier | None = None
    exceptions: ExceptionUse | None = None
    kept: Kept = field(default_factory=Kept)
    progress: Callable[[str], None] | None = None
    carrying: Carrying | None = None
    asked: frozenset[str] = frozenset()


@dataclass
class ReportResult:
    """What became of one report; `counts` follows the rules of the plan."""

    item: Input
    as_of: datetime
    account: AccountState | None = None
    """The account that was asked, or whose report it is; None for a report that could not be read."""
    counts: tuple[Counts, ...] = ()
    population: Population = field(default_factory=Population)
    ages: KeyAges | None = None
    without_root: tuple[str, ...] = ()
    """The ARN prefixes of accounts without a row for the root user."""
    gaps: tuple[str, ...] = ()
    """The rules for which nothing was given beside the report."""
    documents: Sequence[Input] = ()
    """What was read beside the report."""
    due: list[Due] = field(default_factory=list)
    errors: list[EvaluationError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class AuditResult:
    """The evaluation, and its counts by rule id for whoever keeps no findings."""

    evaluation: Evaluation
    counts_by_rule: dict[str, Counts]

    def any_failed(self, fail_on: Severity) -> bool:
        """Whether anything failed at that severity or above, whether or not its finding was kept."""
        rules = self.evaluation.rules
        return any(self.counts_by_rule[rule.id].failed and rule.severity >= fail_on for rule in rules)


def unreadable(name: str, sentence: str, request: AuditRequest) -> ReportResult:
    """The result of a report that could not be had at all; the sentence follows its name and has no full stop."""
    errors = ReportErrors(name)
    errors.add("input", sentence)
    return ReportResult(Input("credential_report", name), request.as_of or request.now, errors=list(errors))


def audit_report(
    name: str, opened: OpenReport, request: AuditRequest, account: str | None = None, giver: Giver | None = None
) -> ReportResult:
    """Judges one report, and what `giver` gives beside it. Whatever cannot be evaluated becomes errors of the result,
    and so does a report that is not that of `account`, of which nothing else is said."""
    as_of = request.as_of or opened.generated_at or request.now
    plan = make_plan(request.limits, as_of)
    errors = ReportErrors(name)
    if request.max_age is not None:
        stale = check_age(opened.generated_at, request.as_of or request.now, request.max_age)
        if stale is not None:
            errors.add("stale", stale)
    result = ReportResult(Input("credential_report", name, generated_at=opened.generated_at), as_of)
    verdicts = Taken(plan, request.kept, request.keep_findings, request.exceptions, as_of)
    users = ReportUsers(giver)
    to_verify: list[Verdict] = []
    ages = age_buckets(request.limits.selection, as_of)
    takes_passing = request.keep_passing and request.keep_findings

    def note_due(verdict: Verdict | ThingVerdict) -> None:
        if request.due_within is not None:
            due = due_within(verdict, plan, request.limits.of(verdict.row), as_of, request.due_within)
            if due is not None:
                result.due.append(due)

    def keep(verdict: Verdict) -> None:
        note_due(verdict)
        if verdict.status is not Status.PASS and request.verifier is not None:
            to_verify.append(verdict)
        elif verdict.status is not Status.PASS or takes_passing:
            verdicts.take(verdict)

    def problem(found: RowProblem) -> None:
        errors.row(found)
        verdicts.problem(found)

    keys = request.carrying.report(name, as_of) if request.carrying is not None else None
    rows = users.passing(_counted(read_rows(opened.stream, problem), name, request.progress))
    rows = request.limits.counted(rows)
    try:
        tally = judge_rows(
            rows if keys is None else keys.passing(rows),
            plan,
            as_of,
            contradiction=lambda row: errors.contradiction(row, as_of),
            record=keep if request.keep_findings or request.due_within is not None or request.exceptions else None,
            passing=takes_passing or request.due_within is not None,
            ages=ages,
        )
        accounts = _accounts(tally, account)
    except InputError as error:
        errors.add("input", str(error))
        result.errors = list(errors)
        return replace(result, item=replace(result.item, sha256=opened.digest()))
    verdicts.settle()
    result.population = tally.population
    result.ages = ages.result() if ages is not None else None
    result.without_root = tally.accounts_without_root
    verified = _verified(tally, to_verify, plan, opened.generated_at or as_of, request, errors)
    _keep_verified(verified, verdicts)
    if keys is not None:
        keys.finish(verified)
    for prefix in tally.accounts_without_root:
        row = absent_root_row(prefix)
        for rule, status in absent_root_verdicts(prefix, plan):
            if status is not Status.PASS or takes_passing:
                verdicts.take(Verdict(rule, status, ROOT, row, contradicted=False))
        verdicts.settle()
    around = judge_around(giver, tally.accounts, users.report, plan, as_of, request.asked)
    for each in around.verdicts:
        note_due(each)
    verdicts.keep_things(around.verdicts, takes_passing)
    request.kept.finish()
    counts = map(Counts.__add__, _without(tally.counts, verified.dropped), around.counts)
    result.counts = _exempted(tuple(counts), verdicts.moves, plan)
    result.gaps = around.gaps
    result.documents = around.read
    result.notes += around.notes
    errors.around(around.errors)
    result.notes += verified.notes
    result.errors = list(errors)
    result.account = _state(accounts, result, plan) if accounts else None
    result.item = replace(result.item, sha256=opened.digest(), account=accounts or None)
    return result


def _accounts(tally: Tally, wanted: str | None) -> str:
    """The accounts of a report. InputError, a sentence that follows its name, where they are not the one wanted."""
    found = ",".join(map(account_of, tally.accounts))
    if wanted is not None and found != wanted:
        raise InputError(of_another(found, wanted))
    return found


_ROWS_BETWEEN = 5_000


def _counted(rows: Iterator[Row], name: str, progress: Callable[[str], None] | None) -> Iterator[Row]:
    """The rows, and now and then a word on how many there were."""
    return rows if progress is None else _told(rows, name, progress)


def _told(rows: Iterator[Row], name: str, progress: Callable[[str], None]) -> Iterator[Row]:
    for number, row in enumerate(rows):
        if number % _ROWS_BETWEEN == 0:
            progress(f"judging {name}" + (f": {number:,} users" if number else ""))
        yield row


def combine(
    results: Sequence[ReportResult],
    request: AuditRequest,
    notes: Sequence[str] = (),
    skipped: Sequence[AccountState] = (),
    problems: Sequence[EvaluationError] = (),
) -> AuditResult:
    """One evaluation of all reports. Its moment is the one asked for, or the latest of the reports' own. `notes` and
    `problems` are on what is no report, `skipped` accounts of which none was to be had."""
    as_of = request.as_of or max((result.as_of for result in results), default=request.now)
    plan = make_plan(request.limits, as_of)
    judged = [result for result in results if result.counts]
    by_rule = {
        rule.id: sum((result.counts[index] for result in judged), Counts()) for index, rule in enumerate(plan.rules)
    }
    due = sorted(item for result in results for item in result.due)
    population = _population(results)
    rootless = {account_of(prefix) for result in results for prefix in result.without_root if never_has_root(prefix)}
    entries = request.exceptions.entries if request.exceptions is not None else ()
    exemptions = {entry.number: entry.exemption for entry in entries}
    errors = (*problems, *(error for result in results for error in result.errors))
    carried = request.carrying.joined(errors) if request.carrying is not None else Carried(errors=errors)
    evaluation = Evaluation(
        plane=Plane.LIVE,
        as_of=as_of,
        pack=request.pack,
        rules=plan.rules,
        inputs=tuple(each for result in results for each in (result.item, *result.documents)),
        findings=LiveFindings(request.kept, plan, request.limits, exemptions, carried),
        counts=sum(by_rule.values(), Counts()),
        errors=carried.errors,
        notes=(
            *notes,
            *moment_notes(judged),
            *(request.limits.notes(request.verifier is not None) if judged else ()),
            *root_notes(judged, plan),
            *gap_notes(judged),
            *(note for result in results for note in result.notes),
            *(item.note(as_of) for item in due),
            *key_id_note(request.kept),
            *repetition_notes(judged),
            *(population_note(population) if judged else ()),
        ),
        rule_counts=by_rule,
        gaps=_gaps(results, plan, rootless),
        population=population.counts(),
        accounts=tuple(
            sorted((*skipped, *(r.account for r in results if r.account is not None)), key=lambda each: each.account)
        ),
        key_ages=added(result.ages for result in results if result.ages is not None),
    )
    if request.exceptions is not None:
        warnings = exception_warnings(request.exceptions, audit_scope(evaluation))
        urgent = expiry_warnings(request.exceptions)
        evaluation = replace(evaluation, warnings=warnings, urgent_warnings=urgent)
    return AuditResult(evaluation, by_rule)


def _gaps(results: Sequence[ReportResult], plan: Plan, rootless: set[str]) -> dict[str, tuple[str, ...]]:
    """By rule, the accounts that hold nothing from which it could judge, or of which nothing was given."""
    accounts = {rule.id: set(rootless) if asks_of_root(rule) else set() for rule in plan.rules}
    for result in results:
        for rule in result.gaps:
            accounts[rule].update((result.item.account or "").split(","))
    return {rule: tuple(sorted(found)) for rule, found in accounts.items() if found}


def _state(account: str, result: ReportResult, plan: Plan) -> AccountState:
    """The account of a report that was judged, after the rules had their say."""
    failed: Counter[Severity] = Counter()
    for rule, counts in zip(plan.rules, result.counts, strict=True):
        failed[rule.severity] += counts.failed
    oldest = result.population.oldest_active_key
    return AccountState(
        account,
        "evaluated",
        users=result.population.users,
        active_keys=result.population.active_access_keys,
        oldest_key=to_datetime(oldest) if oldest else None,
        failed={severity: number for severity, number in failed.items() if number},
        unknown=sum(counts.unknown for counts in result.counts),
        errors=len(result.errors),
        counts=result.counts,
    )


def _verified(
    tally: Tally, flagged: list[Verdict], plan: Plan, made: datetime, request: AuditRequest, errors: ReportErrors
) -> Verified:
    """The verdicts as the account confirms them; as they are where it cannot be asked."""
    if request.verifier is None:
        return Verified()
    try:
        account = ",".join(map(account_of, tally.accounts))
        verified = request.verifier(account, flagged, plan, made)
    except InputError as error:
        errors.add("verify", f"could not be verified: {error}")
        return Verified(verdicts=flagged)
    for sentence in verified.errors:
        errors.add("verify", sentence)
    return verified


def _keep_verified(verified: Verified, verdicts: Taken) -> None:
    """Keeps the verdicts that still hold, with what the account says of their users."""
    by_user: dict[str, list[Verdict]] = {}
    for verdict in verified.verdicts:
        by_user.setdefault(verdict.row.arn, []).append(verdict)
    for arn, own in by_user.items():
        ids = {slot: verified.key_ids.get(SlotOfUser(arn, slot)) for slot in (1, 2)}
        known = {slot: key_id for slot, key_id in ids.items() if key_id is not None}
        verdicts.keep(own, Known(known, verified.owners.get(arn)))


def _without(counts: tuple[Counts, ...], dropped: Sequence[Verdict]) -> tuple[Counts, ...]:
    """The counts after verification: what was fixed since the report passes now."""
    changed = list(counts)
    for verdict in dropped:
        before = changed[verdict.rule]
        failed = verdict.status is Status.FAIL
        changed[verdict.rule] = replace(
            before,
            passed=before.passed + 1,
            failed=before.failed - failed,
            unknown=before.unknown - (not failed),
        )
    return tuple(changed)


def _exempted(counts: tuple[Counts, ...], moves: Moves, plan: Plan) -> tuple[Counts, ...]:
    return tuple(counts_after(own, moves, rule.id) for own, rule in zip(counts, plan.rules, strict=True))


def _population(results: Sequence[ReportResult]) -> Population:
    total = Population()
    for result in results:
        total.add(result.population)
    return total
