"""Which policies a Terraform root module gives to users and groups, and who is in which group."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping

from keyrules.code.grants import Grant, Grants, Membership, attached, bounding, stated, user_arn
from keyrules.code.keys import Key
from keyrules.code.policy_blocks import ATTACHED, INLINE, LISTS, MEMBERS, POLICY, USER, is_group
from keyrules.code.terraform.account import account
from keyrules.code.terraform.evaluate import evaluate
from keyrules.code.terraform.hcl.ast import Call, Expr, ListExpr, Literal
from keyrules.code.terraform.hcl.render import render
from keyrules.code.terraform.hcl.values import text
from keyrules.code.terraform.identity import exclude, identity
from keyrules.code.terraform.instances import Instance, instances
from keyrules.code.terraform.keys import DeclaredKey, Owner, active_when, needs
from keyrules.code.terraform.plain_values import declared_block, origin, plain_value
from keyrules.code.terraform.scope import Frame, Scope
from keyrules.policies.patterns import HOLE
from keyrules.policies.policy import Policy

_KEEPING = frozenset({"compact", "concat", "distinct", "setunion", "sort", "tolist", "toset"})
"""Functions whose members are those of their arguments."""


def grants(root: Scope, source: Callable[[Key], DeclaredKey]) -> Grants:
    """All of a root module; `source` gives the declaration of a key of it."""
    found = list(instances(root, (*INLINE, *ATTACHED, *MEMBERS, POLICY, USER)))
    policies = {own: item for item in found if item.kind == POLICY and HOLE not in (own := _own_arn(item))}
    given: list[Grant] = []
    members: list[Membership] = []
    boundaries: dict[Hashable, Policy] = {}
    arns: dict[Hashable, str] = {}
    for item in found:
        beside = _beside(item, source)
        if item.kind in INLINE:
            argument = INLINE[item.kind]
            for holder, shown in _names(item, argument):
                name = f"the inline policy {item.address} of the {argument} {shown}"
                policy = Policy(name, stated(item.value("policy"), Key.open_because))
                given.append(Grant(holder, is_group(argument), policy, item.step, beside))
        elif item.kind in ATTACHED:
            for argument, arns_argument in ATTACHED[item.kind]:
                to_group = is_group(argument)
                held = [_policy(expr, frame, policies) for expr, frame in _each(item, arns_argument)]
                for holder, shown in _names(item, argument):
                    whose = f"{'group' if to_group else 'user'} {shown}"
                    given += [Grant(holder, to_group, attached(each, whose), item.step, beside) for each in held]
        elif item.kind in MEMBERS:
            users, groups = ([holder for holder, _ in _names(item, argument)] for argument in MEMBERS[item.kind])
            members += [Membership(user, group, item.step, beside) for user in users for group in groups]
        elif item.kind == USER:
            owner = _owner(item.declared.value("name"), item.frame, item)
            arns[owner] = user_arn(item.text("name"), item.text("path") or "/")
            for expr, frame in _each(item, "permissions_boundary"):
                boundaries[owner] = bounding(_policy(expr, frame, policies))
    return Grants(given, members, boundaries, arns)


def _beside(item: Instance, source: Callable[[Key], DeclaredKey]) -> Callable[[Key], bool]:
    return lambda key: not exclude(active_when(source(key)), needs(item.declared, item.frame))


def _owner(expr: Expr | None, frame: Frame, item: Instance) -> Owner:
    return Owner(identity(expr, frame), account(item.declared, item.frame), "")


def _names(item: Instance, argument: str) -> list[tuple[Hashable, str]]:
    """The users or groups that an argument names, each with a name to show; one None where it does not resolve."""
    found: list[tuple[Hashable, str]] = []
    for expr, frame in _each(item, argument):
        if expr is None:
            found.append((None, "that an input decides"))
            continue
        shown = text(plain_value(expr, frame))
        found.append((_owner(expr, frame, item), shown if shown and HOLE not in shown else f"of {item.address}"))
    return found


def _each(item: Instance, argument: str) -> list[tuple[Expr | None, Frame]]:
    """The members of an argument, or the argument itself where it is one; None for members that do not resolve."""
    expr = item.declared.value(argument)
    if expr is None:
        return []
    if argument in LISTS:
        return _members(expr, item.frame, 0)
    return [] if evaluate(expr, item.frame) in (None, "") else [(expr, item.frame)]


def _members(expr: Expr, frame: Frame, depth: int) -> list[tuple[Expr | None, Frame]]:
    value = evaluate(expr, frame)
    if isinstance(value, list) and all(isinstance(member, str) for member in value):
        return [(Literal(member), frame) for member in value]
    expr, frame = origin(expr, frame)
    if isinstance(expr, ListExpr) and depth < 8:
        return [(item, frame) for item in expr.items]
    if isinstance(expr, Call) and expr.name in _KEEPING and depth < 8:
        return [member for arg in expr.args for member in _members(arg, frame, depth + 1)]
    return [] if value is None else [(None, frame)]


def _policy(expr: Expr | None, frame: Frame, policies: Mapping[str, Instance]) -> Policy:
    """The managed policy that an expression gives the ARN of: one that is declared here, by reference or by name."""
    if expr is None:
        return Policy("a policy that an input decides", None, HOLE)
    named = declared_block(expr, frame)
    if named is not None and named[2] in ("arn", "id"):
        declared, where, _ = named
        if declared.name.startswith(f"{POLICY}.") and where.scope.module.resources.get(declared.name) is declared:
            return _declared(Instance(POLICY, declared, where))
    arn = text(plain_value(expr, frame)) or HOLE
    own = arn.partition(":policy/")[2]
    if own in policies and ":iam::aws:" not in arn:
        return _declared(policies[own])
    shown = arn.rpartition("/")[2]
    return Policy(f"the policy {render(expr) if HOLE in shown else shown}", None, arn)


def _own_arn(item: Instance) -> str:
    """What follows `:policy/` in the ARN of a policy that is declared."""
    return f"{(item.text('path') or '/')[1:]}{item.text('name') or HOLE}"


def _declared(item: Instance) -> Policy:
    return Policy(f"the policy {item.address}", stated(item.value("policy"), Key.open_because))
