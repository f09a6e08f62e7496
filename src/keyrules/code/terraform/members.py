"""Attributes, indexes and splats on values, what a `for` goes over, and what a conditional makes of its choice."""

from __future__ import annotations

from typing import Any

from keyrules.code.terraform.hcl.ast import Attr, Splat, Step
from keyrules.code.terraform.hcl.kinds import convert, in_order, kind_of, shared_kind
from keyrules.code.terraform.hcl.numbers import NotComputed, as_integer, narrow
from keyrules.code.terraform.hcl.values import (
    UNKNOWN,
    Kind,
    ListValue,
    Loose,
    MapValue,
    Null,
    Partial,
    Refused,
    SetValue,
    is_null,
    ordered,
    truth,
)


def attribute(value: Any, name: str) -> Any:
    """`value.name`. Raises Refused where there is none."""
    if value is UNKNOWN or isinstance(value, Loose):
        return UNKNOWN
    if isinstance(value, Partial):
        return value.get(name, UNKNOWN)
    if isinstance(value, dict):
        if name not in value:
            raise Refused
        return value[name]
    if isinstance(value, list) and name.isdecimal():
        return index(value, int(name))
    raise Refused


def index(value: Any, key: Any) -> Any:
    """`value[key]`. Raises Refused where there is none."""
    if value is UNKNOWN or key is UNKNOWN or isinstance(value, Loose):
        return UNKNOWN
    if is_null(value) or is_null(key):
        raise Refused
    if isinstance(value, dict):
        return attribute(value, convert(key, "string"))
    if not isinstance(value, list) or isinstance(value, SetValue):
        raise Refused
    position = convert(key, "number")
    found = None if position is UNKNOWN else as_integer(position)
    if found is None or not 0 <= found < len(value):
        raise Refused
    return value[found]


def splat_items(value: Any) -> list[Any]:
    """What a splat goes over: the members of a list, set or tuple, nothing for null, else the value itself."""
    if is_null(value):
        return []
    if isinstance(value, list):
        found: list[Any] = in_order(value)
        return found
    return [value]


def splat_result(value: Any, items: list[Any]) -> list[Any]:
    """What came of each member of `value`, as the list or tuple that Terraform makes of it."""
    if not isinstance(value, (ListValue, SetValue)):
        return items
    kinds = {kind_of(item) for item in items}
    # A list without members has a type that only the attribute's own says.
    return ListValue(items, kinds.pop() if len(kinds) == 1 else None)


def loosened(value: Any, *, strings: bool) -> Any:
    """A value whose parts may be converted to a type that is not known: a number to its text, a tuple to a list.

    `strings` says that text may be converted, too. Raises NotComputed where a list may become a set in another order.
    """
    if isinstance(value, (Partial, Loose)) or value is UNKNOWN or is_null(value):
        return value
    if isinstance(value, dict):
        return MapValue({name: loosened(member, strings=strings) for name, member in value.items()}, None)
    if isinstance(value, list):
        if len(value) > 1 and not isinstance(value, SetValue):
            ascending = all(isinstance(item, str) for item in value) and sorted(set(value)) == list(value)
            if not ascending:
                raise NotComputed
        return ListValue([loosened(item, strings=strings) for item in value], None)
    if isinstance(value, str):
        numeric = strings and (value[:1] in "+-.0123456789" or truth(value) is not None)
        return Loose(value) if value and numeric else value
    return Loose(value)


def converted(value: Any, beside: Any, other: Kind) -> Any:
    """The chosen value in the type that both branches share."""
    own = kind_of(value)
    if value is None:
        return None if other is None and beside is UNKNOWN else Null(other)
    if own is None or other is None or isinstance(beside, Loose):
        return value if own is not None and own == "string" else loosened(value, strings=False)
    if own == other:
        return value
    try:
        kind = shared_kind([own, other])
    except Refused:
        return UNKNOWN
    return loosened(value, strings=False) if kind is None else convert(value, kind)


def pairs_of(items: Any) -> list[tuple[Any, Any]]:
    """Keys and values of what a `for` goes over. Raises Refused for what it cannot."""
    if isinstance(items, (Partial, Loose)):
        raise NotComputed
    if isinstance(items, dict):
        return list(ordered(items).items())
    if isinstance(items, SetValue):
        return [(item, item) for item in in_order(items)]
    if isinstance(items, list):
        return [(narrow(position), item) for position, item in enumerate(items)]
    raise Refused


def own_steps(splat: Splat, rest: tuple[Step, ...]) -> int:
    """How many of the steps after a splat go to each item."""
    for position, step in enumerate(rest):
        if splat.attributes_only and not isinstance(step, Attr):
            return position
    return len(rest)
