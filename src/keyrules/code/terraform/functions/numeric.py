"""Functions on numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import reduce
from typing import Any

from keyrules.code.terraform.functions.signature import Function, function, whole
from keyrules.code.terraform.hcl.kinds import convert
from keyrules.code.terraform.hcl.numbers import (
    FLOAT_PRECISION,
    INDEX_PRECISION,
    NotComputed,
    Number,
    add,
    compare,
    narrow,
    negate,
    rounded_down,
    rounded_up,
)
from keyrules.code.terraform.hcl.values import MAX_ITEMS, ListValue, Refused, is_null

_INTEGER = re.compile(r"[+-]?[0-9a-zA-Z]+")
_PREFIXES = {2: "b", 8: "o", 16: "x"}
_MAX_EXACT = 1 << FLOAT_PRECISION


def _pow(base: Number, exponent: Number) -> Number:
    """Go computes it as float64, which is exact for small whole numbers; what is not may differ by platform."""
    if not isinstance(base, int) or not isinstance(exponent, int) or not 0 <= exponent <= _MAX_EXACT:
        raise NotComputed
    if abs(base) > 1 and exponent > FLOAT_PRECISION:
        raise NotComputed
    # Beyond two only whether it is odd counts, for -1, 0 and 1.
    result = int(base) ** int(exponent if abs(base) > 1 else exponent % 2 or min(exponent, 2))
    if abs(result) > _MAX_EXACT or abs(base) > _MAX_EXACT:
        raise NotComputed
    return narrow(result, FLOAT_PRECISION)


def _parseint(value: Any, base: Number) -> int:
    radix = whole(base)
    if not isinstance(value, str) or not 2 <= radix <= 62:
        raise Refused
    if not _INTEGER.fullmatch(value):
        if "_" in value:
            raise NotComputed
        raise Refused
    if radix > 36 or len(value) > 64:
        raise NotComputed
    if value.lstrip("+-")[:2].lower() == f"0{_PREFIXES.get(radix)}":
        # Python passes over a prefix that names the base.
        raise Refused
    try:
        number = int(value, radix)
    except ValueError:
        raise Refused from None
    return narrow(number, max(INDEX_PRECISION, number.bit_length()))


def _range(*bounds: Number) -> Any:
    if not 1 <= len(bounds) <= 3:
        raise Refused
    start, end = (narrow(0), bounds[0]) if len(bounds) == 1 else (bounds[0], bounds[1])
    down = compare(end, start) < 0
    step = bounds[2] if len(bounds) == 3 else narrow(-1 if down else 1)
    if step == 0 or ((compare(step, 0) < 0) is not down and compare(end, start) != 0):
        raise Refused
    found: list[Number] = []
    value = start
    while (compare(value, end) > 0) if down else (compare(value, end) < 0):
        if len(found) == MAX_ITEMS:
            raise Refused
        found.append(value)
        value = add(value, step)
    return ListValue(found, "number")


def _sum(items: Any) -> Number:
    if not isinstance(items, list) or not items or any(is_null(item) for item in items):
        raise Refused
    total: Number = reduce(add, (convert(item, "number") for item in items))
    return total


def _least(*numbers: Number) -> Number:
    if not numbers:
        raise Refused
    return reduce(lambda a, b: b if compare(b, a) < 0 else a, numbers)


def _greatest(*numbers: Number) -> Number:
    if not numbers:
        raise Refused
    return reduce(lambda a, b: b if compare(b, a) > 0 else a, numbers)


def _log(value: Number, base: Number) -> Number:
    if value == 1 and compare(base, 1) > 0:
        return narrow(0, FLOAT_PRECISION)
    raise NotComputed


FUNCTIONS: Mapping[str, Function] = {
    "abs": function(lambda value: negate(value) if compare(value, 0) < 0 else value or 0, "number"),
    "ceil": function(rounded_up, "number"),
    "floor": function(rounded_down, "number"),
    "log": function(_log, "number", "number"),
    "max": function(_greatest, "*number"),
    "min": function(_least, "*number"),
    "parseint": function(_parseint, "any", "number"),
    "pow": function(_pow, "number", "number"),
    "range": function(_range, "*number"),
    "signum": function(lambda value: narrow(compare(whole(value), 0)), "number"),
    "sum": function(_sum, "any"),
}
