"""Options and terminal behaviour that `scan` and `audit` share.

Every run starts here, those too that are over at once, so what only some need is imported in the functions.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, TextIO

from keyrules.run.configuration.option import add_configuration_options
from keyrules.run.exceptions.option import add_exceptions_options
from keyrules.run.framework import add_framework_options
from keyrules.terminal import DEFAULT_WIDTH, columns
from keyrules.terms import Severity, UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from keyrules.reports.report_options import ReportOptions


def add_shared_options(parser: argparse.ArgumentParser) -> None:
    """Adds what selects rules and shapes reports."""
    rules = parser.add_argument_group("rules")
    rules.add_argument("--rule", action="append", default=[], metavar="ID", help="evaluate only this rule; repeatable")
    rules.add_argument("--skip-rule", action="append", default=[], metavar="ID", help="leave this rule out; repeatable")
    rules.add_argument(
        "--set", action="append", default=[], metavar="ID.PARAMETER=VALUE", help="change a threshold; repeatable"
    )
    add_framework_options(rules)
    rules.add_argument("--fail-on", metavar="SEVERITY", help="lowest severity that exits 1 (default: low)")
    add_exceptions_options(rules)
    rules.add_argument("--baseline", metavar="FILE", help="report only what this earlier JSON lacks")
    rules.add_argument("--write-baseline", metavar="FILE", help="accept what is found, in this file")
    output = parser.add_argument_group("output")
    output.add_argument(
        "--format",
        action="append",
        default=[],
        metavar="FORMAT[=FILE]",
        help="a report (default: text); repeatable",
    )
    output.add_argument("--show-passing", action="store_true", help="list what passes, too")
    output.add_argument("--quiet", action="store_true", help="print findings and errors only")
    output.add_argument("--no-color", action="store_true", help="no colour, even on a terminal")
    add_configuration_options(parser)
    parser.add_argument("--as-of", metavar="TIME", help="count ages to this moment (default: now)")


def severity(text: str) -> Severity:
    """`--fail-on`. Raises UsageError with the allowed words."""
    try:
        return Severity[text.upper()]
    except KeyError:
        allowed = ", ".join(level.name.lower() for level in Severity)
        raise UsageError(f"--fail-on: {text!r} is not a severity; use one of {allowed}") from None


def moment(text: str | None, default: datetime) -> datetime:
    """`--as-of` in UTC; a time without an offset is UTC, a date alone is its midnight. Raises UsageError."""
    from datetime import datetime, timezone

    if text is None:
        return default
    try:
        value = datetime.fromisoformat(text.strip().replace("Z", "+00:00").replace("z", "+00:00"))
        return value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        raise UsageError(
            f"--as-of: {text!r} is not a time; write it as in 2026-06-01T00:00:00Z or 2026-06-01"
        ) from None


def report_options(args: argparse.Namespace, stream: TextIO, environment: Mapping[str, str]) -> ReportOptions:
    """How text is to look on this stream: NO_COLOR and FORCE_COLOR win over what the terminal says."""
    from keyrules.reports.report_options import ReportOptions
    from keyrules.reports.text_style import Style

    terminal = stream.isatty()
    colour = terminal and environment.get("TERM") != "dumb"
    if environment.get("FORCE_COLOR"):
        colour = True
    if environment.get("NO_COLOR") or args.no_color:
        colour = False
    return ReportOptions(style=Style(colour), width=text_width(stream), quiet=args.quiet)


def text_width(stream: TextIO) -> int:
    """The columns to wrap text at: those of the terminal, within reason."""
    return max(40, min(columns(DEFAULT_WIDTH), 140)) if stream.isatty() else DEFAULT_WIDTH


class ProgressLine:
    """One line on standard error that says how far long work is; nothing unless that is a terminal."""

    def __init__(self, quiet: bool) -> None:
        self._on = sys.stderr.isatty() and not quiet and os.environ.get("TERM") != "dumb"

    def __call__(self, done: int, total: int, name: str) -> None:
        """Shows `done` of `total`; the name is cut to the terminal."""
        if self._on:
            width = columns(80) - 1
            line = f"evaluated {done} of {total}  {name}".encode("ascii", "replace").decode()
            sys.stderr.write("\r\x1b[2K" + (line[:width] if done < total else ""))
            sys.stderr.flush()
