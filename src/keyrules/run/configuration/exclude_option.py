"""`--exclude` on commands that read code, and what it leaves out together with the configuration's globs."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from keyrules.terms import UsageError


def add_exclude_option(group: argparse._ActionsContainer) -> None:
    """Adds --exclude."""
    group.add_argument(
        "--exclude", action="append", default=[], metavar="GLOB", help="leave out, as in examples/**; repeatable"
    )


def excluded_paths(args: argparse.Namespace) -> Callable[[str], bool] | None:
    """Whether an absolute path is to be left out (a folder's ends in a slash); None where nothing is.

    `args` are settled. Raises UsageError for a glob that is none.
    """
    if not args.exclude:
        return None
    from keyrules.run.configuration.exclude_globs import GLOB_RULES, excluder, is_glob

    for glob in args.exclude:
        if not is_glob(glob):
            raise UsageError(f"--exclude: {glob!r} is not {GLOB_RULES}")
    return excluder(args.exclude, args.exclude_base)
