"""`keyrules audit`: arguments in, reports and an exit code out; what evaluates is imported when it is to."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from keyrules.run.live_options import add_connection_options, add_joined_options, add_organization_options
from keyrules.run.options import Asked, add_shared_options
from keyrules.terms import Plane, UsageError

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from keyrules.live.carried import Carrying
    from keyrules.live.wanted import Wanted
    from keyrules.model import Selection
    from keyrules.pack.pack import Pack
    from keyrules.run.settings import Settings

_MAX_AGE: Final = "24h"
_DEADLINE: Final = "10m"
_PARALLEL: Final = 16
_MOST_PARALLEL: Final = 128
_MOST_ACCOUNTS: Final = 100_000

EPILOG = """\
examples:
  keyrules audit --profile prod --verify      an account and its flagged users
  keyrules audit --organization --role AUDIT  every account of an organization
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
    live = parser.add_argument_group("live accounts")
    add_connection_options(live)
    live.add_argument(
        "--deadline", default=_DEADLINE, metavar="TIME", help=f"longest wait for reports (default: {_DEADLINE})"
    )
    live.add_argument("--verify", action="store_true", help="ask for key ids, owners and what was fixed since")
    live.add_argument(
        "--owner-tag", default="owner", metavar="TAG", help="user tag that names the owner (default: owner)"
    )
    live.add_argument(
        "--parallel", default=str(_PARALLEL), metavar="N", help=f"questions at once (default: {_PARALLEL})"
    )
    several = parser.add_argument_group("several accounts")
    add_organization_options(several)
    several.add_argument("--session-policy", metavar="FILE", help="policy that narrows each session")
    several.add_argument("--accounts", metavar="FILE", help="these accounts: the file that lists them")
    several.add_argument("--keep-reports", metavar="DIR", help="keep each account's report in this folder")
    several.add_argument("--retry-failed", action="store_true", help="ask only for what DIR lacks")
    several.add_argument("--max-failed-accounts", default="0", metavar="N", help="accounts that may fail (default: 0)")
    add_joined_options(parser.add_argument_group("what declares the keys"))
    parser.add_argument(
        "--max-report-age", metavar="TIME", help=f"refuse older ones (default: {_MAX_AGE}, if no --as-of)"
    )
    parser.add_argument("--all-reports", action="store_true", help="judge a folder's older reports, too")
    parser.add_argument("--due-within", metavar="TIME", help="note what will fail within it, as in 14d")
    parser.add_argument("--group-by", metavar="WORD", help="rule, user, account or owner (default: rule)")
    parser.add_argument("--counts-only", action="store_true", help="list no findings, for very large reports")


def run(args: argparse.Namespace, clock: Callable[[], datetime]) -> int:
    """Runs the audit and writes its reports; `clock` says what time it is.

    Raises UsageError before anything is evaluated or written.
    """
    from pathlib import Path

    from keyrules.live.account_audit import AuditRequest, combine
    from keyrules.live.around.files import Folders
    from keyrules.live.around.wanted_documents import asked_for, with_documents
    from keyrules.live.audit_notes import left_to_keys
    from keyrules.live.collection import Address, Reach, audit_accounts, audit_files, verifier
    from keyrules.live.found_reports import find_reports
    from keyrules.live.instants import parse_span
    from keyrules.live.kept_reports import kept_reports
    from keyrules.live.limits import Limits, overrides_of
    from keyrules.live.newest_reports import Newest, newest_of_each_account
    from keyrules.live.plan import reads_reports
    from keyrules.live.roles import read_session_policy
    from keyrules.live.verification import Question
    from keyrules.live.wanted import wanted
    from keyrules.pack.catalog import load_pack
    from keyrules.reports.report_formats import FORMATS
    from keyrules.run.conclusion import FINDINGS, prepare
    from keyrules.run.configuration.merge import settle
    from keyrules.run.exceptions.chosen import chosen_exceptions
    from keyrules.run.exceptions.match import ExceptionUse
    from keyrules.run.framework import choose
    from keyrules.terminal import ProgressLine

    now = clock()
    settings = settle(Asked.of(vars(args)), Plane.LIVE)
    line = ProgressLine(settings.quiet)
    progress = line.say if line.on else None
    conclusion = prepare(settings, counts_only=args.counts_only, progress=progress)
    pack = load_pack()
    chosen = choose(settings, pack)
    asked = asked_for(settings, chosen)
    exceptions = chosen_exceptions(settings, pack, now)
    max_age = _max_age(args.max_report_age, settings.as_of)
    due_within = parse_span("--due-within", args.due_within) if args.due_within else None
    deadline = parse_span("--deadline", args.deadline)
    parallel = _number("--parallel", args.parallel, 1, _MOST_PARALLEL)
    max_failed = _number("--max-failed-accounts", args.max_failed_accounts, 0, _MOST_ACCOUNTS)
    accounts = wanted(args)
    _check_accounts(args, accounts)
    policy = read_session_policy(Path(args.session_policy)) if args.session_policy else None
    found = find_reports(args.reports)
    sources = Newest(found) if args.all_reports else newest_of_each_account(found)
    conclusion.protect(
        [
            *(("a report to evaluate", each.path) for each in found if each.path),
            *((("the list of accounts", accounts.file),) if accounts.file else ()),
            *((("the session policy", Path(args.session_policy)),) if args.session_policy else ()),
            *(("a state", Path(name)) for name in args.state if name != "-"),
        ]
    )
    joins = bool(args.code or args.state)
    if (args.account or args.exclude) and not joins:
        option = "--account" if args.account else "--exclude"
        raise UsageError(f"{option} is about code and states; name them with --code and --state")
    if args.counts_only and joins:
        raise UsageError("--code and --state are joined with findings, and --counts-only keeps none; give one of them")
    if args.counts_only and args.verify:
        raise UsageError("--verify works on findings, and --counts-only keeps none; give one of them")
    silent = [output.format for output in conclusion.outputs if not FORMATS[output.format].counts]
    if args.counts_only and silent:
        raise UsageError(f"--format {silent[0]} holds findings only, and --counts-only keeps none; give one of them")
    folders = Folders(found)
    selection, beside = with_documents(chosen.selection, folders.documents() if found else None, asked)
    only = settings.rules.only
    beyond = [rule.id for rule in selection.rules if rule.id in only.value and rule.runtime and not reads_reports(rule)]
    if beyond and not only.from_file:
        raise UsageError(f"--rule: {beyond[0]} asks about code as well; judge it with `keyrules keys`")
    if not any(reads_reports(rule) for rule in selection.rules):
        place = f"{only.origin.place}: " if only.from_file else ""
        raise UsageError(f"{place}none of the selected rules looks at live accounts; `keyrules rules` says which do")
    address = Address(args.profile, args.region, args.endpoint_url, deadline, parallel, accounts.via, policy)
    reach = Reach(address, accounts.default)
    limits = Limits(selection, overrides_of(settings.overrides, selection))
    question = Question(limits, now, args.owner_tag, parallel)
    request = AuditRequest(
        pack=pack.stamp,
        limits=limits,
        now=now,
        as_of=settings.as_of,
        max_age=max_age,
        keep_findings=not args.counts_only,
        keep_passing=settings.show_passing,
        due_within=due_within,
        verifier=verifier(reach, question, settings.as_of) if args.verify else None,
        exceptions=ExceptionUse(exceptions, Plane.LIVE) if exceptions else None,
        progress=progress,
        carrying=_carrying(args, settings, pack, selection, now),
        asked=asked,
    )
    kept = kept_reports(args.keep_reports, args.retry_failed, accounts.several)
    notes = (*left_to_keys(selection), *beside)
    if found:
        said = (*found.note(), *sources.notes, *notes)
        result = combine(audit_files(sources.judged, request, folders.giver), request, said, (), folders.problems)
    else:
        audited = audit_accounts(accounts, reach, kept, request, max_failed)
        result = combine(audited.results, request, (*audited.notes, *notes), audited.skipped)
    code = conclusion.conclude(result.evaluation, chosen, pack, (now, clock()))
    fail_on = settings.fail_on.value
    return FINDINGS if code == 0 and args.counts_only and result.any_failed(fail_on) else code


def _carrying(
    args: argparse.Namespace, settings: Settings, pack: Pack, selection: Selection, now: datetime
) -> Carrying | None:
    """What joins the keys with the code and the states that were given, and are read here; None without any."""
    if not (args.code or args.state or args.state_complete):
        return None
    from keyrules.keys.carrying import DeclaredKeys
    from keyrules.keys.given import Given, tolerance_in

    given = Given(args.code, args.state, args.state_complete, args.account, args.owner_tag)
    given.check(args.reports)
    return DeclaredKeys(given.read(settings, pack, now), tolerance_in(pack, selection))


def _check_accounts(args: argparse.Namespace, accounts: Wanted) -> None:
    """Raises UsageError for options that do not fit each other."""
    if args.reports and accounts.several:
        raise UsageError("reports in files and a list of accounts are two inputs; give one of them")
    if args.all_reports and not args.reports:
        raise UsageError("--all-reports is for a folder of reports; name it")
    if args.organization and not args.role:
        raise UsageError("--organization reaches each account through a role; add --role NAME")
    if args.session_policy and not args.role and not args.accounts:
        raise UsageError("--session-policy is for the session of a role; add --role NAME")
    if args.max_failed_accounts != "0" and not accounts.several:
        raise UsageError("--max-failed-accounts is for a list of accounts; add --organization or --accounts FILE")


def _number(option: str, text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and least <= int(text) <= most):
        raise UsageError(f"{option}: {text[:40]!r} is no number from {least} to {most:,}")
    return int(text)


def _max_age(asked: str | None, as_of: datetime | None) -> timedelta | None:
    """An explicit --as-of means this very report, however old; an explicit --max-report-age holds in any case."""
    from keyrules.live.instants import parse_span

    if asked:
        return parse_span("--max-report-age", asked)
    return None if as_of else parse_span("--max-report-age", _MAX_AGE)
