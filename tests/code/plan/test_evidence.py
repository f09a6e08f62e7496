"""KEY_AWS_009 and KEY_AWS_010 on plans: what planned values and marks settle where references do not."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any
from urllib.parse import quote

import pytest
from plan_context import RULES, judge
from plan_leak_cases import KEY, MARKED, function, outputs, plan_with_key, sinks
from plan_maker import SECRET, PlanMaker, const, existing_key, new_key, ref

from keyrules.code.plan.flow import FlowTracer
from keyrules.code.plan.view import read_plan
from keyrules.model import Status


@pytest.mark.parametrize(
    ("sensitive", "relevant", "status"),
    [
        (MARKED, True, Status.UNKNOWN),
        ({"environment": [{"variables": {"TOKEN": True}}]}, True, Status.UNKNOWN),
        ({"environment": [{"variables": {}}]}, True, Status.UNKNOWN),
        ({"environment": [{}]}, True, None),
        (MARKED, False, None),
    ],
)
def test_a_local_is_undecided_only_where_a_secret_may_be(sensitive: Any, relevant: bool, status: Status | None) -> None:
    plan = plan_with_key()
    if not relevant:
        plan.document["relevant_attributes"] = [{"resource": KEY, "attribute": ["id"]}]
    function(plan, ref("local.environment"), sensitive=sensitive)
    verdict = sinks(plan).get("aws_lambda_function.f")
    assert (verdict.status if verdict else None) is status
    if verdict:
        assert verdict.reason == "local_not_in_plan"
        assert "scan the Terraform source" in verdict.message


def test_what_holds_a_secret_already_counts_as_the_secret_in_what_changes() -> None:
    plan = plan_with_key(exists=True)
    plan.document["relevant_attributes"] = [{"resource": "aws_ssm_parameter.x", "attribute": ["value"]}]
    plan.add(
        "aws_ssm_parameter.x",
        {"type": "SecureString", "value": SECRET},
        actions=("no-op",),
        expressions={"type": const("SecureString"), "value": ref("aws_iam_access_key.k.secret")},
    )
    function(plan, ref("local.environment"))
    assert sinks(plan)["aws_lambda_function.f"].reason == "local_not_in_plan"


def test_a_local_of_a_module_without_keys_and_inputs_holds_no_secret() -> None:
    plan = plan_with_key()
    plan.call(["m"], name=const("x"))
    function(plan, ref("local.environment"), address="module.m.aws_lambda_function.f")
    assert "module.m.aws_lambda_function.f" not in sinks(plan)
    plan.call(["m"], name=ref("local.x"))
    assert sinks(plan)["module.m.aws_lambda_function.f"].status is Status.UNKNOWN


def test_a_local_output_is_undecided_only_while_its_value_is_not_known() -> None:
    plan = plan_with_key()
    plan.output("known", ref("local.x"), "text")
    plan.output("later", ref("local.x"), unknown=True)
    plan.output("masked", ref("local.x"), unknown=True, sensitive=True)
    verdicts = outputs(plan)
    assert verdicts["output.later"].reason == "local_not_in_plan"
    assert "output.known" not in verdicts and "output.masked" not in verdicts


def test_a_dynamic_block_is_undecided_where_it_is_marked() -> None:
    plan = plan_with_key()
    for name, sensitive in (("marked", MARKED), ("clean", {"environment": [{}]})):
        plan.add(
            f"aws_lambda_function.{name}",
            {"environment": [{}]},
            unknown={"environment": [{"variables": True}]},
            sensitive=sensitive,
            expressions={"function_name": const("f")},
        )
    verdicts = sinks(plan)
    assert verdicts["aws_lambda_function.marked"].reason == "way_not_in_plan"
    assert "aws_lambda_function.clean" not in verdicts


@pytest.mark.parametrize(
    "hide",
    [
        lambda s: s,
        lambda s: f"export AWS_SECRET_ACCESS_KEY={s}\n",
        lambda s: json.dumps({"a": [{"b": s}]}),
        lambda s: base64.b64encode(f"#!/bin/sh\nexport S={s}\n".encode()).decode(),
        lambda s: f"https://x/?s={quote(s, safe='')}",
    ],
)
def test_the_secret_of_an_existing_key_is_found_by_value(hide: Any) -> None:
    plan = plan_with_key(exists=True)
    plan.output("o", ref("local.x"), hide(SECRET))
    plan.output("clean", ref("local.y"), hide("words, and not a secret"))
    plan.add(
        "aws_lambda_function.f",
        {"environment": [{"variables": {"S": hide(SECRET)}}]},
        expressions={"environment": [{"variables": ref("local.x")}]},
    )
    plan.add(
        "aws_ssm_parameter.p",
        {"type": "SecureString", "value": hide(SECRET)},
        expressions={"value": ref("local.x")},
    )
    found = outputs(plan)
    assert {a: v.status for a, v in found.items()} == {"output.o": Status.FAIL}
    taken = sinks(plan)
    assert taken["aws_lambda_function.f"].status is Status.FAIL
    assert taken["aws_ssm_parameter.p"].status is Status.PASS


def test_a_hash_in_place_of_user_data_proves_nothing() -> None:
    plan = plan_with_key(exists=True)
    for name, value in (("hashed", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"), ("plain", "#!/bin/sh\n")):
        plan.add(
            f"aws_instance.{name}",
            {"user_data": value},
            sensitive={"user_data": True},
            expressions={"user_data": ref("local.script")},
        )
    verdicts = sinks(plan)
    assert verdicts["aws_instance.hashed"].status is Status.UNKNOWN
    assert "aws_instance.plain" not in verdicts


def packed(text: str) -> str:
    """base64gzip() of Terraform."""
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


@pytest.mark.parametrize(
    "hide",
    [
        packed,
        lambda s: packed(f"#!/bin/sh\nexport S={s}\n" * 20),
        lambda s: base64.b64encode(base64.b64encode(f"S={s}".encode())).decode(),
        lambda s: base64.b64encode(packed(s).encode()).decode(),
        lambda s: base64.b64encode(f"S={s}\r\n".encode("utf-16-le")).decode(),
    ],
)
def test_the_secret_is_found_inside_what_packs_it(hide: Any) -> None:
    plan = plan_with_key(exists=True)
    plan.output("o", ref("local.x"), hide(SECRET))
    plan.output("other", ref("local.y"), hide("nothing that anybody would want to hide, " * 3))
    plan.add("aws_instance.i", {"user_data_base64": hide(SECRET)}, expressions={"user_data_base64": ref("local.x")})
    assert {address: verdict.status for address, verdict in outputs(plan).items()} == {"output.o": Status.FAIL}
    assert sinks(plan)["aws_instance.i"].status is Status.FAIL


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (SECRET[::-1], Status.UNKNOWN),
        (f"{SECRET[:20]} {SECRET[20:]}", Status.UNKNOWN),
        (base64.b64encode(bytes(range(1, 250))).decode(), Status.UNKNOWN),
        (base64.b64encode(b"a script that holds no secret at all, but is long enough to").decode(), None),
        ("/srv/applications/production/configuration/logging", None),
        ("#!/bin/sh\necho nothing\n", None),
    ],
)
def test_a_known_value_rules_a_secret_out_only_where_nothing_can_be_hidden(value: str, status: Status | None) -> None:
    plan = plan_with_key(exists=True)
    plan.document["relevant_attributes"] = []
    for name, marks in (("marked", {"user_data": True}), ("clean", {})):
        plan.add(
            f"aws_instance.{name}",
            {"user_data": value},
            actions=("no-op",),
            sensitive=marks,
            expressions={"user_data": ref("local.x")},
        )
    plan.output("o", ref("local.x"), value)
    taken, shown = sinks(plan), outputs(plan)
    assert [taken[a].status if a in taken else None for a in ("aws_instance.marked", "aws_instance.clean")] == [
        status,
        None,
    ]
    assert (shown["output.o"].status if "output.o" in shown else None) is status


def test_what_is_known_while_planning_is_not_made_of_a_secret_that_is_not() -> None:
    plan = plan_with_key()
    plan.add(
        "aws_instance.i",
        {"user_data": SECRET[::-1]},
        sensitive={"user_data": True},
        expressions={"user_data": ref("local.x")},
    )
    plan.output("o", ref("local.x"), SECRET[::-1])
    assert "aws_instance.i" not in sinks(plan)
    assert "output.o" not in outputs(plan)


def test_a_missing_mark_proves_nothing_behind_a_carrier() -> None:
    plan = plan_with_key()
    plan.block("terraform_data.c", expressions={"input": ref("local.x")})
    function(plan, ref("terraform_data.c.output"), sensitive={"environment": [{}]})
    assert sinks(plan)["aws_lambda_function.f"].reason == "local_not_in_plan"


def test_a_local_in_a_provisioner_is_undecided_when_it_runs() -> None:
    plan = plan_with_key()
    command = [{"type": "local-exec", "expressions": {"command": ref("local.x")}}]
    plan.add("null_resource.runs", {}, provisioners=command)
    plan.add("null_resource.ran", {}, actions=("no-op",), provisioners=command)
    verdicts = sinks(plan)
    assert verdicts["null_resource.runs"].status is Status.UNKNOWN
    assert "null_resource.ran" not in verdicts


def test_splats_hide_the_attribute() -> None:
    plan = plan_with_key(address="aws_iam_access_key.k[0]", count_expression=const(1))
    plan.output("new", ref("aws_iam_access_key.k"), unknown=True)
    assert outputs(plan)["output.new"].reason == "way_not_in_plan"
    plan = plan_with_key(exists=True, address="aws_iam_access_key.k[0]", count_expression=const(1))
    plan.output("ids", ref("aws_iam_access_key.k"), ["AKIAZ5SYNTHETIC5FIXT"])
    plan.output("secrets", ref("aws_iam_access_key.k"), [SECRET])
    verdicts = outputs(plan)
    assert "output.ids" not in verdicts
    assert verdicts["output.secrets"].status is Status.FAIL


def test_a_splat_in_a_module_output_is_settled_by_who_takes_it() -> None:
    plan = plan_with_key(address="module.m.aws_iam_access_key.k[0]", count_expression=const(1))
    plan.child_output(["m"], "taken", ref("aws_iam_access_key.k"))
    plan.child_output(["m"], "unused", ref("aws_iam_access_key.k"))
    plan.child_output(["m"], "marked", ref("aws_iam_access_key.k"))
    function(plan, ref("module.m.taken"), sensitive={"environment": [{}]})
    function(plan, ref("module.m.marked"), address="aws_lambda_function.g")
    verdicts = outputs(plan)
    assert [a for a, v in verdicts.items() if v.status is Status.UNKNOWN] == ["module.m.output.marked"]


def test_without_configuration_nothing_is_clean() -> None:
    plan = plan_with_key()
    del plan.document["configuration"]
    for found in (outputs(plan), sinks(plan)):
        assert {a: v.reason for a, v in found.items()} == {KEY: "configuration_missing"}


def test_no_verdict_and_no_part_of_a_plan_shows_a_secret() -> None:
    canary = "Zq8vR2mWx5Tb/Kd7LpYc+Nf3HsJg9uAe4oUi6StB"
    plan = PlanMaker()
    values = existing_key("u", "2020-01-01T00:00:00Z", canary, ses_smtp_password_v4=canary[::-1])
    plan.key(KEY, values, actions=("no-op",))
    plan.key("aws_iam_access_key.new", new_key("u"), actions=("create", "delete"), prior=values)
    plan.output("o", ref("local.x"), {"s": canary})
    plan.output("p", ref("aws_iam_access_key.k.secret"), canary)
    plan.add(
        "aws_instance.i", {"user_data": canary, "tags": {canary: canary}}, expressions={"user_data": ref("local.x")}
    )
    plan.add("aws_ssm_parameter.p", {"value": canary}, unknown={"type": True}, expressions={"value": ref("local.x")})
    plan.document["variables"] = {"secret_key": {"value": canary}}
    data = plan.bytes()
    read = read_plan(data)
    assert read.configuration is not None
    shown = [repr(read), repr(FlowTracer(read, read.configuration))]
    statuses = set()
    for rule in RULES:
        for verdict in judge(rule, data).values():
            shown.append(repr(verdict))
            statuses.add(verdict.status)
    assert Status.FAIL in statuses
    for form in (canary, canary[::-1], base64.b64encode(canary.encode()).decode(), canary[:12], canary[-12:]):
        assert not [text for text in shown if form in text]
