"""KEY_AWS_011 on plans: what somebody wrote is a literal, what a provider returned is not."""

from __future__ import annotations

import base64
import json
from typing import Any

from plan_context import judge
from plan_maker import KEY_ID, SECRET, PlanMaker, const, existing_key, ref

from keyrules.model import Status

WRITTEN_ID = "AKIAZ5SYNTHETIC7FIXT"
WRITTEN = "qW3rTy7uIo9Pa/SdF2gHj+Kl5ZxC8vBn1Mq4WeRt"
SCRIPT = f"#!/bin/sh\nexport AWS_ACCESS_KEY_ID={WRITTEN_ID}\nexport AWS_SECRET_ACCESS_KEY={WRITTEN}\n"


def found(plan: PlanMaker) -> dict[str, str]:
    verdicts = judge("KEY_AWS_011", plan.bytes())
    assert all(verdict.status is Status.FAIL for verdict in verdicts.values())
    assert not any(WRITTEN in repr(verdict) or WRITTEN_ID in repr(verdict) for verdict in verdicts.values())
    return {address: str(verdict.facts["kind"]) for address, verdict in verdicts.items()}


def instance(plan: PlanMaker, address: str, user_data: str, expression: dict[str, Any]) -> None:
    plan.add(address, {"user_data": user_data}, expressions={"user_data": expression})


def test_constants_of_every_kind_of_block() -> None:
    plan = PlanMaker()
    pair = {"access_key": const(WRITTEN_ID), "secret_key": const(WRITTEN)}
    plan.document["configuration"]["provider_config"]["aws.other"] = {
        "name": "aws",
        "alias": "other",
        "expressions": pair,
    }
    instance(plan, "aws_instance.i", SCRIPT, const(SCRIPT))
    plan.call(["m"], **pair)
    plan.child_output(["m"], "secret_access_key", const(WRITTEN))
    plan.config(["m"])["variables"]["secret_key"] = {"default": WRITTEN}
    plan.add("null_resource.n", {}, provisioners=[{"type": "local-exec", "expressions": {"command": const(SCRIPT)}}])
    plan.block("data.external.e", expressions={"query": const({"aws_secret_access_key": WRITTEN})})
    assert set(found(plan)) == {
        "provider.aws.other",
        "aws_instance.i",
        "module.m",
        "module.m.output.secret_access_key",
        "module.m.var.secret_key",
        "null_resource.n",
        "data.external.e",
    }


def test_variables_and_values_that_were_made_from_written_text() -> None:
    plan = PlanMaker()
    plan.document["variables"] = {"secret_key": {"value": WRITTEN}}
    instance(plan, 'aws_instance.i["a"]', SCRIPT, ref("var.region"))
    assert found(plan) == {"var.secret_key": "secret_access_key", 'aws_instance.i["a"]': "access_key_pair"}


def test_one_verdict_for_an_address_with_several() -> None:
    plan = PlanMaker()
    other = SCRIPT.replace(WRITTEN, WRITTEN[::-1]).replace(WRITTEN_ID, "AKIAZ5SYNTHETIC8FIXT")
    instance(plan, "aws_instance.i", SCRIPT + other, const(SCRIPT + other))
    assert list(found(plan)) == ["aws_instance.i"]


def test_the_secrets_of_keys_are_no_literals_wherever_they_stand() -> None:
    plan = PlanMaker()
    plan.key("aws_iam_access_key.k", existing_key("u", "2026-05-01T00:00:00Z"), actions=("no-op",))
    text = f"AWS_ACCESS_KEY_ID={KEY_ID}\nAWS_SECRET_ACCESS_KEY={SECRET}\n"
    instance(plan, "aws_instance.i", text, ref("aws_iam_access_key.k.secret"))
    assert found(plan) == {}
    del plan.document["configuration"]
    assert found(plan) == {}


def test_the_secrets_of_keys_are_no_literals_in_base64_and_hide_none_there() -> None:
    plan = PlanMaker()
    plan.key("aws_iam_access_key.k", existing_key("u", "2026-05-01T00:00:00Z"), actions=("no-op",))
    text = f"AWS_ACCESS_KEY_ID={KEY_ID}\nAWS_SECRET_ACCESS_KEY={SECRET}\n"
    plan.output("o", ref("local.x"), base64.b64encode(text.encode()).decode())
    assert found(plan) == {}
    plan.output("both", ref("local.x"), base64.b64encode((text + SCRIPT).encode()).decode())
    assert set(found(plan)) == {"output.both"}


def test_what_data_sources_and_other_resources_return_is_no_literal() -> None:
    plan = PlanMaker()
    read = json.dumps({"aws_secret_access_key": WRITTEN})
    plan.add("data.aws_secretsmanager_secret_version.s", {"secret_string": read}, actions=("no-op",), expressions={})
    made = "pL4kJ7hG2fDs/Aq9WeR+tY6uIo3PzXc8VbN1mKjH"
    plan.add("random_password.p", {"length": 40, "result": made}, actions=("no-op",), expressions={"length": const(40)})
    instance(plan, "aws_instance.read", SCRIPT, ref("data.aws_secretsmanager_secret_version.s.secret_string"))
    instance(plan, "aws_instance.made", SCRIPT.replace(WRITTEN, made), ref("random_password.p.result"))
    assert found(plan) == {}
    plan.document["variables"] = {"text": {"value": SCRIPT}}
    assert set(found(plan)) == {"var.text", "aws_instance.read"}


def test_a_copy_that_a_provider_makes_hides_no_literal() -> None:
    plan = PlanMaker()
    plan.add("terraform_data.t", {"input": SCRIPT, "output": SCRIPT}, expressions={"input": ref("local.script")})
    plan.add(
        "aws_ssm_parameter.written",
        {"name": "/x", "value": SCRIPT},
        expressions={"name": const("/x"), "value": ref("local.script")},
    )
    plan.add(
        "data.aws_ssm_parameter.read_back",
        {"name": "/x", "value": SCRIPT},
        actions=("no-op",),
        expressions={"name": ref("aws_ssm_parameter.written.name")},
    )
    instance(plan, "aws_instance.i", SCRIPT, ref("data.aws_ssm_parameter.read_back.value"))
    assert set(found(plan)) == {"terraform_data.t", "aws_ssm_parameter.written", "aws_instance.i"}


def test_a_data_source_is_asked_with_a_literal() -> None:
    plan = PlanMaker()
    query = {"aws_secret_access_key": WRITTEN}
    plan.block("data.external.e", expressions={"query": ref("local.query")})
    entry = {"address": "data.external.e", "mode": "data", "type": "external", "name": "e"}
    state = {**entry, "values": {"query": query, "result": query}, "sensitive_values": {}}
    plan.document["prior_state"]["values"]["root_module"]["resources"] = [state]
    assert set(found(plan)) == {"data.external.e"}


def test_the_content_of_a_dynamic_block_is_looked_at() -> None:
    plan = PlanMaker()
    variables = {"AWS_ACCESS_KEY_ID": WRITTEN_ID, "AWS_SECRET_ACCESS_KEY": WRITTEN}
    plan.add(
        "aws_lambda_function.f",
        {"function_name": "f", "environment": [{"variables": variables}]},
        expressions={"function_name": const("f")},
    )
    assert set(found(plan)) == {"aws_lambda_function.f"}


def test_a_root_output_shows_a_literal_of_a_local() -> None:
    plan = PlanMaker()
    plan.output("o", ref("local.script"), SCRIPT)
    plan.output("secret_access_key", ref("local.secret"), WRITTEN)
    assert set(found(plan)) == {"output.o", "output.secret_access_key"}
    del plan.document["configuration"]
    assert set(found(plan)) == {"output.o", "output.secret_access_key"}
    plan = PlanMaker()
    plan.output("secret_access_key", const(WRITTEN))
    assert set(found(plan)) == {"output.secret_access_key"}


def test_an_action_is_configured_with_a_literal() -> None:
    plan = PlanMaker()
    plan.document["action_invocations"] = [
        {
            "address": "module.m.action.aws_lambda_invoke.a",
            "type": "aws_lambda_invoke",
            "name": "a",
            "config_values": {"function_name": "f", "payload": SCRIPT},
        }
    ]
    assert set(found(plan)) == {"module.m.action.aws_lambda_invoke.a"}
    shown = {"type": "aws_lambda_invoke", "name": "a", "expressions": {"payload": const(SCRIPT)}}
    plan.config(["m"])["actions"] = [shown]
    assert set(found(plan)) == {"module.m.action.aws_lambda_invoke.a"}
    del plan.document["action_invocations"]
    assert set(found(plan)) == {"module.m.action.aws_lambda_invoke.a"}


def test_the_documented_example_is_no_literal() -> None:
    plan = PlanMaker()
    text = SCRIPT.replace(WRITTEN_ID, "AKIAIOSFODNN7EXAMPLE").replace(
        WRITTEN, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    )
    instance(plan, "aws_instance.i", text, const(text))
    assert found(plan) == {}


def test_a_plan_without_configuration_is_searched_too() -> None:
    plan = PlanMaker()
    instance(plan, "aws_instance.i", SCRIPT, const(SCRIPT))
    del plan.document["configuration"]
    assert list(found(plan)) == ["aws_instance.i"]


def test_a_temporary_key_is_no_finding() -> None:
    plan = PlanMaker()
    temporary = SCRIPT.replace("AKIA", "ASIA")
    instance(plan, "aws_instance.t", temporary, const(temporary))
    verdicts = judge("KEY_AWS_011", plan.bytes())
    assert {(verdict.status, verdict.reason) for verdict in verdicts.values()} == {(Status.PASS, "temporary_key")}
