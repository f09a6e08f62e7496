"""`keyrules config`: what is in force for scan and audit here, and where each value comes from."""

from __future__ import annotations

import argparse
import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from keyrules.commands.config_arguments import FORMATS, SCHEMAS
from keyrules.model import ParameterValue, Plane, UsageError
from keyrules.pack.catalog import Pack, load_pack
from keyrules.pack.parameters import show_value
from keyrules.reports.json import dump
from keyrules.reports.text_style import printable
from keyrules.run.conclusion import prepare
from keyrules.run.configuration.exclude_option import excluded_paths
from keyrules.run.configuration.keys import SECTIONS
from keyrules.run.configuration.merge import DEFAULT, Settled, settle
from keyrules.run.configuration.schema import configuration_schema
from keyrules.run.exceptions.schema import exceptions_schema
from keyrules.run.exit_codes import CLEAN
from keyrules.run.framework import choose

_SCHEMAS: Mapping[str, Callable[[Pack], dict[str, Any]]] = dict(
    zip(SCHEMAS, (configuration_schema, exceptions_schema), strict=True)
)


@dataclass(frozen=True)
class RuleInForce:
    """Whether a rule runs and why, and its parameters as (name, value, origin)."""

    id: str
    runs: bool
    origin: str
    parameters: tuple[tuple[str, ParameterValue, str], ...]


@dataclass(frozen=True)
class InForce:
    """What holds for one command. `refusal` is why the command would not run with it, empty where it would."""

    settled: Settled
    rules: tuple[RuleInForce, ...]
    refusal: str = ""


def run_config(args: argparse.Namespace) -> int:
    """Prints the configuration or its schema. Raises UsageError for a wrong file or option."""
    pack = load_pack()
    if args.schema:
        print(dump(_SCHEMAS[args.schema](pack)), end="")
        return CLEAN
    form = _own_format(args)
    in_force = {section: _in_force(args, plane, pack) for section, plane in SECTIONS.items()}
    refusals = [each.refusal for each in in_force.values()]
    if all(refusals):
        raise UsageError(refusals[0])
    print(dump(_document(in_force)) if form == "json" else _text(in_force), end="")
    return CLEAN


def _own_format(args: argparse.Namespace) -> str:
    """How to print; afterwards the reports of a run are as the file has them."""
    form, args.format = (args.format or ["text"])[-1], []
    if form not in FORMATS:
        raise UsageError(f"--format: keyrules config cannot print {form!r}; use one of {', '.join(FORMATS)}")
    return str(form)


def _in_force(args: argparse.Namespace, plane: Plane, pack: Pack) -> InForce:
    """Raises UsageError for a wrong file; what only this command would refuse is told in the result."""
    own = copy.copy(args)
    settled = settle(own, plane)
    excluded_paths(own)
    try:
        prepare(own, plane)
        chosen = choose(own, pack, plane)
    except UsageError as error:
        return InForce(settled, (), str(error))
    running = {rule.id for rule in chosen.selection.rules}
    framework = f"framework {chosen.framework.edition.key}" if chosen.framework else DEFAULT
    rules = []
    for rule in pack.rules:
        origin = settled.rules.get(rule.id, settled.choice or DEFAULT)
        parameters = []
        for name in rule.parameters:
            own_origin = framework if (rule.id, name) in chosen.selection.overrides else DEFAULT
            where = settled.thresholds.get((rule.id, name), own_origin)
            parameters.append((name, chosen.selection.value(rule, name), where))
        rules.append(RuleInForce(rule.id, rule.id in running, origin, tuple(parameters)))
    return InForce(settled, tuple(rules))


def _document(in_force: dict[str, InForce]) -> dict[str, Any]:
    return {
        "schema": "keyrules-config/1",
        "file": next(iter(in_force.values())).settled.file,
        "commands": {section: _command(each) for section, each in in_force.items()},
    }


def _command(each: InForce) -> dict[str, Any]:
    if each.refusal:
        return {"refused": each.refusal}
    return {
        "settings": {s.name: {"value": s.value, "from": s.origin} for s in each.settled.settings},
        "rules": {
            rule.id: {
                "runs": rule.runs,
                "from": rule.origin,
                "parameters": {name: {"value": value, "from": where} for name, value, where in rule.parameters},
            }
            for rule in each.rules
        },
    }


def _text(in_force: dict[str, InForce]) -> str:
    file = next(iter(in_force.values())).settled.file
    lines = [f"configuration file: {printable(file) if file else 'none'}", ""]
    runs = {section: each for section, each in in_force.items() if not each.refusal}
    lines += [
        f"keyrules {section} would refuse this: {each.refusal}\n" for section, each in in_force.items() if each.refusal
    ]
    rows = _merged(
        {
            section: [(s.name, _shown(s.name, s.value), s.origin) for s in each.settled.settings]
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
        f"{name}={show_value(value)}" + ("" if where == DEFAULT else f" ({where})")
        for name, value, where in rule.parameters
    ]
    return (rule.id, "yes" if rule.runs else "no", rule.origin, ", ".join(parameters))


def _shown(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
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
