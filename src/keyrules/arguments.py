"""What `keyrules COMMAND` takes, and what runs it; each command is prepared when it is the one."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeAlias

from keyrules.terminal import columns
from keyrules.terms import UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from keyrules.code.discovery import Discovery

_DESCRIPTION = "Policy as code for long-lived AWS credentials, on code and on live accounts."

Clock: TypeAlias = "Callable[[], datetime]"


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """As wide as the terminal, so that a command fits a screen; an option that can be negated is `--[no-]option`."""

    def __init__(self, prog: str) -> None:
        # argparse would import shutil to find the width, at each argument that is added.
        super().__init__(prog, max_help_position=28, width=columns(80) - 2)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        if isinstance(action, argparse.BooleanOptionalAction):
            return action.option_strings[0].replace("--", "--[no-]", 1)
        return super()._format_action_invocation(action)


class Parser(argparse.ArgumentParser):
    """Takes no option by a part of its name, because the next version may have another one that begins so."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{**settings, "allow_abbrev": False})

    mixed = False
    """Whether words may stand behind options, too, as in `DIR --framework A report.csv`."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse does it, or in the way that argparse has for mixed words, which parses twice."""
        if not self.mixed:
            return super().parse_known_args(args, namespace)
        self.mixed = False
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self.mixed = True

    def print_help(self, file: Any = None) -> None:
        """As argparse does it, which passes over what cannot be written."""
        print(self.format_help(), end="", file=file)

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see {self.prog} --help")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """As argparse does it, with the nearest word that there is."""
        if action.choices is None or value in action.choices:
            return
        from keyrules.nearest import did_you_mean

        words = [str(choice) for choice in action.choices]
        what = "is no command" if action.dest == "command" else f"is not what {_name_of(action)} takes"
        self.error(f"{value!r} {what}; {did_you_mean(str(value), words)}use one of {', '.join(words)}")


def run_command(argv: list[str], clock: Clock, found: Discovery | None) -> int:
    """Runs the command that the words name and returns its exit code; `found` is what a scan has discovered already.

    Raises UsageError and InputError.
    """
    command = command_of(argv)
    parser = _top_parser()
    commands = parser.add_subparsers(prog="keyrules", dest="command", metavar="COMMAND", parser_class=Parser)
    run: Callable[..., int] | None = None
    # The others are for the help and for what is refused, which is all told before a command that stands first.
    names = [command] if command in COMMANDS and argv[0] == command else COMMANDS
    taker = parser
    for name in names:
        chosen = commands.add_parser(name, help=COMMANDS[name].summary, formatter_class=HelpFormatter)
        if name == command:
            taker, run = chosen, _prepare(name, chosen)
            chosen.mixed = COMMANDS[name].mixed
    args, unknown = parser.parse_known_args(argv, argparse.Namespace(found=found))
    if unknown:
        _refuse(unknown[0], taker)
    if args.version:
        return _print_version()
    if run is None:
        parser.print_help()
        return 2
    return run(args, *COMMANDS[command].given(clock))


def _refuse(unknown: str, parser: argparse.ArgumentParser) -> NoReturn:
    """Refuses a word that a parser knows nothing of. Raises UsageError with the nearest option."""
    from keyrules.nearest import did_you_mean

    option = unknown.partition("=")[0]
    if not option.startswith("-"):
        parser.error(f"{unknown!r} is one word too many for {parser.prog}")
    if option in parser._option_string_actions:
        parser.error(f"{option} stands before the command; write it behind: {parser.prog} {option}")
    known = (name for name in parser._option_string_actions if name.startswith("--"))
    raise UsageError(f"{option} is no option of {parser.prog}; {did_you_mean(option, known)}see {parser.prog} --help")


def _name_of(action: argparse.Action) -> str:
    return "/".join(action.option_strings) or str(action.metavar or action.dest)


def command_of(argv: Sequence[str]) -> str:
    """The word that names the command, which may be none of ours; "" where there is no such word."""
    return next((word for word in argv if not word.startswith("-")), "")


def _top_parser() -> Parser:
    parser = Parser(prog="keyrules", description=_DESCRIPTION, formatter_class=HelpFormatter)
    parser.add_argument("-V", "--version", action="store_true", help="print the version and the pack's hash")
    return parser


def _prepare(name: str, parser: argparse.ArgumentParser) -> Callable[..., int]:
    """Adds a command's arguments, and gives what runs it; only this command's module is imported."""
    # As importlib.import_module does it, which would have to be imported itself.
    module = __import__(f"keyrules.commands.{COMMANDS[name].module or name}", fromlist=["run"])
    module.add_arguments(parser)
    parser.epilog = module.EPILOG
    run: Callable[..., int] = module.run
    return run


def every_parser() -> Mapping[str, tuple[str, argparse.ArgumentParser]]:
    """The parser of keyrules itself, by the name of "", and of each command, with its summary."""
    parsers = {"": (_DESCRIPTION, _top_parser())}
    for name, command in COMMANDS.items():
        parsers[name] = (command.summary, Parser(prog=f"keyrules {name}", formatter_class=HelpFormatter))
        _prepare(name, parsers[name][1])
    return parsers


class Entry(NamedTuple):
    """A command's summary, what its `run` is given beside its arguments, its module if that has another name, and
    whether its words may stand anywhere."""

    summary: str
    given: Callable[[Clock], tuple[Callable[[], object], ...]] = lambda clock: ()
    module: str = ""
    mixed: bool = False


COMMANDS: Mapping[str, Entry] = {
    "scan": Entry("evaluate Terraform, plans and CloudFormation", lambda clock: (clock,)),
    "audit": Entry("evaluate credential reports, from files or the live account", lambda clock: (clock,)),
    "keys": Entry("one row per key: code, state and account joined, and the next step", lambda clock: (clock,)),
    "evidence": Entry("make, verify or compare a package of evidence for auditors", lambda clock: (clock,), mixed=True),
    "accounts": Entry("list the accounts of an organization, as a file for audit"),
    "rules": Entry("list the rules, or show one in full"),
    "controls": Entry("list frameworks, and how the rules relate to their controls"),
    "exceptions": Entry("list the exceptions, what each one matches and when it ends", lambda clock: (clock,)),
    "except": Entry("add an exception to the file that is named", lambda clock: (clock,), "exempt"),
    "init": Entry("show or write what a repository needs for its first day", lambda clock: (clock,)),
    "config": Entry("show what is in force here, and where each value comes from"),
    "completion": Entry("print the script that completes commands in a shell", lambda clock: (every_parser,)),
    "dirs": Entry("print the arguments that give Checkov this pack, or write a folder for it"),
}
"""The modules of keyrules.commands: each has EPILOG, `add_arguments(parser)` and `run(args, …)`."""


def _print_version() -> int:
    from keyrules.pack.stamp import pack_digest, pack_version, rules_path

    print(f"keyrules {pack_version()} (pack {pack_digest(rules_path())[:12]})")
    return 0
