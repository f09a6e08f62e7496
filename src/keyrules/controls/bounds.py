"""Bounds: the parameter limits that a control demands, written as `max_age_days<=45;slots=1`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from keyrules.model import Parameter, ParameterValue, Rule, UsageError
from keyrules.pack.parameters import bounds as allowed_values
from keyrules.pack.parameters import parse_value, show_value
from keyrules.records import dataclass

_BOUND = re.compile(r"([a-z][a-z0-9_]*)(<=|>=|=)([0-9,]+)\Z")


@dataclass(frozen=True)
class Bound:
    """A limit on one parameter of a rule.

    `<=` and `>=` bound a number; `=` names the items of a list that must be looked at, and more of them do no harm.
    """

    parameter: str
    operator: str
    value: ParameterValue

    def __str__(self) -> str:
        return f"{self.parameter}{self.operator}{show_value(self.value)}"

    def allows(self, value: ParameterValue) -> bool:
        """Whether a rule that runs with this value still decides what the control demands."""
        if isinstance(value, tuple) or isinstance(self.value, tuple):
            return set(_items(self.value)) <= set(_items(value))
        return value <= self.value if self.operator == "<=" else value >= self.value


def parse_bounds(text: str, rule: Rule, where: str) -> tuple[Bound, ...]:
    """The bounds of one row, in their order. An empty text has none.

    Raises UsageError, beginning with `where`, for a parameter or a value that the rule does not have, for a bound in
    the direction in which the rule gets laxer, and for bounds that are not sorted by parameter, each parameter once.
    """
    if not text:
        return ()
    found = tuple(_parse(part, rule, where) for part in text.split(";"))
    names = [bound.parameter for bound in found]
    if names != sorted(set(names)):
        raise UsageError(f"{where}: `bound` must name each parameter once, sorted by name; found {text!r}.")
    return found


def demanded(bounds: Iterable[Bound], rule: Rule) -> tuple[Bound, ...]:
    """The bounds of a row and, for each list parameter without one, that the items of its default are looked at."""
    given = tuple(bounds)
    named = {bound.parameter for bound in given}
    lists = (item for item in rule.parameters.values() if isinstance(item.default, tuple) and item.name not in named)
    return (*given, *(Bound(item.name, "=", item.default) for item in lists))


def unbounded(bounds: Iterable[Bound], rule: Rule) -> list[str]:
    """The numbers of a rule that no bound limits."""
    named = {bound.parameter for bound in bounds}
    return [item.name for item in rule.parameters.values() if isinstance(item.default, int) and item.name not in named]


def tightest(bounds: Iterable[Bound]) -> ParameterValue:
    """The value of one parameter that satisfies all of its bounds, of which there must be at least one."""
    found = list(bounds)
    if isinstance(found[0].value, tuple):
        return tuple(sorted({item for bound in found for item in _items(bound.value)}))
    numbers = [item for bound in found for item in _items(bound.value)]
    return min(numbers) if found[0].operator == "<=" else max(numbers)


def looser(rule: Rule, parameter: Parameter, value: ParameterValue, than: ParameterValue) -> bool:
    """Whether a rule finds less with one value of a parameter than with another, and nothing else."""
    if isinstance(value, tuple) or isinstance(than, tuple):
        return set(_items(value)) < set(_items(than))
    return value > than if _direction(rule, parameter) == "<=" else value < than


def _parse(text: str, rule: Rule, where: str) -> Bound:
    match = _BOUND.match(text)
    if match is None:
        raise UsageError(f"{where}: `bound` has {text!r}; write it as in max_age_days<=45;slots=1.")
    name, operator, number = match.groups()
    parameter = rule.parameters.get(name)
    if parameter is None:
        names = ", ".join(rule.parameters) or "none"
        raise UsageError(f"{where}: `bound` names {name!r}, which {rule.id} does not have; it has: {names}.")
    value = parse_value(parameter, number)
    if value is None or show_value(value) != number:
        raise UsageError(f"{where}: `bound` of {name} has {number!r}; allowed: {allowed_values(parameter)}.")
    direction = _direction(rule, parameter)
    if operator != direction:
        raise UsageError(f"{where}: `bound` of {name} has {operator!r}; allowed: {direction!r}.")
    return Bound(name, operator, value)


def _direction(rule: Rule, parameter: Parameter) -> str:
    """`=` for lists; `<=` where a smaller number is stricter, `>=` where a larger one is, as the rule compares it."""
    if isinstance(parameter.default, tuple):
        return "="
    larger_is_stricter = rule.runtime is not None and _grows(rule.runtime["definition"], parameter.name)
    return ">=" if larger_is_stricter else "<="


def _grows(node: Mapping[str, Any], parameter: str) -> bool:
    """Whether a condition holds for fewer subjects when the parameter grows: a fact is to be greater than it."""
    if "not" in node:
        return _names(node["not"], parameter) and not _grows(node["not"], parameter)
    branches = [*node.get("and", ()), *node.get("or", ())]
    if branches:
        return any(_grows(branch, parameter) for branch in branches)
    return _names(node, parameter) and str(node["operator"]).startswith("greater")


def _names(node: Any, parameter: str) -> bool:
    if isinstance(node, Mapping):
        return node == {"parameter": parameter} or any(_names(value, parameter) for value in node.values())
    return isinstance(node, list) and any(_names(item, parameter) for item in node)


def _items(value: ParameterValue) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else (value,)
