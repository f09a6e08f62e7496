"""Compares what an expression is worth here with what Terraform says."""

from __future__ import annotations

from typing import Any, Literal

from terraform_oracle import Answer, Number

from keyrules.code.terraform.evaluate import worth
from keyrules.code.terraform.hcl.kinds import kind_of
from keyrules.code.terraform.hcl.numbers import Real, exact, number_text
from keyrules.code.terraform.hcl.syntax import parse_expression
from keyrules.code.terraform.hcl.values import UNKNOWN, Kind, Loose, Refused, SetValue, decided, is_null
from keyrules.code.terraform.scope import Frame, Scope


def compared(expression: str, answer: Answer, scope: Scope) -> tuple[Literal["same", "open", "different"], str]:
    """Whether an expression is worth here what Terraform says, type included, and what it is worth here."""
    try:
        value = worth(parse_expression(expression, 1), Frame(scope))
    except Refused:
        return ("open" if answer.unknown else "same" if answer.refused else "different"), "refused"
    if value is UNKNOWN or answer.unknown:
        return "open", ""
    shown = repr(value)
    if answer.refused:
        return ("different" if decided(value) else "open"), shown
    if not _agrees(value, answer.value):
        return "different", shown
    kind = kind_of(value)
    if not decided(value) or kind is None:
        return "open", shown
    same = _type(kind) == answer.kind or "dynamic" in repr(kind)
    return ("same" if same else "different"), f"{shown} of type {_type(kind)}"


def _agrees(value: Any, wanted: Any) -> bool:
    """Whether what is known of a value is what Terraform has there."""
    if value is UNKNOWN:
        return True
    if isinstance(value, Loose):
        value = value.value
        wanted = wanted.text if isinstance(value, str) and isinstance(wanted, Number) else wanted
        if isinstance(wanted, str) and not isinstance(value, str):
            return wanted == (str(value).lower() if isinstance(value, bool) else number_text(exact(value)))
    if is_null(value):
        return wanted is None
    if isinstance(value, dict):
        return (
            isinstance(wanted, dict)
            and value.keys() == wanted.keys()
            and all(_agrees(member, wanted[name]) for name, member in value.items())
        )
    if isinstance(value, SetValue) and any(isinstance(item, (list, dict)) for item in value):
        # Structures in a set have an order that only Terraform knows, and nothing may rest on it.
        return len(value) == len(wanted) and all(any(_agrees(item, other) for other in wanted) for item in value)
    if isinstance(value, list):
        return isinstance(wanted, list) and len(value) == len(wanted) and all(map(_agrees, value, wanted))
    if isinstance(value, (bool, str)):
        return type(value) is type(wanted) and bool(value == wanted)
    if not isinstance(wanted, Number):
        return False
    # A plan keeps what fits as a float, and with that its precision.
    is_float = isinstance(value, Real) and value.mantissa.bit_length() <= 53
    return number_text(exact(value)) == wanted.text or (is_float and float(value) == float(wanted.text))


def _type(kind: Kind) -> Any:
    """A type as Terraform writes it in JSON."""
    if not isinstance(kind, tuple):
        return kind
    if kind[0] == "tuple":
        return ["tuple", [_type(each) for each in kind[1]]]
    if kind[0] == "object":
        return ["object", {name: _type(each) for name, each in kind[1]}]
    return [kind[0], _type(kind[1])]
