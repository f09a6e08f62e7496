"""Signs that a key is replaced by hand: a version or a date in its name, or two slots that a switch chooses between."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

from keyrules.code.terraform.hcl.ast import Access, Conditional, Expr, Index, ListExpr, Literal, ObjectExpr
from keyrules.code.terraform.hcl.walk import children
from keyrules.code.terraform.identity import origin
from keyrules.code.terraform.keys import KEY_TYPES, DeclaredKey, Owner, keys_of, user_of
from keyrules.code.terraform.references import references
from keyrules.code.terraform.scope import Frame, Scope

_DATE = r"(?:19|20)\d\d(?:[_-]?(?:\d\d|[a-z]{3,9})){0,2}"
_VERSIONED = re.compile(rf"(?:[_-]v\d+|[_-]?{_DATE})$", re.IGNORECASE)
_VERSIONED_KEY = re.compile(rf"(?:^|[_-])(?:v\d+|{_DATE}|key[_-]?\d+)$", re.IGNORECASE)

TWO_SLOTS = "it is one of two slots that a switch in the code chooses between"


def manual_signs(key: DeclaredKey) -> list[str]:
    """One clause per sign, for a message; empty when nothing speaks of a rotation at all."""
    signs = []
    name = key.declared.name.split(".", 1)[1]
    if _VERSIONED.search(name):
        signs.append(f"the resource's name {name} carries a version or a date")
    if isinstance(key.frame.key, str) and _VERSIONED_KEY.search(key.frame.key):
        signs.append(f'the for_each key "{key.frame.key}" carries a version or a date')
    if _is_one_of_two_slots(key):
        signs.append(TWO_SLOTS)
    return signs


def _is_one_of_two_slots(key: DeclaredKey) -> bool:
    scope = key.frame.scope
    others = _names_by_owner(scope).get(user_of(key.declared, key.frame), set()) - {key.declared.name}
    return bool(others) and any(_chooses(expr, key.declared.name, others, Frame(scope)) for expr in _expressions(scope))


def _names_by_owner(scope: Scope) -> Mapping[Owner, set[str]]:
    """The blocks of keys in a module instance by their user; of those that are repeated, as their first instance."""
    if "names by owner" not in scope.memo:
        first = {key.declared.name: key for key in reversed(list(keys_of(scope)))}
        found: defaultdict[Owner, set[str]] = defaultdict(set)
        for name, key in first.items():
            found[user_of(key.declared, key.frame)].add(name)
        scope.memo["names by owner"] = found
    names: Mapping[Owner, set[str]] = scope.memo["names by owner"]
    return names


def _expressions(scope: Scope) -> list[Expr]:
    module = scope.module
    groups = (module.locals, module.outputs, module.resources, module.calls)
    return [
        attribute.value
        for group in groups
        for name, declared in group.items()
        if name.split(".")[0] not in KEY_TYPES
        for attribute in declared.body.attributes.values()
    ]


def _chooses(expr: Expr, name: str, others: set[str], frame: Frame) -> bool:
    """Whether a switch in an expression takes one key or another."""
    choices: tuple[Expr, ...] = ()
    if isinstance(expr, Conditional):
        choices = (expr.then, expr.otherwise)
    elif isinstance(expr, Access) and any(isinstance(s, Index) and not isinstance(s.key, Literal) for s in expr.steps):
        table, _ = origin(Access(expr.base, expr.steps[:1]), frame)
        table = expr.base if isinstance(expr.base, (ListExpr, ObjectExpr)) else table
        if isinstance(table, ListExpr):
            choices = table.items
        elif isinstance(table, ObjectExpr):
            choices = tuple(value for _, value in table.items)
    named = [{f"{r.root}.{r.name}" for r in references(choice)} for choice in choices]
    for position, names in enumerate(named):
        elsewhere = set().union(*named[:position], *named[position + 1 :])
        if name in names and elsewhere & others:
            return True
    return any(_chooses(child, name, others, frame) for child in children(expr))
