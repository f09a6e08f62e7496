"""Plans with one key and places for its secret, for the tests of leaks."""

from __future__ import annotations

from typing import Any

from plan_context import judge
from plan_maker import PlanMaker, const, existing_key, new_key

from keyrules.code.verdict import Verdict

KEY = "aws_iam_access_key.k"
MARKED = {"environment": [{"variables": True}]}


def plan_with_key(*, exists: bool = False, address: str = KEY, **details: Any) -> PlanMaker:
    """A plan with a key, new or existing, whose secret something that changes refers to."""
    plan = PlanMaker()
    if exists:
        plan.key(address, existing_key("u", "2026-05-01T00:00:00Z"), actions=("no-op",), **details)
    else:
        plan.key(address, new_key("u"), **details)
    plan.relevant(address, "secret")
    return plan


def outputs(plan: PlanMaker) -> dict[str, Verdict]:
    """The verdicts of KEY_AWS_009."""
    return judge("KEY_AWS_009", plan.bytes())


def sinks(plan: PlanMaker) -> dict[str, Verdict]:
    """The verdicts of KEY_AWS_010."""
    return judge("KEY_AWS_010", plan.bytes())


def function(
    plan: PlanMaker, expression: dict[str, Any], *, sensitive: Any = MARKED, address: str = "aws_lambda_function.f"
) -> None:
    """A function that is to be created, with an environment that is known after."""
    plan.add(
        address,
        {"environment": [{}], "function_name": "f"},
        unknown={"environment": [{"variables": True}], "id": True},
        sensitive=sensitive,
        expressions={"environment": [{"variables": expression}], "function_name": const("f")},
    )
