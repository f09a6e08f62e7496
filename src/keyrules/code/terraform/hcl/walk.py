"""Walking expressions without recursion."""

from __future__ import annotations

from keyrules.code.terraform.hcl.ast import (
    Access,
    Binary,
    Call,
    Conditional,
    Expr,
    ForExpr,
    Index,
    ListExpr,
    ObjectExpr,
    Template,
    Unary,
)


def children(expr: Expr) -> tuple[Expr, ...]:
    """The expressions directly inside `expr`, in the order of the source (a template's `for` has its value last)."""
    match expr:
        case Template(parts=found) | ListExpr(items=found) | Call(args=found):
            return found
        case Access(base, steps):
            return (base, *(step.key for step in steps if isinstance(step, Index)))
        case Conditional(test, then, otherwise):
            return (test, then, otherwise)
        case Binary(_, left, right):
            return (left, right)
        case Unary(_, operand):
            return (operand,)
        case ObjectExpr(items):
            return tuple(side for item in items for side in item)
        case ForExpr(_, _, collection, key, value, condition):
            return tuple(part for part in (collection, key, value, condition) if part is not None)
        case _:
            return ()


def nests_deeper_than(expr: Expr, limit: int) -> bool:
    """Whether `expr` has more than `limit` levels; a literal has one."""
    level = [expr]
    for _ in range(limit):
        level = [child for parent in level for child in children(parent)]
        if not level:
            return False
    return True
