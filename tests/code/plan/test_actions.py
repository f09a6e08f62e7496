"""KEY_AWS_010 on the actions that a plan invokes: their values are shown, what they are made of is not."""

from __future__ import annotations

from typing import Any

import pytest
from plan_leak_cases import plan_with_key, sinks
from plan_maker import SECRET, PlanMaker, const, ref

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
        ({"function_name": "f"}, {"payload": True}, {}, Status.UNKNOWN),
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


def declared(plan: PlanMaker, expressions: dict[str, Any]) -> None:
    plan.config()["actions"] = [
        {"address": ADDRESS, "type": "aws_lambda_invoke", "name": "a", "expressions": expressions},
    ]


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize(
    ("payload", "sensitive", "status"),
    [
        (ref("aws_iam_access_key.k.secret"), {}, Status.FAIL),
        (ref("local.payload"), {"payload": True}, Status.UNKNOWN),
        (ref("local.payload"), {}, None),
        (ref("aws_iam_access_key.k.id"), {}, None),
    ],
)
def test_an_expression_of_an_action_that_the_plan_shows(
    nested: bool, payload: Any, sensitive: Any, status: Status | None
) -> None:
    plan = plan_with_key()
    expressions: dict[str, Any] = {"function_name": const("f"), "payload": payload}
    declared(plan, {"config": expressions} if nested else expressions)
    invoke(plan, {"function_name": "f"}, {"payload": True}, sensitive)
    found = sinks(plan).get(ADDRESS)
    assert (found.status if found else None) is status
    assert not found or " payload: " in found.message


def test_what_no_expression_of_an_action_shows_may_be_the_secret() -> None:
    plan = plan_with_key()
    declared(plan, {"function_name": const("f")})
    invoke(plan, {"function_name": "f"}, {"header": [{"value": True}]}, {})
    assert sinks(plan)[ADDRESS].status is Status.UNKNOWN


def test_an_action_that_is_not_invoked_takes_nothing() -> None:
    plan = plan_with_key()
    declared(plan, {"payload": ref("aws_iam_access_key.k.secret")})
    assert ADDRESS not in sinks(plan)


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
