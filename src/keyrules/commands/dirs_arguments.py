"""The arguments of `keyrules dirs`; nothing that reads the pack is imported for it."""

from __future__ import annotations

import argparse

DESCRIPTION = "The arguments that give Checkov this pack, with its opt-in rules skipped."
EPILOG = """\
examples:
  checkov -d infra/ $(keyrules dirs)
  eval "checkov -d infra/ $(keyrules dirs)"    where its path holds a space
  keyrules dirs --bundle checks/               a folder that works where keyrules is not installed
  checkov -d infra/ --external-checks-dir checks/
"""


def add_dirs_arguments(parser: argparse.ArgumentParser) -> None:
    """The argument of `keyrules dirs`."""
    parser.description = DESCRIPTION
    parser.epilog = EPILOG
    parser.add_argument(
        "--bundle",
        metavar="DIR",
        help="write a folder with the rules, the checks and the engine instead, new, empty or an earlier bundle: "
        "for --external-checks-dir without keyrules installed, and as a repository for --external-checks-git",
    )
