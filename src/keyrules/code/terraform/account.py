"""Which AWS account a block belongs to, as far as the provider configuration it uses tells accounts apart.

A name is unique in one account only, so that keys of two users who share a name in two accounts are not keys of one
user. Providers take their account from a role, a profile or other credentials; the region says nothing, as IAM is
global. See https://developer.hashicorp.com/terraform/language/modules/develop/providers on how modules get theirs.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator

from keyrules.code.terraform.evaluate import evaluate
from keyrules.code.terraform.hcl.ast import Access, Attr, Expr, Literal, Name, ObjectExpr
from keyrules.code.terraform.identity import identity, leading_key
from keyrules.code.terraform.module import Declaration
from keyrules.code.terraform.scope import Frame, Key, Scope

ROLE_ACCOUNT = re.compile(r"arn:aws[\w-]*:iam::(\d{12}):")
"""The account in a role's ARN."""

CREDENTIALS = ("access_key", "profile", "shared_config_files", "shared_credentials_file", "shared_credentials_files")
"""The arguments of a provider that choose an account without naming it."""

ROLE_BLOCKS = ("assume_role", "assume_role_with_web_identity")
"""The nested blocks of a provider whose `role_arn` chooses the account."""

_Reference = tuple[str, Key]
"""A provider's name with its alias (`aws.prod`), and the key of its instance where it has for_each."""


def account(declared: Declaration, frame: Frame) -> Hashable:
    """What stands for the account of a block: equal for two blocks unless their providers tell accounts apart.

    A provider that is not declared where it could be counts as one that sets nothing.
    """
    expr = declared.value("provider")
    reference = _reference(expr, frame) if expr is not None else (declared.name.split("_")[0], None)
    return _resolved(reference, frame.scope) if reference is not None else ()


def _reference(expr: Expr, frame: Frame) -> _Reference | None:
    if isinstance(expr, Literal) and isinstance(expr.value, str):
        return expr.value, None
    if isinstance(expr, Name):
        return expr.ident, None
    if isinstance(expr, Access) and isinstance(expr.base, Name) and isinstance(expr.steps[0], Attr):
        key, _ = leading_key(expr.steps[1:], frame)
        return f"{expr.base.ident}.{expr.steps[0].name}", key
    return None


def _resolved(reference: _Reference, scope: Scope) -> Hashable:
    name, key = reference
    if scope.parent is not None and scope.call is not None:
        frame = Frame(scope.parent, scope.key, scope.call)
        given = scope.call.value("providers")
        for inner, outer in given.items if isinstance(given, ObjectExpr) else ():
            if _reference(inner, frame) == (name, None):
                passed = _reference(outer, frame)
                return _resolved(passed, scope.parent) if passed is not None else ()
    for provider in scope.module.providers:
        alias = evaluate(provider.value("alias"), Frame(scope))
        if (f"{provider.name}.{alias}" if alias is not None else provider.name) == name:
            return _told(provider, Frame(scope, key, provider))
    return _resolved(reference, scope.parent) if scope.parent is not None and "." not in name else ()


def _told(provider: Declaration, frame: Frame) -> Hashable:
    """What a provider's arguments say of its account: its number, else the values that choose it."""
    allowed = evaluate(provider.value("allowed_account_ids"), frame)
    if isinstance(allowed, list) and len(allowed) == 1 and isinstance(allowed[0], str):
        return "account", allowed[0]
    roles = list(_roles(provider))
    # The roles of several blocks are assumed one after the other, so that the last one counts.
    arn = evaluate(roles[-1], frame) if roles else None
    numbered = ROLE_ACCOUNT.match(arn) if isinstance(arn, str) else None
    if numbered is not None:
        return "account", numbered[1]
    if roles:
        return "role", identity(roles[-1], frame)
    given = ((name, provider.value(name)) for name in CREDENTIALS)
    return tuple((name, identity(expr, frame)) for name, expr in given if expr is not None)


def _roles(provider: Declaration) -> Iterator[Expr]:
    for kind in ROLE_BLOCKS:
        for block in provider.blocks(kind):
            if "role_arn" in block.body.attributes:
                yield block.body.attributes["role_arn"].value
