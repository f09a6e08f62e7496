"""The parameters in force as reports say them: what was set, each with who said so, then what is at its default."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from keyrules.model import ParameterInForce
from keyrules.pack.parameters import show_value

_MOST_DEMANDS = 3


def parameter_line(parameters: Iterable[ParameterInForce]) -> str:
    """All of them in one line; empty where the rules have none."""
    found = list(parameters)
    loud = [f"{_name(each)} ({provenance(each)})" for each in found if _is_set(each)]
    defaults = ", ".join(_name(each) for each in found if not _is_set(each))
    quiet = [f"at their defaults {defaults}"] if defaults else []
    return f"Parameters in force: {'; '.join([*loud, *quiet])}" if found else ""


def provenance(parameter: ParameterInForce) -> str:
    """Who said so, for whom, and which limits of frameworks it exceeds: `command line, default 90`."""
    parts = [f"framework {parameter.place}" if parameter.origin == "framework" else parameter.place]
    if parameter.value != parameter.default:
        parts.append(f"default {show_value(parameter.default)}")
    if parameter.users:
        parts.append(f"for {parameter.users}; {parameter.owner}: {parameter.reason}")
    if parameter.looser_than:
        parts.append(looser_than(parameter))
    return ", ".join(parts)


def looser_than(parameter: ParameterInForce) -> str:
    """The limits that it exceeds, the first of them by name; empty where there are none."""
    demands = [str(demand) for demand in parameter.looser_than]
    more = f" and of {len(demands) - _MOST_DEMANDS:,} more controls" if len(demands) > _MOST_DEMANDS else ""
    return f"looser than {', '.join(demands[:_MOST_DEMANDS])}{more}" if demands else ""


def of_rule(parameters: Iterable[ParameterInForce], rule: str) -> list[ParameterInForce]:
    """Those of one rule."""
    return [each for each in parameters if each.rule == rule]


def parameter_document(parameter: ParameterInForce) -> dict[str, Any]:
    """A parameter as it stands in JSON: `override` says who answers for what holds for some users."""
    override = {"users": parameter.users, "owner": parameter.owner, "reason": parameter.reason}
    return {
        "rule": parameter.rule,
        "parameter": parameter.name,
        "value": _plain(parameter.value),
        "unit": parameter.unit,
        "default": _plain(parameter.default),
        "origin": parameter.origin,
        "place": parameter.place,
        "looser_than": [
            {"framework": demand.framework, "control": demand.control, "bound": demand.bound}
            for demand in parameter.looser_than
        ],
        "override": override if parameter.users else None,
    }


def _plain(value: int | Sequence[int]) -> int | list[int]:
    return value if isinstance(value, int) else list(value)


def _is_set(parameter: ParameterInForce) -> bool:
    return parameter.origin != "default" or bool(parameter.looser_than)


def _name(parameter: ParameterInForce) -> str:
    return f"{parameter.rule}.{parameter.name}={show_value(parameter.value)}"
