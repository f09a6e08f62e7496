"""What an expression is worth, as far as the declarations alone decide it; UNKNOWN where they do not.

Only what credential rules ask for: periods, counts, user names, switches. It never builds large values: strings and
lists are bounded, so that an expression cannot be made to exhaust memory.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

from keyrules.iac.hcl_ast import (
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
from keyrules.iac.terraform_module import Declaration
from keyrules.iac.terraform_scope import Frame, Key, Scope


class _Unknown:
    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = _Unknown()
"""Not decided by the code: a variable without a value, a computed attribute, a function not known here."""

_MAX_DEPTH = 64
_MAX_TEXT = 4096
_MAX_ITEMS = 1024


def evaluate(expr: Expr | None, frame: Frame, depth: int = 0) -> Any:
    """A Python number, string, bool, None, list or dict, or UNKNOWN. An absent expression (None) is worth None."""
    if expr is None:
        return None
    if depth > _MAX_DEPTH:
        return UNKNOWN
    return _EVALUATORS[type(expr)](expr, frame, depth + 1)


def number(value: Any) -> float | None:
    """A value as a number the way Terraform converts it (a numeric string counts), else None."""
    if isinstance(value, bool) or value is UNKNOWN:
        return None
    if isinstance(value, (int, float)):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, str):
        try:
            converted = float(value)
        except ValueError:
            return None
        return converted if math.isfinite(converted) else None
    return None


def truth(value: Any) -> bool | None:
    """A value as a bool the way Terraform converts it ("true" counts), else None."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value) if isinstance(value, str) else None


def instance_keys(declared: Declaration, scope: Scope) -> tuple[Key, ...] | None:
    """The keys of a block's instances: (None,) without count and for_each, () for none, None when not decided."""
    frame = Frame(scope)
    if declared.value("count") is not None:
        count = number(evaluate(declared.value("count"), frame))
        if count is None or count > _MAX_ITEMS:
            return None
        return tuple(range(int(count)))
    if declared.value("for_each") is not None:
        items = evaluate(declared.value("for_each"), frame)
        if isinstance(items, dict):
            return tuple(sorted(str(key) for key in items))
        if isinstance(items, list) and all(isinstance(item, str) for item in items):
            return tuple(sorted(set(items)))
        return None
    return (None,)


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
        text = _text(evaluate(part, frame, depth))
        if text is None:
            return UNKNOWN
        pieces.append(text)
    joined = "".join(pieces)
    return joined if len(joined) <= _MAX_TEXT else UNKNOWN


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, (str, int, float)) else None


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
    if root in ("data", "path", "terraform", "self"):
        return UNKNOWN, ()
    return _resource_argument(f"{root}.{name}", steps[1:], frame, depth)


def variable(name: str, scope: Scope, depth: int = 0) -> Any:
    """The value of an input of one module instance: the caller's argument, the values files, else the default."""
    return _once(scope, ("var", name), lambda: _variable(name, scope, depth))


def _variable(name: str, scope: Scope, depth: int) -> Any:
    declared = scope.module.variables.get(name)
    default = declared.value("default") if declared else None
    if scope.parent is not None and scope.call is not None:
        given = scope.call.value(name)
        if given is not None:
            value = evaluate(given, Frame(scope.parent, scope.key, scope.call), depth)
            nullable = declared is None or truth(evaluate(declared.value("nullable"), Frame(scope), depth)) is not False
            return value if value is not None or nullable else evaluate(default, Frame(scope), depth)
    elif name in scope.module.values:
        return evaluate(scope.module.values[name].value, Frame(scope), depth)
    return UNKNOWN if default is None else evaluate(default, Frame(scope), depth)


def _each(name: str, frame: Frame, depth: int) -> Any:
    if frame.block is None or frame.key is None:
        return UNKNOWN
    if name == "key":
        return str(frame.key)
    items = evaluate(frame.block.value("for_each"), Frame(frame.scope), depth)
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


def _resource_argument(name: str, steps: tuple[Step, ...], frame: Frame, depth: int) -> tuple[Any, tuple[Step, ...]]:
    declared = frame.scope.module.resources.get(name)
    key, rest = _leading_key(steps, frame, depth)
    if declared is None or not rest or not isinstance(rest[0], Attr):
        return UNKNOWN, ()
    argument = rest[0].name
    if name.startswith("aws_iam_user.") and argument == "id":
        argument = "name"
    value = declared.value(argument)
    if value is None:
        return UNKNOWN, ()
    own = Frame(frame.scope, key, declared)
    return _once(frame.scope, ("resource", name, key, argument), lambda: evaluate(value, own, depth)), rest[1:]


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
            items = value if isinstance(value, list) else UNKNOWN
            if items is UNKNOWN:
                return UNKNOWN
            return [_follow(item, steps[position + 1 :], frame, depth) for item in items]
        key = step.name if isinstance(step, Attr) else evaluate(step.key, frame, depth)
        if isinstance(value, dict):
            value = value.get(_text(key) or "", UNKNOWN)
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
        return then if then is not UNKNOWN and then == otherwise else UNKNOWN
    return evaluate(expr.then if test else expr.otherwise, frame, depth)


def _binary(expr: Binary, frame: Frame, depth: int) -> Any:
    left, right = evaluate(expr.left, frame, depth), evaluate(expr.right, frame, depth)
    if expr.op in ("&&", "||"):
        return _logical(expr.op, truth(left), truth(right))
    if left is UNKNOWN or right is UNKNOWN:
        return UNKNOWN
    if expr.op in ("==", "!="):
        return (left == right) is (expr.op == "==")
    a, b = number(left), number(right)
    if a is None or b is None or (b == 0 and expr.op in ("/", "%")):
        return UNKNOWN
    result = _ARITHMETIC[expr.op](a, b)
    if isinstance(result, float) and not math.isfinite(result):
        return UNKNOWN
    return int(result) if isinstance(result, float) and result.is_integer() else result


def _logical(op: str, left: bool | None, right: bool | None) -> Any:
    decided = op == "||"
    if decided in (left, right):
        return decided
    return UNKNOWN if None in (left, right) else not decided


def _unary(expr: Unary, frame: Frame, depth: int) -> Any:
    value = evaluate(expr.operand, frame, depth)
    if expr.op == "!":
        test = truth(value)
        return UNKNOWN if test is None else not test
    amount = number(value)
    return UNKNOWN if amount is None else -amount


def _list(expr: ListExpr, frame: Frame, depth: int) -> Any:
    if len(expr.items) > _MAX_ITEMS:
        return UNKNOWN
    return [evaluate(item, frame, depth) for item in expr.items]


def _object(expr: ObjectExpr, frame: Frame, depth: int) -> Any:
    result: dict[str, Any] = {}
    for key_expr, value in expr.items[:_MAX_ITEMS]:
        key = _text(evaluate(key_expr, frame, depth))
        if key is None:
            return UNKNOWN
        result[key] = evaluate(value, frame, depth)
    return result if len(expr.items) <= _MAX_ITEMS else UNKNOWN


def _for(expr: ForExpr, frame: Frame, depth: int) -> Any:
    items = evaluate(expr.collection, frame, depth)
    pairs = list(items.items()) if isinstance(items, dict) else list(enumerate(items)) if isinstance(items, list) else None
    if pairs is None or len(pairs) > _MAX_ITEMS:
        return UNKNOWN
    values: list[Any] = []
    mapped: dict[str, Any] = {}
    for key, value in pairs:
        bindings = {**frame.bindings, expr.value_name: value}
        if expr.key_name:
            bindings[expr.key_name] = key
        inner = Frame(frame.scope, frame.key, frame.block, bindings)
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
        name = _text(evaluate(expr.key, inner, depth))
        if name is None:
            return UNKNOWN
        mapped[name] = result
    return values if expr.key is None else mapped


def _call(expr: Call, frame: Frame, depth: int) -> Any:
    if expr.name in ("try", "coalesce"):
        for arg in expr.args:
            value = evaluate(arg, frame, depth)
            if value is UNKNOWN or (value is not None and (expr.name == "try" or value != "")):
                return value
        return UNKNOWN
    function = _FUNCTIONS.get(expr.name)
    values = [evaluate(arg, frame, depth) for arg in expr.args]
    if function is None or any(value is UNKNOWN for value in values):
        return UNKNOWN
    try:
        return function(*values)
    except (TypeError, ValueError, KeyError, IndexError, ArithmeticError, AttributeError):
        return UNKNOWN


def _numeric(value: Any) -> float:
    amount = number(value)
    if amount is None:
        raise TypeError
    return int(amount) if amount.is_integer() else amount


def _lookup(items: Mapping[str, Any], key: str, *default: Any) -> Any:
    return items[key] if key in items else default[0]


def _bounded(items: list[Any]) -> Any:
    return items if len(items) <= _MAX_ITEMS else UNKNOWN


def _merge(*items: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for item in items for key, value in (item or {}).items()}


def _set(items: Any) -> list[Any]:
    return sorted({str(item) for item in items}) if all(isinstance(i, str) for i in items) else list(items)


_ARITHMETIC: Mapping[str, Callable[[float, float], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": math.fmod,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}

_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "abs": lambda a: abs(_numeric(a)),
    "ceil": lambda a: math.ceil(_numeric(a)),
    "floor": lambda a: math.floor(_numeric(a)),
    "max": lambda *a: max(_numeric(x) for x in a),
    "min": lambda *a: min(_numeric(x) for x in a),
    "parseint": lambda a, base: int(a, int(base)),
    "tonumber": _numeric,
    "tostring": lambda a: a if a is None else _text(a),
    "tobool": truth,
    "tolist": list,
    "toset": _set,
    "tomap": dict,
    "length": len,
    "keys": lambda a: sorted(a),
    "values": lambda a: [a[key] for key in sorted(a)],
    "lookup": _lookup,
    "element": lambda a, i: a[int(i) % len(a)],
    "concat": lambda *a: _bounded([item for items in a for item in items]),
    "merge": _merge,
    "contains": lambda a, x: x in a,
    "compact": lambda a: [item for item in a if item],
    "distinct": lambda a: list(dict.fromkeys(a)),
    "flatten": lambda a: _bounded([x for item in a for x in (item if isinstance(item, list) else [item])]),
    "zipmap": lambda a, b: dict(zip(a, b, strict=True)),
    "range": lambda *a: _bounded(list(range(*[int(_numeric(x)) for x in a]))) if max(map(abs, a)) <= _MAX_ITEMS else UNKNOWN,
    "lower": str.lower,
    "upper": str.upper,
    "trimspace": str.strip,
    "join": lambda sep, a: sep.join(_text(x) or "" for x in a)[:_MAX_TEXT],
    "split": lambda sep, a: a.split(sep) if sep else list(a),
    "sensitive": lambda a: a,
    "nonsensitive": lambda a: a,
}

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
