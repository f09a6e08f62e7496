"""Finds a function by its name and applies it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from keyrules.code.terraform.functions.numeric import FUNCTIONS as _NUMERIC
from keyrules.code.terraform.functions.sequences import FUNCTIONS as _COLLECTIONS
from keyrules.code.terraform.functions.signature import Function, bounded
from keyrules.code.terraform.functions.text import FUNCTIONS as _TEXT
from keyrules.code.terraform.hcl.numbers import NotComputed
from keyrules.code.terraform.hcl.values import UNKNOWN, decided

_EVERYDAY: Mapping[str, Function] = {**_COLLECTIONS, **_NUMERIC, **_TEXT}
_RARE = ("formatting", "regex", "encoding", "documents", "times", "network", "paths")


def find(name: str) -> Function | None:
    """The function of a name, `core::` before it or not; None for one that is not pure, not known, or a provider's."""
    name = name.removeprefix("core::")
    return _EVERYDAY.get(name) or _rare().get(name)


@cache
def _rare() -> Mapping[str, Function]:
    """What most configurations never call is imported when it is called."""
    package = __package__ or ""
    return {name: found for module in _RARE for name, found in import_module(f"{package}.{module}").FUNCTIONS.items()}


def everything() -> Mapping[str, Function]:
    """Every function that is worked out on values, by name."""
    return {**_EVERYDAY, **_rare()}


def apply(name: str, values: list[Any]) -> Any:
    """The result of a call, UNKNOWN where it is open. Raises Refused where Terraform refuses the call."""
    found = find(name)
    if found is None:
        return UNKNOWN
    arguments = found.arguments(values)
    if arguments is None or not (found.tolerant or all(map(decided, arguments))):
        return UNKNOWN
    try:
        return bounded(found.work(*arguments))
    except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError, NotComputed):
        return UNKNOWN
