"""Module instances: which folder is called from where, under which address, with which `count` or `for_each` key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from keyrules.code.terraform.hcl.ast import Expr
from keyrules.code.terraform.module import Declaration, Module, ModuleReader
from keyrules.records import dataclass, field

Key: TypeAlias = int | str | None
"""The instance key of a block: a count index, a for_each key, or None where it has neither or an unknown one."""

MAX_MODULE_DEPTH = 32
"""Deeper nesting than this is a module that calls itself; Terraform refuses those."""


@dataclass(frozen=True, eq=False)
class Scope:
    """One instance of a module: the root, or one call of it by its parent.

    `memo` keeps what was worked out once. `open_inputs` says of a root that its inputs may have other values than their
    defaults.
    """

    module: Module
    reader: ModuleReader
    parent: Scope | None = None
    call: Declaration | None = None
    key: Key = None
    memo: dict[object, Any] = field(default_factory=dict, repr=False)
    open_inputs: bool = False

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


def format_key(key: Key) -> str:
    """`[0]`, `["a"]` or nothing."""
    if key is None:
        return ""
    return f"[{key}]" if isinstance(key, int) else f'["{key}"]'


def walk(scope: Scope) -> Iterator[Scope]:
    """A scope and every local module call below it; a call with `count` or `for_each` is one scope without a key."""
    yield scope
    for name in sorted(scope.module.calls):
        child = scope.child(name)
        if child is not None:
            yield from walk(child)
