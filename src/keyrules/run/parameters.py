"""What each parameter of a rule is set to in a run, who said so, and which limits of its frameworks that exceeds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

from keyrules.code.skip_comments import safe_reason
from keyrules.model import Demand, ParameterInForce, ParameterValue, Rule
from keyrules.records import replace
from keyrules.run.configuration.override_keys import override_values
from keyrules.run.framework import Chosen
from keyrules.run.settings import DEFAULT, Origin, Settings, Source

if TYPE_CHECKING:
    from keyrules.controls.bounds import Bound

_Demands: TypeAlias = Mapping[tuple[str, str], "list[tuple[Bound, Demand, bool]]"]
"""By rule and parameter, the limits of the run's frameworks, and whether the control's own row states them."""


def parameters_in_force(settings: Settings, chosen: Chosen, rules: Iterable[Rule]) -> tuple[ParameterInForce, ...]:
    """The parameters of rules, in their order, each followed by what holds for some users in its place.

    `chosen` is what the settings choose.
    """
    demands = _demands(chosen)
    return tuple(
        each for rule in rules for name in rule.parameters for each in _of(rule, name, settings, chosen, demands)
    )


def _of(rule: Rule, name: str, settings: Settings, chosen: Chosen, demands: _Demands) -> Iterator[ParameterInForce]:
    parameter, value = rule.parameters[name], chosen.selection.value(rule, name)
    limits = demands.get((rule.id, name), [])
    origin = settings.rules.changed.get((rule.id, name)) or _of_framework(value, limits)

    def in_force(value: ParameterValue, origin: str, place: str) -> ParameterInForce:
        exceeded = tuple(demand for bound, demand, _ in limits if not bound.allows(value))
        return ParameterInForce(rule.id, name, value, parameter.unit, parameter.default, origin, place, exceeded)

    yield in_force(value, origin.source.value, origin.place)
    for number, entry in enumerate(settings.overrides.value, 1):
        own = override_values(entry).get((rule.id, name))
        if own is not None:
            place = f"{settings.overrides.origin.place}, override {number}"
            users = safe_reason(entry.get("subject") or f"tag {entry['tag']}")
            yield replace(in_force(own, "override", place), users=users, owner=entry["owner"], reason=entry["reason"])


def _of_framework(value: ParameterValue, limits: Iterable[tuple[Bound, Demand, bool]]) -> Origin:
    """The editions whose own limit is in force; a default that no control states is one."""
    stated = [(bound, demand) for bound, demand, own in limits if own]
    deciding = [demand for bound, demand in stated if bound.value == value] or [demand for _, demand in stated]
    if not deciding:
        return DEFAULT
    return Origin(Source.FRAMEWORK, ", ".join(dict.fromkeys(demand.framework for demand in deciding)))


def _demands(chosen: Chosen) -> _Demands:
    if not chosen.frameworks:
        return {}
    from keyrules.controls.bounds import demanded

    rules = {rule.id: rule for rule in chosen.selection.rules}
    found: dict[tuple[str, str], list[tuple[Bound, Demand, bool]]] = {}
    for part in chosen.frameworks:
        controls = {row.control for row in part.rows}
        for row in part.edition.rows:
            if not (row.runs and row.rule in rules and row.control in controls):
                continue
            for bound in demanded(row.bounds, rules[row.rule]):
                demand = Demand(part.edition.key, row.control, str(bound))
                found.setdefault((row.rule, bound.parameter), []).append((bound, demand, bound in row.bounds))
    return found
