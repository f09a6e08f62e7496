"""Which declarations an expression names, followed one step at a time through locals, inputs and outputs."""

from __future__ import annotations

from collections.abc import Iterator

from keyrules.code.terraform.hcl.ast import Access, Attr, Expr, ForExpr, Index, Name, Step
from keyrules.code.terraform.hcl.walk import children
from keyrules.code.terraform.scope import Scope
from keyrules.records import dataclass

_MAX_DEPTH = 16


def depends_on_inputs(expr: Expr | None, scope: Scope, depth: int = 0) -> bool:
    """Whether an expression names, at any distance, an input of the root module that no values file sets.

    Only such an input can be given another value with `-var` or TF_VAR_…; chains too long to follow count as that.
    """
    if depth > _MAX_DEPTH:
        return True
    return any(_depends(reference, scope, depth) for reference in references(expr))


def _depends(reference: Reference, scope: Scope, depth: int) -> bool:
    name = reference.name
    if name is None or reference.root not in ("var", "local"):
        return False
    node = ("depends_on_inputs", reference.root, name)
    if node not in scope.memo:
        scope.memo[node] = True
        if reference.root == "local":
            declared = scope.module.locals.get(name)
            scope.memo[node] = declared is not None and depends_on_inputs(declared.value("value"), scope, depth + 1)
        elif scope.parent is None or scope.call is None:
            scope.memo[node] = name not in scope.module.values
        else:
            scope.memo[node] = depends_on_inputs(scope.call.value(name), scope.parent, depth + 1)
    return bool(scope.memo[node])


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
