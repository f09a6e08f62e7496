"""What a resource's lifecycle block says about its replacement, as Terraform 1.11 was seen to read it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from keyrules.code.terraform.evaluate import evaluate, truth
from keyrules.code.terraform.hcl.ast import (
    Access,
    Attr,
    Body,
    Expr,
    HclSyntaxError,
    Index,
    ListExpr,
    Literal,
    Name,
    Step,
)
from keyrules.code.terraform.hcl.syntax import parse_expression
from keyrules.code.terraform.hcl.values import text
from keyrules.code.terraform.module import Declaration
from keyrules.code.terraform.scope import Frame

Part: TypeAlias = tuple[str, str]
"""A step into a value: ("name", "a") for `.a`, ("key", "a") for `["a"]`, ("position", "0") for `[0]`."""

Hidden: TypeAlias = tuple[tuple[Part, ...], ...]
"""The parts of one argument whose changes are ignored, each by the way to it; no steps mean all of it."""

_EVERYTHING: Hidden = ((),)
_ATTRIBUTES = {
    "null_resource": frozenset({"id", "triggers"}),
    "terraform_data": frozenset({"id", "input", "output", "triggers_replace"}),
}
"""The attributes of types that have few: Terraform refuses any other name in ignore_changes."""


def trigger_entries(declared: Declaration) -> Iterator[Expr]:
    """The entries of a resource's replace_triggered_by."""
    for block in declared.blocks("lifecycle"):
        yield from _entries(block.body, "replace_triggered_by")


def prevents_destroy(declared: Declaration, frame: Frame) -> bool | None:
    """Whether a lifecycle block forbids replacement; None where that is not decided.

    Terraform 1.11 takes any expression there that names nothing, OpenTofu 1.11 any expression.
    """
    return _says(declared, "prevent_destroy", frame, word=True)


def keeps_replaced(declared: Declaration, frame: Frame) -> bool | None:
    """Whether a lifecycle block leaves what is replaced alive, outside of the state; None where that is not decided.

    OpenTofu 1.12 (opentofu/opentofu#3409) and Terraform 1.16 (hashicorp/terraform#38784) have `destroy` for it; with
    create_before_destroy the latter's first version fails instead (hashicorp/terraform#39088).
    """
    return _says(declared, "destroy", frame, word=False)


def _says(declared: Declaration, argument: str, frame: Frame, *, word: bool) -> bool | None:
    """Whether a lifecycle block gives an argument this value; None where that is not decided."""
    found: bool | None = False
    for block in declared.blocks("lifecycle"):
        given = block.body.attributes.get(argument)
        decided = _switch(evaluate(given.value, frame)) if given is not None else not word
        found = True if decided is word else None if decided is None else found
    return found


def _switch(value: Any) -> bool | None:
    # Conversion to bool takes "1" and "0", too, which truth() leaves to the rest of the language.
    return value == "1" if value in ("0", "1") and isinstance(value, str) else truth(value)


def hidden(declared: Declaration, argument: str) -> Hidden:
    """The parts of an argument that ignore_changes names: as identifiers, quoted, or with `all`.

    An entry that Terraform refuses hides everything, because nothing is replaced until it is mended.
    """
    entries = (entry for block in declared.blocks("lifecycle") for entry in _entries(block.body, "ignore_changes"))
    found: list[tuple[Part, ...]] = []
    for entry in entries:
        base, steps = _traversal(entry)
        known = _ATTRIBUTES.get(declared.name.split(".")[0])
        if base in ("", "all") or (known is not None and base not in known):
            return _EVERYTHING
        if base == argument:
            found.append(tuple(map(_part, steps)))
    return _EVERYTHING if () in found else tuple(found)


def _traversal(entry: Expr) -> tuple[str, tuple[Step, ...]]:
    """The name and the steps of an entry; no name where it is not made of constant steps."""
    if isinstance(entry, Literal) and isinstance(entry.value, str):
        try:
            entry = parse_expression(entry.value, 1)
        except HclSyntaxError:
            return "", ()
    match entry:
        case Name(ident):
            return ident, ()
        case Access(Name(ident), steps) if all(is_constant(step) for step in steps):
            return ident, steps
    return "", ()


def _part(step: Step) -> Part:
    if isinstance(step, Attr):
        return "position" if step.name.isdigit() else "name", step.name
    key = step.key.value if isinstance(step, Index) and isinstance(step.key, Literal) else None
    return "key" if isinstance(key, str) else "position", text(key) or ""


def is_constant(step: Step) -> bool:
    """Whether a step is an attribute or an index that is written out, as references in a lifecycle block must be."""
    return isinstance(step, Attr) or (isinstance(step, Index) and isinstance(step.key, Literal))


def _entries(body: Body, argument: str) -> tuple[Expr, ...]:
    attribute = body.attributes.get(argument)
    if attribute is None:
        return ()
    return attribute.value.items if isinstance(attribute.value, ListExpr) else (attribute.value,)
