"""The command line: `keyrules COMMAND`, each prepared when it is the one. The only place that reads the clock."""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from keyrules.help_text import HelpFormatter
from keyrules.terms import InputError, UsageError

if TYPE_CHECKING:
    from datetime import datetime

_RULES_EPILOG = """\
examples:
  keyrules rules                list them, with severity and planes
  keyrules rules KEY_AWS_001    why, what to do, what it cannot see
"""
_DESCRIPTION = "Policy as code for long-lived AWS credentials, on code and on live accounts."


def current_time() -> datetime:
    """Now, in UTC, to the second. Read once per run and passed on as `as_of`."""
    from datetime import datetime, timezone

    return datetime.now(timezone.utc).replace(microsecond=0)


class _Parser(argparse.ArgumentParser):
    """Takes no option by a part of its name, because the next version may have another one that begins so."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{**settings, "allow_abbrev": False})

    def print_help(self, file: Any = None) -> None:
        """As argparse does it, which passes over what cannot be written."""
        print(self.format_help(), end="", file=file)

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see {self.prog} --help")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command. Returns the exit code; every foreseeable failure is one sentence on standard error."""
    if argv is None:
        # A pipeline that is cancelled sends SIGTERM: it ends the worker process as Ctrl-C does.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _run_and_flush(list(sys.argv[1:] if argv is None else argv))
    except UsageError as error:
        return _refuse(str(error), 2)
    except InputError as error:
        return _refuse(str(error), 3)
    except OSError as error:
        # Standard output cannot take what is left to print, and Python would try again when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if isinstance(error, BrokenPipeError):
            # Of a listing its reader had enough; of an evaluation nobody knows what was read.
            return 3 if _evaluates(sys.argv[1:] if argv is None else argv) else 0
        name = f"{error.filename}: " if isinstance(error.filename, str) else ""
        return _refuse(f"{name}{error.strerror or type(error).__name__}; nothing was concluded", 3)
    except KeyboardInterrupt:
        return _refuse("interrupted; nothing was concluded", 3)
    except Exception as error:
        # Python's own exit code for this is 1, which reads as "findings"; and a traceback may quote what was read.
        return _refuse(f"failed unexpectedly ({type(error).__name__}); nothing was concluded. Please report this", 3)


def _run_and_flush(argv: list[str]) -> int:
    """Runs the command with all of its output written when it returns, so that a failing write is met here."""
    for stream in (sys.stdout, sys.stderr):
        if stream is None:
            raise UsageError("standard output or standard error is closed; redirect it to /dev/null instead")
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        return _run(argv)
    finally:
        sys.stdout.flush()


def _evaluates(argv: Sequence[str]) -> bool:
    """Whether what is printed is the outcome of an evaluation, whose exit code stands for it."""
    asks_for_help = bool({"-h", "--help"} & set(argv))
    return _command(argv) in ("scan", "audit", "exceptions") and not asks_for_help


def _command(argv: Sequence[str]) -> str:
    return next((word for word in argv if not word.startswith("-")), "")


def _refuse(sentence: str, code: int) -> int:
    """One line on standard error, whatever the names in it hold."""
    if sys.stderr is not None:
        from keyrules.reports.text_style import printable

        print(f"keyrules: {printable(sentence)}", file=sys.stderr)
    return code


def _run(argv: list[str]) -> int:
    command = _command(argv)
    parser = _top_parser()
    commands = parser.add_subparsers(prog="keyrules", dest="command", metavar="COMMAND", parser_class=_Parser)
    run: Callable[[argparse.Namespace], int] | None = None
    # The others are for the help and for what is refused, which is all told before a command that stands first.
    names = [command] if command in _COMMANDS and argv[0] == command else _COMMANDS
    for name in names:
        summary, prepare = _COMMANDS[name]
        chosen = commands.add_parser(name, help=summary, formatter_class=HelpFormatter)
        if name == command:
            run = prepare(chosen)
    args = parser.parse_args(argv)
    if args.version:
        return _print_version()
    if run is None:
        parser.print_help()
        return 2
    return run(args)


def _top_parser() -> _Parser:
    parser = _Parser(prog="keyrules", description=_DESCRIPTION, formatter_class=HelpFormatter)
    parser.add_argument("--version", action="store_true", help="print the version and the pack's hash")
    return parser


def _prepare_scan(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace], int]:
    from keyrules.commands.scan_arguments import EPILOG, add_scan_arguments

    add_scan_arguments(parser)
    parser.epilog = EPILOG
    return lambda args: _scan(args, parser.parse_args([]))


def _scan(args: argparse.Namespace, defaults: argparse.Namespace) -> int:
    from keyrules.code.early_answer import first_look, say_nothing

    found = first_look(args, {name for name, default in vars(defaults).items() if getattr(args, name) != default})
    if found is not None and found.empty:
        return say_nothing(args, found)
    from keyrules.commands.scan import run_scan

    return run_scan(args, current_time(), found)


def _prepare_audit(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace], int]:
    from keyrules.commands.audit_arguments import EPILOG, add_audit_arguments

    add_audit_arguments(parser)
    parser.epilog = EPILOG
    return _audit


def _audit(args: argparse.Namespace) -> int:
    from keyrules.commands.audit import run_audit

    return run_audit(args, current_time())


def _prepare_rules(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace], int]:
    parser.add_argument("id", nargs="?", metavar="ID", help="show this rule in full")
    parser.add_argument("--facts", action="store_true", help="list the facts that runtime conditions can use")
    parser.epilog = _RULES_EPILOG
    return _print_rules


def _prepare_controls(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace], int]:
    from keyrules.commands.controls_arguments import EPILOG, add_controls_arguments

    add_controls_arguments(parser)
    parser.epilog = EPILOG
    return _controls


def _controls(args: argparse.Namespace) -> int:
    from keyrules.commands.controls import run_controls

    return run_controls(args)


def _prepare_exceptions(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace], int]:
    from keyrules.commands.exceptions_arguments import EPILOG, add_exceptions_arguments

    add_exceptions_arguments(parser)
    parser.epilog = EPILOG
    return _exceptions


def _exceptions(args: argparse.Namespace) -> int:
    from keyrules.commands.exceptions import run_exceptions

    return run_exceptions(args, current_time())


def _prepare_config(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace], int]:
    from keyrules.commands.config_arguments import EPILOG, add_config_arguments

    add_config_arguments(parser)
    parser.epilog = EPILOG
    return _config


def _config(args: argparse.Namespace) -> int:
    from keyrules.commands.config import run_config

    return run_config(args)


def _prepare_dirs(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace], int]:
    from keyrules.commands.dirs_arguments import add_dirs_arguments

    add_dirs_arguments(parser)
    return _dirs


def _dirs(args: argparse.Namespace) -> int:
    from keyrules.commands.dirs import run_dirs

    return run_dirs(args)


def _prepare_completion(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace], int]:
    from keyrules.completion.arguments import EPILOG, add_completion_arguments

    add_completion_arguments(parser)
    parser.epilog = EPILOG
    return _completion


def _completion(args: argparse.Namespace) -> int:
    from keyrules.commands.completion import run_completion

    return run_completion(args, _every_parser())


def _every_parser() -> Mapping[str, tuple[str, argparse.ArgumentParser]]:
    """The parser of keyrules itself, by the name of "", and of each command, with its summary."""
    parsers = {"": (_DESCRIPTION, _top_parser())}
    for name, (summary, prepare) in _COMMANDS.items():
        parsers[name] = (summary, _Parser(prog=f"keyrules {name}", formatter_class=HelpFormatter))
        prepare(parsers[name][1])
    return parsers


_COMMANDS: Mapping[str, tuple[str, Callable[[argparse.ArgumentParser], Callable[[argparse.Namespace], int]]]] = {
    "scan": ("evaluate Terraform, plans and CloudFormation", _prepare_scan),
    "audit": ("evaluate credential reports, from files or the live account", _prepare_audit),
    "rules": ("list the rules, or show one in full", _prepare_rules),
    "controls": ("list frameworks, and how the rules relate to their controls", _prepare_controls),
    "exceptions": ("list the exceptions, what each one matches and when it ends", _prepare_exceptions),
    "config": ("show what is in force here, and where each value comes from", _prepare_config),
    "completion": ("print the script that completes commands in a shell", _prepare_completion),
    "dirs": ("print the arguments that give Checkov this pack, or write a folder for it", _prepare_dirs),
}
"""Each command's summary, and what adds its arguments and returns what runs it; only the chosen one is imported."""


def _print_version() -> int:
    from keyrules.pack.stamp import pack_digest, pack_version, rules_path

    print(f"keyrules {pack_version()} (pack {pack_digest(rules_path())[:12]})")
    return 0


def _print_rules(args: argparse.Namespace) -> int:
    from keyrules.pack.catalog import load_pack
    from keyrules.pack.listing import describe_facts, describe_rule, list_rules
    from keyrules.pack.selection import find_rule

    pack = load_pack()
    if args.facts:
        print(describe_facts())
    elif args.id:
        print(describe_rule(find_rule(pack, args.id)))
    else:
        print(list_rules(pack))
    return 0


if __name__ == "__main__":
    sys.exit(main())
