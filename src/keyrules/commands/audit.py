"""`keyrules audit`: arguments in, reports and an exit code out; what evaluates is imported when it is to."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from keyrules.run.options import Asked, add_shared_options
from keyrules.terms import Plane, UsageError

if TYPE_CHECKING:
    from datetime import datetime, timedelta

_MAX_AGE: Final = "24h"
_DEADLINE: Final = "10m"

EPILOG = """\
examples:
  keyrules audit --profile prod --verify      an account and its flagged users
  keyrules audit report.csv --due-within 14d  a report, and what fails soon
  keyrules audit reports/ --format csv=x.csv  a folder, one report per account
  aws iam get-credential-report | keyrules audit -
formats: text, json, sarif, csv, html, oscal, junit, github, markdown, jsonl,
         ocsf, asff
exit codes: 0 clean, 1 findings, 2 wrong usage, 3 not everything was evaluated
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `keyrules audit`."""
    parser.usage = "%(prog)s [OPTION ...] [REPORT ...]"
    parser.add_argument(
        "reports",
        nargs="*",
        metavar="REPORT",
        help="CSV, AWS CLI JSON, folder or - (default: live)",
    )
    add_shared_options(parser)
    live = parser.add_argument_group("live account")
    live.add_argument("--profile", metavar="NAME", help="AWS profile")
    live.add_argument("--region", metavar="REGION", help="a region of the partition (GovCloud, China)")
    live.add_argument("--endpoint-url", metavar="URL", help="another address for IAM and STS")
    live.add_argument(
        "--deadline", default=_DEADLINE, metavar="TIME", help=f"longest wait for a report (default: {_DEADLINE})"
    )
    live.add_argument("--verify", action="store_true", help="ask for key ids, owners and what was fixed since")
    live.add_argument(
        "--owner-tag", default="owner", metavar="TAG", help="user tag that names the owner (default: owner)"
    )
    parser.add_argument(
        "--max-report-age", metavar="TIME", help=f"refuse older ones (default: {_MAX_AGE}, if no --as-of)"
    )
    parser.add_argument("--due-within", metavar="TIME", help="note what will fail within it, as in 14d")
    parser.add_argument("--counts-only", action="store_true", help="list no findings, for very large reports")


def run(args: argparse.Namespace, clock: Callable[[], datetime]) -> int:
    """Runs the audit and writes its reports; `clock` says what time it is.

    Raises UsageError before anything is evaluated or written.
    """
    from keyrules.live.account_audit import AuditRequest, combine
    from keyrules.live.collection import Address, audit_account, audit_files, connection_to, verifier
    from keyrules.live.instants import parse_span
    from keyrules.live.report_inputs import find_reports
    from keyrules.live.verification import Question
    from keyrules.pack.catalog import load_pack
    from keyrules.reports.report_formats import FORMATS
    from keyrules.run.conclusion import FINDINGS, prepare
    from keyrules.run.configuration.merge import settle
    from keyrules.run.exceptions.chosen import chosen_exceptions
    from keyrules.run.exceptions.match import ExceptionUse
    from keyrules.run.framework import choose

    now = clock()
    settings = settle(Asked.of(vars(args)), Plane.LIVE)
    conclusion = prepare(settings, counts_only=args.counts_only)
    pack = load_pack()
    chosen = choose(settings, pack)
    selection = chosen.selection
    exceptions = chosen_exceptions(settings, pack, now)
    max_age = _max_age(args.max_report_age, settings.as_of)
    due_within = parse_span("--due-within", args.due_within) if args.due_within else None
    deadline = parse_span("--deadline", args.deadline)
    sources = find_reports(args.reports)
    conclusion.protect(("a report to evaluate", each.path) for each in sources if each.path)
    if args.counts_only and args.verify:
        raise UsageError("--verify works on findings, and --counts-only keeps none; give one of them")
    silent = [output.format for output in conclusion.outputs if not FORMATS[output.format].counts]
    if args.counts_only and silent:
        raise UsageError(f"--format {silent[0]} holds findings only, and --counts-only keeps none; give one of them")
    if not any(rule.runtime is not None for rule in selection.rules):
        only = settings.rules.only
        place = f"{only.origin.place}: " if only.from_file else ""
        raise UsageError(f"{place}none of the selected rules looks at live accounts; `keyrules rules` says which do")
    address = Address(args.profile, args.region, args.endpoint_url, deadline)
    connection = connection_to(address) if args.verify or not sources else None
    as_of = settings.as_of or now
    request = AuditRequest(
        pack=pack.stamp,
        selection=selection,
        now=now,
        as_of=settings.as_of,
        max_age=max_age,
        keep_findings=not args.counts_only,
        keep_passing=settings.show_passing,
        due_within=due_within,
        verifier=verifier(connection, Question(selection, as_of, args.owner_tag))
        if connection and args.verify
        else None,
        exceptions=ExceptionUse(exceptions, Plane.LIVE) if exceptions else None,
    )
    results = audit_files(sources, request)
    if connection is not None and not sources:
        results.append(audit_account(connection, request))
    result = combine(results, request, sources.note())
    code = conclusion.conclude(result.evaluation, chosen, pack)
    fail_on = settings.fail_on.value
    return FINDINGS if code == 0 and args.counts_only and result.any_failed(fail_on) else code


def _max_age(asked: str | None, as_of: datetime | None) -> timedelta | None:
    """An explicit --as-of means this very report, however old; an explicit --max-report-age holds in any case."""
    from keyrules.live.instants import parse_span

    if asked:
        return parse_span("--max-report-age", asked)
    return None if as_of else parse_span("--max-report-age", _MAX_AGE)
