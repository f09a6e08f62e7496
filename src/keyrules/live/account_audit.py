"""From reports to one evaluation: each report judged at its own moment, verified if asked, then put together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, astuple, dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from keyrules.live.age_buckets import added, age_buckets
from keyrules.live.audit import Population, Tally, Verdict, asks_of_root, judge_rows, never_has_root
from keyrules.live.credential_report import read_rows
from keyrules.live.due_soon import Due, due_within
from keyrules.live.live_findings import absent_root, make_finding, make_subject, number_twins, worst_first
from keyrules.live.plan import Plan, make_plan
from keyrules.live.remediation import UNKNOWN_KEY_ID
from keyrules.live.report_errors import ReportErrors
from keyrules.live.report_inputs import OpenReport, check_age
from keyrules.live.verification import SlotOfUser, Verified
from keyrules.model import (
    AccountState,
    Counts,
    Evaluation,
    EvaluationError,
    Finding,
    Input,
    InputError,
    KeyAges,
    PackStamp,
    Plane,
    Selection,
    Severity,
    Status,
)
from keyrules.reports.text_style import count_of, first_sentence, iso_utc
from keyrules.run.exceptions.apply import Moves, counts_after, moves_between
from keyrules.run.exceptions.file import utc_day
from keyrules.run.exceptions.match import ExceptionUse
from keyrules.run.exceptions.scope import audit_scope, exception_warnings, expiry_warnings

Verifier: TypeAlias = Callable[[str, Sequence[Verdict], Plan, datetime], Verified]
"""Takes an account number, the verdicts that did not pass there, their plan and the moment of the report. May raise
InputError."""


@dataclass(frozen=True)
class AuditRequest:
    """What to evaluate, when, and what to keep.

    `now` is the clock, `as_of` the moment that was asked for or None for each report's own. `max_age` is None where a
    report may be of any age. `keep_findings` False counts only, in memory that does not grow with the findings.
    `exceptions` notes which of its entries were used.
    """

    pack: PackStamp
    selection: Selection
    now: datetime
    as_of: datetime | None = None
    max_age: timedelta | None = timedelta(hours=24)
    keep_findings: bool = True
    keep_passing: bool = False
    due_within: timedelta | None = None
    verifier: Verifier | None = None
    exceptions: ExceptionUse | None = None


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
    accounts_without_root: tuple[str, ...] = ()
    """Those in whose partition no report has a row for the root user."""
    findings: list[Finding] = field(default_factory=list)
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


def audit_report(name: str, opened: OpenReport, request: AuditRequest) -> ReportResult:
    """Judges one report. Whatever cannot be evaluated becomes errors of the result."""
    as_of = request.as_of or opened.generated_at or request.now
    plan = make_plan(request.selection, as_of)
    errors = ReportErrors(name)
    if request.max_age is not None:
        stale = check_age(opened.generated_at, request.as_of or request.now, request.max_age)
        if stale is not None:
            errors.add("stale", stale)
    result = ReportResult(Input("credential_report", name, generated_at=opened.generated_at), as_of)
    verdicts: list[Verdict] = []
    ages = age_buckets(request.selection, as_of)

    day = utc_day(as_of)
    moves: Counter[tuple[str, Status]] = Counter()

    def count_exempt(verdict: Verdict, exceptions: ExceptionUse) -> None:
        rule = plan.rules[verdict.rule].id
        if exceptions.concerns(rule) and exceptions.covers(rule, make_subject(verdict.subject, verdict.row), day):
            moves[rule, verdict.status] += 1

    def keep(verdict: Verdict) -> None:
        if request.due_within is not None:
            due = due_within(verdict, plan, request.selection, as_of, request.due_within)
            if due is not None:
                result.due.append(due)
        if request.keep_findings and (verdict.status is not Status.PASS or request.keep_passing):
            verdicts.append(verdict)
        elif request.exceptions is not None and verdict.status is not Status.PASS:
            count_exempt(verdict, request.exceptions)

    try:
        tally = judge_rows(
            read_rows(opened.stream, errors.row),
            plan,
            as_of,
            contradiction=lambda row: errors.contradiction(row, as_of),
            record=keep if request.keep_findings or request.due_within is not None or request.exceptions else None,
            passing=request.keep_passing or request.due_within is not None,
            ages=ages,
        )
    except InputError as error:
        errors.add("input", str(error))
        result.errors = list(errors)
        return replace(result, item=replace(result.item, sha256=opened.digest()))
    result.counts, result.population = tally.counts, tally.population
    result.ages = ages.result() if ages is not None else None
    result.accounts_without_root = tuple(
        prefix.split(":")[4] for prefix in tally.accounts_without_root if never_has_root(prefix)
    )
    verified = _verified(tally, verdicts, plan, opened.generated_at or as_of, request, errors)
    result.counts = _without(result.counts, verified.dropped)
    result.notes += [*_root_notes(tally, plan), *verified.notes]
    result.findings = _findings(tally, verified, plan, as_of, request)
    if request.exceptions is not None:
        counted = result.findings
        result.findings = [request.exceptions.applied(finding, day) for finding in counted]
        result.counts = _exempted(result.counts, moves + Counter(moves_between(counted, result.findings)), plan)
    result.errors = list(errors)
    accounts = ",".join(prefix.split(":")[4] for prefix in tally.accounts) or None
    result.item = replace(result.item, sha256=opened.digest(), account=accounts)
    return result


def combine(
    results: Sequence[ReportResult],
    request: AuditRequest,
    notes: Sequence[str] = (),
    skipped: Sequence[AccountState] = (),
) -> AuditResult:
    """One evaluation of all reports. Its moment is the one asked for, or the latest of the reports' own. `notes` are
    on what is no report, `skipped` accounts of which none was to be had."""
    as_of = request.as_of or max((result.as_of for result in results), default=request.now)
    plan = make_plan(request.selection, as_of)
    by_rule = {
        rule.id: _sum([result.counts[index] for result in results if result.counts])
        for index, rule in enumerate(plan.rules)
    }
    due = sorted(item for result in results for item in result.due)
    population = _population(results)
    rootless = tuple(sorted({account for result in results for account in result.accounts_without_root}))
    evaluation = Evaluation(
        plane=Plane.LIVE,
        as_of=as_of,
        pack=request.pack,
        rules=plan.rules,
        inputs=tuple(result.item for result in results),
        findings=tuple(sorted((finding for result in results for finding in result.findings), key=worst_first)),
        counts=_sum(list(by_rule.values())),
        errors=tuple(error for result in results for error in result.errors),
        notes=(
            *notes,
            *(_moment_note(result) for result in results if result.counts),
            *(note for result in results for note in result.notes),
            *(item.note(as_of) for item in due),
            *_key_id_note(results),
            *_repetition_notes(results),
            *(_population_note(population) if any(result.counts for result in results) else ()),
        ),
        rule_counts=by_rule,
        gaps=dict.fromkeys([r.id for r in plan.rules if asks_of_root(r)], rootless) if rootless else {},
        population=asdict(population),
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


def _verified(
    tally: Tally, verdicts: list[Verdict], plan: Plan, made: datetime, request: AuditRequest, errors: ReportErrors
) -> Verified:
    """The verdicts as the account confirms them; as they are where nobody asked, or where it cannot be asked."""
    if request.verifier is None:
        return Verified(verdicts=verdicts)
    passing = [verdict for verdict in verdicts if verdict.status is Status.PASS]
    flagged = [verdict for verdict in verdicts if verdict.status is not Status.PASS]
    try:
        account = ",".join(prefix.split(":")[4] for prefix in tally.accounts)
        verified = request.verifier(account, flagged, plan, made)
    except InputError as error:
        errors.add("verify", f"could not be verified: {error}")
        return Verified(verdicts=verdicts)
    for sentence in verified.errors:
        errors.add("verify", sentence)
    verified.verdicts += passing
    return verified


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


def _findings(tally: Tally, verified: Verified, plan: Plan, as_of: datetime, request: AuditRequest) -> list[Finding]:
    findings = []
    for verdict in verified.verdicts:
        arn = verdict.row.arn
        ids = {slot: verified.key_ids.get(SlotOfUser(arn, slot)) for slot in (1, 2)}
        known = {slot: key_id for slot, key_id in ids.items() if key_id is not None}
        findings.append(make_finding(verdict, plan, request.selection, as_of, known, verified.owners.get(arn)))
    absent = (finding for prefix in tally.accounts_without_root for finding in absent_root(prefix, plan))
    if request.keep_findings:
        findings += [finding for finding in absent if request.keep_passing or finding.status is not Status.PASS]
    return number_twins(findings)


def _root_notes(tally: Tally, plan: Plan) -> list[str]:
    """What it means that an account has no row for the root user where none was to be expected."""
    rules = [rule.id for rule in plan.rules if asks_of_root(rule)]
    return [
        f"The report of account {account} has no row for the root user, as all reports of the partition {partition}, "
        f"so {' and '.join(rules)} {'is' if len(rules) == 1 else 'are'} not evaluated there."
        for prefix in tally.accounts_without_root
        if rules and never_has_root(prefix)
        for _, partition, _, _, account in (prefix.split(":")[:5],)
    ]


def _moment_note(result: ReportResult) -> str:
    """When a report was made and judged; the age of a CSV is not known."""
    made = result.item.generated_at
    source = f"made {iso_utc(made)}" if made is not None else "which does not say when it was made"
    return f"{result.item.name}, {source}, is judged as of {iso_utc(result.as_of)}."


def _key_id_note(results: Sequence[ReportResult]) -> list[str]:
    """What the placeholders in the steps stand for, said once."""
    steps = (first_sentence(finding.remediation) for result in results for finding in result.findings)
    if not any(UNKNOWN_KEY_ID in step for step in steps):
        return []
    return [
        f"Reports hold no access key ids. For {UNKNOWN_KEY_ID}1 and {UNKNOWN_KEY_ID}2 take those that `aws iam "
        "list-access-keys --user-name NAME` shows with the keys' creation dates, or run with --verify, which fills "
        "them in."
    ]


def _population(results: Sequence[ReportResult]) -> Population:
    return Population(*(sum(column) for column in zip(*(astuple(r.population) for r in results), strict=True)))


def _repetition_notes(results: Sequence[ReportResult]) -> list[str]:
    """Accounts of which several reports were given: their users are counted once per report."""
    reports: dict[str, list[str]] = {}
    for result in results:
        for account in (result.item.account or "").split(",") if result.counts else ():
            reports.setdefault(account, []).append(result.item.name)
    return [
        f"Account {account} is in {len(names)} reports ({', '.join(names)}), so its users are counted once for each."
        for account, names in sorted(reports.items())
        if len(names) > 1
    ]


def _population_note(total: Population) -> list[str]:
    return [
        f"Population: {count_of(total.users, 'user')} and {count_of(total.root_users, 'root user')} with "
        f"{count_of(total.access_keys, 'access key')} ({total.active_access_keys:,} active), "
        f"{count_of(total.console_passwords, 'console password')} and "
        f"{count_of(total.signing_certificates, 'signing certificate')}."
    ]


def _sum(items: Sequence[Counts]) -> Counts:
    return Counts(
        passed=sum(item.passed for item in items),
        failed=sum(item.failed for item in items),
        exempt=sum(item.exempt for item in items),
        unknown=sum(item.unknown for item in items),
    )
