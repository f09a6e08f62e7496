"""The attributes of a declared access key that hold its secret in plain text."""

from __future__ import annotations

from keyrules.iac.hcl.hcl_ast import Access, Attr, Call, Expr, Name, Template
from keyrules.iac.terraform.hcl_evaluate import UNKNOWN, evaluate
from keyrules.iac.terraform.terraform_module import Declaration
from keyrules.iac.terraform.terraform_scope import Frame, Scope

SECRET_ATTRIBUTES = ("secret", "ses_smtp_password_v4", "ses_smtp_password")
"""The SMTP password is derived from the secret and is as good; its older form went with version 3 of the provider."""

_READS = frozenset({"file", "filebase64", "templatefile"})
_SAME_TEXT = frozenset({"base64encode", "chomp", "trimspace", "replace", "sensitive", "nonsensitive"})
_INPUTS = frozenset({"var", "each", "count", "module", "self", "path", "terraform"})
_MAX_DEPTH = 16


def secret_attributes(declared: Declaration, frame: Frame) -> tuple[str, ...]:
    """The secret attributes that one instance of a key has: none when `pgp_key` is set, which encrypts them.

    A `pgp_key` that only an input decides may be empty, so the key counts as not encrypted.
    """
    pgp_key = declared.value("pgp_key")
    value = evaluate(pgp_key, frame)
    encrypted = _always_set(pgp_key, frame.scope) if value is UNKNOWN else value not in (None, "")
    return () if encrypted else SECRET_ATTRIBUTES


def _always_set(expr: Expr | None, scope: Scope, depth: int = 0) -> bool:
    """Whether an expression without a known value is never null or empty: a file's content, a block's attribute."""
    if depth > _MAX_DEPTH:
        return False
    if isinstance(expr, Template):
        return len(expr.parts) > 1 or _always_set(expr.parts[0], scope, depth + 1)
    if isinstance(expr, Call):
        return expr.name in _READS or (
            expr.name in _SAME_TEXT and bool(expr.args) and _always_set(expr.args[0], scope, depth + 1)
        )
    if not isinstance(expr, Access) or not isinstance(expr.base, Name):
        return False
    if expr.base.ident != "local":
        return expr.base.ident not in _INPUTS
    name = expr.steps[0].name if isinstance(expr.steps[0], Attr) else ""
    declared = scope.module.locals.get(name)
    return declared is not None and len(expr.steps) == 1 and _always_set(declared.value("value"), scope, depth + 1)
