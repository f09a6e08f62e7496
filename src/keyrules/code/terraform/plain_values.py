"""What an expression is worth as plain values, with a HOLE for each part that the code does not decide.

The evaluator makes a text UNKNOWN when one part of it is, which is right for a number of days and says too little of a
policy: `arn:aws:s3:::${var.bucket}/*` is not every resource, whatever the bucket. Data sources that only put a policy
together are read as the AWS provider reads them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from keyrules.code.grants import user_arn
from keyrules.code.policy_blocks import joined_document
from keyrules.code.terraform.evaluate import evaluate, instance_keys
from keyrules.code.terraform.functions.files import file_text
from keyrules.code.terraform.hcl.ast import (
    Access,
    Attr,
    Block,
    Body,
    Call,
    Conditional,
    Expr,
    HclSyntaxError,
    ListExpr,
    Name,
    ObjectExpr,
    Template,
)
from keyrules.code.terraform.hcl.numbers import NotComputed
from keyrules.code.terraform.hcl.syntax import parse_template
from keyrules.code.terraform.hcl.values import UNKNOWN, Partial, Refused, decided, text, truth
from keyrules.code.terraform.identity import bound, goes_over_a_set, leading_key, narrow
from keyrules.code.terraform.module import Declaration
from keyrules.code.terraform.scope import Frame, Key
from keyrules.policies.patterns import HOLE

_MAX_DEPTH = 24
_MAX_PARTS = 100_000
"""Of one root: what is put together of itself, again and again, ends here."""

_POLICY_DOCUMENT = "aws_iam_policy_document."
_KEPT = frozenset({"jsondecode", "jsonencode", "nonsensitive", "sensitive", "tolist", "toset", "tostring", "trimspace"})
"""Functions that give what they are given, for those who read lists, and JSON text, either way."""


def plain_value(expr: Expr | None, frame: Frame, depth: int = 0) -> Any:
    """A string, number, bool, list or dict, or None for null and for what is not set."""
    if expr is None:
        return None
    value = evaluate(expr, frame)
    if decided(value):
        return value
    spent = frame.scope.root.memo
    spent["plain values"] = spent.get("plain values", 0) + 1
    if depth > _MAX_DEPTH or spent["plain values"] > _MAX_PARTS:
        return HOLE
    expr, frame = origin(expr, frame)
    match expr:
        case Template(parts):
            shown = [plain_value(part, frame, depth + 1) for part in parts]
            return "".join([HOLE if (each := text(part)) is None else each for part in shown])
        case ListExpr(items):
            return [plain_value(item, frame, depth + 1) for item in items]
        case ObjectExpr(pairs):
            return {
                str(plain_value(name, frame, depth + 1)): plain_value(member, frame, depth + 1)
                for name, member in pairs
            }
        case Conditional(test, then, otherwise):
            decision = truth(evaluate(test, frame))
            return HOLE if decision is None else plain_value(then if decision else otherwise, frame, depth + 1)
        case Call(name, args, False):
            return _called(name.removeprefix("core::"), args, frame, depth + 1)
        case Access(Name(root), steps):
            return _named(root, expr, frame, depth + 1) if steps else HOLE
    return _filled(value)


def _filled(value: Any) -> Any:
    """An evaluated value that is not decided through and through."""
    if isinstance(value, Partial) or value is UNKNOWN:
        return HOLE
    if isinstance(value, dict):
        return {str(name): _filled(member) for name, member in value.items()}
    return [_filled(member) for member in value] if isinstance(value, list) else value


def _called(name: str, args: tuple[Expr, ...], frame: Frame, depth: int) -> Any:
    if name in _KEPT and args:
        return plain_value(args[0], frame, depth)
    if name in ("concat", "flatten"):
        parts = [plain_value(arg, frame, depth) for arg in args]
        found: list[Any] = []
        for part in parts:
            found += part if isinstance(part, list) else [part]
        return [each for item in found for each in (item if isinstance(item, list) else [item])]
    if name == "templatefile" and len(args) == 2:
        source, given = evaluate(args[0], frame), plain_value(args[1], frame, depth)
        if isinstance(source, str) and isinstance(given, dict):
            try:
                body = parse_template(file_text(source, frame.scope), 1)
                return plain_value(body, Frame(frame.scope, bindings=given), depth)
            except (HclSyntaxError, NotComputed, Refused):
                return HOLE
    return _filled(evaluate(Call(name, args), frame))


def _named(root: str, expr: Access, frame: Frame, depth: int) -> Any:
    """What a declared block says of itself."""
    named = declared_block(expr, frame)
    if named is None:
        return HOLE
    declared, where, attribute = named
    if root == "data" and declared.name.startswith(_POLICY_DOCUMENT) and attribute in ("json", "minified_json"):
        return policy_document(declared, where, depth)
    if declared.name.startswith("aws_iam_user.") and attribute == "arn":
        name = text(plain_value(declared.value("name"), where, depth))
        path = text(plain_value(declared.value("path"), where, depth)) or "/"
        return user_arn(name or "", path)
    given = declared.value(attribute)
    return HOLE if given is None else plain_value(given, where, depth)


def origin(expr: Expr, frame: Frame) -> tuple[Expr, Frame]:
    """An expression with references to locals, inputs, outputs of local modules and `each.value` followed to what was
    written there; a template of one part is that part."""
    for _ in range(_MAX_DEPTH):
        if isinstance(expr, Template) and len(expr.parts) == 1:
            expr = expr.parts[0]
            continue
        step = bound(expr, frame) or _source(expr, frame)
        if step is None:
            break
        expr, frame = step
    return expr, frame


def _source(expr: Expr, frame: Frame) -> tuple[Expr, Frame] | None:
    if not (isinstance(expr, Access) and isinstance(expr.base, Name) and isinstance(expr.steps[0], Attr)):
        return None
    root, name, scope, rest = expr.base.ident, expr.steps[0].name, frame.scope, expr.steps[1:]
    found: tuple[Expr | None, Frame] = (None, frame)
    if root == "local" and name in scope.module.locals:
        found = scope.module.locals[name].value("value"), Frame(scope)
    elif root == "var" and scope.parent is not None and scope.call is not None:
        found = scope.call.value(name), Frame(scope.parent, scope.key, scope.call)
    elif root == "each" and name == "value" and frame.block is not None and frame.key is not None:
        collection = frame.block.value("for_each")
        if collection is not None and not goes_over_a_set(collection, Frame(scope)):
            found, rest = origin(collection, Frame(scope)), (Attr(str(frame.key)), *rest)
    elif root == "module":
        key, after = leading_key(rest, frame)
        child = scope.child(name, key)
        if child is not None and after and isinstance(after[0], Attr):
            output = child.module.outputs.get(after[0].name)
            found, rest = (output.value("value") if output is not None else None, Frame(child)), after[1:]
    if found[0] is None:
        return None
    source, left, where = narrow(found[0], rest, found[1])
    if not left:
        return source, where
    return (Access(source.base, source.steps + left), where) if isinstance(source, Access) else None


def declared_block(expr: Expr, frame: Frame) -> tuple[Declaration, Frame, str] | None:
    """The resource or data source of which an expression is an attribute, the instance that is meant, and which
    attribute; None where it is no such thing."""
    expr, frame = origin(expr, frame)
    if not (isinstance(expr, Access) and isinstance(expr.base, Name)):
        return None
    names = [step.name if isinstance(step, Attr) else "" for step in expr.steps]
    before = 2 if expr.base.ident == "data" else 1
    module = frame.scope.module
    kind, blocks = (names[0], module.data) if before == 2 else (expr.base.ident, module.resources)
    declared = blocks.get(f"{kind}.{names[before - 1]}") if len(names) >= before else None
    if declared is None:
        return None
    key, rest = leading_key(expr.steps[before:], frame)
    if len(rest) != 1 or not isinstance(rest[0], Attr):
        return None
    return declared, Frame(frame.scope, _instance(declared, key, frame), declared), rest[0].name


def _instance(declared: Declaration, key: Key, frame: Frame) -> Key:
    keys = instance_keys(declared, frame.scope) or ()
    return next((each for each in keys if str(each) == str(key)), key)


_DOCUMENTS = ("source_json", "source_policy_documents", "override_json", "override_policy_documents")


def policy_document(declared: Declaration, frame: Frame, depth: int = 0) -> Any:
    """The document that an `aws_iam_policy_document` makes."""
    memo, place = frame.scope.memo, ("policy document", declared.path, declared.start_line, frame.key)
    if place not in memo:
        # Set first, so that one which is made of itself ends.
        memo[place] = HOLE
        given = {name: plain_value(declared.value(name), frame, depth + 1) for name in _DOCUMENTS}
        statements = [_nested(body, where, depth + 1) for body, where in _blocks(declared.body, "statement", frame)]
        memo[place] = joined_document({**given, "statement": statements})
    return memo[place]


def _nested(body: Body | None, frame: Frame, depth: int) -> Any:
    """A nested block as an object."""
    if body is None:
        return HOLE
    given = {name: plain_value(attribute.value, frame, depth) for name, attribute in body.attributes.items()}
    conditions = [_nested(inner, where, depth + 1) for inner, where in _blocks(body, "condition", frame)]
    return {**given, "condition": conditions}


def _blocks(body: Body, kind: str, frame: Frame) -> Iterator[tuple[Body | None, Frame]]:
    """The nested blocks of a kind, each round of a `dynamic` one; None for rounds that the code does not decide."""
    for block in body.blocks:
        if block.type == kind:
            yield block.body, frame
        elif block.type == "dynamic" and block.labels == (kind,):
            yield from _rounds(block, frame)


def _rounds(block: Block, frame: Frame) -> Iterator[tuple[Body | None, Frame]]:
    given, named = block.body.attributes.get("for_each"), block.body.attributes.get("iterator")
    iterator = named.value.ident if named is not None and isinstance(named.value, Name) else block.labels[0]
    items = plain_value(given.value, frame) if given is not None else HOLE
    content = next((inner.body for inner in block.body.blocks if inner.type == "content"), None)
    if not isinstance(items, (list, dict)) or content is None:
        yield None, frame
        return
    for key, value in items.items() if isinstance(items, dict) else enumerate(items):
        bindings = {**frame.bindings, iterator: {"key": key, "value": value}}
        yield content, Frame(frame.scope, frame.key, frame.block, bindings)
