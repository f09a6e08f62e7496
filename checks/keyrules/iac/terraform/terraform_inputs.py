"""Whether a value rests on inputs that whoever runs Terraform may still change."""

from __future__ import annotations

from keyrules.iac.hcl.hcl_ast import Expr
from keyrules.iac.terraform.terraform_references import Reference, references
from keyrules.iac.terraform.terraform_scope import Scope

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
