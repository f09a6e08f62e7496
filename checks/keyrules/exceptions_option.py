"""`--exceptions` and `--strict-exceptions` on scan and audit."""

from __future__ import annotations

import argparse

DEFAULT_MAX_DAYS = 365
"""How far away the end of an exception may be, in days, unless the configuration sets `max_exception_days`."""


def add_exceptions_options(group: argparse._ArgumentGroup) -> None:
    """Adds them to the options that select rules; `max_exception_days` has no option, the configuration sets it."""
    group.add_argument("--exceptions", metavar="FILE", help="exceptions (default: .keyrules-exceptions.yaml)")
    group.add_argument(
        "--strict-exceptions", action="store_true", help="exit 2 for one that expired or matches nothing"
    )
    group.set_defaults(max_exception_days=DEFAULT_MAX_DAYS)
