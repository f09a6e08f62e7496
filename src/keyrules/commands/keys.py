"""`keyrules keys`: arguments in, one row per key and an exit code out; what joins is imported when it is to."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from keyrules.records import replace
from keyrules.run.live_options import add_connection_options, add_joined_options, add_organization_options
from keyrules.run.options import (
    Asked,
    add_configuration_options,
    add_exceptions_option,
)
from keyrules.terms import Plane, UsageError

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from pathlib import Path

    from keyrules.keys.inventory import Inventory
    from keyrules.reports.text_style import ReportOptions

FORMATS: Final = ("text", "json", "csv", "html", "markdown")
GROUPS: Final = ("account", "owner", "path")
_DEADLINE: Final = "10m"
_PARALLEL: Final = 16
"""How many questions to AWS are on their way at a time."""
_MAX_AGE: Final = "24h"

EPILOG = """\
examples:
  keyrules keys --code infra --state prod.tfstate report.csv
  terraform state pull | keyrules keys --code . --state - --profile prod
  keyrules keys reports/ --code . --since last.json --format html=keys.html
exit codes: 0 listed, 1 findings (with --fail-on), 2 wrong usage,
            3 not everything was read
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `keyrules keys`."""
    parser.usage = "%(prog)s [OPTION ...] [REPORT ...]"
    parser.add_argument("reports", nargs="*", metavar="REPORT", help="CSV, AWS CLI JSON, folder or - (default: live)")
    joined = parser.add_argument_group("what is joined")
    add_joined_options(joined)
    joined.add_argument(
        "--since", action="append", default=[], metavar="FILE", help="an earlier JSON report; repeatable"
    )
    live = parser.add_argument_group("live accounts")
    add_connection_options(live)
    live.add_argument("--deadline", default=_DEADLINE, metavar="TIME", help=f"longest wait (default: {_DEADLINE})")
    live.add_argument("--verify", action="store_true", help="ask for key ids, tags and what changed since")
    live.add_argument("--owner-tag", default="owner", metavar="TAG", help="user tag of the owner (default: owner)")
    several = parser.add_argument_group("several accounts")
    add_organization_options(several)
    several.add_argument("--accounts", metavar="FILE", help="these accounts: the file that lists them")
    several.add_argument("--keep-reports", metavar="DIR", help="keep each account's report in this folder")
    several.add_argument("--retry-failed", action="store_true", help="ask only for what DIR lacks")
    rules = parser.add_argument_group("rules")
    rules.add_argument(
        "--set", action="append", default=[], metavar="ID.PARAMETER=VALUE", help="change a threshold; repeatable"
    )
    rules.add_argument("--fail-on", metavar="SEVERITY", help="exit 1 for findings of it or above (default: never)")
    add_exceptions_option(rules)
    output = parser.add_argument_group("output")
    output.add_argument(
        "-f",
        "--format",
        dest="forms",
        action="append",
        default=[],
        metavar="FORMAT[=FILE]",
        help=f"{', '.join(FORMATS)} (default: text); repeatable",
    )
    output.add_argument("--group-by", default="account", metavar="WHAT", help="owner, account or path")
    output.add_argument("-q", "--quiet", action="store_true", help="no notes")
    output.add_argument("--no-color", action="store_true", help="no colour, even on a terminal")
    add_configuration_options(parser)
    parser.add_argument(
        "--max-report-age", metavar="TIME", help=f"refuse older ones (default: {_MAX_AGE}, if no --as-of)"
    )
    parser.add_argument("--as-of", metavar="TIME", help="count ages to this moment (default: now)")


def run(args: argparse.Namespace, clock: Callable[[], datetime]) -> int:
    """Joins, prints the rows and returns the exit code; `clock` says what time it is.

    Raises UsageError before anything is read for what is wrong on the command line.
    """
    import os

    from keyrules.keys.gathering import Gathering, gather
    from keyrules.keys.given import Given
    from keyrules.live.collection import Address
    from keyrules.live.instants import parse_span
    from keyrules.live.kept_reports import kept_reports
    from keyrules.live.wanted import wanted
    from keyrules.reports.outputs import write_files
    from keyrules.run.conclusion import CLEAN, FINDINGS, INCOMPLETE, report_options
    from keyrules.run.configuration.merge import settle, severity
    from keyrules.run.overwriting import refuse_overwriting

    outputs = _outputs(args.forms)
    if args.group_by not in GROUPS:
        raise UsageError(f"--group-by: {args.group_by!r} is no grouping; use one of {', '.join(GROUPS)}")
    given = {name: value for name, value in vars(args).items() if name not in ("fail_on", "group_by")}
    settings = settle(Asked.of(given), Plane.LIVE)
    fail_on = severity(args.fail_on) if args.fail_on else None
    accounts = wanted(args)
    if args.reports and accounts.several:
        raise UsageError("reports in files and a list of accounts are two inputs; give one of them")
    if args.organization and not args.role:
        raise UsageError("--organization reaches each account through a role; add --role NAME")
    deadline = parse_span("--deadline", args.deadline)
    gathering = Gathering(
        reports=args.reports,
        given=Given(args.code, args.state, args.state_complete, args.account, args.owner_tag),
        since=args.since,
        address=Address(args.profile, args.region, args.endpoint_url, deadline, _PARALLEL, accounts.via),
        accounts=accounts,
        kept=kept_reports(args.keep_reports, args.retry_failed, accounts.several),
        verify=args.verify,
        max_age=_max_age(args.max_report_age, settings.as_of),
        now=clock(),
    )
    from pathlib import Path

    read = [("an input", Path(name)) for name in (*args.reports, *args.state, *args.since) if name != "-"]
    refuse_overwriting([("--format", path) for _, path in outputs if path is not None], read)
    found, secrets, severities = gather(gathering, settings)
    options = report_options(settings, sys.stdout, os.environ)
    made = [(path, secrets.masked(_rendered(form, found, options, args.group_by, path))) for form, path in outputs]
    write_files([("--format", path, text.encode("utf-8")) for path, text in made if path is not None])
    for path, text in made:
        if path is None:
            print(text, end="")
    if found.errors or (found.open_rules and fail_on is not None):
        return INCOMPLETE
    failed = {rule for row in found.rows for rule in row.findings}
    return FINDINGS if fail_on is not None and any(severities[rule] >= fail_on for rule in failed) else CLEAN


def _outputs(specs: Sequence[str]) -> list[tuple[str, Path | None]]:
    """The formats that are asked for, each with its file; text goes to standard output where nothing else does."""
    from pathlib import Path

    from keyrules.reports.outputs import check_file

    outputs: list[tuple[str, Path | None]] = []
    for spec in specs:
        name, equals, file = spec.partition("=")
        if name not in FORMATS:
            raise UsageError(f"--format: {name!r} is not a format; use one of {', '.join(FORMATS)}")
        if equals and not file:
            raise UsageError(f"--format: {name}= names no file; write {name}=FILE, or {name} alone for standard output")
        path = Path(file) if equals and file != "-" else None
        if path is not None:
            check_file("--format", path, ())
        if any(other == path for _, other in outputs):
            place = "standard output" if path is None else str(path)
            raise UsageError(f"--format: two formats would both go to {place}; give each its own file")
        outputs.append((name, path))
    if all(path is not None for _, path in outputs):
        outputs.insert(0, ("text", None))
    return outputs


def _rendered(form: str, found: Inventory, options: ReportOptions, group_by: str, path: Path | None) -> str:
    from keyrules.reports.text_style import Style
    from keyrules.terminal import DEFAULT_WIDTH

    if form == "text":
        from keyrules.keys.text import as_text

        plain = replace(options, style=Style(), width=DEFAULT_WIDTH, terminal=False)
        return as_text(found, options if path is None else plain, group_by)
    if form == "markdown":
        from keyrules.keys.text import as_markdown

        return as_markdown(found, group_by)
    if form == "html":
        from keyrules.keys.html import as_html

        return as_html(found, group_by)
    from keyrules.keys.documents import as_csv, as_json

    return as_json(found) if form == "json" else as_csv(found)


def _max_age(asked: str | None, as_of: datetime | None) -> timedelta | None:
    from keyrules.live.instants import parse_span

    if asked:
        return parse_span("--max-report-age", asked)
    return None if as_of else parse_span("--max-report-age", _MAX_AGE)
