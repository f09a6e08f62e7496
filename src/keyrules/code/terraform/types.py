"""What a variable's `type` makes of a value: conversions, and the defaults of optional() attributes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keyrules.code.terraform.hcl.ast import Call, Expr, Literal, Name, ObjectExpr
from keyrules.code.terraform.hcl.values import UNKNOWN, Partial, number, text, truth, whole


def conform(value: Any, kind: Expr | None, default: Callable[[Expr], Any]) -> Any:
    """A value as a variable of type `kind` holds it, unchanged where it does not fit. `default` evaluates a default."""
    if value is UNKNOWN or value is None:
        return value
    match kind:
        case Name("number"):
            amount = number(value)
            return value if amount is None else whole(amount)
        case Name("string"):
            shown = text(value)
            return value if shown is None else shown
        case Name("bool"):
            decision = truth(value)
            return value if decision is None else decision
        case Call("list" | "set", (inner,)) if isinstance(value, list):
            return [conform(item, inner, default) for item in value]
        case Call("map", (inner,)) if isinstance(value, dict):
            return {key: conform(item, inner, default) for key, item in value.items()}
        case Call("object", (ObjectExpr(items),)) if isinstance(value, dict) and not isinstance(value, Partial):
            return _object(value, items, default)
    return value


def _object(value: dict[str, Any], items: tuple[tuple[Expr, Expr], ...], default: Callable[[Expr], Any]) -> Any:
    result: dict[str, Any] = {}
    for name, kind in items:
        if not isinstance(name, Literal) or not isinstance(name.value, str):
            return value
        found, wanted = value.get(name.value), kind
        if isinstance(kind, Call) and kind.name == "optional" and kind.args:
            wanted = kind.args[0]
            if found is None and len(kind.args) > 1:
                found = default(kind.args[1])
        elif name.value not in value:
            found = UNKNOWN
        result[name.value] = conform(found, wanted, default)
    return result
