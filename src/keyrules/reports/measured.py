"""What a verdict rests on, in one sentence: what was measured, the limit in force and the dates.

A live finding has the facts that its rule asks for; which of them count, and against what, says the rule's own
condition, so that a new rule needs no words here. A finding in code that counts nothing has what was read as its
message.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple

from keyrules.live.facts import FACTS, Fact
from keyrules.model import FactValue, Finding, Plane, Rule, Status
from keyrules.reports.text_style import count_of, human_duration

_WORDS: Final[Mapping[str, str]] = {
    "days_since_rotation": "{} old",
    "days_since_change": "{} old",
    "days_since_use": "{} without use",
    "days_since_younger_key_of_user": "the younger active key {} old",
    "minutes_between_user_and_key_creation": "created {} after the user",
    "active_keys_of_user": "{} active",
    "user_has_console_password": "the user has a console password: {}",
    "has_access_keys": "access keys of the root user: {}",
    "has_credentials": "credentials of the root user: {}",
    "mfa_active": "MFA: {}",
}
"""How the value of a fact is said; of any other fact its name is."""

_DECLARED: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "credential_age_days": ("expires after {}", "days", "max_age_days", "{}"),
    "minimum_password_length": ("asks for {}", "characters", "minimum_length", "{} or more"),
    "password_reuse_prevention": ("remembers {}", "passwords", "reuse_prevention", "{} or more"),
}
"""Arguments in code that are numbers with a limit: the words for the value, its unit, the parameter and its words."""

_LIMITS: Final[Mapping[str, str]] = {
    "less_than_or_equal": "{}",
    "less_than": "less than {}",
    "greater_than_or_equal": "{} or more",
    "greater_than": "more than {}",
}
_SIDES: Final = {
    ("less_than_or_equal", Status.FAIL): ", just passed",
    ("greater_than_or_equal", Status.FAIL): ", just missed",
    ("less_than", Status.PASS): ", just below",
    ("greater_than", Status.PASS): ", just above",
}
_OF_USER: Final = ("console_password", "root")
_TWO: Final = 2
_DAY: Final = 24 * 60
"""Minutes."""
_ROUNDED: Final = 0.01
"""Facts are rounded to this much of their unit, and verdicts are exact to the second."""


class _Leaf(NamedTuple):
    """A comparison of a rule's condition: `limit` is the name of a parameter, a number, or None where there is none.

    `words` say a value of the fact, `named` says it by the name of the fact.
    """

    fact: str
    named: str
    words: str
    unit: str
    operator: str
    limit: str | int | None


class Measures:
    """Says what the findings of some rules rest on."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._leaves = {
            rule.id: list(_leaves(rule.runtime["definition"], FACTS.get(rule.runtime["subject"], {})))
            for rule in rules
            if rule.runtime is not None
        }

    def of(self, finding: Finding) -> str:
        """`82 days old (limit: 90 days); created 2026-09-07T00:00:00Z`. Its message where nothing more was measured."""
        return self.beyond_message(finding) or finding.message

    def beyond_message(self, finding: Finding) -> str:
        """The same, but empty where nothing was measured that the message does not say."""
        facts = finding.facts
        if finding.plane is Plane.CODE:
            return " ".join(_declared(facts)) if finding.status is not Status.UNKNOWN else ""
        leaves = [leaf for leaf in self._leaves.get(finding.rule, ()) if leaf.fact in facts]
        if not leaves:
            return ""
        values = ", ".join([_compared(leaf, facts, finding.status, len(leaves) == 1) for leaf in leaves])
        dates = ", ".join([*_dates(facts, finding.subject.kind if finding.subject is not None else "")])
        return f"{values}; {dates}" if dates else values


def _leaves(node: Mapping[str, Any], facts: Mapping[str, Fact]) -> Iterator[_Leaf]:
    for part in (*node.get("and", ()), *node.get("or", ()), *([node["not"]] if "not" in node else ())):
        yield from _leaves(part, facts)
    if "attribute" in node:
        name, limit = node["attribute"], node.get("value")
        unit = facts[name].unit if name in facts else ""
        if isinstance(limit, Mapping):
            limit = limit["parameter"]
        named = f"{name.replace('_', ' ')}: {{}}"
        words = _WORDS.get(name, named)
        yield _Leaf(name, named, words, unit, node["operator"], limit if isinstance(limit, (str, int)) else None)


def _compared(leaf: _Leaf, facts: Mapping[str, FactValue], status: Status, alone: bool) -> str:
    value = facts[leaf.fact]
    limit = facts.get(leaf.limit) if isinstance(leaf.limit, str) else leaf.limit
    said = (leaf.named if value is None else leaf.words).format(_quantity(value, leaf.unit))
    if not isinstance(limit, int) or leaf.operator not in _LIMITS:
        return said
    side = ""
    if isinstance(value, float) and abs(value - limit) <= _ROUNDED:
        side = _SIDES.get((leaf.operator, status), "") if alone or status is Status.FAIL else ""
    return f"{said} (limit: {_limit(leaf.operator, limit, leaf.unit)}{side})"


@lru_cache(maxsize=256)
def _limit(operator: str, limit: int, unit: str) -> str:
    return _LIMITS[operator].format(_quantity(limit, unit))


def _quantity(value: FactValue, unit: str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, (int, float)):
        return "unknown" if value is None else value
    if isinstance(value, float):
        if unit == "days" and value < _TWO:
            return human_duration(timedelta(days=value))
        if unit == "minutes" and value >= _TWO * _DAY:
            return count_of(int(value // _DAY), "day")
    return _counted(int(value), unit) if unit else f"{value:g}"


@lru_cache(maxsize=1 << 12)
def _counted(number: int, unit: str) -> str:
    """A large report asks for each number of days hundreds of times."""
    return count_of(number, unit.removesuffix("s"))


def _dates(facts: Mapping[str, FactValue], kind: str) -> Iterator[str]:
    """The moments among the facts, which are called `created_at`, `last_used_at` and the like."""
    for name, words in _moments(tuple(facts)):
        value = facts[name]
        if name == "created_at" and kind in _OF_USER:
            # A report does not say when a password was first set: its identity is that of its user.
            yield f"user created {value}"
        elif value is not None:
            yield f"{words} {value}"
        elif name == "last_used_at":
            yield "no use recorded"


@lru_cache(maxsize=256)
def _moments(names: tuple[str, ...]) -> list[tuple[str, str]]:
    """Those of the names that are moments, in words, too. There are few kinds of findings, each with its own names."""
    return [(name, name.removesuffix("_at").replace("_", " ")) for name in names if name.endswith("_at")]


def _declared(facts: Mapping[str, FactValue]) -> Iterator[str]:
    """What was read in code and counts: an argument with a limit, a period and by what it comes, or the age of a key in
    a plan or a state."""
    for name, (words, unit, parameter, said) in _DECLARED.items():
        if name in facts:
            yield words.format(_quantity(facts[name], unit))
            yield f"(limit: {said.format(_quantity(facts[parameter], unit))})"
            return
    if (days := facts.get("rotation_days")) is not None:
        often = f"every {float(days):g} days" if days else "at every apply"
        yield f"replaced {often} by {facts.get('rotation_source')}"
    if (age := facts.get("age_days")) is not None:
        yield f"{_quantity(age, 'days')} old, created {facts.get('create_date')}"
    if (limit := facts.get("max_age_days")) is not None:
        if days is None and age is None:
            yield "no rotation that works"
        yield f"(limit: {_quantity(limit, 'days')})"
