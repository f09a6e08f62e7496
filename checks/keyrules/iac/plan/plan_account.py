"""Which AWS account a planned resource belongs to, as far as the plan's provider configuration tells accounts apart."""

from __future__ import annotations

from collections.abc import Hashable

from keyrules.iac.plan.plan_configuration import Leaf, ProviderConfig
from keyrules.iac.plan.plan_references import leading
from keyrules.iac.plan.plan_view import Plan, Planned
from keyrules.iac.terraform.terraform_account import CREDENTIALS, ROLE_ACCOUNT, ROLE_BLOCKS


def account_of(plan: Plan, item: Planned) -> Hashable:
    """What stands for the account of a resource: equal for two unless their providers tell accounts apart."""
    module = plan.configuration.at(item.path) if plan.configuration else None
    block = module.blocks.get(item.block) if module else None
    provider = next((one for one in plan.providers if block and one.key == block.provider), None)
    return _told(plan, provider) if provider else ()


def _told(plan: Plan, provider: ProviderConfig) -> Hashable:
    values = {leaf.path: _value(plan, leaf) for leaf in provider.leaves}
    allowed = values.get(("allowed_account_ids",))
    if isinstance(allowed, tuple) and len(allowed) == 1:
        return "account", allowed[0]
    # The leaves of repeated blocks have one path, and the role that is assumed last counts.
    roles = [values[kind, "role_arn"] for kind in ROLE_BLOCKS if (kind, "role_arn") in values]
    numbered = ROLE_ACCOUNT.match(roles[-1]) if roles and isinstance(roles[-1], str) else None
    if numbered is not None:
        return "account", numbered[1]
    if roles:
        return "role", roles[-1]
    return tuple((name, values[name,]) for name in CREDENTIALS if (name,) in values)


def _value(plan: Plan, leaf: Leaf) -> Hashable:
    """A constant or an input's value, else what the expression refers to."""
    value = leaf.constant.value
    first = tuple(leading(leaf.references))
    if len(first) == 1 and first[0].removeprefix("var.") in plan.variables:
        value = plan.variables[first[0].removeprefix("var.")].value
    if isinstance(value, list):
        return tuple(str(item) for item in value)
    return value if isinstance(value, str) else leaf.references
