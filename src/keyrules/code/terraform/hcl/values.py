"""The values of Terraform's language as Python values.

A number is an int or a Real, null is None (or a Null that knows its type), a tuple is a plain list and an object a
plain dict; lists, sets and maps are subclasses of those that know the type of their members.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from keyrules.code.terraform.hcl.numbers import (
    NotComputed,
    Number,
    compare,
    exact,
    number_text,
    parse_number,
    same_number,
)


class _Unknown:
    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = _Unknown()
"""Not decided by the code: a variable without a value, a computed attribute, a function not known here."""

MAX_TEXT = 16_384
MAX_FILE = 1 << 20
MAX_ITEMS = 1024
MAX_PARTS = 8192
"""Text that is put together, a file's text, a collection, and all the parts of a value: what is larger is UNKNOWN, so
that an expression cannot be made to exhaust memory."""


class Refused(Exception):
    """Terraform surely refuses this expression: `try()` takes the next one, anything else cannot be applied."""


Kind: TypeAlias = "str | tuple[Any, ...] | None"
"""A type: "string", "number", "bool", "dynamic", ("list" | "set" | "map", Kind), ("tuple", (Kind, …)) or
("object", ((name, Kind), …)) in the order of the names. None is a type that is not known."""


class Null:
    """A null that has a type; it equals None."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind

    def __eq__(self, other: object) -> bool:
        return other is None or isinstance(other, Null)

    def __hash__(self) -> int:
        return hash(None)

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return f"Null({self.kind})"


class Loose:
    """A scalar of which only an open branch of a conditional says whether it is one, or its text."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return f"Loose({self.value!r})"


class Partial(dict[str, Any]):
    """A block as an object: it holds the arguments that are declared, and any other attribute of it is UNKNOWN."""


class ListValue(list[Any]):
    """A list; `kind` is the type of its members."""

    def __init__(self, items: Iterable[Any], kind: Kind) -> None:
        super().__init__(items)
        self.kind = kind


class SetValue(list[Any]):
    """A set, without duplicates and in the order in which Terraform goes over it."""

    def __init__(self, items: Iterable[Any], kind: Kind) -> None:
        super().__init__(items)
        self.kind = kind


class MapValue(dict[str, Any]):
    """A map; `kind` is the type of its members."""

    def __init__(self, items: Mapping[str, Any], kind: Kind) -> None:
        super().__init__(items)
        self.kind = kind


def plain(value: Any) -> Any:
    """A value for those who do not ask for its type: null is None, a Loose is what it holds."""
    if isinstance(value, Null):
        return None
    return value.value if isinstance(value, Loose) else value


def is_null(value: Any) -> bool:
    """Whether a value is null, of whatever type."""
    return value is None or isinstance(value, Null)


def ordered(items: Mapping[str, Any]) -> dict[str, Any]:
    """Members in the order of their names, as Terraform goes over objects and maps."""
    names = list(items)
    ascending = sorted(names)
    return dict(items) if names == ascending else {name: items[name] for name in ascending}


def to_number(value: Any) -> Number | None:
    """A value as an exact number the way Terraform converts it (a numeric string counts), else None.

    Raises NotComputed for a string that only Go reads as a number.
    """
    value = value.value if isinstance(value, Loose) else value
    if isinstance(value, str):
        try:
            return parse_number(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return exact(value)


def number(value: Any) -> float | None:
    """A value as a number for arithmetic on periods and counts, else None. A Real comes as the nearest float."""
    try:
        found = to_number(value)
        return None if found is None else float(found)
    except (NotComputed, OverflowError):
        return None


def truth(value: Any) -> bool | None:
    """A value as a bool the way Terraform converts it ("true" and "1" count), else None."""
    value = value.value if isinstance(value, Loose) else value
    if isinstance(value, bool):
        return value
    return {"true": True, "1": True, "false": False, "0": False}.get(value) if isinstance(value, str) else None


def text(value: Any) -> str | None:
    """A value as a string the way Terraform converts it, else None."""
    value = value.value if isinstance(value, Loose) else value
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, (int, float)):
        return None
    try:
        return number_text(exact(value))
    except NotComputed:
        return None


def decided(value: Any) -> bool:
    """Whether a value is known through and through; False also for one too large to look at."""
    if isinstance(value, (str, int, float)) or value is None:
        return True
    waiting, seen = [value], 0
    while waiting:
        part = waiting.pop()
        seen += 1
        if part is UNKNOWN or isinstance(part, (Partial, Loose)) or seen > MAX_PARTS:
            return False
        if isinstance(part, dict):
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
    return True


def before(left: Any, right: Any) -> bool:
    """The order of a set's members: numbers by value, strings by code point, false before true, null last."""
    if is_null(left) or is_null(right):
        return not is_null(left)
    if isinstance(left, (bool, str)):
        return bool(left < right)
    return compare(left, right) < 0


def same_scalar(left: Any, right: Any) -> bool:
    """Whether two scalars of one type are the same."""
    if is_null(left) or is_null(right):
        return is_null(left) and is_null(right)
    if isinstance(left, bool) or isinstance(right, bool) or isinstance(left, str) or isinstance(right, str):
        return type(left) is type(right) and left == right
    return same_number(exact(left), exact(right))
