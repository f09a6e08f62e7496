"""What a function takes, how its arguments are converted for it, and how large its result may be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keyrules.code.terraform.hcl.kinds import convert
from keyrules.code.terraform.hcl.numbers import NotComputed, as_integer
from keyrules.code.terraform.hcl.values import MAX_FILE, MAX_ITEMS, MAX_TEXT, UNKNOWN, Kind, Loose, Refused, is_null
from keyrules.records import dataclass

_INTEGERS = 1 << 63
_KINDS: dict[str, Kind] = {
    "any": "dynamic",
    "string": "string",
    "number": "number",
    "bool": "bool",
    "list": ("list", "dynamic"),
    "set": ("set", "dynamic"),
    "strings": ("list", "string"),
    "bools": ("list", "bool"),
    "string lists": ("map", ("list", "string")),
}


@dataclass(frozen=True)
class Function:
    """`params` are words of _KINDS; "?" behind one allows null, "*" before the last one any number of them.

    `tolerant` functions take members that are UNKNOWN and know what that leaves open.
    """

    work: Callable[..., Any]
    params: tuple[str, ...]
    tolerant: bool = False

    def arguments(self, values: list[Any]) -> list[Any] | None:
        """The values converted to the parameters, None where one of them is open.

        Raises Refused where Terraform refuses one, NotComputed for a wrong number of them.
        """
        params = list(self.params)
        if params and params[-1].startswith("*"):
            rest = params.pop()[1:]
            params += [rest] * (len(values) - len(params))
        if len(params) != len(values):
            # Terraform refuses the whole configuration, whatever a try() around it says.
            raise NotComputed
        found = [_argument(value, param) for value, param in zip(values, params, strict=True)]
        return None if any(value is UNKNOWN for value in found) else found


def _argument(value: Any, param: str) -> Any:
    if is_null(value):
        if param.endswith("?"):
            return value
        raise Refused
    kind = _KINDS[param.removesuffix("?")]
    if kind == "dynamic":
        return UNKNOWN if isinstance(value, Loose) else value
    return convert(value, kind)


def function(work: Callable[..., Any], *params: str, tolerant: bool = False) -> Function:
    """Says what a function takes."""
    return Function(work, params, tolerant)


def whole(value: Any) -> int:
    """A number that has to be one of Go's whole numbers. Raises Refused."""
    found = as_integer(value)
    if found is None or not -_INTEGERS <= found < _INTEGERS:
        raise Refused
    return found


def bounded_text(pieces: list[str]) -> str:
    """Pieces put together. Raises NotComputed where that is too much."""
    if sum(map(len, pieces)) > MAX_TEXT:
        raise NotComputed
    return "".join(pieces)


def bounded(result: Any) -> Any:
    """A result, or UNKNOWN for one that is too large; text in the normal form that Terraform keeps it in."""
    if isinstance(result, str):
        if len(result) > MAX_FILE:
            return UNKNOWN
        return result if result.isascii() else normalized(result)
    if isinstance(result, (list, dict)):
        return result if len(result) <= MAX_ITEMS else UNKNOWN
    return result


def normalized(text: str) -> str:
    """Text in normalization form C, in which go-cty keeps every string."""
    import unicodedata

    return text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)
