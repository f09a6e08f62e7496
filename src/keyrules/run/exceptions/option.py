"""`--exceptions` and `--strict-exceptions` on scan and audit.

The file is read where there is one: most runs of the hook have none, and are to be over at once.
"""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from keyrules.terms import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from keyrules.pack.catalog import Pack
    from keyrules.run.exceptions.file import Entry
    from keyrules.run.exceptions.paths import Ground

DEFAULT_FILE = ".keyrules-exceptions.yaml"
DEFAULT_MAX_DAYS = 365
"""How far away the end of an exception may be, in days, unless the configuration sets `max_exception_days`."""


def add_exceptions_options(group: argparse._ArgumentGroup) -> None:
    """Adds them to the options that select rules; `max_exception_days` has no option, the configuration sets it."""
    add_exceptions_file(group)
    group.add_argument(
        "--strict-exceptions",
        action=argparse.BooleanOptionalAction,
        help="exit 2 where one expired or matches nothing",
    )


def add_exceptions_file(group: argparse._ActionsContainer) -> None:
    """Adds what chosen_exceptions reads."""
    group.add_argument("--exceptions", metavar="FILE", help=f"default: {DEFAULT_FILE}")


def chosen_exceptions(args: argparse.Namespace, pack: Pack, now: datetime) -> tuple[Entry, ...]:
    """The entries that a run is to use; `args` are settled, so that they name the default file where there is one.

    `now` is the time of the run, whatever moment it judges at: how far away an end may be is a promise made today.
    Raises UsageError for a file that is named and does not exist, and for whatever is wrong in the file.
    """
    path = exceptions_path(args)
    if path is None:
        return ()
    from keyrules.run.exceptions.file import load_exceptions

    return load_exceptions(path, pack, now, args.max_exception_days)


def exceptions_ground(args: argparse.Namespace, excluded: Callable[[str], bool] | None) -> Ground:
    """The code that the exceptions file of the settled options can speak of. `excluded` is what they leave out.

    What the configuration leaves out is left out of every run, so no exception is needed there; what --exclude leaves
    out was only not looked at.
    """
    from pathlib import Path

    from keyrules.run.exceptions.paths import Ground

    return Ground(str(Path(args.exceptions or "").parent), None if "exclude" in args.origins else excluded)


def exceptions_path(args: argparse.Namespace) -> Path | None:
    """The file to read, or None where there is none. `args` and UsageError as above."""
    from pathlib import Path

    if args.exceptions is None:
        return None
    if not args.exceptions or not os.path.lexists(args.exceptions):
        name = args.exceptions or "the empty name"
        raise UsageError(f"--exceptions: {name} does not exist; name a file of exceptions, or leave the option out")
    return Path(args.exceptions)
