"""`keyrules dirs`: what gives Checkov this pack, as arguments or as a folder."""

from __future__ import annotations

import argparse

EPILOG = """\
examples:
  checkov -d infra/ $(keyrules dirs)
  eval "checkov -d infra/ $(keyrules dirs)"    where its path has a space
  keyrules dirs --bundle checks/       a folder that works without keyrules
  checkov -d infra/ --external-checks-dir checks/
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The argument of `keyrules dirs`."""
    parser.description = "The arguments that give Checkov this pack, with its opt-in rules skipped."
    parser.add_argument(
        "--bundle",
        metavar="DIR",
        help="write a folder with the rules, the checks and the engine instead, new, empty or an earlier bundle: "
        "for --external-checks-dir without keyrules installed, and as a repository for --external-checks-git",
    )


def run(args: argparse.Namespace) -> int:
    """Prints the arguments, or writes the folder and prints those for it; returns 0.

    Raises UsageError for a folder that is not ours to write, InputError where a part of the pack is missing.
    """
    import shlex

    from keyrules.code.checkov.bundle import write_bundle
    from keyrules.code.checkov.folders import checkov_arguments, skip_arguments
    from keyrules.pack.catalog import load_pack

    pack = load_pack()
    opt_in = [rule.id for rule in pack.rules if not rule.default_on]
    if args.bundle is None:
        words = checkov_arguments(opt_in)
    else:
        folder = write_bundle(args.bundle, pack.stamp)
        words = ["--external-checks-dir", str(folder), *skip_arguments(opt_in)]
    print(" ".join(shlex.quote(word) for word in words))
    return 0
