"""`keyrules audit`: arguments in, reports and an exit code out."""

from __future__ import annotations

import argparse
import io
import random
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, cast

from keyrules.commands.audit_arguments import MAX_AGE
from keyrules.live.account_audit import (
    AuditRequest,
    AuditResult,
    ReportResult,
    Verifier,
    audit_report,
    combine,
    unreadable,
)
from keyrules.live.audit import Verdict
from keyrules.live.instants import parse_span
from keyrules.live.plan import Plan
from keyrules.live.report_inputs import ReportSource, find_reports, from_stream, opened
from keyrules.live.verification import Verified, verify
from keyrules.model import InputError, Plane, Selection, Severity, UsageError
from keyrules.pack.catalog import load_pack
from keyrules.reports.report_formats import FORMATS
from keyrules.run.conclusion import prepare
from keyrules.run.configuration.merge import settle
from keyrules.run.exceptions.match import ExceptionUse
from keyrules.run.exceptions.option import chosen_exceptions
from keyrules.run.exit_codes import FINDINGS
from keyrules.run.framework import choose
from keyrules.run.options import moment

if TYPE_CHECKING:
    from keyrules.live.aws import Account


def run_audit(args: argparse.Namespace, now: datetime) -> int:
    """Runs the audit and writes its reports. Raises UsageError before anything is evaluated or written."""
    settled = settle(args, Plane.LIVE)
    conclusion = prepare(args, Plane.LIVE)
    pack = load_pack()
    chosen = choose(args, pack, Plane.LIVE)
    selection = chosen.selection
    as_of = moment(args.as_of, now) if args.as_of else None
    exceptions = chosen_exceptions(args, pack, now)
    max_age = _max_age(args)
    due_within = parse_span("--due-within", args.due_within) if args.due_within else None
    deadline = parse_span("--deadline", args.deadline)
    sources = find_reports(args.reports)
    conclusion.protect((("a report to evaluate", each.path) for each in sources if each.path), settled.file)
    if args.counts_only and args.verify:
        raise UsageError("--verify works on findings, and --counts-only keeps none; give one of them")
    silent = [output.format for output in conclusion.outputs if not FORMATS[output.format].counts]
    if args.counts_only and silent:
        raise UsageError(f"--format {silent[0]} holds findings only, and --counts-only keeps none; give one of them")
    if not any(rule.runtime is not None for rule in selection.rules):
        place = f"{args.origins['rule']}: " if "rule" in args.origins else ""
        raise UsageError(f"{place}none of the selected rules looks at live accounts; `keyrules rules` says which do")
    connection = _connect(args, deadline) if args.verify or not sources else None
    request = AuditRequest(
        pack=pack.stamp,
        selection=selection,
        now=now,
        as_of=as_of,
        max_age=max_age,
        keep_findings=not args.counts_only,
        keep_passing=args.show_passing,
        due_within=due_within,
        verifier=_verifier(connection, selection, as_of or now, args.owner_tag) if connection and args.verify else None,
        exceptions=ExceptionUse(exceptions, Plane.LIVE) if exceptions else None,
    )
    results = audit_files(sources, request)
    if connection is not None and not sources:
        results.append(_audit_account(connection, request))
    result = combine(results, request)
    code = conclusion.conclude(result.evaluation, chosen)
    return FINDINGS if code == 0 and args.counts_only and _any_failed(result, conclusion.fail_on) else code


def audit_files(sources: Sequence[ReportSource], request: AuditRequest) -> list[ReportResult]:
    """The result of each report in its order; one that cannot be opened has that as its error."""
    results: list[ReportResult] = []
    for source in sources:
        try:
            with opened(source, lambda: cast(io.BufferedReader, sys.stdin.buffer)) as report:
                results.append(audit_report(source.name, report, request))
        except InputError as error:
            results.append(unreadable(source.name, str(error), request))
    return results


def _audit_account(connection: Callable[[], Account], request: AuditRequest) -> ReportResult:
    name = "the live account"
    try:
        report = connection().report()
    except InputError as error:
        return unreadable(name, f"could not be evaluated: {error}", request)
    return audit_report(
        f"account {report.account}", from_stream(io.BytesIO(report.content), report.generated_at), request
    )


def _connect(args: argparse.Namespace, deadline: timedelta) -> Callable[[], Account]:
    """Gives the live account, connected at the first call and kept; a call raises InputError where that fails.

    boto3 is imported then, because it takes longer than judging a report.
    """

    @cache
    def connection() -> Account:
        from keyrules.live.aws import Pacing, connect

        jitter = random.Random()
        pacing = Pacing(time.monotonic, time.sleep, lambda: jitter.uniform(0.5, 1.0), deadline.total_seconds())
        return connect(args.profile, args.region, args.endpoint_url, pacing)

    return connection


def _verifier(connection: Callable[[], Account], selection: Selection, now: datetime, owner_tag: str) -> Verifier:
    def check(number: str, verdicts: Sequence[Verdict], plan: Plan) -> Verified:
        account = connection()
        own, _ = account.identity()
        if own != number:
            raise InputError(f"the AWS credentials in use belong to account {own} and the report to account {number}")
        return verify(verdicts, plan, selection, now, account, owner_tag)

    return check


def _max_age(args: argparse.Namespace) -> timedelta | None:
    """An explicit --as-of means this very report, however old; an explicit --max-report-age holds in any case."""
    if args.max_report_age:
        return parse_span("--max-report-age", args.max_report_age)
    return None if args.as_of else parse_span("--max-report-age", MAX_AGE)


def _any_failed(result: AuditResult, fail_on: Severity) -> bool:
    return any(result.counts_by_rule[rule.id].failed and rule.severity >= fail_on for rule in result.evaluation.rules)
