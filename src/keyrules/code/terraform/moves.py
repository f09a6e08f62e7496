"""Where blocks stand now that a state has under an older address, by the `moved` blocks of the code.

https://developer.hashicorp.com/terraform/language/modules/develop/refactoring#moved-block-syntax
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from keyrules.code.addresses import without_keys
from keyrules.code.terraform.hcl.ast import Access, Attr, Expr, Index, Literal, Name
from keyrules.code.terraform.scope import Scope, format_key, walk

_CALL = re.compile(r'module\.[^.\[\]"]+(?:\[(?:"(?:[^"\\]|\\.)*"|[^\]]*)\])?\.')


class Move(NamedTuple):
    """A `moved` block: two addresses relative to each instance of the module at `prefix`, which has no keys."""

    prefix: str
    old: str
    new: str

    def of(self, address: str) -> str | None:
        """The address after the move, None where it is not about it."""
        start = 0
        for _ in range(self.prefix.count("module.")):
            call = _CALL.match(address, start)
            if call is None:
                return None
            start = call.end()
        head, rest = address[:start], address[start:]
        if without_keys(head) != self.prefix or not rest.startswith(self.old):
            return None
        behind = rest[len(self.old) :]
        # Without a key on either side, all instances are meant.
        all_of_it = behind.startswith("[") and not self.old.endswith("]") and not self.new.endswith("]")
        return f"{head}{self.new}{behind}" if not behind or behind.startswith(".") or all_of_it else None


def moves(root: Scope) -> Iterator[Move]:
    """Those of a root module and of every module below it."""
    for scope in walk(root):
        for declared in scope.module.moved:
            old, new = _address(declared.value("from")), _address(declared.value("to"))
            if old is not None and new is not None:
                yield Move(without_keys(scope.prefix), old, new)


def _address(expr: Expr | None) -> str | None:
    """An address as states write it."""
    if not isinstance(expr, Access) or not isinstance(expr.base, Name):
        return None
    text = expr.base.ident
    for step in expr.steps:
        if isinstance(step, Attr):
            text += f".{step.name}"
        elif isinstance(step, Index) and isinstance(step.key, Literal) and isinstance(step.key.value, int | str):
            text += format_key(step.key.value)
        else:
            return None
    return text


def followed(address: str, found: Iterable[Move]) -> str:
    """Where an address leads, one move after the other, none of them twice, and those first that say most of it."""
    left = sorted(found, key=lambda move: -len(move.old))
    while True:
        taken = next(((move, after) for move in left if (after := move.of(address)) is not None), None)
        if taken is None:
            return address
        left.remove(taken[0])
        address = taken[1]
