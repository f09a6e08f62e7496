"""`keyrules exceptions`: every entry of the exceptions file, what it matches today, and when it ends.

Nothing here reaches the network: code is read below the paths, live accounts are judged from the reports that
`--report` names, and an entry about live accounts says so where there is none. Only the rules of the entries run.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from keyrules.run.options import (
    Asked,
    add_configuration_options,
    add_exceptions_option,
    add_exclude_option,
)
from keyrules.terms import EXCEPTIONS_FILE, Plane, UsageError

if TYPE_CHECKING:
    from datetime import date, datetime, timedelta
    from pathlib import Path

    from keyrules.run.exceptions.file import Entry

FORMATS = ("text", "json")
EPILOG = """\
examples:
  keyrules exceptions                       what each matches below this folder
  keyrules exceptions infra --report r.csv  and in a credential report
  keyrules exceptions --expiring 30d        what ends in 30 days, or has ended
  keyrules exceptions --check               is the file right? evaluates nothing

exit codes: 0 listed, 2 wrong usage or a wrong file, 3 not all was evaluated
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `keyrules exceptions`."""
    parser.usage = "%(prog)s [OPTION ...] [PATH ...]"
    parser.add_argument("paths", nargs="*", metavar="PATH", help="code to look at (default: .)")
    parser.add_argument(
        "--report", action="append", default=[], metavar="REPORT", help="credential report to look at; repeatable"
    )
    parser.add_argument("--expiring", metavar="TIME", help="only what ends within this time, as in 30d")
    parser.add_argument("--check", action="store_true", help="check the file only")
    add_exceptions_option(parser)
    add_configuration_options(parser)
    add_exclude_option(parser)
    parser.add_argument(
        "-f", "--format", dest="form", default="text", metavar="FORMAT", help=f"{', '.join(FORMATS)} (default: text)"
    )
    parser.add_argument("--as-of", metavar="TIME", help="moment to judge at (default: now)")


def run(args: argparse.Namespace, clock: Callable[[], datetime]) -> int:
    """Prints the exceptions and returns the exit code; `clock` says what time it is.

    Raises UsageError for a wrong file or option.
    """
    if args.form not in FORMATS:
        raise UsageError(f"--format: {args.form!r} is not a format; use one of {', '.join(FORMATS)}")
    if args.check and (args.paths or args.report or args.expiring):
        raise UsageError(
            "--check evaluates nothing; leave PATH, --report and --expiring out. --exceptions names the file"
        )
    from pathlib import Path

    from keyrules.live.instants import parse_span
    from keyrules.pack.catalog import load_pack
    from keyrules.reports.text_style import printable
    from keyrules.run.conclusion import CLEAN, INCOMPLETE
    from keyrules.run.configuration.exclude_globs import excluded_paths
    from keyrules.run.configuration.merge import settle
    from keyrules.run.exceptions.chosen import chosen_exceptions, exceptions_ground, exceptions_path
    from keyrules.run.exceptions.file import utc_day
    from keyrules.run.exceptions.listing import as_json, as_text

    settings = settle(Asked.of(vars(args)), Plane.CODE, args.paths)
    within = parse_span("--expiring", args.expiring) if args.expiring else None
    now = clock()
    as_of = settings.as_of or now
    pack = load_pack()
    path, entries = exceptions_path(settings), chosen_exceptions(settings, pack, now)
    if args.check:
        print(_checked(path, entries, utc_day(as_of)))
        return CLEAN
    if path is None:
        print(as_json(None, as_of, ()) if args.form == "json" else f"{_absent()}\n", end="")
        return CLEAN
    asked = [entry for entry in entries if within is None or _ends_within(entry, as_of, within)]
    from keyrules.run.exceptions.look import Where, look_for

    excluded = excluded_paths(settings)
    where = Where(
        paths=tuple(map(Path, args.paths or ["."])),
        reports=args.report,
        as_of=as_of,
        own_moment=settings.as_of is None,
        ground=exceptions_ground(settings, excluded),
        excluded=excluded,
    )
    listed, errors = look_for(asked, pack, settings.rules.thresholds, where)
    for error in errors:
        print(f"keyrules: {printable(f'{error.input}: {error.message}')}", file=sys.stderr)
    print(as_json(path.as_posix(), as_of, listed) if args.form == "json" else as_text(listed, len(entries)), end="")
    return INCOMPLETE if errors else CLEAN


def _checked(path: Path | None, entries: Sequence[Entry], day: date) -> str:
    from keyrules.reports.text_style import count_of, printable

    if path is None:
        return _absent()
    holding = sum(entry.holds(day) for entry in entries)
    return printable(
        f"{path.as_posix()}: {count_of(len(entries), 'exception')}, {holding:,} in force, "
        f"{len(entries) - holding:,} expired"
    )


def _absent() -> str:
    return f"no exceptions: there is no {EXCEPTIONS_FILE}, and nothing names another file"


def _ends_within(entry: Entry, as_of: datetime, within: timedelta) -> bool:
    """Whether the last day of an entry begins within a time, or is past."""
    from datetime import datetime, time, timezone

    return datetime.combine(entry.exemption.expires, time.min, timezone.utc) <= as_of + within
