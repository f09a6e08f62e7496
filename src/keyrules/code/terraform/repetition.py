"""Whether a block whose `count` or `for_each` is open may stand for several keys of one user.

Terraform decides the number when it runs. Two things can be told before: that there is at most one instance, and that
each instance is for another user.
"""

from __future__ import annotations

from keyrules.code.terraform.evaluate import UNKNOWN, evaluate, instance_keys
from keyrules.code.terraform.hcl.ast import (
    Access,
    Attr,
    Call,
    Conditional,
    Expr,
    Index,
    ListExpr,
    Literal,
    Name,
    Template,
)
from keyrules.code.terraform.hcl.values import number
from keyrules.code.terraform.identity import goes_over_a_set, leading_key, origin
from keyrules.code.terraform.module import Declaration
from keyrules.code.terraform.scope import Frame, Scope

_MAX_DEPTH = 24
_KEEPING = frozenset({"join", "nonsensitive", "one", "tostring"})
"""Functions whose value differs where one of their arguments does and the others are the same."""
_UNLIKE = frozenset({"distinct", "keys", "toset"})
"""Functions whose value has no two equal members."""


def may_be_several(declared: Declaration, frame: Frame) -> bool:
    """Whether one block, in a module instance, may be several keys of the same user.

    `frame` is the instance that the block is judged as.
    """
    user = declared.value("user")
    scope: Scope | None = frame.scope
    if _is_open(declared, frame.scope) and not _differs(user, frame, declared, 0):
        return True
    while scope is not None and scope.parent is not None and scope.call is not None:
        if _is_open(scope.call, scope.parent) and not _differs(user, frame, scope.call, 0):
            return True
        scope = scope.parent
    return False


def _is_open(declared: Declaration, scope: Scope) -> bool:
    """Whether a block may have more than one instance, and nobody knows how many."""
    if instance_keys(declared, scope) is not None:
        return False
    expr = declared.value("count") or declared.value("for_each")
    return expr is not None and not _at_most_one(expr, Frame(scope), 0)


def _at_most_one(expr: Expr, frame: Frame, depth: int) -> bool:
    expr, frame = origin(expr, frame)
    if isinstance(expr, Conditional) and depth < _MAX_DEPTH:
        return all(_at_most_one(branch, frame, depth + 1) for branch in (expr.then, expr.otherwise))
    if isinstance(expr, ListExpr):
        return len(expr.items) <= 1
    value = evaluate(expr, frame)
    if value is UNKNOWN:
        return False
    amount = number(value)
    if amount is not None:
        return amount <= 1
    try:
        return len(value) <= 1
    except TypeError:
        return value is None


def _differs(expr: Expr | None, frame: Frame, repeated: Declaration, depth: int) -> bool:
    """Whether an expression has another value in each instance of a repeated block or module call."""
    if expr is None or depth > _MAX_DEPTH:
        return False
    expr, frame = _followed(expr, frame)
    if _picks_once(expr, frame, repeated, depth):
        return True
    if isinstance(expr, Call) and expr.name in _KEEPING:
        return any(_differs(argument, frame, repeated, depth + 1) for argument in expr.args)
    if isinstance(expr, Template):
        others = [part for part in expr.parts if not isinstance(part, Literal)]
        return len(others) == 1 and _differs(others[0], frame, repeated, depth + 1)
    if not isinstance(expr, Access) or not isinstance(expr.base, Name) or not isinstance(expr.steps[0], Attr):
        return False
    root, name = expr.base.ident, expr.steps[0].name
    if frame.block is repeated and len(expr.steps) == 1:
        if (root, name) in (("each", "key"), ("count", "index")):
            return True
        collection = repeated.value("for_each")
        if (root, name) == ("each", "value") and collection is not None:
            return goes_over_a_set(collection, Frame(frame.scope))
    picked = expr.steps[1:2]
    if picked and isinstance(picked[0], Index) and _differs(picked[0].key, frame, repeated, depth + 1):
        # Two users of one account never share a name, so two instances of a user are two users.
        return root == "aws_iam_user" or _is_user_output(root, name, expr, frame)
    if root == "aws_iam_user" and frame.block is not repeated and _within(frame.scope, repeated):
        return True
    if root == "module":
        key, rest = leading_key(expr.steps[1:], frame)
        child = frame.scope.child(name, key)
        output = child.module.outputs.get(rest[0].name) if child and rest and isinstance(rest[0], Attr) else None
        if child is not None and output is not None:
            return _differs(output.value("value"), Frame(child), repeated, depth + 1)
    return False


def _picks_once(expr: Expr, frame: Frame, repeated: Declaration, depth: int) -> bool:
    """Whether each instance takes another member of a list in which no member comes twice."""
    if isinstance(expr, Call) and expr.name == "element" and len(expr.args) == 2:
        # element() starts over where the list ends, so there may be no more instances than members.
        count = _followed(repeated.value("count") or expr, Frame(frame.scope))[0]
        collection, key = expr.args
        if count != Call("length", (collection,)) or frame.block is not repeated:
            return False
    elif isinstance(expr, Access) and isinstance(expr.steps[-1], Index):
        key = expr.steps[-1].key
        collection = Access(expr.base, expr.steps[:-1]) if expr.steps[1:] else expr.base
    else:
        return False
    members = _followed(collection, frame)[0]
    return isinstance(members, Call) and members.name in _UNLIKE and _differs(key, frame, repeated, depth + 1)


def _followed(expr: Expr, frame: Frame) -> tuple[Expr, Frame]:
    found = origin(expr, frame)
    while isinstance(found[0], Template) and len(found[0].parts) == 1:
        found = origin(found[0].parts[0], found[1])
    return found


def _is_user_output(root: str, name: str, expr: Access, frame: Frame) -> bool:
    """Whether `module.NAME[…].OUTPUT` is an attribute of a user that the module declares."""
    child = frame.scope.child(name) if root == "module" else None
    wanted = expr.steps[2] if len(expr.steps) > 2 else None
    output = child.module.outputs.get(wanted.name) if child and isinstance(wanted, Attr) else None
    value = output.value("value") if output else None
    return isinstance(value, Access) and value.base == Name("aws_iam_user")


def _within(scope: Scope, call: Declaration) -> bool:
    """Whether a module instance lies in a call: each instance of the call then has a user of its own."""
    while scope.parent is not None:
        if scope.call is call:
            return True
        scope = scope.parent
    return False
