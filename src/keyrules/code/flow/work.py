"""The order in which declarations are worked out, so that chains of any length need no deep recursion.

A chain of references that gets too long is put aside, its end is worked out first, and then it is taken up again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from keyrules.code.flow.value import CLEAN, Value

Node: TypeAlias = tuple[object, ...]
"""What identifies a declaration: its kind, its module instance, its name …"""

_MAX_WORK = 2_000_000
_MAX_CHAIN = 24
_MAX_NESTING = 100


class FlowError(Exception):
    """A flow that is not followed to its end; the message says why and quotes nothing."""


class WorkExhausted(FlowError):
    """The configuration as a whole takes too long to follow."""


class _Deferred(Exception):
    """Asks the driver to work out one declaration before the one that needs it."""

    def __init__(self, node: Node, work: Callable[[], Value]) -> None:
        super().__init__()
        self.node = node
        self.work = work


class Work:
    """Works each declaration out once and remembers it; bounded in depth and in all."""

    def __init__(self) -> None:
        self._values: dict[Node, Value] = {}
        self._open: set[Node] = set()
        self._running = False
        self._depth = 0
        self._spent = 0

    @contextmanager
    def level(self) -> Iterator[None]:
        """One expression inside another. Raises FlowError when they nest too deeply, WorkExhausted when too many."""
        self._spent += 1
        if self._spent > _MAX_WORK:
            raise WorkExhausted("there are too many references to follow")
        if self._depth > _MAX_NESTING:
            raise FlowError(f"an expression is nested deeper than {_MAX_NESTING} levels")
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    def once(self, node: Node, work: Callable[[], Value]) -> Value:
        """The value of a declaration; one that needs itself, which Terraform refuses, is clean."""
        if node in self._values:
            return self._values[node]
        if node in self._open:
            return CLEAN
        if self._depth > _MAX_CHAIN:
            raise _Deferred(node, work)
        self._open.add(node)
        try:
            value = work()
        finally:
            self._open.discard(node)
        self._values[node] = value
        return value

    def finish(self, work: Callable[[], Value]) -> Value:
        """Runs a piece of work to its end, whatever it needs first. Raises FlowError."""
        if self._running:
            return work()
        self._running = True
        waiting: list[tuple[Node, Callable[[], Value]]] = []
        try:
            while True:
                try:
                    value = waiting[-1][1]() if waiting else work()
                except _Deferred as needed:
                    self._open.add(needed.node)
                    waiting.append((needed.node, needed.work))
                    continue
                if not waiting:
                    return value
                node = waiting.pop()[0]
                self._open.discard(node)
                self._values[node] = value
        finally:
            self._running = False
            self._open.difference_update(node for node, _ in waiting)
