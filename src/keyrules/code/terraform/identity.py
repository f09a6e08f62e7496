"""Whether two expressions are worth the same although neither's value is known, and when two blocks exclude each other.

An identity is a number: equal numbers mean equal values whatever the inputs turn out to be. It is found by following
inputs, locals, module outputs and arguments to where a value comes from.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, TypeAlias

from keyrules.code.terraform.evaluate import evaluate, instance_keys
from keyrules.code.terraform.hcl.ast import (
    Access,
    Attr,
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
    Unary,
)
from keyrules.code.terraform.hcl.values import UNKNOWN, number, text
from keyrules.code.terraform.hcl.walk import children
from keyrules.code.terraform.module import NAMED_BY_ID, Declaration
from keyrules.code.terraform.scope import Frame, Key, Scope
from keyrules.records import dataclass, field

Atom: TypeAlias = tuple[int, str | None, bool]
"""A test by identity, the text that it compares with (None for a plain test), and the outcome that is needed."""

_MAX_DEPTH = 64


@dataclass
class _Table:
    """Numbers structures, so that shared parts are looked at once however often they occur."""

    numbers: dict[Hashable, int] = field(default_factory=dict)
    known: dict[Hashable, int] = field(default_factory=dict)

    def of(self, *parts: Hashable) -> int:
        return self.numbers.setdefault(parts, len(self.numbers))


def identity(expr: Expr | None, frame: Frame, depth: int = 0) -> int:
    """The identity of an expression's value. Comparable within one root."""
    table = _table(frame.scope)
    if expr is None:
        return table.of("nothing")
    value = evaluate(expr, frame)
    if value is None or isinstance(value, (bool, int, float, str)):
        return table.of("value", type(value).__name__, text(value) or str(value))
    if depth > _MAX_DEPTH or isinstance(expr, ForExpr):
        return table.of("as written", frame.scope.prefix, frame.key, repr(expr))
    followed = bound(expr, frame)
    if followed is not None:
        return identity(*followed, depth + 1)
    base = expr.base if isinstance(expr, Access) else expr
    if isinstance(base, Name) and (base is expr or base.ident in frame.bindings):
        return table.of("of one round", len(table.numbers))
    if isinstance(expr, Access) and isinstance(expr.base, Name):
        return _reference(expr.base.ident, expr.steps, frame, depth + 1)
    if isinstance(expr, Access):
        return table.of("part", identity(expr.base, frame, depth + 1), _steps(expr.steps, frame, depth))
    parts = tuple(identity(child, frame, depth + 1) for child in children(expr))
    return table.of(type(expr).__name__, _label(expr), parts)


def _table(scope: Scope) -> _Table:
    table: _Table = scope.root.memo.setdefault("identities", _Table())
    return table


def _label(expr: Expr) -> str:
    for attribute in ("op", "name", "ident", "value"):
        if hasattr(expr, attribute):
            return str(getattr(expr, attribute))
    return ""


def _steps(steps: tuple[Step, ...], frame: Frame, depth: int) -> tuple[Hashable, ...]:
    return tuple(_step(step, frame, depth) for step in steps)


def _step(step: Step, frame: Frame, depth: int) -> Hashable:
    if isinstance(step, Attr):
        return step.name
    if isinstance(step, Splat):
        return "[*]"
    shown = text(evaluate(step.key, frame))
    return ("index", identity(step.key, frame, depth + 1)) if shown is None else shown


def _reference(root: str, steps: tuple[Step, ...], frame: Frame, depth: int) -> int:
    scope, table = frame.scope, _table(frame.scope)
    name = steps[0].name if isinstance(steps[0], Attr) else ""
    source: tuple[Expr, Frame] | None = None
    rest = steps[1:]
    match root:
        case "var":
            given = scope.call.value(name) if scope.call is not None else None
            if given is not None and scope.parent is not None:
                source = given, Frame(scope.parent, scope.key, scope.call)
        case "local" if name in scope.module.locals:
            source = scope.module.locals[name].body.attributes["value"].value, Frame(scope)
        case "each" if frame.block is not None:
            collection = frame.block.value("for_each")
            part = "key" if collection is not None and goes_over_a_set(collection, Frame(scope)) else name
            return table.of(
                "each", identity(collection, Frame(scope), depth), part, frame.key, _steps(rest, frame, depth)
            )
        case "count":
            return table.of("count", frame.key)
        case "module":
            key, after = leading_key(rest, frame)
            child = scope.child(name, key)
            output = child.module.outputs.get(after[0].name) if child and after and isinstance(after[0], Attr) else None
            if child is not None and output is not None and output.value("value") is not None:
                source, rest = (output.body.attributes["value"].value, Frame(child)), after[1:]
        case _ if f"{root}.{name}" in scope.module.resources:
            return _argument(scope.module.resources[f"{root}.{name}"], rest, frame, depth)
    if source is None:
        return table.of("unset", scope.prefix, root, _steps(steps, frame, depth))
    narrowed, left, where = narrow(source[0], rest, source[1])
    after_it = _steps(left, frame, depth)
    if where.bindings:
        found = identity(narrowed, where, depth)
        return table.of("part", found, after_it) if left else found
    node = (root, id(where.scope), where.key, id(narrowed), after_it)
    if node not in table.known:
        table.known[node] = table.of("cycle", scope.prefix, root, name)
        found = identity(narrowed, where, depth)
        table.known[node] = table.of("part", found, after_it) if left else found
    return table.known[node]


def _argument(declared: Declaration, steps: tuple[Step, ...], frame: Frame, depth: int) -> int:
    """An attribute of a resource: what its argument of that name stands for, else the attribute itself."""
    scope, table = frame.scope, _table(frame.scope)
    key, rest = leading_key(steps, frame)
    if rest is not steps and key is None and not _goes_along(declared, steps[0], frame, depth):
        return table.of("resource", scope.prefix, declared.name, _steps(steps, frame, depth))
    attribute = rest[0].name if rest and isinstance(rest[0], Attr) else ""
    if declared.name.startswith(NAMED_BY_ID) and attribute in ("id", "name"):
        attribute = "name"
    given = declared.value(attribute)
    if given is not None and len(rest) == 1:
        return identity(given, Frame(scope, key, declared), depth)
    return table.of("resource", scope.prefix, declared.name, key, attribute, _steps(rest[1:], frame, depth))


def _goes_along(declared: Declaration, step: Step, frame: Frame, depth: int) -> bool:
    """Whether `[each.key]` picks the instance of a block that goes over the same unresolved collection."""
    own = frame.block.value("for_each") if frame.block is not None else None
    other, scope = declared.value("for_each"), Frame(frame.scope)
    by_key = step == Index(Access(Name("each"), (Attr("key"),)))
    return (
        by_key
        and own is not None
        and other is not None
        and identity(own, scope, depth) == identity(other, scope, depth)
    )


def goes_over_a_set(collection: Expr, frame: Frame) -> bool:
    """Whether a for_each goes over a set, in which each.value is each.key."""
    expr, frame = origin(collection, frame)
    if (
        isinstance(expr, Access)
        and expr.base == Name("var")
        and len(expr.steps) == 1
        and isinstance(expr.steps[0], Attr)
    ):
        declared = frame.scope.module.variables.get(expr.steps[0].name)
        kind = declared.value("type") if declared else None
        return isinstance(kind, Call) and kind.name == "set"
    return isinstance(expr, Call) and expr.name == "toset"


def leading_key(steps: tuple[Step, ...], frame: Frame) -> tuple[Key, tuple[Step, ...]]:
    """Splits `["a"].id` into the instance key and the rest; an undecided key is None."""
    if steps and isinstance(steps[0], Index):
        key = evaluate(steps[0].key, frame)
        if isinstance(key, float) and key.is_integer():
            key = int(key)
        return (key if isinstance(key, (int, str)) and not isinstance(key, bool) else None), steps[1:]
    return None, steps


def bound(expr: Expr, frame: Frame) -> tuple[Expr, Frame] | None:
    """What a name that a `for` binds stands for, with the steps after it; None for anything else."""
    name, steps = (expr.base, expr.steps) if isinstance(expr, Access) else (expr, ())
    item = frame.bindings.get(name.ident) if isinstance(name, Name) else None
    if not isinstance(item, tuple):
        return None
    source, where = item
    if not steps:
        return source, where
    if isinstance(source, Access):
        return Access(source.base, source.steps + steps), where
    return Access(source, steps), where


def narrow(expr: Expr, steps: tuple[Step, ...], frame: Frame) -> tuple[Expr, tuple[Step, ...], Frame]:
    """Follows decided steps into objects, lists and `for` expressions that are written out, as far as they go."""
    while steps:
        found = _member(expr, steps[0], frame)
        if found is None:
            break
        (expr, frame), steps = found, steps[1:]
    return expr, steps, frame


def _member(expr: Expr, step: Step, frame: Frame) -> tuple[Expr, Frame] | None:
    if isinstance(step, Splat):
        return None
    key: Any = step.name if isinstance(step, Attr) else evaluate(step.key, frame)
    wanted = text(key)
    if wanted is None:
        return None
    if isinstance(expr, Conditional):
        test = evaluate(expr.test, frame)
        chosen = expr.then if test is True else expr.otherwise if test is False else None
        return None if chosen is None else _member(chosen, step, frame)
    if isinstance(expr, ObjectExpr):
        return next(((value, frame) for name, value in expr.items if text(evaluate(name, frame)) == wanted), None)
    if isinstance(expr, ListExpr):
        index = number(wanted)
        inside = index is not None and index.is_integer() and 0 <= index < len(expr.items)
        return (expr.items[int(index)], frame) if inside and index is not None else None
    if isinstance(expr, ForExpr) and isinstance(expr.key, Name) and not expr.group:
        return _round(expr, wanted, frame)
    return None


def _round(expr: ForExpr, wanted: str, frame: Frame) -> tuple[Expr, Frame] | None:
    """The value of an object's `for` in the round whose key is known, when that key is one of the round's names."""
    ident = expr.key.ident if isinstance(expr.key, Name) else ""
    bindings: Mapping[str, object]
    if ident == expr.key_name:
        item = Access(expr.collection, (Index(Literal(wanted)),))
        bindings = {ident: wanted, expr.value_name: (item, frame)}
    elif ident == expr.value_name and expr.key_name is None:
        bindings = {ident: wanted}
    else:
        return None
    return expr.value, Frame(frame.scope, frame.key, frame.block, {**frame.bindings, **bindings}, frame.rounds)


def conditions(declared: Declaration, scope: Scope) -> frozenset[Atom]:
    """What must hold for a block to have an instance, as far as its count or for_each leaves that open."""
    if instance_keys(declared, scope) is not None:
        return frozenset()
    expr = declared.value("count") if declared.value("count") is not None else declared.value("for_each")
    if expr is None and declared.enabled is not None:
        return outcome(declared.enabled, True, Frame(scope))
    return frozenset(_filled(expr, Frame(scope), 0)) if expr is not None else frozenset()


def enclosing_conditions(scope: Scope) -> frozenset[Atom]:
    """What must hold for the module calls on the way to a module instance."""
    found: frozenset[Atom] = frozenset()
    while scope.parent is not None and scope.call is not None:
        found |= conditions(scope.call, scope.parent)
        scope = scope.parent
    return found


def _filled(expr: Expr, frame: Frame, depth: int) -> set[Atom]:
    """What must hold for a count to be positive or a collection to have members."""
    expr, frame = origin(expr, frame)
    if isinstance(expr, Conditional) and depth < _MAX_DEPTH:
        then, otherwise = _emptiness(expr.then, frame), _emptiness(expr.otherwise, frame)
        for branch, other_empty, wanted in ((expr.then, otherwise, True), (expr.otherwise, then, False)):
            if other_empty is True:
                full = _emptiness(branch, frame) is False
                return _holds(expr.test, wanted, frame, 0) | (set() if full else _filled(branch, frame, depth + 1))
    if isinstance(expr, Access) and isinstance(expr.base, Name) and len(expr.steps) == 1:
        # for_each over a whole resource has the keys of that resource.
        chained = frame.scope.module.resources.get(f"{expr.base.ident}.{getattr(expr.steps[0], 'name', '')}")
        if chained is not None and chained.value("for_each") is not None and depth < _MAX_DEPTH:
            return _filled(chained.body.attributes["for_each"].value, Frame(frame.scope), depth + 1)
    return {(_table(frame.scope).of("filled", identity(expr, frame)), None, True)}


def _emptiness(expr: Expr, frame: Frame) -> bool | None:
    value = evaluate(expr, frame)
    if isinstance(value, (list, dict)):
        return not value
    amount = number(value)
    return None if value is UNKNOWN or amount is None else amount <= 0


def outcome(test: Expr, wanted: bool, frame: Frame) -> frozenset[Atom]:
    """What must hold for a test to come out as wanted."""
    return frozenset(_holds(test, wanted, frame, 0))


def _holds(test: Expr, wanted: bool, frame: Frame, depth: int) -> set[Atom]:
    test, frame = origin(test, frame)
    if depth < _MAX_DEPTH:
        match test:
            case Unary("!", operand):
                return _holds(operand, not wanted, frame, depth + 1)
            case Binary("&&" | "||" as op, left, right) if (op == "&&") is wanted:
                return _holds(left, wanted, frame, depth + 1) | _holds(right, wanted, frame, depth + 1)
            case Binary("==" | "!=" as op, left, right):
                return _compared(left, right, wanted is (op == "=="), frame, depth)
    return {(identity(test, frame), None, wanted)}


def _compared(left: Expr, right: Expr, same: bool, frame: Frame, depth: int) -> set[Atom]:
    for subject, other in ((left, right), (right, left)):
        value = evaluate(other, frame)
        if isinstance(value, bool):
            return _holds(subject, same is value, frame, depth + 1)
        shown = text(value)
        if shown is not None or value is None:
            return {(identity(subject, frame), f"{type(value).__name__} {shown}", same)}
    table = _table(frame.scope)
    sides = sorted((identity(left, frame), identity(right, frame)))
    return {(table.of("same", *sides), None, same)}


def origin(expr: Expr, frame: Frame) -> tuple[Expr, Frame]:
    """An expression with references to locals and inputs followed to what was written there."""
    for _ in range(_MAX_DEPTH):
        if not (isinstance(expr, Access) and isinstance(expr.base, Name) and isinstance(expr.steps[0], Attr)):
            break
        root, name, scope = expr.base.ident, expr.steps[0].name, frame.scope
        if root == "local" and name in scope.module.locals:
            found, where = scope.module.locals[name].body.attributes["value"].value, Frame(scope)
        elif (
            root == "var" and scope.parent is not None and scope.call is not None and name in scope.call.body.attributes
        ):
            outer = Frame(scope.parent, scope.key, scope.call)
            found, where = scope.call.body.attributes[name].value, outer
        else:
            break
        found, left, where = narrow(found, expr.steps[1:], where)
        if left:
            break
        expr, frame = found, where
    return expr, frame


def exclude(first: frozenset[Atom], second: frozenset[Atom]) -> bool:
    """Whether two sets of conditions cannot hold together."""
    for subject, compared, wanted in first:
        for other, against, needed in second:
            if subject != other:
                continue
            if compared == against and wanted is not needed:
                return True
            if wanted and needed and None not in (compared, against) and compared != against:
                return True
    return False
