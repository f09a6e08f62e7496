"""Whether blocks of a template can exist in the same stack, given the conditions they are created under."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from keyrules.code.cloudformation.document import Listing, Node, Scalar, Table
from keyrules.code.cloudformation.intrinsics import Reader, call, reference
from keyrules.code.cloudformation.template import Block, Template

_MAX_CASES = 4096
_MAX_STEPS = 500_000
_MAX_DEPTH = 60
_OTHER = "\0other\0"


class _TooComplexError(Exception):
    """The conditions cannot be decided within the bounds of this module."""


class Conditions:
    """The conditions of one template, decided by trying every combination of the values that they tell apart."""

    def __init__(self, template: Template) -> None:
        self._template = template
        self._left = _MAX_STEPS
        self._known: dict[frozenset[str], bool] = {}

    def can_coexist(self, *blocks: Block) -> bool:
        """Whether some parameter values create all the blocks at once; True as well when that cannot be decided.

        With one block: whether it can be created at all.
        """
        names = frozenset(name for block in blocks for name in block.conditions)
        if names and names not in self._known:
            cases = _Cases(self._template, self._left)
            try:
                self._known[names] = cases.possible(sorted(names))
            except _TooComplexError:
                self._known[names] = True
            self._left = cases.left
        return not names or self._known[names]


class _Cases:
    """One question about a set of conditions, answered within `left` steps."""

    def __init__(self, template: Template, left: int) -> None:
        self._template = template
        self._reader = Reader(template, defaults=False)
        self._values: dict[str, set[str]] = {}
        self._allowed: dict[str, set[str]] = {}
        self.left = left

    def possible(self, names: list[str]) -> bool:
        for name in names:
            self._collect(name)
        unknowns = sorted(self._values)
        domains = [sorted(self._domain(unknown)) for unknown in unknowns]
        cases = 1
        for domain in domains:
            cases *= len(domain)
            if cases > _MAX_CASES:
                raise _TooComplexError
        for case in itertools.product(*domains):
            values = dict(zip(unknowns, case, strict=True))
            if all(self._named(name, values, 0) for name in names):
                return True
        return False

    def _domain(self, unknown: str) -> set[str]:
        return self._allowed.get(unknown) or {*self._values[unknown], _OTHER}

    def _collect(self, name: str) -> None:
        """Gathers what is unknown in the conditions that `name` leads to, and the constants it is compared with."""
        todo: list[Node] = []
        seen: set[str] = set()
        names = [name]
        while names or todo:
            self._step()
            if names:
                current = names.pop()
                node = self._template.conditions.get(current)
                if current not in seen and node is not None:
                    todo.append(node)
                elif node is None:
                    self._values.setdefault(f"condition {current}", set()).update(("true", "false"))
                seen.add(current)
                continue
            found = call(todo.pop())
            if found is None:
                continue
            if found.name == "Condition" and isinstance(found.argument, Scalar):
                names.append(found.argument.text)
            elif found.name == "Fn::Equals":
                self._compared(found.argument)
            elif isinstance(found.argument, Listing):
                todo.extend(found.argument.items)

    def _compared(self, argument: Node) -> None:
        operands = argument.items if isinstance(argument, Listing) else ()
        texts = [self._reader.text(operand) for operand in operands]
        constants = {text for text in texts if not self._reader.unresolved(text)}
        unknowns = [(text, node) for text, node in zip(texts, operands, strict=True) if text not in constants]
        for text, node in unknowns:
            self._values.setdefault(text, set()).update(constants)
            if allowed := self._allowed_values(node):
                self._allowed[text] = allowed
        if len(unknowns) > 1:
            self._join([text for text, _ in unknowns])

    def _join(self, unknowns: Sequence[str]) -> None:
        """Makes unknowns that are compared share one set of values, constants that are found later among them."""
        merged = [self._values[text] for text in unknowns]
        shared = set().union(*merged, *(self._allowed.get(text, set()) for text in unknowns))
        shared |= {f"{_OTHER}{text}" for text in unknowns}
        self._values = {
            text: shared if any(values is each for each in merged) else values for text, values in self._values.items()
        }

    def _allowed_values(self, node: Node) -> set[str]:
        parameter = self._template.parameters.get(reference(node) or "")
        allowed = parameter.get("AllowedValues") if isinstance(parameter, Table) else None
        items = allowed.items if isinstance(allowed, Listing) else ()
        return {item.text for item in items if isinstance(item, Scalar)}

    def _named(self, name: str, values: Mapping[str, str], depth: int) -> bool:
        node = self._template.conditions.get(name)
        if node is None:
            return values.get(f"condition {name}") == "true"
        return self._holds(node, values, depth + 1)

    def _holds(self, node: Node, values: Mapping[str, str], depth: int) -> bool:
        self._step()
        found = call(node)
        if found is None or depth > _MAX_DEPTH:
            raise _TooComplexError
        items = found.argument.items if isinstance(found.argument, Listing) else (found.argument,)
        if found.name == "Condition" and isinstance(found.argument, Scalar):
            return self._named(found.argument.text, values, depth)
        if found.name == "Fn::Not" and len(items) == 1:
            return not self._holds(items[0], values, depth + 1)
        if found.name == "Fn::And":
            return all(self._holds(item, values, depth + 1) for item in items)
        if found.name == "Fn::Or":
            return any(self._holds(item, values, depth + 1) for item in items)
        if found.name == "Fn::Equals" and len(items) == 2:
            left, right = [self._reader.text(item) for item in items]
            return values.get(left, left) == values.get(right, right)
        raise _TooComplexError

    def _step(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise _TooComplexError
