"""The values of Terraform's language as Python values, with its own conversions between them.

A number is an int or a float, null is None, lists and sets are lists, objects and maps are dicts.
"""

from __future__ import annotations

import math
import re
from typing import Any, Final


class _Unknown:
    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = _Unknown()
"""Not decided by the code: a variable without a value, a computed attribute, a function not known here."""

MAX_TEXT = 4096
MAX_ITEMS = 1024
"""Values larger than these are UNKNOWN, so that an expression cannot be made to exhaust memory."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


class Partial(dict[str, Any]):
    """A block as an object: it holds the arguments that are declared, and any other attribute of it is UNKNOWN."""


def number(value: Any) -> float | None:
    """A value as a number the way Terraform converts it (a numeric string counts), else None."""
    if isinstance(value, str) and len(value) <= MAX_TEXT and _NUMBER.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def truth(value: Any) -> bool | None:
    """A value as a bool the way Terraform converts it ("true" counts), else None."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value) if isinstance(value, str) else None


def text(value: Any) -> str | None:
    """A value as a string the way Terraform converts it, else None."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, int) and number(value) is None:
        return None
    return str(value) if isinstance(value, (str, int, float)) else None


def whole(value: float) -> int | float:
    """A number as an int where it is one."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def decided(value: Any) -> bool:
    """Whether a value is known through and through; False also for one too large to look at."""
    waiting, seen = [value], 0
    while waiting:
        part = waiting.pop()
        seen += 1
        if part is UNKNOWN or isinstance(part, Partial) or seen > MAX_ITEMS:
            return False
        if isinstance(part, dict):
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
    return True


def equal(left: Any, right: Any) -> bool | None:
    """Whether two values are the same, types included; None when that is not decided."""
    if left is UNKNOWN or right is UNKNOWN:
        return None
    if left is None or right is None:
        return left is right
    kinds = [
        "bool" if isinstance(value, bool) else "number" if isinstance(value, (int, float)) else type(value).__name__
        for value in (left, right)
    ]
    if isinstance(left, Partial) or isinstance(right, Partial):
        return None
    if kinds[0] != kinds[1]:
        return False
    return bool(left == right) if decided(left) and decided(right) else None
