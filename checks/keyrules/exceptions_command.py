"""`keyrules exceptions`: every entry of the exceptions file, what it matches today, and when it ends.

Nothing here reaches the network: code is read below the paths, live accounts are judged from the reports that
`--report` names, and an entry about live accounts says so where there is none. Only the rules of the entries run.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path

from keyrules.catalog import load_pack
from keyrules.command_options import moment
from keyrules.config_merge import settle
from keyrules.config_option import add_configuration_options
from keyrules.exceptions_file import Entry, utc_day
from keyrules.exceptions_listing import as_json, as_text
from keyrules.exceptions_option import DEFAULT_FILE, add_exceptions_file, chosen_exceptions, exceptions_path
from keyrules.exit_codes import CLEAN, INCOMPLETE
from keyrules.iac.exclude_option import add_exclude_option, excluded_paths
from keyrules.live.spans import parse_span
from keyrules.model import Plane, UsageError
from keyrules.reports.text_style import count_of, printable

_FORMATS = ("text", "json")
EPILOG = """\
examples:
  keyrules exceptions                       what each matches below this folder
  keyrules exceptions infra --report r.csv  and in a credential report
  keyrules exceptions --expiring 30d        what ends in 30 days, or has ended
  keyrules exceptions --check               is the file right? evaluates nothing

exit codes: 0 listed, 2 wrong usage or a wrong file, 3 not all was evaluated
"""


def add_exceptions_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `keyrules exceptions`."""
    parser.usage = "%(prog)s [OPTION ...] [PATH ...]"
    parser.add_argument("paths", nargs="*", metavar="PATH", help="code to look at (default: .)")
    parser.add_argument(
        "--report", action="append", default=[], metavar="REPORT", help="credential report to look at; repeatable"
    )
    parser.add_argument("--expiring", metavar="TIME", help="only what ends within this time, as in 30d")
    parser.add_argument("--check", action="store_true", help="check the file only")
    parser.set_defaults(set=[])
    add_exceptions_file(parser)
    add_configuration_options(parser)
    add_exclude_option(parser)
    parser.add_argument("--format", default="text", metavar="FORMAT", help=f"{', '.join(_FORMATS)} (default: text)")
    parser.add_argument("--as-of", metavar="TIME", help="moment to judge at (default: now)")


def run_exceptions(args: argparse.Namespace, now: datetime) -> int:
    """Prints the exceptions and returns the exit code. Raises UsageError for a wrong file or option."""
    if args.format not in _FORMATS:
        raise UsageError(f"--format: {args.format!r} is not a format; use one of {', '.join(_FORMATS)}")
    if args.check and (args.paths or args.report or args.expiring):
        raise UsageError(
            "--check evaluates nothing; leave PATH, --report and --expiring out. --exceptions names the file"
        )
    settle(args, Plane.CODE)
    within = parse_span("--expiring", args.expiring) if args.expiring else None
    as_of = moment(args.as_of, now)
    pack = load_pack()
    path, entries = exceptions_path(args), chosen_exceptions(args, pack, as_of)
    if args.check:
        print(_checked(path, entries, utc_day(as_of)))
        return CLEAN
    if path is None:
        print(as_json(None, as_of, ()) if args.format == "json" else f"{_absent()}\n", end="")
        return CLEAN
    asked = [entry for entry in entries if within is None or _ends_within(entry, as_of, within)]
    from keyrules.exceptions_look import Where, look_for

    paths = tuple(map(Path, args.paths or ["."]))
    where = Where(paths, args.report, as_of, own_moment=not args.as_of, excluded=excluded_paths(args))
    listed, errors = look_for(asked, pack, args.set, where)
    for error in errors:
        print(f"keyrules: {printable(f'{error.input}: {error.message}')}", file=sys.stderr)
    print(as_json(path.as_posix(), as_of, listed) if args.format == "json" else as_text(listed, len(entries)), end="")
    return INCOMPLETE if errors else CLEAN


def _checked(path: Path | None, entries: Sequence[Entry], day: date) -> str:
    if path is None:
        return _absent()
    holding = sum(entry.holds(day) for entry in entries)
    return printable(
        f"{path.as_posix()}: {count_of(len(entries), 'exception')}, {holding:,} in force, "
        f"{len(entries) - holding:,} expired"
    )


def _absent() -> str:
    return f"no exceptions: there is no {DEFAULT_FILE}, and nothing names another file"


def _ends_within(entry: Entry, as_of: datetime, within: timedelta) -> bool:
    """Whether the last day of an entry begins within a time, or is past."""
    return datetime.combine(entry.exemption.expires, time.min, timezone.utc) <= as_of + within
