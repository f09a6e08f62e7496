"""The one condition language of rule files: and, or, not and the operators, in three-valued logic.

Logic has three values: True, False, and UNKNOWN where a fact or an attribute cannot be told; `or` with a true branch
is true, `and` with a false one is false, and everything else that touches an unknown is unknown. Operators are those of
Checkov's policy language, so that a `definition` means the same to both.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeVar

Truth: TypeAlias = bool | None
"""True, False, or UNKNOWN."""

UNKNOWN: Final = None

Node: TypeAlias = Mapping[str, Any] | bool
"""A condition as rules write it, or what it has been found to be for every subject."""

Subject = TypeVar("Subject")

COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "equals": operator.eq,
    "not_equals": operator.ne,
    "greater_than": operator.gt,
    "greater_than_or_equal": operator.ge,
    "less_than": operator.lt,
    "less_than_or_equal": operator.le,
    "within": lambda value, allowed: value in allowed,
    "not_within": lambda value, allowed: value not in allowed,
    "regex_match": lambda value, pattern: re.match(pattern, value) is not None,
    "not_regex_match": lambda value, pattern: re.match(pattern, value) is None,
    "intersects": lambda value, wanted: wanted in value,
    "is_empty": lambda value, _: len(value) == 0,
}
"""What the operators that compare two known values say of them."""


def compile_tree(
    node: Node, leaf: Callable[[Mapping[str, Any]], Callable[[Subject], Truth]]
) -> Callable[[Subject], Truth]:
    """A condition as a predicate over subjects; `leaf` compiles what is no and, or, not."""
    if isinstance(node, bool):
        return lambda _subject: node
    if "not" in node:
        return negation(compile_tree(node["not"], leaf))
    for junction, decisive in (("and", False), ("or", True)):
        if junction in node:
            return _junction([compile_tree(part, leaf) for part in node[junction]], decisive)
    return leaf(node)


def negation(part: Callable[[Subject], Truth]) -> Callable[[Subject], Truth]:
    """The opposite of a predicate; UNKNOWN stays UNKNOWN."""

    def predicate(subject: Subject) -> Truth:
        truth = part(subject)
        return UNKNOWN if truth is UNKNOWN else not truth

    return predicate


def _junction(parts: Sequence[Callable[[Subject], Truth]], decisive: bool) -> Callable[[Subject], Truth]:
    """`or` where True is decisive, `and` where False is."""
    if len(parts) == 2:
        return _junction_of_two(parts[0], parts[1], decisive)

    def predicate(subject: Subject) -> Truth:
        result: Truth = not decisive
        for part in parts:
            truth = part(subject)
            if truth is decisive:
                return decisive
            if truth is UNKNOWN:
                result = UNKNOWN
        return result

    return predicate


def _junction_of_two(
    first: Callable[[Subject], Truth], second: Callable[[Subject], Truth], decisive: bool
) -> Callable[[Subject], Truth]:
    """The same without a loop, because most junctions are this and every key of a report meets several."""

    def predicate(subject: Subject) -> Truth:
        truth = first(subject)
        if truth is decisive:
            return decisive
        other = second(subject)
        return other if truth is not UNKNOWN or other is decisive else UNKNOWN

    return predicate
