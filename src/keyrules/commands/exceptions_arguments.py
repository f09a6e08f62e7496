"""The arguments of `keyrules exceptions`; nothing that reads a file or evaluates is imported for them."""

from __future__ import annotations

import argparse

from keyrules.run.configuration.exclude_option import add_exclude_option
from keyrules.run.configuration.option import add_configuration_options
from keyrules.run.exceptions.option import add_exceptions_file

FORMATS = ("text", "json")
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
    parser.add_argument("--format", default="text", metavar="FORMAT", help=f"{', '.join(FORMATS)} (default: text)")
    parser.add_argument("--as-of", metavar="TIME", help="moment to judge at (default: now)")
