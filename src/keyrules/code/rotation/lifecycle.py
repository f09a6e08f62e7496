"""What a resource's lifecycle block says about its replacement."""

from __future__ import annotations

from collections.abc import Iterator

from keyrules.code.terraform.evaluate import truth
from keyrules.code.terraform.hcl.ast import Body, Expr, ListExpr, Name
from keyrules.code.terraform.module import Declaration


def trigger_entries(declared: Declaration) -> Iterator[Expr]:
    """The entries of a resource's replace_triggered_by."""
    for block in declared.blocks("lifecycle"):
        yield from _entries(block.body, "replace_triggered_by")


def prevents_destroy(declared: Declaration) -> bool:
    """Whether a lifecycle block forbids replacement; Terraform accepts only a literal there."""
    values = (block.body.attributes.get("prevent_destroy") for block in declared.blocks("lifecycle"))
    return any(value is not None and truth(getattr(value.value, "value", None)) is True for value in values)


def _entries(body: Body, argument: str) -> tuple[Expr, ...]:
    attribute = body.attributes.get(argument)
    if attribute is None:
        return ()
    return attribute.value.items if isinstance(attribute.value, ListExpr) else (attribute.value,)


def ignores(declared: Declaration, argument: str) -> bool:
    """Whether changes of an argument are ignored."""
    entries = (entry for block in declared.blocks("lifecycle") for entry in _entries(block.body, "ignore_changes"))
    return any(isinstance(entry, Name) and entry.ident in (argument, "all") for entry in entries)
