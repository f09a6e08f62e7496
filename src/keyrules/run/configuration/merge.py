"""What a run does where the command line and a configuration file both speak: the command line wins, option by option.

`--rule`, `--framework` and `--control` replace what the file says about which rules run; `--skip-rule` takes away from
it, and `--set` wins over its thresholds one by one. A list on the command line replaces the list of the file.

Most runs have no configuration file, and some are to be over at once, so that what reads one is imported for one only.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keyrules.files import read_named
from keyrules.run.configuration.option import CONFIGURATION_FILE, MISSPELT_FILE
from keyrules.run.exceptions.option import DEFAULT_FILE as EXCEPTIONS_FILE
from keyrules.run.exceptions.option import DEFAULT_MAX_DAYS
from keyrules.terms import Plane, UsageError

if TYPE_CHECKING:
    from keyrules.model import ParameterValue
    from keyrules.pack.catalog import Pack
    from keyrules.run.configuration.file import Configuration, Given

COMMAND_LINE = "command line"
DEFAULT = "default"
_DEFAULTS: Mapping[str, Any] = {
    "framework": None,
    "fail_on": "low",
    "format": [],
    "exclude": [],
    "exceptions": None,
    "max_exception_days": DEFAULT_MAX_DAYS,
    "strict_exceptions": False,
    "baseline": None,
}
_FILES = ("exceptions", "baseline")


@dataclass(frozen=True)
class Setting:
    """A value in force, and where it comes from: `default`, `command line`, or a file and line."""

    name: str
    value: Any
    origin: str


@dataclass
class Settled:
    """How the options of a run came about. `file` is the configuration file, None without one.

    `choice` is what alone decided which rules run, None where each rule has its own origin in `rules` or is as the
    pack has it. `thresholds` are the origins of parameters that are not at their default, by rule and parameter.
    """

    file: str | None
    settings: list[Setting] = field(default_factory=list)
    choice: str | None = None
    rules: dict[str, str] = field(default_factory=dict)
    thresholds: dict[tuple[str, str], str] = field(default_factory=dict)


def settle(args: argparse.Namespace, plane: Plane) -> Settled:
    """Fills in what the command line leaves open from the configuration file, if there is one, and from the defaults.

    Afterwards `args` has every option of scan and audit that a file can set, `exclude_base` (the absolute folder that
    `exclude` is relative to), and `origins`: the place in the file, by option, of what came from it. Raises UsageError
    for a file that is wrong, and for options that exclude each other.
    """
    path = _configuration_path(args)
    settled = Settled(str(path) if path is not None else None)
    if any(_given(args, option) != [] for option in ("rule", "framework", "control")):
        settled.choice = COMMAND_LINE
    skipped, thresholds = _given(args, "skip_rule"), [_target(text) for text in _given(args, "set")]
    folder = path.parent if path is not None else Path()
    args.origins = {}
    args.exclude_base = os.path.normpath(Path.cwd() / (Path() if _given(args, "exclude") else folder))
    loaded = _load(path) if path is not None else None
    for key, default in _DEFAULTS.items():
        given = loaded[0].setting(key, plane) if loaded else None
        if _given(args, key) != [] or (key == "framework" and settled.choice):
            setting = Setting(key, getattr(args, key, None), COMMAND_LINE)
        elif loaded and given:
            args.origins[key] = loaded[0].place(given)
            setting = Setting(key, _located(key, given.value, folder), args.origins[key])
        else:
            setting = Setting(key, _beside(folder) if key == "exceptions" else default, DEFAULT)
        setattr(args, key, setting.value)
        settled.settings.append(setting)
    if loaded:
        _check_files(args)
        _use_rules(args, *loaded, settled)
    settled.rules |= dict.fromkeys(skipped, COMMAND_LINE)
    settled.thresholds |= dict.fromkeys(thresholds, COMMAND_LINE)
    return settled


def find_configuration(start: Path) -> Path | None:
    """The configuration file of an absolute folder: in it, or in the nearest folder above it that has one.

    The search ends at the root of a repository (a folder with `.git`) and of the file system. Raises UsageError where
    it meets the file under a name that would be passed over.
    """
    for folder in (start, *start.parents):
        path = folder / CONFIGURATION_FILE
        if os.path.lexists(path):
            return path
        if os.path.lexists(folder / MISSPELT_FILE):
            shown = os.path.relpath(folder / MISSPELT_FILE, start)
            raise UsageError(f"{shown} is not read; rename it to {CONFIGURATION_FILE}, or give --no-config")
        if os.path.lexists(folder / ".git"):
            return None
    return None


def _configuration_path(args: argparse.Namespace) -> Path | None:
    """The file to read, relative to the working directory unless --config names it otherwise."""
    if args.config is None:
        found = None if args.no_config else find_configuration(Path.cwd())
        return Path(os.path.relpath(found)) if found is not None else None
    if args.no_config:
        raise UsageError("--config names a file and --no-config reads none; give one of them")
    if not args.config or not os.path.lexists(args.config):
        name = args.config or "the empty name"
        raise UsageError(f"--config: {name} does not exist; name a configuration file, or leave the option out")
    return Path(args.config)


def _load(path: Path) -> tuple[Configuration, Pack]:
    from keyrules.pack.catalog import load_pack
    from keyrules.run.configuration.file import parse_configuration

    try:
        data = read_named(str(path))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or type(error).__name__}.") from None
    pack = load_pack()
    return parse_configuration(data, str(path), pack), pack


def _given(args: argparse.Namespace, option: str) -> Any:
    """An option's value; an empty list where it was not given or is none of this command."""
    value = getattr(args, option, None)
    return [] if value is None else value


def _target(setting: str) -> tuple[str, str]:
    """The rule and the parameter that the text of a --set names."""
    rule_id, _, name = setting.partition("=")[0].strip().partition(".")
    return rule_id, name


def _located(key: str, value: Any, folder: Path) -> Any:
    """A value of the file with the files in it as the working directory sees them."""
    if key in _FILES:
        return str(folder / value)
    return [_located_report(spec, folder) for spec in value] if key == "format" else value


def _located_report(spec: str, folder: Path) -> str:
    name, equals, file = spec.partition("=")
    return f"{name}={folder / file}" if equals and file != "-" else spec


def _beside(folder: Path) -> str | None:
    """The exceptions file that a configuration need not name, because it lies beside it under its usual name."""
    path = folder / EXCEPTIONS_FILE
    return str(path) if os.path.lexists(path) else None


def _check_files(args: argparse.Namespace) -> None:
    """A file that the configuration names must be there: without it, a typing error would read as "none".

    The baseline that this run is to write as its first one need not be.
    """
    for key in _FILES:
        path = getattr(args, key)
        if key not in args.origins or os.path.lexists(path):
            continue
        written = _given(args, "write_baseline")
        if key == "baseline" and written and os.path.normpath(written) == os.path.normpath(path):
            args.baseline = None
            continue
        remedy = f", or make it with --write-baseline {path}" if key == "baseline" else ""
        raise UsageError(
            f"{args.origins[key]}: `{key}` names {path}, which does not exist; name a file that does{remedy}"
        )


def _use_rules(args: argparse.Namespace, configuration: Configuration, pack: Pack, settled: Settled) -> None:
    """Adds the file's thresholds, and its choice of rules where the command line makes none."""
    from keyrules.pack.parameters import show_value

    thresholds = sorted(configuration.parameters.items())
    settled.thresholds = {target: configuration.place(given) for target, given in thresholds}
    settings = [f"{rule}.{name}={show_value(_parameter(given))}" for (rule, name), given in thresholds]
    args.set = [*settings, *_given(args, "set")]
    if settled.choice:
        return
    if args.framework is not None:
        settled.choice = args.origins["framework"]
        if _given(args, "skip_rule"):
            sentence = "`framework` chooses the rules; leave --skip-rule out, or choose the rules with --rule"
            raise UsageError(f"{settled.choice}: {sentence}")
        return
    on = {rule.id for rule in pack.rules if rule.default_on}
    switched = {rule_id: given for (rule_id, _), given in reversed(thresholds) if rule_id not in on}
    for rule_id, given in {**switched, **configuration.switches}.items():
        settled.rules[rule_id] = configuration.place(given)
        # What is no switch is a parameter, and that turns an opt-in rule on.
        on = on - {rule_id} if given.value is False else on | {rule_id}
    args.rule = sorted(on)
    args.origins["rule"] = configuration.name
    if not args.rule:
        raise UsageError(f"{configuration.name}: every rule is off, so there is nothing to evaluate; leave one on")


def _parameter(given: Given) -> ParameterValue:
    return tuple(given.value) if isinstance(given.value, list) else int(str(given.value))
