"""KEY_AWS_009 and KEY_AWS_010 on plans: what other blocks hold of a secret, and hand on."""

from __future__ import annotations

import pytest
from plan_leak_cases import function, outputs, plan_with_key, sinks
from plan_maker import SECRET, PlanMaker, const, ref

from keyrules.model import Status


@pytest.mark.parametrize(
    ("carrier", "argument", "attribute"),
    [
        ("data.template_file.c", "vars", "rendered"),
        ("data.cloudinit_config.c", "part", "rendered"),
        ("terraform_data.c", "input", "output"),
        ("null_resource.c", "triggers", "triggers"),
    ],
)
def test_carriers_hand_the_secret_on(carrier: str, argument: str, attribute: str) -> None:
    plan = plan_with_key()
    plan.block(carrier, expressions={argument: ref("aws_iam_access_key.k.secret")})
    plan.add(
        "aws_instance.i",
        {"ami": "ami-1"},
        unknown={"user_data": True},
        expressions={"ami": const("ami-1"), "user_data": ref(f"{carrier}.{attribute}")},
    )
    plan.add("aws_instance.j", {}, unknown={"user_data": True}, expressions={"user_data": ref(f"{carrier}.id")})
    verdicts = sinks(plan)
    assert verdicts["aws_instance.i"].reason == "secret_in_user_data"
    assert "aws_instance.j" not in verdicts


def stored(plan: PlanMaker, secret: str = "aws_iam_access_key.k.secret") -> None:
    """A parameter that keeps the secret as it should be kept."""
    plan.add(
        "aws_ssm_parameter.x",
        {"name": "/x", "type": "SecureString"},
        unknown={"arn": True, "value": True},
        expressions={"name": const("/x"), "type": const("SecureString"), "value": ref(secret)},
    )


@pytest.mark.parametrize(
    ("named", "status"),
    [
        ("aws_ssm_parameter.x.value", Status.FAIL),
        ("aws_ssm_parameter.x.insecure_value", None),
        ("aws_ssm_parameter.x.arn", None),
        ("aws_ssm_parameter.x.name", None),
        ("aws_ssm_parameter.x", Status.FAIL),
    ],
)
def test_any_resource_hands_on_what_its_arguments_take(named: str, status: Status | None) -> None:
    plan = plan_with_key()
    stored(plan)
    function(plan, ref(named), sensitive={"environment": [{}]})
    plan.output("o", ref(named), unknown=True)
    taken, shown = sinks(plan), outputs(plan)
    assert taken["aws_ssm_parameter.x"].status is Status.PASS
    assert [(taken[a].status if a in taken else None) for a in ("aws_lambda_function.f",)] == [status]
    assert (shown["output.o"].status if "output.o" in shown else None) is status
    if status:
        assert "aws_iam_access_key.k.secret → aws_ssm_parameter.x" in taken["aws_lambda_function.f"].message


def test_a_computed_attribute_that_repeats_an_argument_hands_it_on() -> None:
    plan = plan_with_key()
    plan.add(
        "aws_ssm_parameter.p",
        {"type": "String"},
        unknown={"insecure_value": True, "value": True},
        expressions={"type": const("String"), "insecure_value": ref("aws_iam_access_key.k.secret")},
    )
    plan.output("o", ref("aws_ssm_parameter.p.value"), unknown=True)
    assert outputs(plan)["output.o"].status is Status.FAIL


@pytest.mark.parametrize(
    ("named", "status"),
    [
        ("aws_lambda_function.f.environment[0].variables", Status.FAIL),
        ("aws_lambda_function.f.environment[0].variables.secret", Status.FAIL),
        ("aws_lambda_function.f.environment[0].variables.REGION", Status.UNKNOWN),
        ("aws_lambda_function.f.environment[0].variables.secret_arn", Status.UNKNOWN),
        ("aws_lambda_function.f.function_name", None),
    ],
)
def test_a_part_of_an_argument_of_a_resource(named: str, status: Status | None) -> None:
    plan = plan_with_key()
    function(plan, ref("aws_iam_access_key.k.secret"))
    plan.output("o", ref(named), unknown=True)
    verdicts = outputs(plan)
    assert (verdicts["output.o"].status if "output.o" in verdicts else None) is status


def test_of_several_things_that_an_argument_holds_one_may_be_taken() -> None:
    plan = plan_with_key()
    plan.add(
        "aws_secretsmanager_secret_version.v",
        {},
        unknown={"secret_string": True},
        expressions={"secret_string": ref("aws_iam_access_key.k.id", "aws_iam_access_key.k.secret")},
    )
    function(plan, ref("aws_secretsmanager_secret_version.v.secret_string"))
    verdicts = sinks(plan)
    assert verdicts["aws_lambda_function.f"].status is Status.UNKNOWN
    assert verdicts["aws_secretsmanager_secret_version.v"].status is Status.PASS


@pytest.mark.parametrize(
    ("value", "status"),
    [("eu-west-1", None), (SECRET, Status.FAIL), (SECRET[::-1], Status.FAIL), (None, Status.FAIL)],
)
def test_a_known_value_shows_what_was_taken_of_a_carrier(value: str | None, status: Status | None) -> None:
    plan = plan_with_key(exists=True)
    plan.block("aws_secretsmanager_secret_version.v", expressions={"secret_string": ref("aws_iam_access_key.k.secret")})
    taken = ref("aws_secretsmanager_secret_version.v.secret_string")
    plan.add("aws_ssm_parameter.p", {"type": "String", "value_wo": value}, expressions={"value_wo": taken})
    plan.output("o", taken, value)
    provisioner = [{"type": "local-exec", "expressions": {"command": taken}}]
    plan.add("null_resource.n", {}, provisioners=provisioner)
    found, shown = sinks(plan), outputs(plan)
    assert (found["aws_ssm_parameter.p"].status if "aws_ssm_parameter.p" in found else None) is status
    assert (shown["output.o"].status if "output.o" in shown else None) is status
    assert found["null_resource.n"].status is Status.FAIL


def test_a_key_that_a_carrier_holds_whole_is_taken_apart_behind_it() -> None:
    plan = plan_with_key()
    plan.block("terraform_data.c", expressions={"input": ref("aws_iam_access_key.k")})
    plan.output("id", ref("terraform_data.c.output.id"), unknown=True)
    plan.output("secret", ref("terraform_data.c.output.secret"), unknown=True)
    verdicts = outputs(plan)
    assert "output.id" not in verdicts
    assert verdicts["output.secret"].status is Status.FAIL


def test_self_in_a_provisioner_of_a_carrier() -> None:
    plan = plan_with_key()
    plan.add(
        "null_resource.n",
        {},
        unknown={"triggers": True},
        expressions={"triggers": ref("aws_iam_access_key.k.secret")},
        provisioners=[{"type": "local-exec", "expressions": {"command": ref("self.triggers.secret")}}],
    )
    assert sinks(plan)["null_resource.n"].reason == "secret_in_provisioner"


def test_one_of_several_instances_of_a_carrier_hides_the_attribute() -> None:
    plan = plan_with_key()
    plan.add(
        "aws_ssm_parameter.x[0]",
        {"type": "SecureString"},
        unknown={"arn": True, "value": True},
        expressions={"value": ref("aws_iam_access_key.k.secret")},
        count_expression=const(1),
    )
    plan.output("o", ref("aws_ssm_parameter.x"), unknown=True)
    plan.output("first", ref("aws_ssm_parameter.x[0].value"), unknown=True)
    verdicts = outputs(plan)
    assert verdicts["output.o"].status is Status.UNKNOWN
    assert verdicts["output.first"].status is Status.FAIL


def test_dynamic_parts_of_a_carrier_may_hold_the_secret() -> None:
    plan = plan_with_key()
    plan.add(
        "data.cloudinit_config.c",
        {"part": [{"content_type": "text/x-shellscript"}]},
        actions=("read",),
        unknown={"part": [{"content": True}], "rendered": True},
        expressions={},
    )
    plan.add(
        "aws_instance.i",
        {},
        unknown={"user_data": True},
        expressions={"user_data": ref("data.cloudinit_config.c.rendered")},
    )
    assert sinks(plan)["aws_instance.i"].status is Status.UNKNOWN
