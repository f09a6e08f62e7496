"""Which rules a run evaluates and with which thresholds: `--rule`, `--skip-rule`, `--set` and a framework's choice."""

from __future__ import annotations

from collections.abc import Sequence

from keyrules.model import ParameterValue, Rule, Selection, UsageError
from keyrules.nearest import did_you_mean
from keyrules.pack.pack import Pack
from keyrules.pack.parameters import allowed_value, parse_value


def select(
    pack: Pack,
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    settings: Sequence[str] = (),
    framework: Selection | None = None,
) -> Selection:
    """The rules of one run, sorted by id, and the values that replace defaults.

    `only` names exactly the rules to run, opt-in ones included; without it the rules of `framework` run, or those that
    are on by default. `skip` takes rules away. `settings` are texts like `KEY_AWS_001.max_age_days=45`, and win over
    the framework's thresholds; a later one wins over an earlier one. Raises UsageError for an id, a parameter or a
    value that does not exist, and when no rule is left.
    """
    by_default = framework.rules if framework else tuple(rule for rule in pack.rules if rule.default_on)
    chosen = {find_rule(pack, rule_id).id for rule_id in only} or {rule.id for rule in by_default}
    chosen -= {find_rule(pack, rule_id).id for rule_id in skip}
    if not chosen:
        raise UsageError("No rule is left to run; name fewer in --skip-rule or others in --rule.")
    overrides = dict(framework.overrides) if framework else {}
    for setting in settings:
        rule_id, name, value = _read_setting(pack, setting)
        overrides[rule_id, name] = value
    return Selection(tuple(rule for rule in pack.rules if rule.id in chosen), overrides)


def find_rule(pack: Pack, rule_id: str) -> Rule:
    """The rule of that id. Raises UsageError with the nearest id, or with what replaced a retired one."""
    found = next((rule for rule in pack.rules if rule.id == rule_id), None)
    if found:
        return found
    retired = pack.retired.get(rule_id)
    if retired:
        successor = f"use {retired.replaced_by}" if retired.replaced_by else "nothing replaces it"
        raise UsageError(f"The rule {rule_id} was retired in {retired.retired_in}; {successor} ({retired.why}).")
    meant = did_you_mean(rule_id, [rule.id for rule in pack.rules], 0.6, unless_tied=True)
    raise UsageError(f"There is no rule {rule_id!r}; {meant}`keyrules rules` lists them all.")


def _read_setting(pack: Pack, setting: str) -> tuple[str, str, ParameterValue]:
    target, equals, text = setting.partition("=")
    rule_id, dot, name = target.strip().partition(".")
    if not equals or not dot:
        raise UsageError(
            f"--set {setting!r} is not of the form RULE.parameter=value, as in KEY_AWS_001.max_age_days=45."
        )
    rule = find_rule(pack, rule_id)
    parameter = rule.parameters.get(name)
    if parameter is None:
        names = ", ".join(rule.parameters) or "none"
        raise UsageError(f"--set: {rule.id} has no parameter {name!r}; it has: {names}.")
    value = parse_value(parameter, text.strip())
    if value is None:
        raise UsageError(f"--set: {rule.id}.{name} cannot be {text.strip()!r}; allowed: {allowed_value(parameter)}.")
    return rule.id, name, value
