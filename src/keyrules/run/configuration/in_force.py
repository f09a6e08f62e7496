"""What is in force for each command, as `keyrules config` prints it: text for people, JSON for machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyrules.model import ParameterInForce, Plane, UsageError
from keyrules.pack.pack import Pack
from keyrules.pack.parameters import show_value
from keyrules.records import dataclass
from keyrules.reports.json import dump
from keyrules.reports.text_style import printable
from keyrules.run.conclusion import prepare
from keyrules.run.configuration.exclude_globs import excluded_paths
from keyrules.run.configuration.keys import KEYS
from keyrules.run.configuration.kinds import SECTIONS
from keyrules.run.configuration.merge import settle
from keyrules.run.configuration.override_keys import override_text
from keyrules.run.framework import choose
from keyrules.run.options import Asked
from keyrules.run.parameters import parameters_in_force
from keyrules.run.settings import DEFAULT, Origin, Setting, Settings


@dataclass(frozen=True)
class RuleInForce:
    """Whether a rule runs and why, and what its parameters are set to for all users."""

    id: str
    runs: bool
    origin: Origin
    parameters: tuple[ParameterInForce, ...]


@dataclass(frozen=True)
class InForce:
    """What holds for one command. `refusal` is why the command would not run with it, empty where it would."""

    settings: Settings
    rules: tuple[RuleInForce, ...] = ()
    refusal: str = ""


def in_force(asked: Asked, pack: Pack) -> dict[str, InForce]:
    """What holds for each command. Raises UsageError for a wrong file, and where no command would run."""
    found = {section: _in_force(asked, plane, pack) for section, plane in SECTIONS.items()}
    refusals = [each.refusal for each in found.values()]
    if all(refusals):
        raise UsageError(refusals[0])
    return found


def _in_force(asked: Asked, plane: Plane, pack: Pack) -> InForce:
    """Raises UsageError for a wrong file; what only this command would refuse is told in the result."""
    settings = settle(asked, plane)
    excluded_paths(settings)
    try:
        prepare(settings)
        chosen = choose(settings, pack)
    except UsageError as error:
        return InForce(settings, refusal=str(error))
    running = {rule.id for rule in chosen.selection.rules}
    parameters = [each for each in parameters_in_force(settings, chosen, pack.rules) if not each.users]
    rules = []
    for rule in pack.rules:
        origin = settings.rules.switched.get(rule.id, settings.rules.choice or DEFAULT)
        own = tuple(each for each in parameters if each.rule == rule.id)
        rules.append(RuleInForce(rule.id, rule.id in running, origin, own))
    return InForce(settings, tuple(rules))


def as_json(found: Mapping[str, InForce]) -> str:
    """One document; a setting's value is null where there is none."""
    return dump(
        {
            "schema": "keyrules-config/1",
            "file": _file(found),
            "commands": {section: _command(each) for section, each in found.items()},
        }
    )


def _file(found: Mapping[str, InForce]) -> str | None:
    file = next(iter(found.values())).settings.file
    return str(file.path) if file is not None else None


def _settings(settings: Settings) -> dict[str, tuple[Any, str]]:
    """What a file can set, as value and origin, by its key there."""
    by_key: dict[str, Setting[Any]] = {key.name: getattr(settings, key.name) for key in KEYS}
    values = {name: setting.value for name, setting in by_key.items()}
    values["framework"] = _framework(settings.framework.value)
    values["fail_on"] = settings.fail_on.value.name.lower()
    return {name: (value, by_key[name].origin.place) for name, value in values.items()}


def _framework(names: tuple[str, ...]) -> str | list[str] | None:
    """As a file states it, where that is possible; several names are a list."""
    return list(names) if len(names) > 1 else names[0] if names else None


def _command(each: InForce) -> dict[str, Any]:
    if each.refusal:
        return {"refused": each.refusal}
    return {
        "settings": {
            name: {"value": value, "from": where} for name, (value, where) in _settings(each.settings).items()
        },
        "rules": {
            rule.id: {
                "runs": rule.runs,
                "from": rule.origin.place,
                "parameters": {each.name: {"value": each.value, "from": _from(each)} for each in rule.parameters},
            }
            for rule in each.rules
        },
    }


def as_text(found: Mapping[str, InForce]) -> str:
    """Tables of settings and rules, a row for each command where they differ."""
    file = _file(found)
    lines = [f"configuration file: {printable(file) if file else 'none'}", ""]
    runs = {section: each for section, each in found.items() if not each.refusal}
    lines += [
        f"keyrules {section} would refuse this: {each.refusal}\n" for section, each in found.items() if each.refusal
    ]
    rows = _merged(
        {
            section: [(name, _shown(name, value), where) for name, (value, where) in _settings(each.settings).items()]
            for section, each in runs.items()
        }
    )
    lines += _table(("setting", "value", "from"), rows)
    lines.append("")
    rules = {section: [_rule_row(rule) for rule in each.rules] for section, each in runs.items()}
    lines += _table(("rule", "runs", "from", "parameters"), _merged(rules))
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _rule_row(rule: RuleInForce) -> tuple[str, ...]:
    parameters = [
        f"{each.name}={show_value(each.value)}" + ("" if each.origin == "default" else f" ({_from(each)})")
        for each in rule.parameters
    ]
    return (rule.id, "yes" if rule.runs else "no", rule.origin.place, ", ".join(parameters))


def _from(parameter: ParameterInForce) -> str:
    return f"framework {parameter.place}" if parameter.origin == "framework" else parameter.place


def _shown(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if name == "overrides":
        return "; ".join(map(override_text, value)) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{subject}: {each}" for subject, each in value.items()) or "none"
    if isinstance(value, (list, tuple)):
        return ", ".join(value) or ("text" if name == "format" else "none")
    return "none" if value is None else str(value)


def _merged(rows: dict[str, list[tuple[str, ...]]]) -> list[tuple[str, ...]]:
    """Rows by command as one list: once where all commands agree, else for each with its name."""
    merged: list[tuple[str, ...]] = []
    for together in zip(*rows.values(), strict=True):
        if len(set(together)) == 1 and len(together) == len(SECTIONS):
            merged.append(together[0])
        else:
            merged += [(f"{section}.{row[0]}", *row[1:]) for section, row in zip(rows, together, strict=True)]
    return merged


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    cells = [header, *(tuple(printable(cell) for cell in row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells]
