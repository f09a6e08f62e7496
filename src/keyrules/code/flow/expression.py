"""Which secrets an expression carries, given what its references carry."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from keyrules.code.flow.functions import call
from keyrules.code.flow.place import Place, follow, member_name
from keyrules.code.flow.value import CLEAN, Value, container, members, names, part, text, union
from keyrules.code.flow.work import Work
from keyrules.code.terraform.evaluate import UNKNOWN, truth
from keyrules.code.terraform.hcl.ast import (
    Access,
    Call,
    Conditional,
    Expr,
    ForExpr,
    ListExpr,
    Name,
    ObjectExpr,
    Step,
    Template,
)
from keyrules.code.terraform.hcl.values import Partial

MAX_ITEMS = 64
"""Collections and instances up to this number are followed one by one, more of them all alike."""


class Expressions:
    """Follows expressions; `reference` says what a root name with its steps carries at a place.

    Numbers, tests and comparisons carry nothing: nobody gets a secret back from them.
    """

    def __init__(self, work: Work, reference: Callable[[str, tuple[Step, ...], Place], Value]) -> None:
        self._work = work
        self._reference = reference

    def flow(self, expr: Expr | None, place: Place) -> Value:
        """What an expression carries. Raises FlowError."""
        handler = _HANDLERS.get(type(expr))
        if handler is None:
            return CLEAN
        with self._work.level():
            return handler(self, expr, place)

    def _name(self, expr: Name, place: Place) -> Value:
        return place.bound.get(expr.ident, CLEAN)

    def _access(self, expr: Access, place: Place) -> Value:
        if isinstance(expr.base, Name) and expr.base.ident not in place.bound:
            return self._reference(expr.base.ident, expr.steps, place)
        return follow(self.flow(expr.base, place), expr.steps, place)

    def _template(self, expr: Template, place: Place) -> Value:
        values = [self.flow(piece, place) for piece in expr.parts]
        return values[0] if len(values) == 1 else text(*values)

    def _conditional(self, expr: Conditional, place: Place) -> Value:
        """Either branch, unless the code alone decides the test."""
        test = truth(place.known(expr.test))
        if test is not None:
            return self.flow(expr.then if test else expr.otherwise, place)
        return union([self.flow(expr.then, place), self.flow(expr.otherwise, place)])

    def _list(self, expr: ListExpr, place: Place) -> Value:
        return container("list", {str(index): self.flow(item, place) for index, item in enumerate(expr.items)})

    def _object(self, expr: ObjectExpr, place: Place) -> Value:
        parts: dict[str, Value] = {}
        rest: list[Value] = []
        for key, item in expr.items:
            value, name = self.flow(item, place), member_name(place.known(key))
            if name is None:
                rest.append(value)
            else:
                parts[name] = value
        return container("object", parts, union(rest), text(*[self.flow(key, place) for key, _ in expr.items]))

    def _for(self, expr: ForExpr, place: Place) -> Value:
        inner = list(self._items(expr, self.flow(expr.collection, place), place.known(expr.collection), place))
        if expr.key is None:
            return container("list", {}, union([self.flow(expr.value, one) for one in inner]))
        found: list[Value] = []
        for one in inner:
            value, name = self.flow(expr.value, one), member_name(one.known(expr.key))
            value = container("list", {}, value) if expr.group else value
            parts, rest = ({}, value) if name is None else ({name: value}, CLEAN)
            found.append(container("object", parts, rest, self.flow(expr.key, one)))
        # Several items make one group, and any one of those whose condition is open may be the one that is kept.
        return union(found)

    def _items(self, expr: ForExpr, items: Value, known: Any, place: Place) -> Iterator[Place]:
        """The place inside a `for` for each item; for a collection that is not known, for each kind of item."""
        named: list[tuple[Any, Any, Value]]
        if isinstance(known, list) and len(known) <= MAX_ITEMS:
            named = [(index, item, part(items, str(index))) for index, item in enumerate(known)]
        elif isinstance(known, dict) and not isinstance(known, Partial) and len(known) <= MAX_ITEMS:
            named = [(key, item, part(items, str(key))) for key, item in known.items()]
        else:
            unnamed = [items] if items.kind == "text" else [items.rest or CLEAN, CLEAN]
            named = [(name, UNKNOWN, found) for name, found in items.parts.items()]
            named += [(UNKNOWN, UNKNOWN, found) for found in unnamed]
        for key, item, carried in named:
            values, carries = {expr.value_name: item}, {expr.value_name: carried}
            if expr.key_name is not None:
                values[expr.key_name] = key
                carries[expr.key_name] = names(items) if key is UNKNOWN else CLEAN
            one = place.binding(carries, values)
            if expr.condition is None or truth(one.known(expr.condition)) is not False:
                yield one

    def _call(self, expr: Call, place: Place) -> Value:
        values = [self.flow(argument, place) for argument in expr.args]
        if not any(value.secrets for value in values):
            return CLEAN
        alone = len(values)
        if expr.expand:
            alone -= 1
            values[alone] = members(values[alone])
        return call(
            expr.name.removeprefix("core::"),
            values,
            lambda position: place.known(expr.args[position]) if position < alone else UNKNOWN,
        )


_HANDLERS: Mapping[type, Callable[[Expressions, Any, Place], Value]] = {
    Access: Expressions._access,
    Call: Expressions._call,
    Conditional: Expressions._conditional,
    ForExpr: Expressions._for,
    ListExpr: Expressions._list,
    Name: Expressions._name,
    ObjectExpr: Expressions._object,
    Template: Expressions._template,
}
