"""What an entry of replace_triggered_by names.

Read from Terraform 1.11: an entry is a reference to a managed resource, to one instance, or to a part of it, written
out; a part is found in the value as it was before. An object's members are found by name only, a map's by index only.
"""

from __future__ import annotations

from keyrules.code.rotation.lifecycle import is_constant
from keyrules.code.terraform.hcl.ast import (
    Access,
    Attr,
    Call,
    Expr,
    Index,
    ListExpr,
    Literal,
    Name,
    ObjectExpr,
    Splat,
    Step,
    Template,
)
from keyrules.code.terraform.identity import narrow, origin
from keyrules.code.terraform.module import Declaration
from keyrules.code.terraform.references import Reference
from keyrules.code.terraform.scope import Frame

MAPS = frozenset({"keepers", "triggers"})
"""Arguments that a provider's schema makes maps of strings."""

_PLAIN_ATTRIBUTES = frozenset({"hex", "id", "rfc3339", "rotation_rfc3339", "unix"})
_INSTANCE_KEYS = (Access(Name("count"), (Attr("index"),)), Access(Name("each"), (Attr("key"),)))


def trigger_reference(entry: Expr) -> Reference | None:
    """The reference that an entry is; None for what Terraform refuses there."""
    if isinstance(entry, Access) and isinstance(entry.base, Name) and all(map(_is_written_out, entry.steps)):
        return Reference(entry.base.ident, entry.steps)
    return None


def _is_written_out(step: Step) -> bool:
    return is_constant(step) or (isinstance(step, Index) and step.key in _INSTANCE_KEYS)


def named_part(declared: Declaration, steps: tuple[Step, ...]) -> tuple[Step, ...] | None:
    """The steps after a block's name, with the instance as an index where it is written `.0` or `.key`; None for an
    attribute of a block with count, which only its instances have."""
    first = steps[0] if steps else None
    if not isinstance(first, Attr):
        return steps
    if declared.value("for_each") is not None:
        return (Index(Literal(first.name)), *steps[1:])
    if declared.value("count") is not None:
        return (Index(Literal(int(first.name))), *steps[1:]) if first.name.isdigit() else None
    return steps


def reaches(declared: Declaration, steps: tuple[Step, ...], frame: Frame) -> bool | None:
    """Whether the steps of an entry lead to something that can change; None where a value's shape is not decided."""
    by_attribute = bool(steps) and isinstance(steps[0], Attr)
    if by_attribute and declared.value("for_each") is not None:
        return False
    named = named_part(declared, steps) or ()
    part = named[1:] if named and isinstance(named[0], Index) else named
    if not part:
        return True
    first = part[0]
    if not isinstance(first, Attr):
        return False
    item = declared.body.attributes.get("input" if first.name == "output" else first.name)
    if item is None:
        return True
    return _found(item.value, part[1:], Frame(frame.scope, frame.key, declared), is_map=first.name in MAPS)


def _found(expr: Expr, steps: tuple[Step, ...], frame: Frame, *, is_map: bool) -> bool | None:
    if not steps:
        return True
    expr, frame = origin(expr, frame)
    by_key = isinstance(steps[0], Index) and isinstance(steps[0].key, Literal) and isinstance(steps[0].key.value, str)
    if isinstance(expr, Call) and expr.name == "tomap" and len(expr.args) == 1:
        return _found(expr.args[0], steps, frame, is_map=True)
    if is_map:
        return by_key
    if is_plain(expr):
        return False
    if not isinstance(expr, (ListExpr, ObjectExpr)):
        return None
    member, left, where = narrow(expr, steps[:1], frame)
    return False if by_key or left else _found(member, steps[1:], where, is_map=False)


def is_plain(expr: Expr) -> bool:
    """Whether a value surely has no parts: text, a number, or an attribute that is one wherever there is one."""
    if isinstance(expr, Access):
        last = expr.steps[-1]
        return len(expr.steps) > 1 and isinstance(last, Attr) and last.name in _PLAIN_ATTRIBUTES and _is_single(expr)
    return isinstance(expr, (Literal, Template))


def _is_single(expr: Access) -> bool:
    return isinstance(expr.base, Name) and not any(isinstance(step, Splat) for step in expr.steps)
