"""Numbers as Terraform computes them: Go's big.Float, binary with up to 512 bits of mantissa.

After go-cty (cty/value_ops.go, cty/convert/conversion_primitive.go) and Go's math/big (ftoa.go for the shortest text,
which go-cty also compares by: `0.1 + 0.2 == 0.3` is true). A whole number is an int, any other is a Real. What comes
out of Go's own integers (`length()`, an index) has 64 bits instead, which its quotients inherit: it is a Narrow.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

PRECISION: Final = 512
"""The bits of a literal and of what is converted from text."""

INDEX_PRECISION: Final = 64
"""The bits of what Go counts."""

FLOAT_PRECISION: Final = 53
"""The bits of what Go computes as float64."""

MAX_NUMBER_LENGTH: Final = 300
"""Longer numbers mean nothing to any provider, and converting them takes more than linear time."""

_MAX_BITS = 4096
_DECIMAL = re.compile(r"(?P<sign>[+-]?)(?P<whole>\d*)(?:\.(?P<fraction>\d*))?(?:[eE](?P<exponent>[+-]?\d+))?", re.A)
_ODD = re.compile(r"[+-]?(?:[iI]nf|[0-9.]+[pP][+-]?[0-9]+)")


class NotComputed(Exception):
    """Terraform has a value here that is not worked out: too large, or not known to be the same in every version."""


class Real(float):
    """A number that is not whole: `mantissa * 2 ** exponent`, and as a Python float the nearest one."""

    __slots__ = ("exponent", "mantissa", "precision")
    mantissa: int
    exponent: int
    precision: int

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Real):
            return (self.mantissa, self.exponent) == (other.mantissa, other.exponent)
        return float.__eq__(self, other) if isinstance(other, (int, float)) else NotImplemented

    __hash__ = float.__hash__


class Narrow(int):
    """A whole number of fewer than 512 bits of precision."""

    precision: int


Number: TypeAlias = int | Real


def _negative_zero() -> Real:
    found = Real(-0.0)
    found.mantissa, found.exponent, found.precision = 0, 0, PRECISION
    return found


NEGATIVE_ZERO: Final = _negative_zero()
"""Go's floats have one, and Terraform shows it: `tostring(-0)` is "-0"."""


def as_integer(value: Number) -> int | None:
    """A whole number as a Python int, None for any other."""
    return int(value) if isinstance(value, int) else None if value.mantissa else 0


def narrow(value: int, precision: int = INDEX_PRECISION) -> int:
    """A whole number with the precision of Go's own integers, or of its floats."""
    found = Narrow(value)
    found.precision = precision
    return found


def parse_number(text: str) -> Number:
    """The number that a decimal text is. Raises ValueError for any other text, NotComputed where a number is too large
    or written as only Go would.
    """
    found = _DECIMAL.fullmatch(text)
    if found is None or not (found["whole"] or found["fraction"]):
        if _ODD.fullmatch(text):
            raise NotComputed
        raise ValueError("not a decimal number")
    if len(text) > MAX_NUMBER_LENGTH:
        raise NotComputed
    digits = int((found["whole"] or "") + (found["fraction"] or ""))
    exponent = int(found["exponent"] or 0) - len(found["fraction"] or "")
    if found["sign"] == "-":
        if not digits:
            return NEGATIVE_ZERO
        digits = -digits
    if exponent >= 0:
        if exponent > _MAX_BITS // 3:
            raise NotComputed
        return _rounded(digits * 10**exponent, 0, PRECISION)
    if exponent < -_MAX_BITS // 3:
        raise NotComputed
    return _quotient(digits, 0, 10**-exponent, 0, PRECISION)


def exact(value: float) -> Number:
    """A Python number as one of ours; a float by its shortest decimal text, which is what a person wrote."""
    if isinstance(value, (Real, int)):
        return value
    return parse_number(repr(float(value)))


def precision_of(value: Number) -> int:
    """How many bits a value has, which its results inherit."""
    return value.precision if isinstance(value, (Real, Narrow)) else PRECISION


def add(left: Number, right: Number) -> Number:
    """`left + right`."""
    precision = max(precision_of(left), precision_of(right))
    both = left is NEGATIVE_ZERO and right is NEGATIVE_ZERO
    return _signed(_rounded(*_sum(_parts(left), _parts(right)), precision), both)


def subtract(left: Number, right: Number) -> Number:
    """`left - right`."""
    precision = max(precision_of(left), precision_of(right))
    negative = left is NEGATIVE_ZERO and right is not NEGATIVE_ZERO
    return _signed(_rounded(*_difference(left, right), precision), negative)


def multiply(left: Number, right: Number) -> Number:
    """`left * right`; the product has as many bits as it needs, up to 512."""
    (a, x), (b, y) = _parts(left), _parts(right)
    mantissa, exponent = _round(a * b, x + y, PRECISION)
    precision = max(precision_of(left), precision_of(right), _odd_bits(mantissa))
    return _signed(_made(mantissa, exponent, precision), _is_negative(left) is not _is_negative(right))


def divide(left: Number, right: Number) -> Number:
    """`left / right`. Raises ZeroDivisionError."""
    if right == 0:
        raise ZeroDivisionError
    (a, x), (b, y) = _parts(left), _parts(right)
    quotient = _quotient(a, x, b, y, max(precision_of(left), precision_of(right)))
    return _signed(quotient, _is_negative(left) is not _is_negative(right))


def modulo(left: Number, right: Number) -> Number:
    """`left % right`, with the sign of `left`; by zero it is `left`."""
    if right == 0:
        return left
    precision = precision_of(left)
    whole = _round(truncate(divide(left, right)), 0, precision)
    (b, y), (m, e) = _parts(right), whole
    m, e = _round(m * b, e + y, precision)
    return _signed(_rounded(*_sum(_parts(left), (-m, e)), precision), left is NEGATIVE_ZERO and right > 0)


def negate(value: Number) -> Number:
    """`-value`."""
    mantissa, exponent = _parts(value)
    if not mantissa:
        return 0 if value is NEGATIVE_ZERO else NEGATIVE_ZERO
    return _made(-mantissa, exponent, precision_of(value))


def _signed(result: Number, negative: bool) -> Number:
    """A result, whose zero has a sign of its own."""
    return NEGATIVE_ZERO if negative and not result else result


def _is_negative(value: Number) -> bool:
    return value is NEGATIVE_ZERO or value < 0


def compare(left: Number, right: Number) -> int:
    """-1, 0 or 1 by the exact values, as `<` and `>` do it."""
    difference, _ = _difference(left, right)
    return (difference > 0) - (difference < 0)


def truncate(value: Number) -> int:
    """The whole part, towards zero."""
    mantissa, exponent = _parts(value)
    if exponent >= 0:
        return mantissa << exponent
    return -(-mantissa >> -exponent) if mantissa < 0 else mantissa >> -exponent


def rounded_down(value: Number) -> Number:
    """`floor(value)`."""
    mantissa, exponent = _parts(value)
    return (value or 0) if exponent >= 0 else _rounded(mantissa >> -exponent, 0, precision_of(value))


def rounded_up(value: Number) -> Number:
    """`ceil(value)`."""
    mantissa, exponent = _parts(value)
    return (value or 0) if exponent >= 0 else _rounded(-(-mantissa >> -exponent), 0, precision_of(value))


def number_text(value: Number) -> str:
    """The shortest decimal text that is this number at its precision, without an exponent."""
    precision = precision_of(value)
    if isinstance(value, int) and value.bit_length() <= precision:
        return int.__repr__(value)
    mantissa, exponent = _parts(value)
    if not mantissa:
        return "-0"
    digits, point = _shortest(abs(mantissa), exponent, precision)
    sign = "-" if mantissa < 0 else ""
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    if point >= len(digits):
        return f"{sign}{digits}{'0' * (point - len(digits))}"
    return f"{sign}{digits[:point]}.{digits[point:]}"


def same_number(left: Number, right: Number) -> bool:
    """Whether `==` takes two numbers for the same: by their text."""
    if isinstance(left, int) and isinstance(right, int) and max(abs(left), abs(right)) < 1 << FLOAT_PRECISION:
        return left == right
    if not left or not right:
        return not left and not right
    return number_text(left) == number_text(right)


def _parts(value: Number) -> tuple[int, int]:
    return (value.mantissa, value.exponent) if isinstance(value, Real) else (int(value), 0)


def _sum(left: tuple[int, int], right: tuple[int, int]) -> tuple[int, int]:
    exponent = min(left[1], right[1])
    return (left[0] << left[1] - exponent) + (right[0] << right[1] - exponent), exponent


def _difference(left: Number, right: Number) -> tuple[int, int]:
    mantissa, exponent = _parts(right)
    return _sum(_parts(left), (-mantissa, exponent))


def _quotient(a: int, x: int, b: int, y: int, precision: int) -> Number:
    shift = max(0, precision + 2 + b.bit_length() - a.bit_length())
    quotient, rest = divmod(abs(a) << shift, abs(b))
    # One more bit says that something is left, so that halves are told from what only looks like one.
    quotient = quotient << 1 | (rest != 0)
    return _rounded(-quotient if (a < 0) is not (b < 0) else quotient, x - y - shift - 1, precision)


def _round(mantissa: int, exponent: int, precision: int) -> tuple[int, int]:
    """To `precision` bits, halves to even."""
    excess = mantissa.bit_length() - precision
    if excess <= 0:
        return mantissa, exponent
    kept, rest, half = abs(mantissa) >> excess, abs(mantissa) & ((1 << excess) - 1), 1 << excess - 1
    kept += rest > half or (rest == half and kept & 1)
    return -kept if mantissa < 0 else kept, exponent + excess


def _rounded(mantissa: int, exponent: int, precision: int) -> Number:
    return _made(*_round(mantissa, exponent, precision), precision)


def _odd_bits(mantissa: int) -> int:
    mantissa = abs(mantissa)
    return (mantissa // (mantissa & -mantissa)).bit_length() if mantissa else 0


def _made(mantissa: int, exponent: int, precision: int) -> Number:
    if mantissa == 0:
        return 0 if precision == PRECISION else narrow(0, precision)
    zeros = (mantissa & -mantissa).bit_length() - 1
    mantissa, exponent = mantissa >> zeros, exponent + zeros
    if abs(exponent) > _MAX_BITS:
        raise NotComputed
    if exponent >= 0:
        whole = mantissa << exponent
        return whole if precision == PRECISION else narrow(whole, precision)
    found = Real(mantissa / (1 << -exponent))
    found.mantissa, found.exponent, found.precision = mantissa, exponent, precision
    return found


def _digits(mantissa: int, exponent: int) -> tuple[str, int]:
    """The digits without zeros around them, and where the decimal point stands in them."""
    shown = str(mantissa << exponent if exponent >= 0 else mantissa * 5**-exponent)
    return shown.rstrip("0"), len(shown) + min(exponent, 0)


def _shortest(mantissa: int, exponent: int, precision: int) -> tuple[str, int]:
    """As roundShortest in Go's math/big/ftoa.go: the fewest digits within half a unit of the last bit."""
    digits, point = _digits(mantissa, exponent)
    shift = precision + 1 - mantissa.bit_length()
    mantissa = mantissa << shift if shift >= 0 else mantissa >> -shift
    lower, _ = _digits(mantissa - 1, exponent - shift)
    upper, _ = _digits(mantissa + 1, exponent - shift)
    inclusive = mantissa & 2 == 0
    for place, digit in enumerate(digits):
        low = lower[place] if place < len(lower) else "0"
        high = upper[place] if place < len(upper) else "0"
        down = low != digit or (inclusive and place + 1 == len(lower))
        up = digit != high and (inclusive or int(digit) + 1 < int(high) or place + 1 < len(upper))
        if not (down or up):
            continue
        kept, rest = digits[: place + 1], digits[place + 1 :]
        if up and (not down or rest[:1] > "5" or (rest[:1] == "5" and (len(rest) > 1 or int(kept[-1]) % 2))):
            raised = str(int(kept) + 1)
            point += len(raised) - len(kept)
            kept = raised
        return kept.rstrip("0"), point
    return digits, point
