"""`keyrules except`: puts an exception behind those of the file that the command line names, which is all it writes."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from keyrules.run.options import Asked, add_configuration_options
from keyrules.terms import EXCEPTIONS_FILE, Plane, UsageError

if TYPE_CHECKING:
    from datetime import date, datetime

EPILOG = f"""\
examples:
  keyrules except KEY_AWS_001:aws_iam_access_key.appliance \\
    --reason "Takes no new key before its update" --owner storage@example.com \\
    --until 2027-03-31 --exceptions {EXCEPTIONS_FILE}

SUBJECT is what the exceptions file takes: on code an address, a path or
PATH:ADDRESS, in live accounts a user, USER/access_key_1, an account,
ACCOUNT/USER or an ARN.
exit codes: 0 written, 2 wrong usage or a wrong file; then nothing is written
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `keyrules except`."""
    parser.usage = (
        "%(prog)s RULE:SUBJECT --reason TEXT --owner WHO --until DAY\n                       --exceptions FILE"
    )
    parser.add_argument("finding", metavar="RULE:SUBJECT", help="the rule, and what it is not to fail")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why it has to stay")
    parser.add_argument("--owner", required=True, metavar="WHO", help="who answers for it")
    parser.add_argument("--until", required=True, metavar="DAY", help="last day (UTC) on which it holds")
    parser.add_argument("--ticket", metavar="ID", help="where it is followed up")
    parser.add_argument(
        "--plane", choices=[plane.value for plane in Plane], metavar="PLANE", help="default: every plane of the rule"
    )
    parser.add_argument(
        "--exceptions", required=True, metavar="FILE", help="the file to write; made where it is not there"
    )
    add_configuration_options(parser)


def run(args: argparse.Namespace, clock: Callable[[], datetime]) -> int:
    """Writes the entry, and returns 0; `clock` says what day it is. Raises UsageError, and writes nothing then."""
    from functools import partial
    from pathlib import Path

    from keyrules.pack.catalog import load_pack
    from keyrules.reports.outputs import write_files
    from keyrules.reports.text_style import count_of, printable
    from keyrules.run.configuration.merge import settle
    from keyrules.run.exceptions.adding import with_entry
    from keyrules.run.exceptions.file import parse_exceptions, read_exceptions

    rule, colon, subject = args.finding.partition(":")
    if not colon or not subject:
        raise UsageError(
            f"{args.finding!r} is no RULE:SUBJECT; write it as in KEY_AWS_001:aws_iam_access_key.ci, KEY_AWS_002:alice"
        )
    settings = settle(Asked.of({"config": args.config, "no_config": args.no_config}), Plane.CODE, ())
    path = Path(args.exceptions)
    check = partial(
        parse_exceptions, path=path, pack=load_pack(), now=clock(), max_days=settings.max_exception_days.value
    )
    old = read_exceptions(path) if path.exists() else b""
    before = check(old) if path.exists() else ()
    values = {
        "rule": rule.strip(),
        "subject": subject.strip(),
        "plane": args.plane,
        "reason": args.reason,
        "owner": args.owner,
        "expires": _day(args.until),
        "ticket": args.ticket,
    }
    new = with_entry(old.decode("utf-8"), {name: value for name, value in values.items() if value is not None})
    try:
        entries = check(new.encode("utf-8"))
    except UsageError as error:
        raise UsageError(f"nothing was written, because with the entry this would hold: {error}") from None
    if entries[: len(before)] != before or len(entries) != len(before) + 1:
        raise UsageError(f"--exceptions: {path} is laid out in a way that takes no entry from here; add it by hand")
    write_files([("--exceptions", path, new.encode("utf-8"))])
    entry = entries[-1]
    kind = count_of(len(entries), "exception")
    print(
        printable(f"{entry.exemption.place}: {entry.exemption.rule} on {entry.exemption.subject}; {kind} in the file")
    )
    print(printable(f"`keyrules exceptions --exceptions {path}` shows what it matches; commit the file."))
    return 0


def _day(text: str) -> date | str:
    """A date where it is one, so that it is written as people write them; what is wrong is told by who reads it."""
    from datetime import date

    try:
        return date.fromisoformat(text)
    except ValueError:
        return text
