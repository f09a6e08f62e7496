"""What an expression is worth, as far as the declarations alone decide it; UNKNOWN where they do not.

The measure is Terraform: what is not worked out exactly as it does is open, never a guess. Large values are not built:
strings and collections are bounded, so that an expression cannot be made to exhaust memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from keyrules.code.terraform import declared
from keyrules.code.terraform.functions.calls import apply
from keyrules.code.terraform.functions.signature import bounded_text, normalized
from keyrules.code.terraform.hcl.ast import (
    Access,
    Attr,
    Binary,
    Call,
    Conditional,
    Expr,
    ForExpr,
    HclSyntaxError,
    ListExpr,
    Literal,
    Name,
    ObjectExpr,
    Splat,
    Step,
    Template,
    Unary,
)
from keyrules.code.terraform.hcl.kinds import PRIMITIVE, convert, equal, in_order, kind_of
from keyrules.code.terraform.hcl.numbers import NotComputed
from keyrules.code.terraform.hcl.syntax import parse_template
from keyrules.code.terraform.hcl.values import (
    MAX_FILE,
    MAX_ITEMS,
    MAX_TEXT,
    UNKNOWN,
    ListValue,
    Loose,
    Partial,
    Refused,
    SetValue,
    decided,
    is_null,
    number,
    ordered,
    plain,
    truth,
)
from keyrules.code.terraform.members import attribute, converted, index, own_steps, pairs_of, splat_items, splat_result
from keyrules.code.terraform.module import Declaration
from keyrules.code.terraform.operators import binary, logical, truth_of, unary
from keyrules.code.terraform.references import references
from keyrules.code.terraform.scope import Frame, Key, Scope
from keyrules.code.terraform.static import static_kind

__all__ = ["UNKNOWN", "evaluate", "instance_keys", "number", "truth", "variable"]

_MAX_DEPTH = 64
_MAX_ROUNDS = 16 * MAX_ITEMS
_MAX_LARGE_TEXT = 16 * MAX_FILE
_PRESENT = frozenset({"can", "try"})


def evaluate(expr: Expr | None, frame: Frame, depth: int = 0) -> Any:
    """A Python number, string, bool, None, list or dict, or UNKNOWN. An absent expression (None) is worth None.

    What Terraform refuses is UNKNOWN as well: it cannot be applied.
    """
    try:
        return plain(worth(expr, frame, depth))
    except Refused:
        return UNKNOWN


def worth(expr: Expr | None, frame: Frame, depth: int = 0) -> Any:
    """As `evaluate`, with the types of nulls and of what an open branch may convert. Raises Refused."""
    if expr is None:
        return None
    if depth > _MAX_DEPTH:
        return UNKNOWN
    try:
        return _EVALUATORS[type(expr)](expr, frame, depth + 1)
    except NotComputed:
        return UNKNOWN


def instance_keys(declared_block: Declaration, scope: Scope) -> tuple[Key, ...] | None:
    """The keys of a block's instances: (None,) without count and for_each, () for none, None when not decided.

    What Terraform refuses (a negative or null count, a list for for_each, a set of numbers) is not decided.
    """
    return declared.instance_keys(declared_block, scope, worth)


def variable(name: str, scope: Scope, depth: int = 0) -> Any:
    """The value of an input of one module instance: the caller's argument, the values files, else the default."""
    return plain(declared.variable(name, scope, worth, depth))


def _literal(expr: Literal, frame: Frame, depth: int) -> Any:
    value = expr.value
    return normalized(value) if isinstance(value, str) and not value.isascii() else value


def _template(expr: Template, frame: Frame, depth: int) -> Any:
    if len(expr.parts) == 1 and not expr.is_text:
        return worth(expr.parts[0], frame, depth)
    pieces: list[str] = []
    is_open = False
    for part in expr.parts:
        shown = worth(part, frame, depth)
        if is_null(shown):
            raise Refused
        shown = convert(shown, "string")
        is_open = is_open or shown is UNKNOWN
        pieces.append("" if shown is UNKNOWN else shown)
    return UNKNOWN if is_open else normalized(bounded_text(pieces))


def _name(expr: Name, frame: Frame, depth: int) -> Any:
    if expr.ident not in frame.bindings:
        return UNKNOWN
    value = frame.bindings[expr.ident]
    return worth(value[0], value[1], depth) if isinstance(value, tuple) else value


def _access(expr: Access, frame: Frame, depth: int) -> Any:
    steps = expr.steps
    if isinstance(expr.base, Name) and expr.base.ident not in frame.bindings:
        value, steps = declared.reference(expr.base.ident, steps, frame, worth, depth)
    else:
        value = worth(expr.base, frame, depth)
    return _follow(value, steps, frame, depth)


def _follow(value: Any, steps: tuple[Step, ...], frame: Frame, depth: int) -> Any:
    for position, step in enumerate(steps):
        if isinstance(step, Splat):
            if value is UNKNOWN or isinstance(value, Loose):
                return UNKNOWN
            rest = steps[position + 1 :]
            own = own_steps(step, rest)
            items = [_follow(item, rest[:own], frame, depth) for item in splat_items(value)]
            if own and isinstance(value, (ListValue, SetValue)) and not value and value.kind in PRIMITIVE:
                # Nothing is there, but members of this type would have no attribute.
                raise Refused
            return _follow(splat_result(value, items), rest[own:], frame, depth)
        value = attribute(value, step.name) if isinstance(step, Attr) else index(value, worth(step.key, frame, depth))
    return value


def _conditional(expr: Conditional, frame: Frame, depth: int) -> Any:
    test = truth_of(worth(expr.test, frame, depth))
    if test is UNKNOWN:
        return _either(expr, frame, depth)
    chosen, other = (expr.then, expr.otherwise) if test else (expr.otherwise, expr.then)
    value = worth(chosen, frame, depth)
    if value is UNKNOWN or isinstance(value, Partial):
        return value
    try:
        beside = worth(other, frame, depth)
    except Refused:
        # Terraform drops the error of the branch that is not chosen; an operator or a template still has its type.
        kind = static_kind(other, frame)
        if isinstance(other, Call) or _is_plain(other):
            return value
        return UNKNOWN if kind is None else converted(value, UNKNOWN, kind)
    if beside is None:
        return value
    if beside is not UNKNOWN:
        return converted(value, beside, kind_of(beside))
    kind = static_kind(other, frame)
    if kind is None and not _rests_on_open(other, frame, depth):
        # Nothing in it is open, so that Terraform knows its type, and may refuse it.
        return UNKNOWN
    return converted(value, beside, kind)


def _either(expr: Conditional, frame: Frame, depth: int) -> Any:
    """A conditional whose test is open: its value is known if both branches have the same."""
    try:
        then, otherwise = worth(expr.then, frame, depth), worth(expr.otherwise, frame, depth)
    except Refused:
        return UNKNOWN
    return then if equal(then, otherwise) and _rests_on_open(expr.test, frame, depth) else UNKNOWN


def _rests_on_open(expr: Expr, frame: Frame, depth: int) -> bool:
    """Whether something that an expression names is open; else it is only not worked out here."""
    for reference in references(expr):
        name = Name(reference.root)
        try:
            if not decided(worth(Access(name, reference.steps) if reference.steps else name, frame, depth)):
                return True
        except Refused:
            continue
    return False


def _binary(expr: Binary, frame: Frame, depth: int) -> Any:
    if expr.op in ("&&", "||"):
        return logical(expr.op, lambda: _test(expr.left, frame, depth), lambda: _test(expr.right, frame, depth))
    return binary(expr.op, worth(expr.left, frame, depth), worth(expr.right, frame, depth))


def _test(expr: Expr, frame: Frame, depth: int) -> Any:
    """An operand of `&&` or `||`. An open one counts only if it can be a bool, because Terraform refuses any other."""
    if isinstance(expr, Binary) and expr.op in ("&&", "||"):
        return _binary(expr, frame, depth + 1)
    value = worth(expr, frame, depth)
    if value is UNKNOWN and static_kind(expr, frame) != "bool" and not _rests_on_open(expr, frame, depth):
        raise NotComputed
    return value


def _is_plain(expr: Expr) -> bool:
    """A reference to one thing."""
    return isinstance(expr, Access) and not any(isinstance(step, Splat) for step in expr.steps)


def _unary(expr: Unary, frame: Frame, depth: int) -> Any:
    return unary(expr.op, worth(expr.operand, frame, depth))


def _list(expr: ListExpr, frame: Frame, depth: int) -> Any:
    if len(expr.items) > MAX_ITEMS:
        return UNKNOWN
    return [worth(item, frame, depth) for item in expr.items]


def _object(expr: ObjectExpr, frame: Frame, depth: int) -> Any:
    if len(expr.items) > MAX_ITEMS:
        return UNKNOWN
    result: dict[str, Any] = {}
    for key_expr, value in expr.items:
        key = worth(key_expr, frame, depth)
        if is_null(key):
            raise Refused
        key = convert(key, "string")
        if key is UNKNOWN:
            return UNKNOWN
        result[key] = worth(value, frame, depth)
    return ordered(result)


def _for(expr: ForExpr, frame: Frame, depth: int) -> Any:
    items = worth(expr.collection, frame, depth)
    if items is UNKNOWN:
        return UNKNOWN
    pairs = pairs_of(items)
    if len(pairs) > MAX_ITEMS or frame.rounds * len(pairs) > _MAX_ROUNDS:
        return UNKNOWN
    values: list[Any] = []
    mapped: dict[str, Any] = {}
    for key, value in pairs:
        bindings = {**frame.bindings, expr.value_name: value}
        if expr.key_name:
            bindings[expr.key_name] = key
        inner = Frame(frame.scope, frame.key, frame.block, bindings, frame.rounds * len(pairs))
        if expr.condition is not None:
            kept = truth_of(worth(expr.condition, inner, depth))
            if kept is UNKNOWN:
                return UNKNOWN
            if not kept:
                continue
        if expr.key is None:
            values.append(worth(expr.value, inner, depth))
            continue
        name = worth(expr.key, inner, depth)
        if is_null(name):
            raise Refused
        name = convert(name, "string")
        if name is UNKNOWN:
            return UNKNOWN
        result = worth(expr.value, inner, depth)
        if expr.group:
            mapped.setdefault(name, []).append(result)
        elif name in mapped:
            raise Refused
        else:
            mapped[name] = result
    if expr.joined:
        return UNKNOWN if UNKNOWN in values else normalized(bounded_text(values))
    return values if expr.key is None else ordered(mapped)


def _call(expr: Call, frame: Frame, depth: int) -> Any:
    name, args = expr.name.removeprefix("core::"), expr.args
    if name in _PRESENT:
        return UNKNOWN if expr.expand else _try(name, args, frame, depth)
    values = [worth(arg, frame, depth) for arg in args]
    if expr.expand:
        last = values.pop() if values else UNKNOWN
        if last is UNKNOWN:
            return UNKNOWN
        if not isinstance(last, list):
            raise Refused
        values += in_order(last)
    if name.startswith(("file", "template")):
        return _of_files(name, values, args, frame, depth)
    return _spent(apply(name, values), frame)


def _of_files(name: str, values: list[Any], args: tuple[Expr, ...], frame: Frame, depth: int) -> Any:
    from keyrules.code.terraform.functions.files import FUNCTIONS, call_file_function, file_text

    if name in FUNCTIONS:
        return call_file_function(name, values, frame.scope)
    if name not in ("templatefile", "templatestring") or len(values) != 2:
        return UNKNOWN
    source, given = values
    if name == "templatestring" and not isinstance(args[0], Access):
        return UNKNOWN
    if not isinstance(source, str) or not isinstance(given, dict) or isinstance(given, Partial):
        return UNKNOWN
    return _rendered(file_text(source, frame.scope) if name == "templatefile" else source, given, frame, depth)


def _rendered(source: str, given: Mapping[str, Any], frame: Frame, depth: int) -> Any:
    """A template of its own, which sees nothing but the values that it is given."""
    try:
        template = parse_template(source, 1)
    except HclSyntaxError:
        return UNKNOWN
    if _nests_templates(source):
        return UNKNOWN
    if any(reference.root not in given for reference in references(template)):
        raise Refused
    return worth(template, Frame(frame.scope, bindings=dict(given), rounds=frame.rounds), depth + 8)


def _nests_templates(source: str) -> bool:
    return "templatefile" in source or "templatestring" in source


def _spent(result: Any, frame: Frame) -> Any:
    """A result; of large ones, which only files make, a root has so many and then no more."""
    if isinstance(result, str) and len(result) > MAX_TEXT:
        memo = frame.scope.root.memo
        memo["large text"] = memo.get("large text", 0) + len(result)
        if memo["large text"] > _MAX_LARGE_TEXT:
            return UNKNOWN
    return result


def _try(name: str, args: tuple[Expr, ...], frame: Frame, depth: int) -> Any:
    """The first argument that Terraform does not refuse, or whether the one of can() is such."""
    for arg in args:
        try:
            value = worth(arg, frame, depth)
        except Refused:
            if name == "can":
                return False
            continue
        if value is UNKNOWN or (not isinstance(arg, Access) and not decided(value)):
            return UNKNOWN
        if any(declared.may_be_absent(named.root, named.steps, frame, worth, depth) for named in references(arg)):
            return UNKNOWN
        return True if name == "can" else value
    raise Refused


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
