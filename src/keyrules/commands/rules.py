"""`keyrules rules`: lists the rules, or shows one in full."""

from __future__ import annotations

import argparse
import sys

EPILOG = """\
examples:
  keyrules rules                list them, with severity and planes
  keyrules rules KEY_AWS_001    why, what to do, what it cannot see
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `keyrules rules`."""
    parser.add_argument("id", nargs="?", metavar="ID", help="show this rule in full")
    parser.add_argument("--facts", action="store_true", help="list the facts that runtime conditions can use")


def run(args: argparse.Namespace) -> int:
    """Prints them and returns 0. Raises UsageError for a rule that does not exist."""
    from keyrules.pack.catalog import load_pack
    from keyrules.pack.listing import describe_facts, describe_rule, list_rules
    from keyrules.pack.selection import find_rule
    from keyrules.terminal import DEFAULT_WIDTH, text_width

    pack = load_pack()
    if args.facts:
        print(describe_facts(min(DEFAULT_WIDTH, text_width(sys.stdout))))
    elif args.id:
        print(describe_rule(find_rule(pack, args.id), min(DEFAULT_WIDTH, text_width(sys.stdout))))
    else:
        print(list_rules(pack))
    return 0
