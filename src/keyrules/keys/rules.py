"""The rules about keys that are joined with code: their conditions over facts that no report has alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from keyrules.keys.join import JoinedKey
from keyrules.model import Rule, Selection, Status
from keyrules.pack.logic import COMPARISONS, UNKNOWN, Truth, compile_tree

SUBJECT: Final = "joined_key"
TOLERANCE_RULE: Final = "KEY_AWS_018"
DECLARED_RULE: Final = "KEY_AWS_019"
_DAY: Final = timedelta(days=1)
_Facts = Mapping[str, Any]


def is_joined(rule: Rule) -> bool:
    """Whether a rule asks about keys that are joined with code."""
    return rule.runtime is not None and rule.runtime["subject"] == SUBJECT


def facts_of(key: JoinedKey, complete: bool) -> _Facts:
    """The facts about one key; None where one is not known. `complete` says that all states were given."""
    declaration, age = key.rotation, key.live.age()
    days = declaration.rotation_days if declaration is not None else None
    return {
        "active": key.live.active,
        "rotation_declared": days is not None,
        "days_beyond_declared_rotation": None if days is None or age is None else age / _DAY - days,
        "held_by_a_state": None if not complete else "not_declared" not in key.drift,
    }


def judge(key: JoinedKey, rule: Rule, selection: Selection, complete: bool) -> Status | None:
    """The verdict of a rule on a key; None where it does not ask about it, as about those of the root user."""
    if key.live.root or rule.runtime is None:
        return None
    facts = facts_of(key, complete)

    def leaf(node: Mapping[str, Any]) -> Callable[[_Facts], Truth]:
        return lambda facts: _compared(facts[node["attribute"]], node, rule, selection)

    where = compile_tree(rule.runtime.get("where", True), leaf)(facts)
    if where is False:
        return None
    truth = compile_tree(rule.runtime["definition"], leaf)(facts)
    if truth is True:
        return Status.PASS
    return Status.FAIL if where is True and truth is False else Status.UNKNOWN


def _compared(fact: Any, node: Mapping[str, Any], rule: Rule, selection: Selection) -> Truth:
    if fact is None:
        return UNKNOWN
    if node["operator"] in ("is_true", "is_false"):
        return bool(fact) is (node["operator"] == "is_true")
    value = node["value"]
    limit = selection.value(rule, value["parameter"]) if isinstance(value, Mapping) else value
    return COMPARISONS[node["operator"]](fact, limit)
