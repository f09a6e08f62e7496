"""KEY_AWS_003 and KEY_AWS_004 on plans: how many keys a user has after the plan is applied, and a password beside."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable

from keyrules.code.plan.configuration import Leaf, ProviderConfig
from keyrules.code.plan.references import leading
from keyrules.code.plan.verdicts import SCAN_THE_SOURCE, is_inactive, owner_of, plan_verdict
from keyrules.code.plan.view import Plan, Planned
from keyrules.code.terraform.account import CREDENTIALS, ROLE_ACCOUNT, ROLE_BLOCKS
from keyrules.code.verdict import Context, Verdict, listed
from keyrules.model import Status


def judge_state(plan: Plan, path: str, context: Context) -> list[Verdict]:
    """One verdict for each key that exists after the plan is applied."""
    return [_judge(key, path, context) for key in plan.keys]


def _judge(key: Planned, path: str, context: Context) -> Verdict:
    if key.is_unknown("pgp_key"):
        message = f"pgp_key is known only after the plan is applied; {SCAN_THE_SOURCE}"
        return plan_verdict(context, path, key.address, Status.UNKNOWN, "pgp_key_unknown", message)
    if not key.known("pgp_key"):
        message = "there is no pgp_key, so the secret stands in plain text in the Terraform state; set pgp_key"
        return plan_verdict(context, path, key.address, Status.FAIL, "no_pgp_key", message)
    message = "the state holds the secret encrypted"
    return plan_verdict(context, path, key.address, Status.PASS, "pgp_key_set", message)


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


_LOGIN_PROFILE = "aws_iam_user_login_profile"


def judge_single_key(plan: Plan, path: str, context: Context) -> list[Verdict]:
    """KEY_AWS_003: one verdict for each key; two or more active keys of one user fail."""
    by_owner: dict[Hashable, list[Planned]] = defaultdict(list)
    for key in plan.keys:
        if not is_inactive(key):
            by_owner[owner_of(plan, key), account_of(plan, key)].append(key)
    verdicts = []
    for key in plan.keys:
        if is_inactive(key):
            verdicts.append(
                plan_verdict(context, path, key.address, Status.PASS, "not_active", "the key is planned to be Inactive")
            )
            continue
        owner = owner_of(plan, key)
        others = [other.address for other in by_owner[owner, account_of(plan, key)] if other is not key]
        if not others:
            message = f"the only active key of {_shown(owner)} in this plan"
            verdicts.append(plan_verdict(context, path, key.address, Status.PASS, "only_active_key", message))
            continue
        names = listed(sorted(others))
        verdicts.append(
            plan_verdict(
                context,
                path,
                key.address,
                Status.FAIL,
                "several_active_keys",
                f"{_shown(owner)} also has {names}; keep one active key and set the other to Inactive or remove it",
                {"active_keys": len(others) + 1, "others": names},
            )
        )
    return verdicts


def judge_console(plan: Plan, path: str, context: Context) -> list[Verdict]:
    """KEY_AWS_004: one verdict for each key; a login profile for the same user fails."""
    profiles: dict[Hashable, str] = {}
    for item in plan.planned:
        if item.type == _LOGIN_PROFILE and item.mode == "managed":
            profiles.setdefault((owner_of(plan, item), account_of(plan, item)), item.address)
    verdicts = []
    for key in plan.keys:
        owner = owner_of(plan, key)
        profile = profiles.get((owner, account_of(plan, key)))
        if profile is None or is_inactive(key):
            message = f"{_shown(owner)} gets no console password here"
            verdicts.append(plan_verdict(context, path, key.address, Status.PASS, "no_console_password", message))
            continue
        verdicts.append(
            plan_verdict(
                context,
                path,
                key.address,
                Status.FAIL,
                "console_user_with_key",
                f"{_shown(owner)} gets a console password from {profile} and this access key at setup; people sign in, "
                "workloads use roles: drop one of the two",
                {"login_profile": profile},
            )
        )
    return verdicts


def _shown(owner: tuple[str, str]) -> str:
    return f"user {owner[1]}" if owner[0] == "name" else "the same user"
