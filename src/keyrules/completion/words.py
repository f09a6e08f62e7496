"""What can be typed after `keyrules`: commands, options and their values, read from the parsers and from the pack.

A value's kind follows from the placeholder that help shows for it (`metavar`), so that a new option is completed as
soon as it is there. An option with a new placeholder is refused here until its kind is stated.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import NamedTuple

from keyrules.commands import keys
from keyrules.commands.completion import SHELLS
from keyrules.commands.config import FORMATS
from keyrules.completion.pack_names import PackNames
from keyrules.reports.report_formats import OSCAL_VERSIONS, formats_of
from keyrules.terms import GROUPINGS, LAYOUTS, Plane, Severity

HEAD = "# Completes keyrules {version} in {shell}. Write it anew after an update: keyrules completion {shell}\n"
"""The first line of every script."""


class Kind(Enum):
    """What completes a value: given words, names of files, a format with an optional `=FILE`, or nothing."""

    WORDS = "words"
    FILES = "files"
    OUTPUT = "output"
    FREE = "free"


class Values(NamedTuple):
    """The values of an option or of a positional argument. `words` that end with `=` or `:` are to be continued."""

    kind: Kind
    words: tuple[str, ...] = ()


class Option(NamedTuple):
    """An option by its flags. `values` has an entry for each value that it takes."""

    flags: tuple[str, ...]
    summary: str
    values: tuple[Values, ...] = ()


class Command(NamedTuple):
    """A command with its options; `arguments` is what stands without an option, None where nothing may.

    The command without a name is keyrules itself: its arguments are the others.
    """

    name: str
    summary: str
    options: tuple[Option, ...]
    arguments: Values | None


_FREE = Values(Kind.FREE)
_FILES = Values(Kind.FILES)
_PLANES = {"scan": Plane.CODE, "audit": Plane.LIVE}
_LISTED = re.compile(r"([\w-]+(?:, [\w-]+)*) \(default: [\w-]+\)")


def commands(parsers: Mapping[str, tuple[str, argparse.ArgumentParser]], names: PackNames) -> tuple[Command, ...]:
    """keyrules itself, and the commands in their order, from a summary and a parser with all arguments for each.

    The parser of keyrules itself, by the name of "", comes first. Raises LookupError for a value of unknown kind.
    """
    top, *named = (
        _command(name, summary, parser, _Placeholders(name, names)) for name, (summary, parser) in parsers.items()
    )
    return (top._replace(arguments=Values(Kind.WORDS, tuple(command.name for command in named))), *named)


class _Placeholders:
    """The values that a placeholder stands for in the help of one command."""

    def __init__(self, command: str, names: PackNames) -> None:
        self._command = command
        thresholds = (f"{rule}.{name}=" for rule, parameters in names.parameters.items() for name in parameters)
        self._known = {
            "ID": Values(Kind.WORDS, tuple(names.parameters)),
            "ID.PARAMETER=VALUE": Values(Kind.WORDS, tuple(thresholds)),
            "SEVERITY": Values(Kind.WORDS, tuple(level.name.lower() for level in Severity)),
            "FRAMEWORK:ID": Values(Kind.WORDS, tuple(f"{key}:" for key in names.editions)),
            "--group-by WORD": Values(Kind.WORDS, GROUPINGS),
            "RULE:SUBJECT": Values(Kind.WORDS, tuple(f"{rule}:" for rule in names.parameters)),
            "LAYOUT": Values(Kind.WORDS, LAYOUTS),
            "PLANE": Values(Kind.WORDS, tuple(plane.value for plane in Plane)),
            **dict.fromkeys(("--account ID", "--ticket ID", "--control ID", "TEXT", "WHO", "DAY", "SUM"), _FREE),
            "--assessor NAME": _FREE,
            "--oscal-version VERSION": Values(Kind.WORDS, tuple(OSCAL_VERSIONS)),
            "--group-by WHAT": Values(Kind.WORDS, keys.GROUPS),
            "SHELL": Values(Kind.WORDS, SHELLS),
            **dict.fromkeys(("FRAMEWORK[:ID]", "OLD", "NEW", "--framework NAME"), Values(Kind.WORDS, names.editions)),
            **dict.fromkeys(("PATH", "FILE", "REPORT", "DIR"), _FILES),
            **dict.fromkeys(("TIME", "SECONDS", "REGION", "URL", "TAG", "GLOB", "--profile NAME"), _FREE),
            **dict.fromkeys(("UNIT", "NUMBER", "ROLE", "ARN", "VALUE", "N"), _FREE),
        }

    def values(self, action: argparse.Action, placeholder: str) -> Values:
        """What one value of an option or argument can be. Raises LookupError for a placeholder that is not known."""
        if placeholder == "FORMAT[=FILE]" and self._command in _PLANES:
            return Values(Kind.OUTPUT, formats_of(_PLANES[self._command]))
        if placeholder == "FORMAT[=FILE]" and self._command == "keys":
            return Values(Kind.OUTPUT, keys.FORMATS)
        if placeholder == "FORMAT[=FILE]":
            return Values(Kind.WORDS, FORMATS)
        if placeholder == "FORMAT" and (listed := _LISTED.fullmatch(action.help or "")):
            return Values(Kind.WORDS, tuple(listed[1].split(", ")))
        for key in (*(f"{flag} {placeholder}" for flag in action.option_strings), placeholder):
            if key in self._known:
                return self._known[key]
        name = " ".join([self._command, *action.option_strings])
        raise LookupError(f"keyrules {name}: nothing says what completes {placeholder}")


def _command(name: str, summary: str, parser: argparse.ArgumentParser, placeholders: _Placeholders) -> Command:
    options, arguments = [], None
    for action in parser._actions:
        values = tuple(placeholders.values(action, placeholder) for placeholder in _placeholders(action))
        if action.option_strings:
            options.append(Option(tuple(action.option_strings), action.help or "", values))
        else:
            arguments = values[0]
    return Command(name, summary, tuple(options), arguments)


def _placeholders(action: argparse.Action) -> Iterator[str]:
    """The placeholder of each value; none for a switch, one for an argument that may be repeated."""
    if action.nargs == 0:
        return
    names = action.metavar if isinstance(action.metavar, tuple) else (action.metavar or action.dest.upper(),)
    yield from names
