"""What an expression is worth, as far as the declarations alone decide it; UNKNOWN where they do not.

Only what credential rules ask for: periods, counts, user names, switches. It never builds large values: strings and
lists are bounded, so that an expression cannot be made to exhaust memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from keyrules.code.terraform.functions import apply, binary, unary
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
    Template,
    Unary,
)
from keyrules.code.terraform.hcl.values import MAX_ITEMS, MAX_TEXT, UNKNOWN, Partial, equal, number, text, truth
from keyrules.code.terraform.module import Declaration
from keyrules.code.terraform.scope import Frame, Key, Scope
from keyrules.code.terraform.types import conform

__all__ = ["UNKNOWN", "evaluate", "instance_keys", "number", "truth", "variable"]

_MAX_DEPTH = 64
_MAX_ROUNDS = 16 * MAX_ITEMS
_META_ARGUMENTS = frozenset({"count", "for_each", "depends_on", "provider"})


def evaluate(expr: Expr | None, frame: Frame, depth: int = 0) -> Any:
    """A Python number, string, bool, None, list or dict, or UNKNOWN. An absent expression (None) is worth None."""
    if expr is None:
        return None
    if depth > _MAX_DEPTH:
        return UNKNOWN
    return _EVALUATORS[type(expr)](expr, frame, depth + 1)


def instance_keys(declared: Declaration, scope: Scope) -> tuple[Key, ...] | None:
    """The keys of a block's instances: (None,) without count and for_each, () for none, None when not decided."""
    if declared.value("count") is not None:
        count = number(evaluate(declared.value("count"), Frame(scope)))
        if count is None or count < 0 or count > MAX_ITEMS or not count.is_integer():
            return None
        return tuple(range(int(count)))
    if declared.value("for_each") is not None:
        items = _for_each(declared, scope, 0)
        if isinstance(items, dict):
            return tuple(sorted(str(key) for key in items))
        if isinstance(items, list) and all(isinstance(item, str) for item in items):
            return tuple(sorted(set(items)))
        return None
    if declared.enabled is not None:
        decision = truth(evaluate(declared.enabled, Frame(scope)))
        return None if decision is None else (None,) if decision else ()
    return (None,)


def _for_each(declared: Declaration, scope: Scope, depth: int) -> Any:
    """The collection of a block with for_each; a Partial has no keys that are known."""
    node = ("for_each", declared.path, declared.start_line, declared.name)
    items = _once(scope, node, lambda: evaluate(declared.value("for_each"), Frame(scope), depth))
    return UNKNOWN if isinstance(items, Partial) else items


def _once(scope: Scope, what: tuple[object, ...], work: Callable[[], Any]) -> Any:
    """Evaluates a declaration once per module instance; while that is under way it is UNKNOWN, which ends cycles."""
    if what not in scope.memo:
        scope.memo[what] = UNKNOWN
        scope.memo[what] = work()
    return scope.memo[what]


def _literal(expr: Literal, frame: Frame, depth: int) -> Any:
    return expr.value


def _template(expr: Template, frame: Frame, depth: int) -> Any:
    if len(expr.parts) == 1:
        return evaluate(expr.parts[0], frame, depth)
    pieces: list[str] = []
    for part in expr.parts:
        shown = text(evaluate(part, frame, depth))
        if shown is None:
            return UNKNOWN
        pieces.append(shown)
    joined = "".join(pieces)
    return joined if len(joined) <= MAX_TEXT else UNKNOWN


def _name(expr: Name, frame: Frame, depth: int) -> Any:
    return _bound(expr.ident, frame, depth) if expr.ident in frame.bindings else UNKNOWN


def _bound(name: str, frame: Frame, depth: int) -> Any:
    value = frame.bindings[name]
    if isinstance(value, tuple):
        return evaluate(value[0], value[1], depth)
    return value


def _access(expr: Access, frame: Frame, depth: int) -> Any:
    steps = expr.steps
    if isinstance(expr.base, Name) and expr.base.ident not in frame.bindings:
        value, steps = _reference(expr.base.ident, steps, frame, depth)
    else:
        value = evaluate(expr.base, frame, depth)
    return _follow(value, steps, frame, depth)


def _reference(root: str, steps: tuple[Step, ...], frame: Frame, depth: int) -> tuple[Any, tuple[Step, ...]]:
    first = steps[0]
    name = first.name if isinstance(first, Attr) else None
    if name is None:
        return UNKNOWN, ()
    if root == "var":
        return variable(name, frame.scope, depth), steps[1:]
    if root == "local":
        declared = frame.scope.module.locals.get(name)
        if declared is None:
            return UNKNOWN, ()
        scope, expr = frame.scope, declared.value("value")
        return _once(scope, ("local", name), lambda: evaluate(expr, Frame(scope), depth)), steps[1:]
    if root == "each":
        return _each(name, frame, depth), steps[1:]
    if root == "count":
        return (frame.key if name == "index" and isinstance(frame.key, int) else UNKNOWN), steps[1:]
    if root == "module":
        return _module_output(name, steps, frame, depth)
    if root == "data":
        second = steps[1].name if len(steps) > 1 and isinstance(steps[1], Attr) else ""
        return _block(frame.scope.module.data.get(f"{name}.{second}"), "data", steps[2:], frame, depth)
    if root in ("path", "terraform", "self"):
        return UNKNOWN, ()
    return _block(frame.scope.module.resources.get(f"{root}.{name}"), "resource", steps[1:], frame, depth)


def variable(name: str, scope: Scope, depth: int = 0) -> Any:
    """The value of an input of one module instance: the caller's argument, the values files, else the default."""
    return _once(scope, ("var", name), lambda: _variable(name, scope, depth))


def _variable(name: str, scope: Scope, depth: int) -> Any:
    declared = scope.module.variables.get(name)
    own = Frame(scope)
    default = declared.value("default") if declared else None
    value: Any = UNKNOWN
    given = True
    if scope.parent is not None and scope.call is not None and scope.call.value(name) is not None:
        value = evaluate(scope.call.value(name), Frame(scope.parent, scope.key, scope.call), depth)
    elif scope.parent is None and name in scope.module.values:
        value = evaluate(scope.module.values[name].value, own, depth)
    else:
        given = False
    if declared is None:
        return value
    required = truth(evaluate(declared.value("nullable"), own, depth)) is False
    if not given or (value is None and required):
        value = UNKNOWN if default is None else evaluate(default, own, depth)
    return conform(value, declared.value("type"), lambda expr: evaluate(expr, own, depth))


def _each(name: str, frame: Frame, depth: int) -> Any:
    if frame.block is None or frame.key is None:
        return UNKNOWN
    if name == "key":
        return str(frame.key)
    items = _for_each(frame.block, frame.scope, depth)
    if isinstance(items, dict):
        return items.get(str(frame.key), UNKNOWN)
    return str(frame.key) if isinstance(items, list) else UNKNOWN


def _module_output(name: str, steps: tuple[Step, ...], frame: Frame, depth: int) -> tuple[Any, tuple[Step, ...]]:
    key, rest = _leading_key(steps[1:], frame, depth)
    child = frame.scope.child(name, key)
    if child is None or not rest or not isinstance(rest[0], Attr):
        return UNKNOWN, ()
    output = child.module.outputs.get(rest[0].name)
    if output is None:
        return UNKNOWN, ()
    value = output.value("value")
    return _once(child, ("output", output.name), lambda: evaluate(value, Frame(child), depth)), rest[1:]


def _block(
    declared: Declaration | None, kind: str, steps: tuple[Step, ...], frame: Frame, depth: int
) -> tuple[Any, tuple[Step, ...]]:
    """What the declaration of a resource or data source says of itself: one argument, an instance, or all of them."""
    if declared is None:
        return UNKNOWN, ()
    key, rest = _leading_key(steps, frame, depth)
    if not rest or not isinstance(rest[0], Attr):
        if rest is steps:
            return _instances(declared, kind, frame.scope, depth), rest
        return (UNKNOWN if key is None else _instance(declared, kind, key, frame.scope, depth)), rest
    argument = rest[0].name
    if declared.name.startswith("aws_iam_user.") and argument == "id":
        argument = "name"
    return _argument(declared, kind, key, argument, frame.scope, depth), rest[1:]


def _argument(declared: Declaration, kind: str, key: Key, argument: str, scope: Scope, depth: int) -> Any:
    expr = declared.value(argument)
    if expr is None:
        return UNKNOWN
    node = (kind, declared.name, key, argument)
    return _once(scope, node, lambda: evaluate(expr, Frame(scope, key, declared), depth))


def _instances(declared: Declaration, kind: str, scope: Scope, depth: int) -> Any:
    """A whole block as a value: an object, a list of objects with `count`, a map of objects with `for_each`."""
    keys = instance_keys(declared, scope)
    if keys is None:
        return UNKNOWN
    found = {key: _instance(declared, kind, key, scope, depth) for key in keys}
    if declared.value("for_each") is not None:
        return found
    return list(found.values()) if declared.value("count") is not None else found[None]


def _instance(declared: Declaration, kind: str, key: Key, scope: Scope, depth: int) -> Partial:
    names = [name for name in declared.body.attributes if name not in _META_ARGUMENTS]
    values = {name: _argument(declared, kind, key, name, scope, depth) for name in names}
    if declared.name.startswith("aws_iam_user.") and "name" in values:
        values["id"] = values["name"]
    return Partial(values)


def _leading_key(steps: tuple[Step, ...], frame: Frame, depth: int) -> tuple[Key, tuple[Step, ...]]:
    if steps and isinstance(steps[0], Index):
        key = evaluate(steps[0].key, frame, depth)
        if isinstance(key, float) and key.is_integer():
            key = int(key)
        return (key if isinstance(key, (int, str)) else None), steps[1:]
    return None, steps


def _follow(value: Any, steps: tuple[Step, ...], frame: Frame, depth: int) -> Any:
    for position, step in enumerate(steps):
        if isinstance(step, Splat):
            if value is UNKNOWN:
                return UNKNOWN
            items = value if isinstance(value, list) else [] if value is None else [value]
            return [_follow(item, steps[position + 1 :], frame, depth) for item in items]
        key = step.name if isinstance(step, Attr) else evaluate(step.key, frame, depth)
        if isinstance(value, dict):
            value = value.get(text(key) or "", UNKNOWN)
        elif isinstance(value, list):
            index = number(key)
            value = value[int(index)] if index is not None and 0 <= index < len(value) else UNKNOWN
        else:
            return UNKNOWN
    return value


def _conditional(expr: Conditional, frame: Frame, depth: int) -> Any:
    test = truth(evaluate(expr.test, frame, depth))
    if test is None:
        then, otherwise = evaluate(expr.then, frame, depth), evaluate(expr.otherwise, frame, depth)
        return then if equal(then, otherwise) else UNKNOWN
    return evaluate(expr.then if test else expr.otherwise, frame, depth)


def _binary(expr: Binary, frame: Frame, depth: int) -> Any:
    return binary(expr.op, evaluate(expr.left, frame, depth), evaluate(expr.right, frame, depth))


def _unary(expr: Unary, frame: Frame, depth: int) -> Any:
    return unary(expr.op, evaluate(expr.operand, frame, depth))


def _list(expr: ListExpr, frame: Frame, depth: int) -> Any:
    if len(expr.items) > MAX_ITEMS:
        return UNKNOWN
    return [evaluate(item, frame, depth) for item in expr.items]


def _object(expr: ObjectExpr, frame: Frame, depth: int) -> Any:
    result: dict[str, Any] = {}
    for key_expr, value in expr.items[:MAX_ITEMS]:
        key = text(evaluate(key_expr, frame, depth))
        if key is None:
            return UNKNOWN
        result[key] = evaluate(value, frame, depth)
    return result if len(expr.items) <= MAX_ITEMS else UNKNOWN


def _for(expr: ForExpr, frame: Frame, depth: int) -> Any:
    items = evaluate(expr.collection, frame, depth)
    pairs = (
        list(items.items()) if isinstance(items, dict) else list(enumerate(items)) if isinstance(items, list) else None
    )
    if pairs is None or len(pairs) > MAX_ITEMS or frame.rounds * len(pairs) > _MAX_ROUNDS:
        return UNKNOWN
    values: list[Any] = []
    mapped: dict[str, Any] = {}
    for key, value in pairs:
        bindings = {**frame.bindings, expr.value_name: value}
        if expr.key_name:
            bindings[expr.key_name] = key
        inner = Frame(frame.scope, frame.key, frame.block, bindings, frame.rounds * len(pairs))
        if expr.condition is not None:
            kept = truth(evaluate(expr.condition, inner, depth))
            if kept is None:
                return UNKNOWN
            if not kept:
                continue
        result = evaluate(expr.value, inner, depth)
        if expr.key is None:
            values.append(result)
            continue
        name = text(evaluate(expr.key, inner, depth))
        if name is None:
            return UNKNOWN
        if expr.group:
            mapped.setdefault(name, []).append(result)
        else:
            mapped[name] = result
    return values if expr.key is None else mapped


def _call(expr: Call, frame: Frame, depth: int) -> Any:
    args = expr.args
    if expr.name == "try":
        return _try(args, frame, depth)
    values = [evaluate(arg, frame, depth) for arg in args]
    if expr.expand:
        last = values.pop() if values else UNKNOWN
        if not isinstance(last, list):
            return UNKNOWN
        values += last
    if expr.name == "coalesce":
        return next((value for value in values if value not in (None, "")), UNKNOWN)
    return apply(expr.name, values)


def _try(args: tuple[Expr, ...], frame: Frame, depth: int) -> Any:
    """The first argument that is no error. The one error that is known as such: an attribute that an object lacks."""
    for arg in args:
        if not _lacks(arg, frame, depth):
            return evaluate(arg, frame, depth)
    return UNKNOWN


def _lacks(expr: Expr, frame: Frame, depth: int) -> bool:
    if not isinstance(expr, Access):
        return False
    first = 1 if isinstance(expr.base, Name) and expr.base.ident not in frame.bindings else 0
    for position in range(first, len(expr.steps)):
        step, before = expr.steps[position], expr.steps[:position]
        value = evaluate(Access(expr.base, before) if before else expr.base, frame, depth)
        if isinstance(step, Splat) or not isinstance(value, (dict, type(None))) or isinstance(value, Partial):
            return False
        key = step.name if isinstance(step, Attr) else text(evaluate(step.key, frame, depth))
        if key is None:
            return False
        if value is None or key not in value:
            return True
    return False


_EVALUATORS: Mapping[type, Callable[[Any, Frame, int], Any]] = {
    Literal: _literal,
    Template: _template,
    Name: _name,
    Access: _access,
    Conditional: _conditional,
    Binary: _binary,
    Unary: _unary,
    ListExpr: _list,
    ObjectExpr: _object,
    ForExpr: _for,
    Call: _call,
}
