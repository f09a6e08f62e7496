"""The rules about keys on Terraform plans: each takes a plan and its path and gives one verdict per subject."""

from __future__ import annotations

from keyrules.iac.plan_literals import judge_literals
from keyrules.iac.plan_outputs import judge_outputs
from keyrules.iac.plan_rotation import judge_rotation
from keyrules.iac.plan_sinks import judge_sinks
from keyrules.iac.plan_users import judge_console, judge_single_key
from keyrules.iac.plan_view import Plan

__all__ = [
    "judge_console",
    "judge_literals",
    "judge_outputs",
    "judge_rotation",
    "judge_single_key",
    "judge_sinks",
    "key_addresses",
]


def key_addresses(plan: Plan) -> list[str]:
    """The addresses of the access keys that exist after the plan is applied."""
    return [key.address for key in plan.keys]
