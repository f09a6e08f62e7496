"""The arguments of `keyrules cache`."""

from __future__ import annotations

import argparse

from keyrules.code.cache.cache_folder import VARIABLE

EPILOG = f"""\
A scan keeps what it found out about a root module or template, and uses it as
long as nothing that it rests on has changed. {VARIABLE} names another
folder; `keyrules scan --no-cache` does without.

examples:
  keyrules cache            where it is, and how large
  keyrules cache --clear    start anew

exit codes: 0 shown or cleared, 2 there is no folder for a cache
"""


def add_cache_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `keyrules cache`."""
    parser.add_argument("--clear", action="store_true", help="remove everything that is kept")
