"""The values of a rule's parameters: their bounds, how they are written and how they are read from `--set`."""

from __future__ import annotations

import re

from keyrules.model import Parameter, ParameterValue

LARGEST = 999_999_999
"""The largest number that a value may be, whatever the parameter."""

_NUMBER = re.compile(r"[0-9]{1,9}\Z")


def within_bounds(parameter: Parameter, value: ParameterValue) -> bool:
    """Whether a value is one that the parameter allows: the right shape, and in range or out of the allowed numbers."""
    if isinstance(parameter.default, tuple):
        if not isinstance(value, tuple):
            return False
        return bool(value) and len(set(value)) == len(value) and set(value) <= set(parameter.allowed)
    if not isinstance(value, int):
        return False
    return value >= parameter.minimum and (parameter.maximum is None or value <= parameter.maximum)


def bounds(parameter: Parameter) -> str:
    """What is allowed, in words: `1 or more days`, `0 to 365 days`, `one or more of 1,2`."""
    if isinstance(parameter.default, tuple):
        return f"one or more of {show_value(parameter.allowed)}"
    if parameter.maximum is None:
        return f"{parameter.minimum} or more {parameter.unit}"
    return f"{parameter.minimum} to {parameter.maximum} {parameter.unit}"


def allowed_value(parameter: Parameter) -> str:
    """What a value must be, in full: `a whole number of days from 1 to 999,999,999`, `one or more of 1,2`."""
    if isinstance(parameter.default, tuple):
        return bounds(parameter)
    maximum = LARGEST if parameter.maximum is None else parameter.maximum
    return f"a whole number of {parameter.unit} from {parameter.minimum:,} to {maximum:,}"


def show_value(value: ParameterValue) -> str:
    """A value as `--set` takes it: `90`, `1,2`."""
    return str(value) if isinstance(value, int) else ",".join(str(item) for item in value)


def parse_value(parameter: Parameter, text: str) -> ParameterValue | None:
    """The value that a text like `45` or `1,2` stands for; None when the parameter does not allow it."""
    items = [item.strip() for item in text.split(",")]
    if not all(_NUMBER.match(item) for item in items):
        return None
    numbers = tuple(int(item) for item in items)
    value: ParameterValue | None = numbers
    if not isinstance(parameter.default, tuple):
        value = numbers[0] if len(numbers) == 1 else None
    return value if value is not None and within_bounds(parameter, value) else None
