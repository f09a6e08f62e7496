"""Version numbers and constraints as Terraform compares them.

https://developer.hashicorp.com/terraform/language/expressions/version-constraints
"""

from __future__ import annotations

import re
from typing import NamedTuple

_VERSION = re.compile(r"v?(\d+(?:\.\d+)*)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")
_CONSTRAINT = re.compile(r"\s*(=|!=|>=|<=|>|<|~>|)\s*(\S+)\s*")


class Version(NamedTuple):
    """`numbers` has at least three; a version before a release sorts below it."""

    numbers: tuple[int, ...]
    release: bool = True
    label: str = ""


def version(text: str) -> Version | None:
    """A version number such as `5.1.0`, `v5` or `1.0.0-rc1`; None for anything else, such as a branch."""
    found = _VERSION.fullmatch(text.strip())
    if found is None or len(text) > 64:
        return None
    numbers = [int(number) for number in found[1].split(".")]
    return Version((*numbers, *[0] * (3 - len(numbers))), found[2] is None, found[2] or "")


def satisfies(text: str, constraint: str) -> bool | None:
    """Whether a version meets every part of a constraint; None when one of the two is no such thing."""
    given = version(text)
    parts = [_part(part) for part in constraint.split(",")]
    if given is None or None in parts:
        return None
    return all(_meets(given, *part) for part in parts if part is not None)


def overlap(first: str, second: str) -> bool | None:
    """Whether some version meets both constraints; None when one of them is none.

    Ranges begin and end at the versions that are written, so it is enough to try those and what is just beside them.
    """
    parts = [_part(part) for part in f"{first},{second}".split(",")]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    edges = {wanted for _, wanted, _ in known} | {_next(wanted, written) for _, wanted, written in known}
    tried = edges | {_after(edge) for edge in edges} | {Version((0, 0, 0))}
    return any(all(_meets(given, *part) for part in known) for given in tried)


def is_constraint(text: str) -> bool:
    """Whether a text is a version constraint or none at all, unlike a branch or a commit."""
    return not text or all(_part(part) for part in text.split(","))


def is_open_above(constraint: str) -> bool:
    """Whether a constraint, or none at all, holds for versions to come."""
    parts = [_part(part) for part in constraint.split(",")] if constraint else []
    return all(part is not None and part[0] in (">", ">=", "!=") for part in parts)


def _after(edge: Version) -> Version:
    """The next release in the numbers that are written most often."""
    return Version((*edge.numbers[:-1], edge.numbers[-1] + 1))


def _part(text: str) -> tuple[str, Version, int] | None:
    """Operator, version, and how many numbers were written."""
    found = _CONSTRAINT.fullmatch(text)
    wanted = version(found[2]) if found else None
    if found is None or wanted is None:
        return None
    return found[1] or "=", wanted, found[2].partition("-")[0].count(".") + 1


def _meets(given: Version, operator: str, wanted: Version, written: int) -> bool:
    match operator:
        case "=":
            return given == wanted
        case "!=":
            return given != wanted
        case ">":
            return given > wanted
        case ">=":
            return given >= wanted
        case "<":
            return given < wanted
        case "<=":
            return given <= wanted
    return wanted <= given < _next(wanted, written)


def _next(wanted: Version, written: int) -> Version:
    """The first version that `~>` does not allow: all numbers but the last one that is written stay as they are."""
    kept = list(wanted.numbers[: max(written - 1, 1)])
    kept[-1] += 1
    return Version((*kept, *[0] * (len(wanted.numbers) - len(kept))))
