"""KEY_AWS_010 on the actions that a plan invokes: their values are shown, what they are made of is not."""

from __future__ import annotations

from typing import Any

import pytest
from plan_leak_cases import plan_with_key, sinks
from plan_maker import SECRET, PlanMaker

from keyrules.code.plan.view import read_plan
from keyrules.model import Status

ADDRESS = "action.aws_lambda_invoke.a"


def invoke(plan: PlanMaker, values: Any, unknown: Any, sensitive: Any, address: str = ADDRESS) -> None:
    plan.document["action_invocations"] = [
        {
            "address": address,
            "type": "aws_lambda_invoke",
            "name": "a",
            "config_values": values,
            "config_unknown": unknown,
            "config_sensitive": sensitive,
            "lifecycle_action_trigger": {"triggering_resource_address": "aws_iam_access_key.k"},
        }
    ]


@pytest.mark.parametrize(
    ("values", "unknown", "sensitive", "status"),
    [
        ({"function_name": "f"}, {"payload": True}, {"payload": True}, Status.UNKNOWN),
        ({"function_name": "f"}, {"payload": True}, {}, None),
        ({"function_name": "f", "payload": "{}"}, {}, {}, None),
        ({"function_name": "f"}, {"password": True}, {"password": True}, None),
    ],
)
def test_a_value_that_is_known_after_the_apply(
    values: Any, unknown: Any, sensitive: Any, status: Status | None
) -> None:
    plan = plan_with_key()
    invoke(plan, values, unknown, sensitive)
    found = sinks(plan).get(ADDRESS)
    assert (found.status if found else None) is status
    if found:
        assert "hides its way behind an action" in found.message


def test_the_secret_of_an_existing_key_in_the_values_of_an_action() -> None:
    plan = plan_with_key(exists=True)
    invoke(
        plan, {"payload": f'{{"s":"{SECRET}"}}'}, {}, {"payload": True}, 'module.m["x.y"].action.aws_lambda_invoke.a'
    )
    found = sinks(plan)["module.m.action.aws_lambda_invoke.a"]
    assert (found.status, SECRET in found.message) == (Status.FAIL, False)
    assert SECRET not in repr(read_plan(plan.bytes()))


def test_actions_that_are_put_off_are_a_gap() -> None:
    plan = plan_with_key()
    plan.document["deferred_action_invocations"] = [{"reason": "unknown"}]
    (gap,) = read_plan(plan.bytes()).gaps
    assert "actions" in gap
