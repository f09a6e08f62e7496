"""Signs that a key is replaced by hand: a version or a date in its name, or two slots that a switch chooses between."""

from __future__ import annotations

import re

from keyrules.iac.hcl_ast import Conditional, Expr
from keyrules.iac.terraform_keys import KEY_TYPES, DeclaredKey, declared_keys, user_of
from keyrules.iac.terraform_references import children, references

_VERSIONED = re.compile(r"(?:[_-]v\d+|[_-]?(?:19|20)\d\d(?:[_-]?\d\d){0,2})$", re.IGNORECASE)
_VERSIONED_KEY = re.compile(r"(?:^|[_-])(?:v\d+|(?:19|20)\d\d(?:[_-]?\d\d){0,2}|key[_-]?\d+)$", re.IGNORECASE)


def manual_signs(key: DeclaredKey) -> list[str]:
    """One clause per sign, for a message; empty when nothing speaks of a rotation at all."""
    signs = []
    name = key.declared.name.split(".", 1)[1]
    if _VERSIONED.search(name):
        signs.append(f"the resource's name {name} carries a version or a date")
    if isinstance(key.frame.key, str) and _VERSIONED_KEY.search(key.frame.key):
        signs.append(f'the for_each key "{key.frame.key}" carries a version or a date')
    if _is_one_of_two_slots(key):
        signs.append("it is one of two slots that a switch in the code chooses between")
    return signs


def _is_one_of_two_slots(key: DeclaredKey) -> bool:
    owner = user_of(key.declared, key.frame)
    root = key.frame.scope.root
    others = {
        other.declared.name
        for other in declared_keys(root)
        if other.frame.scope is key.frame.scope and user_of(other.declared, other.frame) == owner
    } - {key.declared.name}
    return bool(others) and any(_chooses(expr, key.declared.name, others) for expr in _expressions(key))


def _expressions(key: DeclaredKey) -> list[Expr]:
    module = key.frame.scope.module
    groups = (module.locals, module.outputs, module.resources, module.calls)
    return [
        attribute.value
        for group in groups
        for name, declared in group.items()
        if name.split(".")[0] not in KEY_TYPES
        for attribute in declared.body.attributes.values()
    ]


def _chooses(expr: Expr, name: str, others: set[str]) -> bool:
    if isinstance(expr, Conditional):
        then = {f"{r.root}.{r.name}" for r in references(expr.then)}
        otherwise = {f"{r.root}.{r.name}" for r in references(expr.otherwise)}
        if (name in then and otherwise & others) or (name in otherwise and then & others):
            return True
    return any(_chooses(child, name, others) for child in children(expr))
