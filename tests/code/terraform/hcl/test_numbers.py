"""Numbers are Go's big.Float: 512 bits, the shortest text, and equality by that text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyrules.code.terraform.hcl.numbers import (
    NEGATIVE_ZERO,
    NotComputed,
    add,
    compare,
    divide,
    modulo,
    multiply,
    narrow,
    negate,
    number_text,
    parse_number,
    rounded_down,
    rounded_up,
    same_number,
    subtract,
)


def test_tenths_are_equal_by_their_text() -> None:
    total = add(parse_number("0.1"), parse_number("0.2"))
    assert same_number(total, parse_number("0.3"))
    assert number_text(total) == "0.3"
    assert compare(total, parse_number("0.4")) < 0 < compare(total, parse_number("0.2"))


def test_a_third_has_as_many_digits_as_512_bits_and_less_of_what_go_counts() -> None:
    assert number_text(divide(1, 3)) == "0." + "3" * 154 + "5"
    assert number_text(divide(narrow(1), narrow(3))) == "0.33333333333333333334"
    assert not same_number(divide(narrow(1), narrow(3)), divide(1, 3))
    assert same_number(multiply(divide(1, 3), 3), 1)


def test_remainders_have_the_sign_of_the_dividend_and_zero_divides_nothing() -> None:
    assert [modulo(-7, 3), modulo(7, -3), modulo(5, 0)] == [-1, 1, 5]
    with pytest.raises(ZeroDivisionError):
        divide(1, 0)


def test_there_is_a_negative_zero() -> None:
    assert number_text(negate(0)) == "-0"
    assert negate(0) is NEGATIVE_ZERO
    assert same_number(NEGATIVE_ZERO, 0)
    assert number_text(negate(negate(0))) == "0"
    signs = [add(0, NEGATIVE_ZERO), add(NEGATIVE_ZERO, NEGATIVE_ZERO), multiply(0, -1), multiply(NEGATIVE_ZERO, -1)]
    assert [number_text(value) for value in signs] == ["0", "-0", "-0", "0"]
    assert parse_number("-0") is NEGATIVE_ZERO


@pytest.mark.parametrize(("text", "down", "up"), [("1.5", 1, 2), ("-1.5", -2, -1), ("2", 2, 2), ("-0.5", -1, 0)])
def test_rounding(text: str, down: int, up: int) -> None:
    assert (rounded_down(parse_number(text)), rounded_up(parse_number(text))) == (down, up)


@pytest.mark.parametrize("text", ["", "x", "1_0", "0x1", " 1", "1e", ".", "--1"])
def test_what_is_no_decimal_number(text: str) -> None:
    with pytest.raises(ValueError):
        parse_number(text)


@pytest.mark.parametrize("text", ["1e9999", "1e-9999", "inf", "1p3", "9" * 301])
def test_what_is_too_large_or_only_go_reads_is_not_computed(text: str) -> None:
    with pytest.raises(NotComputed):
        parse_number(text)


WHOLE = st.integers(-(10**40), 10**40)


@given(WHOLE, WHOLE)
def test_whole_numbers_are_exact(left: int, right: int) -> None:
    assert [add(left, right), subtract(left, right), multiply(left, right)] == [
        left + right,
        left - right,
        left * right,
    ]
    assert number_text(left) == str(left)


@given(st.decimals(-1000000, 1000000, allow_nan=False, places=6))
def test_a_written_number_keeps_its_text(value: object) -> None:
    text = str(value).rstrip("0").rstrip(".")
    assert number_text(parse_number(str(value))) == (text if text != "-0" else "-0")
