"""The operators of Terraform's language on values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from keyrules.code.terraform.hcl.kinds import convert, equal
from keyrules.code.terraform.hcl.numbers import (
    NotComputed,
    Number,
    add,
    compare,
    divide,
    modulo,
    multiply,
    negate,
    subtract,
)
from keyrules.code.terraform.hcl.values import UNKNOWN, Refused, is_null, truth

_ARITHMETIC: Mapping[str, Callable[[Number, Number], Any]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "%": modulo,
    "<": lambda left, right: compare(left, right) < 0,
    ">": lambda left, right: compare(left, right) > 0,
    "<=": lambda left, right: compare(left, right) <= 0,
    ">=": lambda left, right: compare(left, right) >= 0,
}


def binary(op: str, left: Any, right: Any) -> Any:
    """`left op right`, UNKNOWN where that is open. Raises Refused where Terraform refuses it."""
    if op in ("==", "!="):
        same = equal(left, right)
        return UNKNOWN if same is None else same is (op == "==")
    a, b = _operand(left, "number"), _operand(right, "number")
    if a is UNKNOWN or b is UNKNOWN:
        return UNKNOWN
    try:
        return _ARITHMETIC[op](a, b)
    except ZeroDivisionError:
        # Terraform makes it infinite, which nothing that is applied can be.
        raise NotComputed from None


def unary(op: str, value: Any) -> Any:
    """`-value` or `!value`. Raises Refused where Terraform refuses it."""
    found = _operand(value, "bool" if op == "!" else "number")
    if found is UNKNOWN:
        return UNKNOWN
    return not found if op == "!" else negate(found)


def logical(op: str, left: Callable[[], Any], right: Callable[[], Any]) -> Any:
    """`left && right` or `left || right`.

    Up to 1.11 Terraform evaluates both sides, from 1.12 on the first may decide: an error in the second is open then.
    """
    decisive = op == "||"
    first = truth_of(left())
    try:
        second = truth_of(right())
    except Refused:
        if first is not (not decisive):
            raise NotComputed from None
        raise
    if decisive in (first, second):
        return decisive
    return UNKNOWN if UNKNOWN in (first, second) else not decisive


def truth_of(value: Any) -> Any:
    """A test as a bool, or UNKNOWN. Raises Refused where it is none."""
    found = truth(value)
    return _operand(value, "bool") if found is None else found


def _operand(value: Any, kind: str) -> Any:
    if is_null(value):
        raise Refused
    return convert(value, kind)
