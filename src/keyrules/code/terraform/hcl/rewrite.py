"""Changing expressions, and writing values as expressions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keyrules.code.terraform.hcl.ast import (
    Access,
    Binary,
    Call,
    Conditional,
    Expr,
    ForExpr,
    Index,
    ListExpr,
    Literal,
    Name,
    ObjectExpr,
    Template,
    Unary,
)
from keyrules.code.terraform.hcl.values import plain
from keyrules.records import replace

UNRESOLVED = Name("unresolved")
"""An expression that has no value: no root of a traversal has that name."""


def rewritten(expr: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """An expression in which `change` was applied to every part, from the inside out."""

    def inner(part: Expr) -> Expr:
        return rewritten(part, change)

    match expr:
        case Template(parts):
            expr = replace(expr, parts=tuple(map(inner, parts)))
        case Access(base, steps):
            changed = tuple(Index(inner(step.key)) if isinstance(step, Index) else step for step in steps)
            expr = Access(base if isinstance(base, Name) else inner(base), changed)
        case Call():
            expr = replace(expr, args=tuple(map(inner, expr.args)))
        case Conditional(test, then, otherwise):
            expr = Conditional(inner(test), inner(then), inner(otherwise))
        case Binary(operator, left, right):
            expr = Binary(operator, inner(left), inner(right))
        case Unary(operator, operand):
            expr = Unary(operator, inner(operand))
        case ListExpr(items):
            expr = ListExpr(tuple(map(inner, items)))
        case ObjectExpr(items):
            expr = ObjectExpr(tuple((inner(key), inner(value)) for key, value in items))
        case ForExpr():
            expr = replace(
                expr,
                collection=inner(expr.collection),
                key=None if expr.key is None else inner(expr.key),
                value=inner(expr.value),
                condition=None if expr.condition is None else inner(expr.condition),
            )
    return change(expr)


def value_expression(value: Any) -> Expr:
    """An expression that is worth a value, part by part; UNRESOLVED for what is not known."""
    value = plain(value)
    if isinstance(value, dict):
        return ObjectExpr(tuple((Literal(str(name)), value_expression(item)) for name, item in value.items()))
    if isinstance(value, (list, tuple)):
        return ListExpr(tuple(map(value_expression, value)))
    if value is None or isinstance(value, (bool, int, float, str)):
        return Literal(value)
    return UNRESOLVED
