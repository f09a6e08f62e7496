"""The functions of Terraform's language that decide counts, periods and names, on values that are known.

Each raises TypeError, ValueError, LookupError, ArithmeticError or AttributeError where Terraform would refuse the call.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from keyrules.code.terraform.hcl.values import (
    MAX_ITEMS,
    MAX_TEXT,
    UNKNOWN,
    Partial,
    decided,
    equal,
    number,
    text,
    truth,
    whole,
)

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


TOLERANT = frozenset({"concat", "element", "keys", "length", "lookup", "merge", "tolist", "tomap", "values"})
"""Functions whose result is right even when members of their arguments are UNKNOWN."""

_MAX_EXPONENT = 64


def apply(name: str, values: list[Any]) -> Any:
    """The result of a call, or UNKNOWN: for a function not listed here, arguments not known, and calls in error."""
    function = FUNCTIONS.get(name)
    if function is None or any(value is UNKNOWN for value in values):
        return UNKNOWN
    if name in TOLERANT and not any(isinstance(value, Partial) for value in values):
        known = True
    else:
        known = all(decided(value) for value in values)
    if not known:
        return UNKNOWN
    try:
        return _bounded(function(*values))
    except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError):
        return UNKNOWN


def _bounded(result: Any) -> Any:
    if isinstance(result, str):
        return result if len(result) <= MAX_TEXT else UNKNOWN
    if isinstance(result, (list, dict)):
        return result if len(result) <= MAX_ITEMS else UNKNOWN
    return result


def _numeric(value: Any) -> float:
    amount = number(value)
    if amount is None:
        raise TypeError
    return whole(amount)


def _string(value: Any) -> str:
    shown = text(value)
    if shown is None:
        raise TypeError
    return shown


def _length(value: Any) -> int:
    if not isinstance(value, (list, dict, str)):
        raise TypeError
    return len(value)


def _range(*arguments: Any) -> list[Any]:
    bounds = [_numeric(argument) for argument in arguments]
    start, end = (0, bounds[0]) if len(bounds) == 1 else (bounds[0], bounds[1])
    step = bounds[2] if len(bounds) > 2 else 1 if end >= start else -1
    if step == 0 or abs(end - start) / abs(step) > MAX_ITEMS:
        raise ValueError
    return [whole(start + step * index) for index in range(max(0, math.ceil((end - start) / step)))]


def _pow(base: Any, exponent: Any) -> float:
    power = _numeric(exponent)
    if abs(power) > _MAX_EXPONENT:
        raise ArithmeticError
    result = number(_numeric(base) ** power)
    if result is None:
        raise ArithmeticError
    return whole(result)


def _lookup(items: Mapping[str, Any], key: str, *default: Any) -> Any:
    return items[key] if key in items else default[0]


def _element(items: list[Any], index: Any) -> Any:
    return items[int(_numeric(index)) % len(items)]


def _merge(*items: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for item in items for key, value in (item or {}).items()}


def _set(items: Any) -> list[Any]:
    if not isinstance(items, list):
        raise TypeError
    return sorted(set(items)) if all(isinstance(item, str) for item in items) else list(dict.fromkeys(items))


def _concat(*lists: Any) -> list[Any]:
    if not all(isinstance(items, list) for items in lists):
        raise TypeError
    return [item for items in lists for item in items]


def _flatten(items: Any) -> list[Any]:
    flat: list[Any] = []
    waiting = [items]
    while waiting:
        item = waiting.pop(0)
        if isinstance(item, list):
            waiting = item + waiting
        else:
            flat.append(item)
    return flat


def _join(separator: str, *lists: Any) -> str:
    return separator.join(_string(item) for item in _concat(*lists))


def _format(pattern: str, *arguments: Any) -> str:
    """`%s`, `%d` and `%v` without flags, and `%%`; any other verb is refused."""
    pieces = pattern.replace("%%", "\0").split("%")
    if len(pieces) - 1 != len(arguments) or any(piece[:1] not in ("s", "d", "v") for piece in pieces[1:]):
        raise ValueError
    shown = "".join(_string(argument) + piece[1:] for argument, piece in zip(arguments, pieces[1:], strict=True))
    return (pieces[0] + shown).replace("\0", "%")


def _replace(value: str, old: str, new: str) -> str:
    if len(old) > 1 and old[0] == old[-1] == "/":
        raise ValueError
    return value.replace(old, new)


def _substr(value: str, offset: Any, length: Any) -> str:
    start, count = int(_numeric(offset)), int(_numeric(length))
    if start < 0:
        start = max(0, len(value) + start)
    return value[start:] if count < 0 else value[start : start + count]


def _slice(items: list[Any], start: Any, end: Any) -> list[Any]:
    return items[int(_numeric(start)) : int(_numeric(end))]


def _one(items: list[Any]) -> Any:
    if len(items) > 1:
        raise ValueError
    return items[0] if items else None


def _bool(value: Any) -> bool:
    found = truth(value)
    if found is None:
        raise TypeError
    return found


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "abs": lambda a: abs(_numeric(a)),
    "alltrue": lambda a: all(_bool(item) for item in a),
    "anytrue": lambda a: any(_bool(item) for item in a),
    "ceil": lambda a: math.ceil(_numeric(a)),
    "compact": lambda a: [item for item in a if item not in (None, "")],
    "concat": _concat,
    "contains": lambda a, x: x in a,
    "distinct": lambda a: list(dict.fromkeys(a)),
    "element": _element,
    "flatten": _flatten,
    "floor": lambda a: math.floor(_numeric(a)),
    "format": _format,
    "join": _join,
    "keys": lambda a: sorted(a.keys()),
    "length": _length,
    "lookup": _lookup,
    "lower": str.lower,
    "max": lambda *a: max(_numeric(x) for x in a),
    "merge": _merge,
    "min": lambda *a: min(_numeric(x) for x in a),
    "nonsensitive": lambda a: a,
    "one": _one,
    "parseint": lambda a, base: int(a, int(base)),
    "pow": _pow,
    "range": _range,
    "replace": _replace,
    "reverse": lambda a: a[::-1],
    "sensitive": lambda a: a,
    "signum": lambda a: (_numeric(a) > 0) - (_numeric(a) < 0),
    "slice": _slice,
    "sort": sorted,
    "split": lambda separator, a: a.split(separator) if separator else list(a),
    "substr": _substr,
    "sum": lambda a: sum(_numeric(x) for x in a),
    "tobool": lambda a: None if a is None else _bool(a),
    "tolist": _concat,
    "tomap": lambda a: dict(a.items()),
    "tonumber": lambda a: None if a is None else _numeric(a),
    "toset": _set,
    "tostring": lambda a: None if a is None else _string(a),
    "trimprefix": str.removeprefix,
    "trimspace": str.strip,
    "trimsuffix": str.removesuffix,
    "upper": str.upper,
    "values": lambda a: [a[key] for key in sorted(a.keys())],
    "zipmap": lambda a, b: dict(zip(a, b, strict=True)),
}
"""By name. The bounds on their results are `apply`'s."""
