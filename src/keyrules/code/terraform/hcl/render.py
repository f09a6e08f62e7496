"""Writes expressions for messages: references and numbers in full, text never, because it may be a secret."""

from __future__ import annotations

import json
from collections.abc import Iterable

from keyrules.code.terraform.hcl.ast import (
    Access,
    Attr,
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
    Splat,
    Step,
    Template,
    Unary,
)

_HIDDEN = "…"


def render(expr: Expr) -> str:
    """`expr` on one line in native syntax, as in `aws_iam_access_key.k["a"].secret` or `var.days + 30`.

    Text that is not empty becomes `"…"` unless it is an index as it stands, and objects become `{…}`. Parentheses
    stand around every operator inside an operator.
    """
    match expr:
        case Literal(value):
            return _literal(value)
        case Template(parts):
            return f'"{"".join(_part(part) for part in parts)}"'
        case Name(ident):
            return ident
        case Access(base, steps):
            return _operand(base) + "".join(_step(step) for step in steps)
        case Call(name, args):
            return f"{name}({_list(args)})"
        case Conditional(test, then, otherwise):
            return f"{_operand(test)} ? {_operand(then)} : {_operand(otherwise)}"
        case Binary(op, left, right):
            return f"{_operand(left)} {op} {_operand(right)}"
        case Unary(op, operand):
            return op + _operand(operand)
        case ListExpr(items):
            return f"[{_list(items)}]"
        case ObjectExpr(items):
            return f"{{{_HIDDEN}}}" if items else "{}"
        case ForExpr():
            return _for(expr)


def _literal(value: str | int | float | bool | None) -> str:
    if isinstance(value, str):
        return f'"{_HIDDEN}"' if value else '""'
    if value is None:
        return "null"
    if isinstance(value, float):
        return f"{value:.15g}"
    return str(value).lower()


def _part(part: Expr) -> str:
    if isinstance(part, Literal) and isinstance(part.value, str):
        return _HIDDEN if part.value else ""
    return f"${{{render(part)}}}"


def _step(step: Step) -> str:
    match step:
        case Attr(name):
            return f".{name}"
        case Splat():
            return "[*]"
        case Index(Literal(str(key))):
            return f"[{json.dumps(key, ensure_ascii=False)}]"
        case Index(key):
            return f"[{render(key)}]"


def _operand(expr: Expr) -> str:
    return f"({render(expr)})" if isinstance(expr, Binary | Conditional | Unary) else render(expr)


def _list(items: Iterable[Expr]) -> str:
    return ", ".join(render(item) for item in items)


def _for(expr: ForExpr) -> str:
    names = expr.value_name if expr.key_name is None else f"{expr.key_name}, {expr.value_name}"
    result = render(expr.value) if expr.key is None else f"{render(expr.key)} => {render(expr.value)}"
    condition = "" if expr.condition is None else f" if {render(expr.condition)}"
    opener, closer = "[]" if expr.key is None else "{}"
    return f"{opener}for {names} in {render(expr.collection)} : {result}{condition}{closer}"
