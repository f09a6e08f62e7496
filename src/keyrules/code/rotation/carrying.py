"""What an expression makes of the clocks that it names: kept, kept in part, hidden, or left out.

The measure is how Terraform 1.11 plans: an expired time_rotating is planned as a create, so its attributes and whatever
is computed from them are unknown, and an argument that may be unknown has changed. What is known without the clock has
not changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from keyrules.code.rotation.clock import Clock, Kind, blurred, doubtful, formatted, one_of, shortened, without_effect
from keyrules.code.terraform.evaluate import UNKNOWN, evaluate, truth
from keyrules.code.terraform.hcl.ast import (
    Access,
    Binary,
    Call,
    Conditional,
    Expr,
    ForExpr,
    Index,
    ListExpr,
    Literal,
    Name,
    ObjectExpr,
    Splat,
    Step,
    Template,
)
from keyrules.code.terraform.hcl.values import Partial, decided, number, text
from keyrules.code.terraform.hcl.walk import children
from keyrules.code.terraform.identity import bound, narrow, origin
from keyrules.code.terraform.scope import Frame

Clocks = tuple[Clock, ...]

_UNKNOWN_IN_PLANS = frozenset({"timestamp", "uuid", "bcrypt"})
"""Functions whose results a plan does not know (Terraform's lang/functions.go, impureFunctions)."""

_FAITHFUL = frozenset(
    {"base64encode", "base64gzip", "base64sha256", "base64sha512", "concat", "compact", "distinct", "flatten", "format"}
    | {"formatlist", "join", "jsonencode", "list", "md5", "nonsensitive", "one", "reverse", "sensitive", "setproduct"}
    | {"setunion", "sha1", "sha256", "sha512", "sort", "timeadd", "tolist", "tomap", "toset", "tostring", "transpose"}
    | {"trimspace", "urlencode", "uuidv5", "values", "yamlencode", "zipmap"}
)
"""Functions that give another result for another time."""

_UNKNOWN_THROUGH = frozenset(
    {
        "abs",
        "base64decode",
        "ceil",
        "chomp",
        "floor",
        "formatdate",
        "indent",
        "jsondecode",
        "lower",
        "parseint",
        "regex",
    }
    | {"regexall", "replace", "split", "strrev", "substr", "title", "tonumber", "trim", "trimprefix", "trimsuffix"}
    | {"upper", "urldecode", "yamldecode"}
)
"""Functions that may hide a change of a known time, but give an unknown result, parts included, for an unknown one."""

_ALIKE = frozenset({"nonsensitive", "sensitive", "tolist", "tomap"})
"""Functions whose result has the parts of their argument."""

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:$|[T ])")

MAX_STEPS = 4000
MAX_DEPTH = 100
"""Bounds on one trace."""


class ExpressionTracer:
    """Finds the clocks behind expressions; `truncated` is set when the bound on steps was reached."""

    def __init__(self) -> None:
        self._steps = 0
        self._depth = 0
        self.truncated = False

    def reference(self, root: str, steps: tuple[Step, ...], frame: Frame) -> Clocks:
        """The clocks behind what a traversal names. Subclasses follow it."""
        raise NotImplementedError

    def clocks(self, expr: Expr | None, frame: Frame, path: str, steps: tuple[Step, ...] = ()) -> Clocks:
        """Every clock that changes an expression's value, or the part of it that the steps lead to."""
        self._steps += 1
        self.truncated = self.truncated or self._steps > MAX_STEPS or self._depth > MAX_DEPTH
        if expr is None or self.truncated:
            return ()
        self._depth += 1
        try:
            expr, steps, frame = narrow(expr, steps, frame)
            found = self._clocks(expr, steps, frame, path)
            if all(clock.kind is Kind.CONSTANT for clock in found):
                return found
            value = evaluate(Access(expr, steps) if steps else expr, frame)
            return tuple(without_effect(c, plans_see_it=_seen(expr, value)) for c in found) if decided(value) else found
        finally:
            self._depth -= 1

    def _clocks(self, expr: Expr, steps: tuple[Step, ...], frame: Frame, path: str) -> Clocks:
        followed = bound(expr, frame)
        if followed is not None:
            return self.clocks(*followed, path, steps)
        match expr:
            case Literal(str(value)) if _DATE.match(value):
                return (Clock(Kind.CONSTANT, value[:10], path, 0, why="is a fixed date"),)
            case Access(Name(root), inner) if root not in frame.bindings:
                return (*self.reference(root, inner + steps, frame), *self._indexes(inner, frame, path))
            case Access(base, inner):
                return (*self.clocks(base, frame, path, inner + steps), *self._indexes(inner, frame, path))
            case Conditional(test, then, otherwise):
                return self._conditional(test, (then, otherwise), frame, path, steps)
            case Call():
                return self._call(expr, frame, path, steps)
            case ForExpr():
                return self._for(expr, frame, path, steps)
            case Binary(op, left, right):
                found = self._all((left, right), frame, path)
                return found if op in ("+", "-") else tuple(map(blurred if op in ("*", "/", "%") else doubtful, found))
            case Template(parts):
                return self._all(parts, frame, path)
        if steps and isinstance(expr, (ListExpr, ObjectExpr)):
            items = expr.items if isinstance(expr, ListExpr) else [value for _, value in expr.items]
            return _some([self.clocks(item, frame, path, steps[1:]) for item in items], steps)
        return self._all(children(expr), frame, path)

    def _all(self, parts: Iterable[Expr], frame: Frame, path: str) -> Clocks:
        return tuple(clock for part in parts for clock in self.clocks(part, frame, path))

    def _indexes(self, steps: tuple[Step, ...], frame: Frame, path: str) -> Clocks:
        keys = [step.key for step in steps if isinstance(step, Index) and evaluate(step.key, frame) is UNKNOWN]
        return tuple(map(doubtful, self._all(keys, frame, path)))

    def _conditional(
        self, test: Expr, branches: tuple[Expr, Expr], frame: Frame, path: str, steps: tuple[Step, ...]
    ) -> Clocks:
        outcome = truth(evaluate(test, frame))
        if outcome is not None:
            return self.clocks(branches[0] if outcome else branches[1], frame, path, steps)
        deciding = tuple(map(doubtful, self.clocks(test, frame, path)))
        return (*deciding, *one_of([self.clocks(branch, frame, path, steps) for branch in branches]))

    def _for(self, expr: ForExpr, frame: Frame, path: str, steps: tuple[Step, ...]) -> Clocks:
        """The clocks behind what each round gives; those that only the collection names are left out of the value."""
        collection, where = origin(expr.collection, frame)
        rounds: list[tuple[object, tuple[Expr, Frame]]]
        if isinstance(collection, ListExpr):
            rounds = [(index, (item, where)) for index, item in enumerate(collection.items)]
        elif isinstance(collection, ObjectExpr):
            rounds = [(evaluate(name, where), (item, where)) for name, item in collection.items]
        else:
            # A member that nobody knows: the index is no value that any collection has.
            rounds = [(UNKNOWN, (Access(expr.collection, (Index(Name("each")),)), frame))]
        results: list[Clocks] = []
        deciding: Clocks = ()
        for key, item in rounds:
            bindings = {**frame.bindings, expr.value_name: item, **({expr.key_name: key} if expr.key_name else {})}
            inner = Frame(frame.scope, frame.key, frame.block, bindings, frame.rounds * max(1, len(rounds)))
            results.append(self.clocks(expr.value, inner, path, steps[1:]))
            deciding += self.clocks(expr.key, inner, path)
            deciding += tuple(map(doubtful, self.clocks(expr.condition, inner, path)))
        found = (*deciding, *_some(results, steps))
        if found:
            return found
        named = self.clocks(expr.collection, frame, path)
        written = isinstance(collection, (ListExpr, ObjectExpr))
        return tuple(without_effect(clock, plans_see_it=True) if written else doubtful(clock) for clock in named)

    def _call(self, expr: Call, frame: Frame, path: str, steps: tuple[Step, ...]) -> Clocks:
        name, args = expr.name, expr.args
        if name in _UNKNOWN_IN_PLANS or name == "plantimestamp":
            return (Clock(Kind.PERIODIC, f"{name}()", path, 0, 0.0, exact=name == "plantimestamp"),)
        if expr.expand and name not in _FAITHFUL:
            return tuple(map(doubtful, self._all(args, frame, path)))
        match name, args:
            case (("try" | "coalesce" | "coalescelist"), _):
                return self._first(args, frame, path, steps)
            case "lookup", (table, key, *defaults):
                return self._lookup(table, key, defaults, frame, path, steps)
            case "element", (items, index):
                step = Index(_wrapped(items, index, frame))
                return (*self.clocks(items, frame, path, (step, *steps)), *self._indexes((step,), frame, path))
            case "merge", _:
                return self._merge(args, frame, path, steps)
            case "formatdate", (pattern, time):
                written = evaluate(pattern, frame)
                return tuple(formatted(clock, written) for clock in self.clocks(time, frame, path))
            case "substr", (whole, offset, length):
                cut = evaluate(offset, frame), evaluate(length, frame)
                shown = tuple(shortened(clock, *cut) for clock in self.clocks(whole, frame, path))
                return (*shown, *map(doubtful, self._all((offset, length), frame, path)))
            case "one", (only,):
                return self.clocks(only, frame, path, (Splat(), *steps) if steps else ())
            case _, (only,) if name in _ALIKE:
                return self.clocks(only, frame, path, steps)
        found = self._all(args, frame, path)
        if name in _UNKNOWN_THROUGH:
            return tuple(map(blurred, found))
        kept = name in _FAITHFUL and (not steps or isinstance(steps[0], Splat))
        return found if kept else tuple(map(doubtful, found))

    def _first(self, args: tuple[Expr, ...], frame: Frame, path: str, steps: tuple[Step, ...]) -> Clocks:
        """What is sure of the first argument that counts: an earlier one that is not decided may be it."""
        certain = True
        for arg in args:
            found = self.clocks(arg, frame, path, steps)
            if any(clock.kind is not Kind.CONSTANT for clock in found):
                return found if certain else tuple(map(doubtful, found))
            value = evaluate(arg, frame)
            if value is UNKNOWN:
                certain = False
            elif value not in (None, "", []):
                return found
        return ()

    def _lookup(
        self, table: Expr, key: Expr, defaults: list[Expr], frame: Frame, path: str, steps: tuple[Step, ...]
    ) -> Clocks:
        value, wanted = evaluate(table, frame), text(evaluate(key, frame))
        if isinstance(value, dict) and not isinstance(value, Partial) and wanted is not None:
            if wanted not in value:
                return self.clocks(defaults[0], frame, path, steps) if defaults else ()
            return self.clocks(table, frame, path, (Index(Literal(wanted)), *steps))
        choices = [self.clocks(table, frame, path, (Index(key), *steps))]
        choices += [self.clocks(default, frame, path, steps) for default in defaults]
        return (*one_of(choices), *self._indexes((Index(key),), frame, path))

    def _merge(self, args: tuple[Expr, ...], frame: Frame, path: str, steps: tuple[Step, ...]) -> Clocks:
        """The clocks of the members that no later argument replaces."""
        found: list[Clock] = []
        taken: set[str] = set()
        certain = True
        for arg in reversed(args):
            value = evaluate(arg, frame)
            names = set(value) if isinstance(value, dict) and not isinstance(value, Partial) else None
            if names is None:
                part = self.clocks(arg, frame, path, steps)
            elif steps:
                key = text(step_key(steps[0], frame))
                inside = names - taken if key is None else {key} & names - taken
                part = self.clocks(arg, frame, path, steps) if inside else ()
                certain = certain and key is not None
            else:
                kept = sorted(names - taken)
                part = tuple(c for name in kept for c in self.clocks(arg, frame, path, (Index(Literal(name)),)))
            found += part if certain and not (names is None and taken) else map(doubtful, part)
            certain = certain and names is not None
            taken |= names or set()
        return tuple(found)


def step_key(step: Step, frame: Frame) -> object:
    """The name or position that a step leads to, UNKNOWN for all of them."""
    return UNKNOWN if isinstance(step, Splat) else evaluate(step.key, frame) if isinstance(step, Index) else step.name


def _wrapped(items: Expr, index: Expr, frame: Frame) -> Expr:
    """The index that element() takes, which counts on from the start after the end."""
    written, _ = origin(items, frame)
    position = number(evaluate(index, frame))
    if position is None or not position.is_integer() or not isinstance(written, ListExpr) or not written.items:
        return index
    return Literal(int(position) % len(written.items))


def _some(choices: list[Clocks], steps: tuple[Step, ...]) -> Clocks:
    """The clocks of all members, or of one of them where the steps lead to one that is not decided."""
    if not steps or isinstance(steps[0], Splat):
        return tuple(clock for choice in choices for clock in choice)
    return one_of(choices)


def _seen(expr: Expr, value: object) -> bool:
    """Whether a plan of Terraform 1.11 knows a value that is decided although a part of the expression is unknown."""
    if isinstance(expr, Conditional):
        return not isinstance(value, (bool, str, list, dict))
    return not isinstance(expr, Binary)
