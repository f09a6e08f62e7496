"""The types of Terraform's language: which one a value has, conversions, and the type that several values share.

After go-cty's convert package (conversion.go, conversion_collection.go, unify.go). What it decides by rules that are
not repeated here is NotComputed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cmp_to_key
from typing import Any

from keyrules.code.terraform.hcl.numbers import NotComputed
from keyrules.code.terraform.hcl.values import (
    MAX_PARTS,
    UNKNOWN,
    Kind,
    ListValue,
    Loose,
    MapValue,
    Null,
    Partial,
    Refused,
    SetValue,
    before,
    decided,
    is_null,
    same_scalar,
    text,
    to_number,
    truth,
)

PRIMITIVE = ("string", "number", "bool")
_OWN_KINDS: dict[type, Kind] = {str: "string", bool: "bool", int: "number"}
_MAX_DEPTH = 16


def kind_of(value: Any) -> Kind:
    """The type of a value, None where it is not known. Raises NotComputed for one too large to look at."""
    return _kind_of(value, [MAX_PARTS])


def _kind_of(value: Any, left: list[int]) -> Kind:
    left[0] -= 1
    if left[0] < 0:
        raise NotComputed
    match value:
        case None:
            return "dynamic"
        case str():
            return "string"
        case bool():
            return "bool"
        case int() | float():
            return "number"
        case Null() as null:
            return null.kind
        case ListValue():
            return None if value.kind is None else ("list", value.kind)
        case SetValue():
            return None if value.kind is None else ("set", value.kind)
        case MapValue():
            return None if value.kind is None else ("map", value.kind)
        case Partial():
            return None
        case dict():
            members = [(name, _kind_of(member, left)) for name, member in sorted(value.items())]
            return None if any(kind is None for _, kind in members) else ("object", tuple(members))
        case list():
            kinds = [_kind_of(member, left) for member in value]
            return None if None in kinds else ("tuple", tuple(kinds))
    return None


def equal(left: Any, right: Any) -> bool | None:
    """Whether two values are the same, types included; None when that is not decided."""
    if left is UNKNOWN or right is UNKNOWN or isinstance(left, (Loose, Partial)) or isinstance(right, (Loose, Partial)):
        return False if _structure_beside_null(left, right) else None
    if is_null(left) or is_null(right):
        return is_null(left) and is_null(right)
    if _scalar(left) and _scalar(right):
        return _scalar_kind(left) == _scalar_kind(right) and same_scalar(left, right)
    if not decided(left) or not decided(right):
        return None
    kinds = kind_of(left), kind_of(right)
    if None in kinds:
        return None
    if kinds[0] != kinds[1]:
        # With a null inside, or members that have no type yet, go-cty looks at the values first.
        return None if _has_dynamic(kinds[0]) or _has_dynamic(kinds[1]) else False
    return same(left, right)


def same(left: Any, right: Any) -> bool:
    """Whether two decided values of one type are the same."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(value, right[name]) for name, value in left.items())
    if isinstance(left, list) and isinstance(right, list):
        if isinstance(left, SetValue) and not all(map(_scalar, left)):
            return len(left) == len(right) and all(any(same(one, other) for other in right) for one in left)
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, (dict, list)) or isinstance(right, (dict, list)):
        return False
    return same_scalar(left, right)


def _structure_beside_null(left: Any, right: Any) -> bool:
    """A block is never null."""
    return (isinstance(left, Partial) and is_null(right)) or (isinstance(right, Partial) and is_null(left))


def _scalar(value: Any) -> bool:
    return not isinstance(value, (list, dict))


def _scalar_kind(value: Any) -> str:
    return "bool" if isinstance(value, bool) else "string" if isinstance(value, str) else "number"


def _has_dynamic(kind: Kind) -> bool:
    return kind == "dynamic" or (
        isinstance(kind, tuple) and any(_has_dynamic(part) for part in kind[1:] if isinstance(part, (str, tuple)))
    )


def convert(value: Any, kind: Kind) -> Any:
    """A value converted to a type; UNKNOWN where that is not decided. Raises Refused where Terraform refuses it."""
    if kind == "dynamic" or (kind is not None and _OWN_KINDS.get(type(value)) == kind):
        return value
    if value is UNKNOWN or kind is None:
        return UNKNOWN if value is UNKNOWN or not isinstance(value, str) else value
    if is_null(value):
        return _null(value, kind)
    if isinstance(kind, str):
        return _primitive(value, kind)
    if isinstance(value, (Loose, Partial)):
        return UNKNOWN
    match kind:
        case ("list" | "set", inner):
            if not isinstance(value, list):
                raise Refused
            if getattr(value, "kind", None) == inner and type(value) is (ListValue if kind[0] == "list" else SetValue):
                return value
            inner = inner if inner != "dynamic" else _shared(value, value)
            items = [convert(item, inner) for item in value]
            return ListValue(items, inner) if kind[0] == "list" else set_of(items, inner)
        case ("map", inner):
            if not isinstance(value, dict):
                raise Refused
            inner = inner if inner != "dynamic" else _shared(value, value.values())
            return MapValue({name: convert(member, inner) for name, member in value.items()}, inner)
        case ("tuple", kinds):
            if not isinstance(value, list) or isinstance(value, SetValue) or len(value) != len(kinds):
                raise Refused
            return [convert(item, each) for item, each in zip(value, kinds, strict=True)]
        case ("object", members):
            if not isinstance(value, dict) or any(name not in value for name, _ in members):
                raise Refused
            return {name: convert(value[name], each) for name, each in members}
    raise NotComputed


def _null(value: Null | None, kind: Kind) -> Null:
    """A null in another type. Raises Refused where no value could be converted."""
    own = value.kind if isinstance(value, Null) else "dynamic"
    if own not in (None, "dynamic", kind) and (
        isinstance(own, str) is not isinstance(kind, str) or {own, kind} == {"number", "bool"}
    ):
        raise Refused
    return Null(kind)


def _primitive(value: Any, kind: str) -> Any:
    found: Any
    if kind == "string":
        found = text(value)
        if found is None and isinstance(value, (int, float)):
            raise NotComputed
    elif kind == "number":
        found = to_number(value)
    else:
        found = truth(value)
    if found is None:
        if isinstance(value, Partial):
            raise NotComputed
        raise Refused
    return found


def set_of(items: Iterable[Any], kind: Kind) -> Any:
    """The set of values that were converted to one type; UNKNOWN where one of them is open."""
    found: list[Any] = list(items)
    if not all(decided(item) for item in found):
        return UNKNOWN if len(found) > 1 else SetValue(found, kind)
    if all(_scalar(item) for item in found):
        if all(isinstance(item, str) for item in found):
            return SetValue(sorted(set(found)), kind)
        unique: list[Any] = []
        for item in sorted(found, key=cmp_to_key(lambda a, b: -1 if before(a, b) else 1 if before(b, a) else 0)):
            if not unique or not same_scalar(unique[-1], item):
                unique.append(item)
        return SetValue(unique, kind)
    if len(found) > 256:
        raise NotComputed
    unique = []
    for item in found:
        if not any(same(item, other) for other in unique):
            unique.append(item)
    return SetValue(unique, kind)


def in_order(items: Any) -> Any:
    """A collection to go over; a set of more than one structure has an order that only Terraform knows."""
    if isinstance(items, SetValue) and len(items) > 1 and not all(map(_scalar, items)):
        raise NotComputed
    return items


def _shared(collection: Any, values: Iterable[Any]) -> Kind:
    if isinstance(collection, (ListValue, SetValue, MapValue)):
        return collection.kind
    return shared_kind([kind_of(value) for value in values])


def shared_kind(kinds: Sequence[Kind]) -> Kind:
    """The type that values of these types can be converted to; "dynamic" of none, None where it is not known.

    Raises Refused where there is none.
    """
    return _unify(list(dict.fromkeys(kinds)), 0)


def _unify(kinds: list[Kind], depth: int) -> Kind:
    if depth > _MAX_DEPTH:
        raise NotComputed
    if len(kinds) < 2:
        return kinds[0] if kinds else "dynamic"
    if None in kinds:
        return None
    concrete = [kind for kind in kinds if kind != "dynamic"]
    if len(concrete) < len(kinds):
        # A null without a type beside values that have one takes that type, unless it is a structure's.
        return concrete[0] if len(concrete) == 1 and isinstance(concrete[0], str) else None
    if all(isinstance(kind, str) for kind in kinds):
        if "string" not in kinds:
            raise Refused
        return "string"
    if any(isinstance(kind, str) for kind in kinds):
        raise Refused
    return _structures([kind for kind in kinds if isinstance(kind, tuple)], depth + 1)


def _structures(kinds: list[tuple[Any, ...]], depth: int) -> Kind:
    names = {kind[0] for kind in kinds}
    if names in ({"list"}, {"set"}, {"map"}):
        return next(iter(names)), _unify([kind[1] for kind in kinds], depth)
    if names == {"object"}:
        return _objects(kinds, depth)
    if names == {"tuple"}:
        return _tuples(kinds, depth)
    if names == {"list", "tuple"}:
        return "list", _unify(_members(kinds), depth)
    if names in ({"set", "tuple"}, {"set", "list"}):
        members = _members(kinds)
        known = [kind for kind in members if kind != "dynamic"]
        if len(known) > 1 or any("dynamic" in kind[1] for kind in kinds if kind[0] == "tuple"):
            # Terraform may turn strings into numbers here, and a null has no type yet.
            raise NotComputed
        return "set" if "tuple" in names else "list", known[0] if known == members else "dynamic"
    if names == {"map", "object"}:
        return "map", _unify(_members(kinds), depth)
    if names <= {"list", "set", "tuple"} or names <= {"map", "object"}:
        raise NotComputed
    raise Refused


def _objects(kinds: list[tuple[Any, ...]], depth: int) -> Kind:
    if len({tuple(name for name, _ in kind[1]) for kind in kinds}) > 1:
        return "map", _unify(_members(kinds), depth)
    columns: dict[str, list[Kind]] = {}
    for kind in kinds:
        for name, member in kind[1]:
            columns.setdefault(name, []).append(member)
    return "object", tuple((name, _unify(_distinct(each), depth)) for name, each in columns.items())


def _tuples(kinds: list[tuple[Any, ...]], depth: int) -> Kind:
    if len({len(kind[1]) for kind in kinds}) > 1:
        return "list", _unify(_members(kinds), depth)
    return "tuple", tuple(_unify(_distinct(each), depth) for each in zip(*(kind[1] for kind in kinds), strict=True))


def _members(kinds: Iterable[tuple[Any, ...]]) -> list[Kind]:
    found: list[Kind] = []
    for kind in kinds:
        if kind[0] == "tuple":
            found += kind[1]
        elif kind[0] == "object":
            found += [member for _, member in kind[1]]
        else:
            found.append(kind[1])
    return _distinct(found)


def _distinct(kinds: Iterable[Kind]) -> list[Kind]:
    return list(dict.fromkeys(kinds))


def settled(kind: Kind) -> bool:
    """Whether a type is known through and through."""
    if kind is None:
        return False
    if isinstance(kind, str):
        return kind != "dynamic"
    parts = kind[1] if kind[0] == "tuple" else [each for _, each in kind[1]] if kind[0] == "object" else (kind[1],)
    return all(settled(part) for part in parts)
