"""Module instances: which folder is called from where, under which address, with which `count` or `for_each` key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from keyrules.code.terraform.hcl.ast import Expr
from keyrules.code.terraform.module import Declaration, Module, ModuleReader

Key: TypeAlias = int | str | None
"""The instance key of a block: a count index, a for_each key, or None where it has neither or an unknown one."""

MAX_MODULE_DEPTH = 32
"""Deeper nesting than this is a module that calls itself; Terraform refuses those."""

_STEP = re.compile(
    r"""(?P<name>[^.\[\]"]+)(?:\[(?:"(?P<text>(?:[^"\\]|\\.)*)"|(?P<number>\d+)|(?P<other>[^\]]*))\])?(?:\.|$)"""
)


@dataclass(frozen=True, eq=False)
class Scope:
    """One instance of a module: the root, or one call of it by its parent. `memo` keeps what was worked out once."""

    module: Module
    reader: ModuleReader
    parent: Scope | None = None
    call: Declaration | None = None
    key: Key = None
    memo: dict[object, Any] = field(default_factory=dict, repr=False)

    @property
    def depth(self) -> int:
        """0 for a root module."""
        return 0 if self.parent is None else self.parent.depth + 1

    @property
    def prefix(self) -> str:
        """The address of this instance with a final dot, empty for a root: `module.a["x"].module.b.`."""
        if self.parent is None or self.call is None:
            return ""
        return f"{self.parent.prefix}module.{self.call.name}{format_key(self.key)}."

    @property
    def root(self) -> Scope:
        """The root module instance above this one."""
        return self if self.parent is None else self.parent.root

    @property
    def folders(self) -> frozenset[str]:
        """The folders of this module and of those that lead to it."""
        return frozenset({self.module.path}) | (self.parent.folders if self.parent is not None else frozenset())

    def child(self, name: str, key: Key = None) -> Scope | None:
        """The instance that a call makes, or None when it is not declared, not on this machine, or nested without end.

        A module that calls itself, directly or not, is not followed: Terraform refuses it.
        """
        if ("module", name, key) not in self.memo:
            self.memo["module", name, key] = self._child(name, key)
        found: Scope | None = self.memo["module", name, key]
        return found

    def _child(self, name: str, key: Key) -> Scope | None:
        # A source is an expression, and expressions name modules: the two need each other.
        from keyrules.code.terraform.sources import module_source

        call = self.module.calls.get(name)
        folder = module_source(call, self).folder if call is not None else None
        if folder is None or self.depth >= MAX_MODULE_DEPTH or folder in self.folders:
            return None
        return Scope(self.reader.module(folder), self.reader, self, call, key)


@dataclass(frozen=True, eq=False)
class Frame:
    """Where an expression is evaluated: a module instance, the block's own key and value, and for-variables.

    `rounds` is how many times the loops around it evaluate it.
    """

    scope: Scope
    key: Key = None
    block: Declaration | None = None
    bindings: Mapping[str, tuple[Expr, Frame] | object] = field(default_factory=dict)
    rounds: int = 1


@dataclass(frozen=True)
class Address:
    """A parsed resource address: the module calls on the way, then type, name and instance key."""

    modules: tuple[tuple[str, Key], ...]
    type: str
    name: str
    key: Key


def format_key(key: Key) -> str:
    """`[0]`, `["a"]` or nothing."""
    if key is None:
        return ""
    return f"[{key}]" if isinstance(key, int) else f'["{key}"]'


def parse_address(text: str) -> Address | None:
    """Reads `module.a["x"].module.b.aws_iam_access_key.k[0]`; None when it is not a managed resource's address."""
    steps: list[tuple[str, Key]] = []
    position = 0
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            return None
        key: Key = None
        if match["number"] is not None:
            key = int(match["number"])
        elif match["text"] is not None:
            key = re.sub(r"\\(.)", r"\1", match["text"])
        elif match["other"]:
            key = match["other"]
        steps.append((match["name"], key))
        position = match.end()
    modules: list[tuple[str, Key]] = []
    while len(steps) >= 2 and steps[0] == ("module", None):
        modules.append(steps[1])
        steps = steps[2:]
    if len(steps) != 2:
        return None
    return Address(tuple(modules), steps[0][0], steps[1][0], steps[1][1])


def walk(scope: Scope) -> Iterator[Scope]:
    """A scope and every local module call below it; a call with `count` or `for_each` is one scope without a key."""
    yield scope
    for name in sorted(scope.module.calls):
        child = scope.child(name)
        if child is not None:
            yield from walk(child)
