"""The options that several commands share: how they are declared, and what was given of them as one typed value."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from keyrules.terms import CONFIGURATION_FILE, EXCEPTIONS_FILE, UsageError

_ENDINGS = {
    "csv": "csv",
    "html": "html",
    "json": "json",
    "jsonl": "jsonl",
    "md": "markdown",
    "sarif": "sarif",
    "txt": "text",
    "xml": "junit",
}


class Asked(NamedTuple):
    """What a command line says of these options; None, False and empty where it does not."""

    rule: tuple[str, ...] = ()
    skip_rule: tuple[str, ...] = ()
    set: tuple[str, ...] = ()
    framework: tuple[str, ...] = ()
    control: tuple[str, ...] = ()
    fail_on: str | None = None
    exceptions: str | None = None
    strict_exceptions: bool | None = None
    baseline: str | None = None
    write_baseline: str | None = None
    format: tuple[str, ...] = ()
    show_passing: bool = False
    quiet: bool = False
    no_color: bool = False
    group_by: str | None = None
    statistics: bool = False
    output: str | None = None
    exclude: tuple[str, ...] = ()
    config: str | None = None
    no_config: bool = False
    as_of: str | None = None
    oscal_version: str | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Asked:
        """From what the parser of a command found, by the name of each option; the command may have others, too."""
        unused = cls()._asdict()
        if given.get("output_file"):
            given = {**given, "format": _to_file(given["format"], given["output_file"])}
        values = (given.get(name, unused[name]) for name in cls._fields)
        return cls._make(tuple(value) if isinstance(value, list) else value for value in values)


def _to_file(formats: Sequence[str], file: str) -> list[str]:
    """What --format takes where --output-file names the file: the format that has none goes there.

    Without one the ending of the file says which it is. Raises UsageError where neither does.
    """
    bare = [name for name in formats if "=" not in name]
    if len(bare) > 1:
        raise UsageError(
            f"--output-file: {' and '.join(bare)} cannot both go to {file}; write --format FORMAT=FILE for each"
        )
    if not bare:
        ending = file.rpartition(".")[2].lower()
        if ending not in _ENDINGS:
            raise UsageError(
                f"--output-file: {file} does not say which format; give --format, too, or an ending such as .json"
            )
        bare = [_ENDINGS[ending]]
    return [f"{bare[0]}={file}", *(name for name in formats if "=" in name)]


def add_shared_options(parser: argparse.ArgumentParser) -> None:
    """Adds what selects rules and shapes reports on scan and audit."""
    rules = parser.add_argument_group("rules")
    rules.add_argument("--rule", action="append", default=[], metavar="ID", help="evaluate only this rule; repeatable")
    rules.add_argument("--skip-rule", action="append", default=[], metavar="ID", help="leave this rule out; repeatable")
    rules.add_argument(
        "--set", action="append", default=[], metavar="ID.PARAMETER=VALUE", help="change a threshold; repeatable"
    )
    rules.add_argument(
        "--framework", action="append", default=[], metavar="NAME", help="run a framework's rules; repeatable"
    )
    rules.add_argument(
        "--control", action="append", default=[], metavar="FRAMEWORK:ID", help="run a control's rules; repeatable"
    )
    rules.add_argument("--fail-on", metavar="SEVERITY", help="lowest severity that exits 1 (default: low)")
    add_exceptions_option(rules)
    # `max_exception_days` has no option: the configuration sets it.
    rules.add_argument(
        "--strict-exceptions",
        action=argparse.BooleanOptionalAction,
        help="exit 2 where one expired or matches nothing",
    )
    rules.add_argument("--baseline", metavar="FILE", help="report only what this earlier JSON lacks")
    rules.add_argument("--write-baseline", metavar="FILE", help="accept what is found, in this file")
    output = parser.add_argument_group("output")
    output.add_argument(
        "-f",
        "--format",
        action="append",
        default=[],
        metavar="FORMAT[=FILE]",
        help="a report (default: text); repeatable",
    )
    output.add_argument("--oscal-version", metavar="VERSION", help="1.1.2 or 1.2 (default: 1.1.2)")
    output.add_argument("--output", metavar="LAYOUT", help="text: grouped, concise or full (default: grouped)")
    output.add_argument("--statistics", action="store_true", help="count verdicts, too")
    output.add_argument("-o", "--output-file", metavar="FILE", help="the report goes there; its ending says the format")
    output.add_argument("-v", "--show-passing", action="store_true", help="list what passes, too")
    output.add_argument("-q", "--quiet", action="store_true", help="print findings and errors only")
    output.add_argument("--no-color", action="store_true", help="no colour, even on a terminal")
    add_configuration_options(parser)
    parser.add_argument("--as-of", metavar="TIME", help="count ages to this moment (default: now)")


def add_exceptions_option(group: argparse._ActionsContainer) -> None:
    """Adds --exceptions."""
    group.add_argument("--exceptions", metavar="FILE", help=f"default: {EXCEPTIONS_FILE}")


def add_configuration_options(group: argparse._ActionsContainer) -> None:
    """Adds --config and --no-config."""
    group.add_argument("--config", metavar="FILE", help=f"default: {CONFIGURATION_FILE}, found upwards")
    group.add_argument("--no-config", action="store_true", help="read no configuration file")


def add_exclude_option(group: argparse._ActionsContainer) -> None:
    """Adds --exclude, for commands that read code."""
    group.add_argument(
        "--exclude", action="append", default=[], metavar="GLOB", help="leave out, as in examples/**; repeatable"
    )
