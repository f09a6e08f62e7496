"""Which declarations an expression names, followed one step at a time through locals, inputs and outputs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from keyrules.iac.hcl.hcl_ast import Access, Attr, Expr, ForExpr, Index, Name, Step
from keyrules.iac.hcl.hcl_walk import children


@dataclass(frozen=True)
class Reference:
    """A traversal from a root name: `var`, `local`, `module`, `data`, `each` … or a resource type."""

    root: str
    steps: tuple[Step, ...]

    @property
    def name(self) -> str | None:
        """The first attribute step: the variable, the local, or the resource's name."""
        return self.steps[0].name if self.steps and isinstance(self.steps[0], Attr) else None


def references(expr: Expr | None, bound: frozenset[str] = frozenset()) -> Iterator[Reference]:
    """Every traversal in an expression, in text order; names bound by a `for` are not references."""
    if expr is None:
        return
    if isinstance(expr, Name):
        if expr.ident not in bound:
            yield Reference(expr.ident, ())
        return
    if isinstance(expr, Access) and isinstance(expr.base, Name):
        if expr.base.ident not in bound:
            yield Reference(expr.base.ident, expr.steps)
        for step in expr.steps:
            if isinstance(step, Index):
                yield from references(step.key, bound)
        return
    inner = bound
    if isinstance(expr, ForExpr):
        inner = bound | {name for name in (expr.key_name, expr.value_name) if name}
    for child in children(expr):
        yield from references(child, inner)
