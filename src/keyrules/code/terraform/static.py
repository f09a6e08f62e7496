"""The type of an expression whose value is open, as far as the code says it: it decides what a conditional makes of the
branch that is chosen."""

from __future__ import annotations

from keyrules.code.terraform.hcl.ast import (
    Access,
    Attr,
    Binary,
    Call,
    Conditional,
    Expr,
    ForExpr,
    ListExpr,
    Literal,
    Name,
    ObjectExpr,
    Template,
    Unary,
)
from keyrules.code.terraform.hcl.kinds import kind_of, shared_kind
from keyrules.code.terraform.hcl.numbers import NotComputed
from keyrules.code.terraform.hcl.values import Kind, Refused
from keyrules.code.terraform.scope import Frame
from keyrules.code.terraform.types import declared_kind

_MAX_DEPTH = 16
_BOOLS = frozenset({"==", "!=", "<", ">", "<=", ">=", "&&", "||", "!"})
_STRINGS = """base64decode base64encode base64sha256 base64sha512 basename chomp cidrhost cidrnetmask cidrsubnet dirname
file filebase64 filebase64sha256 filemd5 filesha1 filesha256 format formatdate indent join jsonencode lower md5
plantimestamp replace sha1 sha256 sha512 strrev substr timeadd timestamp title tostring trim trimprefix trimspace
trimsuffix upper urlencode uuid uuidv5 yamlencode"""
_NUMBERS = "abs ceil floor index length log max min parseint pow signum sum timecmp tonumber"
_TRUTHS = "alltrue anytrue can contains endswith fileexists startswith strcontains tobool"
_RESULTS: dict[str, Kind] = {
    **dict.fromkeys(_STRINGS.split(), "string"),
    **dict.fromkeys(_NUMBERS.split(), "number"),
    **dict.fromkeys(_TRUTHS.split(), "bool"),
    **dict.fromkeys(("cidrsubnets", "compact", "sort", "split"), ("list", "string")),
    **dict.fromkeys(("chunklist", "distinct", "matchkeys", "tolist"), ("list", None)),
    **dict.fromkeys(("setintersection", "setsubtract", "setunion", "toset"), ("set", None)),
    "fileset": ("set", "string"),
    "formatlist": ("list", "string"),
    "range": ("list", "number"),
    "tomap": ("map", None),
    "transpose": ("map", ("list", "string")),
}


def static_kind(expr: Expr, frame: Frame, depth: int = 0) -> Kind:
    """The type of an expression, None where the code does not say it."""
    if depth > _MAX_DEPTH:
        return None
    match expr:
        case Literal(value):
            return kind_of(value)
        case Template(parts):
            return "string" if len(parts) > 1 or expr.is_text else static_kind(parts[0], frame, depth + 1)
        case Binary(op) | Unary(op):
            return "bool" if op in _BOOLS else "number"
        case Call(name):
            return _RESULTS.get(name.removeprefix("core::"))
        case ForExpr() if expr.joined:
            return "string"
        case Conditional(_, then, otherwise):
            try:
                return shared_kind([static_kind(branch, frame, depth + 1) for branch in (then, otherwise)])
            except (Refused, NotComputed):
                return None
        case ListExpr(items):
            kinds = [static_kind(item, frame, depth + 1) for item in items]
            return None if None in kinds else ("tuple", tuple(kinds))
        case ObjectExpr(pairs):
            return _object(pairs, frame, depth + 1)
        case Access(Name(root), (Attr(name),)) if root not in frame.bindings:
            return _named(root, name, frame, depth + 1)
    return None


def _object(pairs: tuple[tuple[Expr, Expr], ...], frame: Frame, depth: int) -> Kind:
    members: dict[str, Kind] = {}
    for key, value in pairs:
        kind = static_kind(value, frame, depth)
        if not isinstance(key, Literal) or not isinstance(key.value, str) or kind is None:
            return None
        members[key.value] = kind
    return "object", tuple(sorted(members.items()))


def _named(root: str, name: str, frame: Frame, depth: int) -> Kind:
    module = frame.scope.module
    if root == "var" and name in module.variables:
        return declared_kind(module.variables[name].value("type"))
    if root == "local" and name in module.locals:
        value = module.locals[name].value("value")
        return None if value is None else static_kind(value, Frame(frame.scope), depth)
    if (root, name) == ("each", "key"):
        return "string"
    return "number" if (root, name) == ("count", "index") else None
