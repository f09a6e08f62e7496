"""Which policies a plan gives to users and groups, and who is in which group once it is applied."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from keyrules.code.grants import Grant, Grants, Membership, attached, bounding, stated, user_arn
from keyrules.code.plan.plain_values import OPEN, document, holder, plain_value, target
from keyrules.code.plan.view import Plan, Planned
from keyrules.code.policy_blocks import ATTACHED, INLINE, MEMBERS, POLICY, USER, is_group
from keyrules.model import TraceStep
from keyrules.policies.patterns import HOLE
from keyrules.policies.policy import Policy


def grants(plan: Plan, path: str, account_of: Callable[[Planned], Hashable]) -> Grants:
    """All of a plan."""
    return _Reader(plan, path, account_of).grants()


class _Reader:
    def __init__(self, plan: Plan, path: str, account_of: Callable[[Planned], Hashable]) -> None:
        self._plan = plan
        self._path = path
        self._account_of = account_of
        policies = (item for item in plan.planned if item.mode == "managed" and item.type == POLICY)
        self._policies = {item.known("arn"): item for item in policies if isinstance(item.known("arn"), str)}

    def grants(self) -> Grants:
        given: list[Grant] = []
        members: list[Membership] = []
        boundaries: dict[Hashable, Policy] = {}
        arns: dict[Hashable, str] = {}
        for item in self._plan.planned:
            if item.mode != "managed":
                continue
            step = TraceStep(item.address, self._path, 1)
            if item.type in INLINE:
                argument = INLINE[item.type]
                for one, shown in self._holders(item, argument):
                    name = f"the inline policy {item.address} of the {argument} {shown}"
                    policy = Policy(name, stated(document(self._plan, item), OPEN))
                    given.append(Grant(one, is_group(argument), policy, step))
            elif item.type in ATTACHED:
                for argument, arns_argument in ATTACHED[item.type]:
                    held = self._managed(item, arns_argument)
                    for one, shown in self._holders(item, argument):
                        whose = f"{'group' if is_group(argument) else 'user'} {shown}"
                        given += [Grant(one, is_group(argument), attached(each, whose), step) for each in held]
            elif item.type in MEMBERS:
                users, groups = (self._holders(item, argument) for argument in MEMBERS[item.type])
                members += [Membership(user, group, step) for user, _ in users for group, _ in groups]
            elif item.type == USER:
                name = plain_value(self._plan, item, "name")
                if not isinstance(name, str):
                    continue
                owner = (("name", name), self._account_of(item))
                arns[owner] = user_arn(name, str(item.known("path") or "/"))
                for policy in self._managed(item, "permissions_boundary"):
                    boundaries[owner] = bounding(policy)
        return Grants(given, members, boundaries, arns)

    def _holders(self, item: Planned, argument: str) -> list[tuple[Hashable, str]]:
        """The users or groups that an argument names, each with a name to show; one None where none is known."""
        found: list[tuple[Hashable, str]] = []
        for value in _each(plain_value(self._plan, item, argument)):
            if isinstance(value, str) and HOLE not in value:
                found.append(((("name", value), self._account_of(item)), value))
                continue
            config = self._plan.config_block(item)
            root = "aws_iam_group" if is_group(argument) else USER
            one = holder(self._plan, item, config.references(argument) if config else (), root)
            owner = None if one is None else (one, self._account_of(item))
            found.append((owner, one[1] if one is not None and one[0] == "name" else f"of {item.address}"))
        return found

    def _managed(self, item: Planned, argument: str) -> list[Policy]:
        """The managed policies that an argument gives the ARNs of."""
        found = []
        for arn in _each(plain_value(self._plan, item, argument)):
            known = isinstance(arn, str) and HOLE not in arn
            config = self._plan.config_block(item)
            planned = None if known else target(self._plan, item, config.references(argument) if config else (), POLICY)
            planned = planned or (self._policies.get(arn) if known else None)
            if planned is not None:
                body = stated(document(self._plan, planned), OPEN)
                found.append(Policy(f"the policy {planned.address}", body))
            else:
                shown = str(arn).rpartition("/")[2] if known else ""
                found.append(Policy(f"the policy {shown}" if shown else "a policy", None, str(arn)))
        return found


def _each(value: object) -> list[object]:
    return value if isinstance(value, list) else [] if value in (None, "") else [value]
