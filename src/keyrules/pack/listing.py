"""What `keyrules rules` prints: the table, one rule in full, the facts that rules may name, and the README's table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from keyrules.live.facts import FACTS, OPERATORS
from keyrules.model import Plane, Rule
from keyrules.pack.catalog import Pack
from keyrules.pack.conditions import SENTINEL
from keyrules.pack.parameters import bounds, show_value
from keyrules.reports.text_style import wrap
from keyrules.terminal import DEFAULT_WIDTH

_SUBJECTS = {
    "root": "root user",
    "root_mfa": "root user",
    "service_specific_credential": "service-specific credential",
    "ssh_public_key": "SSH public key",
    "support_role": "account",
    "user_permissions": "user",
}
"""How people call subjects, where it is not the word of the rules with spaces."""

_COMPARISONS = {
    "equals": "=",
    "not_equals": "≠",
    "greater_than": ">",
    "greater_than_or_equal": "≥",
    "less_than": "<",
    "less_than_or_equal": "≤",
    "within": "in",
    "not_within": "not in",
}


def list_rules(pack: Pack) -> str:
    """The catalogue as an aligned table, one line per rule."""
    rows = [
        (rule.id, rule.severity.name, _planes(rule), "on" if rule.default_on else "off", rule.name)
        for rule in pack.rules
    ]
    return _aligned([("ID", "SEVERITY", "PLANES", "DEFAULT", "NAME"), *rows])


def describe_rule(rule: Rule, width: int = DEFAULT_WIDTH) -> str:
    """Everything the rule file says, for people, in lines of at most `width` columns where words allow it."""
    switch = "" if rule.default_on else ", off unless asked for"
    lines = [
        f"{rule.id}  {rule.name}",
        f"{rule.severity.name}, {_planes(rule)}{switch}, {rule.lifecycle.status} since {rule.lifecycle.since}",
    ]
    lines += _section("Why", rule.rationale, width)
    if Plane.CODE in rule.planes:
        decided = (
            "Decided by the Python checks of the pack."
            if rule.definition == SENTINEL
            else "Decided by Checkov from the definition in the rule's file."
        )
        lines += _section("On code", decided, width)
    if rule.runtime is not None:
        lines += _section("On the live account", runtime_text(rule.runtime), width)
    if rule.parameters:
        lines += ["", "Parameters"]
        for parameter in rule.parameters.values():
            text = f"{parameter.name} = {show_value(parameter.default)} ({bounds(parameter)})"
            lines += wrap(text, width, indent=2, hanging=4)
    lines += _section("What to do", rule.remediation, width)
    lines += ["", "What it cannot see"]
    for plane in sorted(rule.limits):
        lines += wrap(f"{plane}: {' '.join(rule.limits[plane].split())}", width, indent=2, hanging=4)
    lines += ["", "References", *(f"  {url}" for url in (rule.guideline, *rule.references))]
    lines += ["", f"File: {rule.path}"]
    return "\n".join(lines)


def describe_facts(width: int = DEFAULT_WIDTH) -> str:
    """Every fact and operator that a `runtime` block may use, by kind of subject."""
    lines: list[str] = []
    for kind, facts in FACTS.items():
        lines += [kind]
        for fact in facts.values():
            lines += [
                f"  {fact.name}  ({fact.unit or 'true or false' if fact.type is bool else fact.unit or 'number'})"
            ]
            unknown = "" if fact.unknown_when == "never" else f" Unknown when {fact.unknown_when}."
            lines += wrap(fact.meaning + unknown, width, indent=6)
        lines += [""]
    lines += wrap(f"Operators: {', '.join(OPERATORS)}; combined with and, or, not.", width, hanging=2)
    return "\n".join(lines)


def _planes(rule: Rule) -> str:
    return " and ".join(plane.value for plane in Plane if plane in rule.planes)


def _section(title: str, text: str, width: int) -> list[str]:
    lines = ["", title]
    for number, paragraph in enumerate(text.strip().splitlines()):
        if paragraph.strip():
            lines += [""] * (number > 0) + wrap(" ".join(paragraph.split()), width, indent=2)
    return lines


def runtime_text(runtime: Mapping[str, Any]) -> str:
    kind = str(runtime["subject"])
    subject = _SUBJECTS.get(kind) or kind.replace("_", " ")
    which = f" where {_condition(runtime['where'])}" if "where" in runtime else ""
    return f"Each {subject}{which} complies when {_condition(runtime['definition'])}."


def _condition(node: Mapping[str, Any], nested: bool = False) -> str:
    for word in ("and", "or"):
        if word in node:
            text = f" {word} ".join(_condition(branch, nested=True) for branch in node[word])
            return f"({text})" if nested else text
    if "not" in node:
        return f"not ({_condition(node['not'])})"
    if "value" not in node:
        return f"{node['attribute']} is {node['operator'].removeprefix('is_')}"
    value = node["value"]
    shown = value["parameter"] if isinstance(value, Mapping) else value
    return f"{node['attribute']} {_COMPARISONS[node['operator']]} {shown}"


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: Iterable[str], widths: Iterable[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
