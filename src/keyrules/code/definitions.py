"""Asks a rule file's `definition` about a declared block, three-valued, with the operators of keyrules.pack.logic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from keyrules.code.keys import Attribute, Cases, Subject, Unread
from keyrules.pack.logic import COMPARISONS, UNKNOWN, Node, Truth, compile_tree

_NEGATIONS = {"not_equals", "not_regex_match", "not_within", "not_exists"}
"""What holds of an attribute that is not there. Checkov says the same."""


def judge_definition(definition: Node, subject: Subject) -> Truth | str:
    """Whether a block meets a definition: True, False, UNKNOWN, or "" where the definition is not about its kind."""
    concerned = _concerned(definition, subject.kind)
    return "" if concerned is None else compile_tree(concerned, _leaf)(subject)


def _concerned(node: Node, kind: str) -> Node | None:
    """The part of a condition that is about a kind of block, as Checkov reads it."""
    if isinstance(node, bool):
        return node
    if "not" in node:
        inner = _concerned(node["not"], kind)
        return None if inner is None else {"not": inner}
    for junction in ("and", "or"):
        if junction in node:
            parts = [part for each in node[junction] if (part := _concerned(each, kind)) is not None]
            return {junction: parts} if parts else None
    return node if kind in node["resource_types"] else None


def _leaf(condition: Mapping[str, Any]) -> Callable[[Subject], Truth]:
    name, operator, wanted = condition["attribute"], condition["operator"], condition.get("value")

    def predicate(subject: Subject) -> Truth:
        found = subject.attribute(name)
        truths = {_holds(operator, case, wanted) for case in (found if isinstance(found, Cases) else (found,))}
        return truths.pop() if len(truths) == 1 else UNKNOWN

    return predicate


def _holds(operator: str, found: Attribute, wanted: object) -> Truth:
    if found is Unread.ABSENT:
        return operator in _NEGATIONS
    if operator in ("exists", "not_exists"):
        return UNKNOWN if found is Unread.OPEN else operator == "exists"
    if isinstance(found, Unread):
        return UNKNOWN
    if isinstance(wanted, list):
        return COMPARISONS[operator](_text(found), [_text(item) for item in wanted])
    if operator == "is_empty":
        return isinstance(found, (str, list, tuple, dict)) and COMPARISONS[operator](found, None)
    if operator == "intersects" and isinstance(found, (list, tuple)):
        return COMPARISONS[operator]([_text(item) for item in found], _text(wanted))
    return COMPARISONS[operator](_text(found), _text(wanted))


def _text(value: object) -> str:
    """A value as Terraform and CloudFormation convert it where text is asked for."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
