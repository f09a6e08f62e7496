"""KEY_AWS_003 and KEY_AWS_004 on plans: how many keys a user has after the plan is applied, and a password beside."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable

from keyrules.iac.plan.plan_account import account_of
from keyrules.iac.plan.plan_verdicts import is_inactive, owner_of, plan_verdict
from keyrules.iac.plan.plan_view import Plan, Planned
from keyrules.iac.verdict import Context, Verdict, listed
from keyrules.model import Status

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
