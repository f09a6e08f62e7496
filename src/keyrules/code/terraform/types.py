"""What a variable's `type` makes of a value: conversions, and the defaults of optional() attributes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keyrules.code.terraform.hcl.ast import Call, Expr, ListExpr, Literal, Name, ObjectExpr
from keyrules.code.terraform.hcl.kinds import PRIMITIVE, convert, kind_of, set_of, shared_kind
from keyrules.code.terraform.hcl.values import (
    UNKNOWN,
    Kind,
    ListValue,
    Loose,
    MapValue,
    Null,
    Partial,
    Refused,
    is_null,
    ordered,
)


def declared_kind(kind: Expr | None) -> Kind:
    """The type that a variable of type `kind` has whatever its value is; None where the value decides."""
    match kind:
        case Name(name) | Literal(name) if name in PRIMITIVE:
            return str(name)
        case Call("list" | "set" | "map" as name, (inner,)):
            member = declared_kind(inner)
            return None if member is None else (name, member)
        case Call("tuple", (ListExpr(items),)):
            kinds = tuple(declared_kind(item) for item in items)
            return None if None in kinds else ("tuple", kinds)
        case Call("object", (ObjectExpr(pairs),)):
            members = {name.value: declared_kind(_required(each)) for name, each in pairs if isinstance(name, Literal)}
            known = len(members) == len(pairs) and None not in members.values()
            return ("object", tuple(sorted(members.items(), key=lambda item: str(item[0])))) if known else None
    return None


def conform(value: Any, kind: Expr | None, default: Callable[[Expr], Any]) -> Any:
    """A value as a variable of type `kind` holds it. `default` evaluates a default. Raises Refused where it does not
    fit.
    """
    if value is UNKNOWN or isinstance(value, Partial):
        return value
    if is_null(value):
        found = declared_kind(kind)
        return value if found is None else Null(found)
    match kind:
        case Name(name) | Literal(name) if name in PRIMITIVE:
            return convert(value, str(name))
        case Call("list" | "set" | "map" | "tuple" | "object") if isinstance(value, Loose):
            raise Refused
        case Call("list" | "set" as name, (inner,)) if isinstance(value, list):
            items, member = _members([conform(item, inner, default) for item in value], inner)
            return ListValue(items, member) if name == "list" else set_of(items, member)
        case Call("map", (inner,)) if isinstance(value, dict):
            items, member = _members([conform(item, inner, default) for item in value.values()], inner)
            return MapValue(dict(zip(value, items, strict=True)), member)
        case Call("tuple", (ListExpr(kinds),)) if isinstance(value, list) and len(value) == len(kinds):
            return [conform(item, each, default) for item, each in zip(value, kinds, strict=True)]
        case Call("object", (ObjectExpr(pairs),)) if isinstance(value, dict):
            return _object(value, pairs, default)
        case Call("list" | "set" | "map" | "tuple" | "object", (_,)):
            raise Refused
        case None | Name("any") | Literal("any"):
            return value
    return UNKNOWN


def _members(items: list[Any], inner: Expr) -> tuple[list[Any], Kind]:
    """The members of a collection in their common type."""
    kind = declared_kind(inner)
    if kind is None:
        kind = shared_kind([kind_of(item) for item in items])
    return [item if kind is None else convert(item, kind) for item in items], kind


def _object(value: dict[str, Any], items: tuple[tuple[Expr, Expr], ...], default: Callable[[Expr], Any]) -> Any:
    result: dict[str, Any] = {}
    for name, kind in items:
        if not isinstance(name, Literal) or not isinstance(name.value, str):
            return UNKNOWN
        found = value.get(name.value)
        if _required(kind) is not kind:
            assert isinstance(kind, Call), "only a call is not required"
            if is_null(found) and len(kind.args) > 1:
                found = default(kind.args[1])
        elif name.value not in value:
            raise Refused
        result[name.value] = conform(found, _required(kind), default)
    return ordered(result)


def _required(kind: Expr) -> Expr:
    """The type inside optional()."""
    return kind.args[0] if isinstance(kind, Call) and kind.name == "optional" and kind.args else kind
