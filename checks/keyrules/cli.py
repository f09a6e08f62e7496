"""The command line: `keyrules scan | audit | rules | dirs`. The only place that reads the clock."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import NoReturn

from keyrules.model import InputError, UsageError

_DESCRIPTION = "Policy as code for long-lived AWS credentials, on infrastructure code and on live accounts."


def current_time() -> datetime:
    """Now, in UTC, to the second. Read once per run and passed on as `as_of`."""
    return datetime.now(timezone.utc).replace(microsecond=0)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see {self.prog} --help")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command. Returns the exit code; every foreseeable failure is one sentence on standard error."""
    try:
        return _run(list(sys.argv[1:] if argv is None else argv))
    except UsageError as error:
        print(f"keyrules: {error}", file=sys.stderr)
        return 2
    except InputError as error:
        print(f"keyrules: {error}", file=sys.stderr)
        return 3
    except BrokenPipeError:
        # The reader of our output went away; what is left to print has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 3
    except KeyboardInterrupt:
        print("keyrules: interrupted; nothing was concluded", file=sys.stderr)
        return 3


def _run(argv: list[str]) -> int:
    command = next((word for word in argv if not word.startswith("-")), "")
    parser = _Parser(prog="keyrules", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--version", action="store_true", help="print the version and the pack's hash")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    run: Callable[[argparse.Namespace], int] | None = None
    for name, (summary, prepare) in _COMMANDS.items():
        chosen = commands.add_parser(name, help=summary, formatter_class=argparse.RawDescriptionHelpFormatter)
        if name == command:
            run = prepare(chosen)
    args = parser.parse_args(argv)
    if args.version:
        return _print_version()
    if run is None:
        parser.print_help()
        return 2
    return run(args)


def _prepare_scan(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace], int]:
    from keyrules.iac.scan_command import EPILOG, add_scan_arguments, run_scan

    add_scan_arguments(parser)
    parser.epilog = EPILOG
    return lambda args: run_scan(args, current_time())


def _prepare_audit(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace], int]:
    from keyrules.live.audit_command import EPILOG, add_audit_arguments, run_audit

    add_audit_arguments(parser)
    parser.epilog = EPILOG
    return lambda args: run_audit(args, current_time())


def _prepare_rules(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace], int]:
    parser.add_argument("id", nargs="?", metavar="ID", help="show this rule in full")
    parser.add_argument("--facts", action="store_true", help="list the facts that runtime conditions can use")
    return _print_rules


def _prepare_dirs(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace], int]:
    return lambda args: _print_dirs()


_COMMANDS: Mapping[str, tuple[str, Callable[[argparse.ArgumentParser], Callable[[argparse.Namespace], int]]]] = {
    "scan": ("evaluate Terraform, plans and CloudFormation", _prepare_scan),
    "audit": ("evaluate credential reports, from files or the live account", _prepare_audit),
    "rules": ("list the rules, or show one in full", _prepare_rules),
    "dirs": ("print the arguments that give plain Checkov this pack", _prepare_dirs),
}
"""Each command's summary, and what adds its arguments and returns what runs it; only the chosen one is imported."""


def _print_version() -> int:
    from keyrules.catalog import load_pack

    stamp = load_pack().stamp
    print(f"keyrules {stamp.version} (pack {stamp.sha256[:12]})")
    return 0


def _print_rules(args: argparse.Namespace) -> int:
    from keyrules.catalog import load_pack
    from keyrules.rule_listing import describe_facts, describe_rule, list_rules
    from keyrules.selection import find_rule

    pack = load_pack()
    if args.facts:
        print(describe_facts(), end="")
    elif args.id:
        print(describe_rule(find_rule(pack, args.id)), end="")
    else:
        print(list_rules(pack), end="")
    return 0


def _print_dirs() -> int:
    from keyrules.catalog import load_pack
    from keyrules.iac.pack_folders import checkov_arguments

    opt_in = [rule.id for rule in load_pack().rules if not rule.default_on]
    print(" ".join(shlex.quote(word) for word in checkov_arguments(opt_in)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
