"""The operators of Terraform's language on values, UNKNOWN among them."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from keyrules.iac.hcl.hcl_values import UNKNOWN, equal, number, truth, whole

_ARITHMETIC: Mapping[str, Callable[[float, float], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": math.fmod,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


def binary(op: str, left: Any, right: Any) -> Any:
    """`left op right`; UNKNOWN also where Terraform would refuse it."""
    if op in ("&&", "||"):
        return _logical(op, truth(left), truth(right))
    if left is UNKNOWN or right is UNKNOWN:
        return UNKNOWN
    if op in ("==", "!="):
        same = equal(left, right)
        return UNKNOWN if same is None else same is (op == "==")
    a, b = number(left), number(right)
    if a is None or b is None or (b == 0 and op in ("/", "%")):
        return UNKNOWN
    result = _ARITHMETIC[op](a, b)
    if isinstance(result, float) and not math.isfinite(result):
        return UNKNOWN
    return whole(result)


def unary(op: str, value: Any) -> Any:
    """`-value` or `!value`."""
    if op == "!":
        test = truth(value)
        return UNKNOWN if test is None else not test
    amount = number(value)
    return UNKNOWN if amount is None else whole(-amount)


def _logical(op: str, left: bool | None, right: bool | None) -> Any:
    decided = op == "||"
    if decided in (left, right):
        return decided
    return UNKNOWN if None in (left, right) else not decided
