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

from keyrules.commands.exceptions_arguments import FORMATS
from keyrules.live.instants import parse_span
from keyrules.model import Plane, UsageError
from keyrules.pack.catalog import load_pack
from keyrules.reports.text_style import count_of, printable
from keyrules.run.configuration.exclude_option import excluded_paths
from keyrules.run.configuration.merge import settle
from keyrules.run.exceptions.file import Entry, utc_day
from keyrules.run.exceptions.listing import as_json, as_text
from keyrules.run.exceptions.option import DEFAULT_FILE, chosen_exceptions, exceptions_ground, exceptions_path
from keyrules.run.exit_codes import CLEAN, INCOMPLETE
from keyrules.run.options import moment


def run_exceptions(args: argparse.Namespace, now: datetime) -> int:
    """Prints the exceptions and returns the exit code. Raises UsageError for a wrong file or option."""
    if args.format not in FORMATS:
        raise UsageError(f"--format: {args.format!r} is not a format; use one of {', '.join(FORMATS)}")
    if args.check and (args.paths or args.report or args.expiring):
        raise UsageError(
            "--check evaluates nothing; leave PATH, --report and --expiring out. --exceptions names the file"
        )
    settle(args, Plane.CODE)
    within = parse_span("--expiring", args.expiring) if args.expiring else None
    as_of = moment(args.as_of, now)
    pack = load_pack()
    path, entries = exceptions_path(args), chosen_exceptions(args, pack, now)
    if args.check:
        print(_checked(path, entries, utc_day(as_of)))
        return CLEAN
    if path is None:
        print(as_json(None, as_of, ()) if args.format == "json" else f"{_absent()}\n", end="")
        return CLEAN
    asked = [entry for entry in entries if within is None or _ends_within(entry, as_of, within)]
    from keyrules.run.exceptions.look import Where, look_for

    paths = tuple(map(Path, args.paths or ["."]))
    excluded = excluded_paths(args)
    ground = exceptions_ground(args, excluded)
    where = Where(paths, args.report, as_of, own_moment=not args.as_of, excluded=excluded, ground=ground)
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
