"""`keyrules dirs`: the arguments that give plain Checkov this pack, with its opt-in rules skipped."""

from __future__ import annotations

import argparse

EPILOG = """\
examples:
  checkov -d infra/ $(keyrules dirs)
  eval "checkov -d infra/ $(keyrules dirs)"    where its path holds a space
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`keyrules dirs` has none."""
    parser.description = "The arguments that give plain Checkov this pack, with its opt-in rules skipped."


def run(args: argparse.Namespace) -> int:
    """Prints them on one line, quoted for a shell, and returns 0."""
    import shlex

    from keyrules.code.host.pack_folders import checkov_arguments
    from keyrules.pack.catalog import load_pack

    del args
    opt_in = [rule.id for rule in load_pack().rules if not rule.default_on]
    print(" ".join(shlex.quote(word) for word in checkov_arguments(opt_in)))
    return 0
