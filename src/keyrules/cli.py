"""The command line: `keyrules COMMAND`, each prepared when it is the one. The only place that reads the clock."""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from keyrules.terminal import columns
from keyrules.terms import InputError, UsageError

if TYPE_CHECKING:
    from datetime import datetime

_DESCRIPTION = "Policy as code for long-lived AWS credentials, on code and on live accounts."


def current_time() -> datetime:
    """Now, in UTC, to the second. Read once per run and passed on as `as_of`."""
    from datetime import datetime, timezone

    return datetime.now(timezone.utc).replace(microsecond=0)


class _HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """As wide as the terminal, so that a command fits a screen; an option that can be negated is `--[no-]option`."""

    def __init__(self, prog: str) -> None:
        # argparse would import shutil to find the width, at each argument that is added.
        super().__init__(prog, max_help_position=28, width=columns(80) - 2)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        if isinstance(action, argparse.BooleanOptionalAction):
            return action.option_strings[0].replace("--", "--[no-]", 1)
        return super()._format_action_invocation(action)


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
        chosen = commands.add_parser(name, help=_COMMANDS[name].summary, formatter_class=_HelpFormatter)
        if name == command:
            run = _prepare(name, chosen)
    args = parser.parse_args(argv)
    if args.version:
        return _print_version()
    if run is None:
        parser.print_help()
        return 2
    return run(args)


def _top_parser() -> _Parser:
    parser = _Parser(prog="keyrules", description=_DESCRIPTION, formatter_class=_HelpFormatter)
    parser.add_argument("--version", action="store_true", help="print the version and the pack's hash")
    return parser


def _prepare(name: str, parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace], int]:
    """Adds a command's arguments, and gives what runs it; only this command's module is imported."""
    # As importlib.import_module does it, which would have to be imported itself.
    module = __import__(f"keyrules.commands.{name}", fromlist=["run"])
    module.add_arguments(parser)
    parser.epilog = module.EPILOG
    return lambda args: int(module.run(args, *_COMMANDS[name].given()))


def _every_parser() -> Mapping[str, tuple[str, argparse.ArgumentParser]]:
    """The parser of keyrules itself, by the name of "", and of each command, with its summary."""
    parsers = {"": (_DESCRIPTION, _top_parser())}
    for name, command in _COMMANDS.items():
        parsers[name] = (command.summary, _Parser(prog=f"keyrules {name}", formatter_class=_HelpFormatter))
        _prepare(name, parsers[name][1])
    return parsers


class _Entry(NamedTuple):
    """A command's summary, and what its `run` is given beside its arguments, taken when it runs."""

    summary: str
    given: Callable[[], tuple[Callable[[], object], ...]] = tuple


_COMMANDS: Mapping[str, _Entry] = {
    "scan": _Entry("evaluate Terraform, plans and CloudFormation", lambda: (current_time,)),
    "audit": _Entry("evaluate credential reports, from files or the live account", lambda: (current_time,)),
    "accounts": _Entry("list the accounts of an organization, as a file for audit"),
    "rules": _Entry("list the rules, or show one in full"),
    "controls": _Entry("list frameworks, and how the rules relate to their controls"),
    "exceptions": _Entry("list the exceptions, what each one matches and when it ends", lambda: (current_time,)),
    "config": _Entry("show what is in force here, and where each value comes from"),
    "completion": _Entry("print the script that completes commands in a shell", lambda: (_every_parser,)),
    "dirs": _Entry("print the arguments that give Checkov this pack, or write a folder for it"),
}
"""The modules of keyrules.commands: each has EPILOG, `add_arguments(parser)` and `run(args, …)`."""


def _print_version() -> int:
    from keyrules.pack.stamp import pack_digest, pack_version, rules_path

    print(f"keyrules {pack_version()} (pack {pack_digest(rules_path())[:12]})")
    return 0
