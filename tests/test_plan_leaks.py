"""KEY_AWS_009 and KEY_AWS_010 on plans: ways through modules, and what values and marks settle."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest
from keyrules.iac.plan_flow import FlowTracer
from keyrules.iac.plan_references import leading, parse_reference
from keyrules.iac.plan_view import read_plan
from keyrules.iac.verdict import Verdict
from keyrules.model import Status
from plan_context import JUDGES, judge
from plan_maker import SECRET, PlanMaker, const, existing_key, new_key, ref

KEY = "aws_iam_access_key.k"
MARKED = {"environment": [{"variables": True}]}


def plan_with_key(*, exists: bool = False, address: str = KEY, **details: Any) -> PlanMaker:
    plan = PlanMaker()
    if exists:
        plan.key(address, existing_key("u", "2026-05-01T00:00:00Z"), actions=("no-op",), **details)
    else:
        plan.key(address, new_key("u"), **details)
    plan.relevant(address, "secret")
    return plan


def outputs(plan: PlanMaker) -> dict[str, Verdict]:
    return judge("KEY_AWS_009", plan.bytes())


def sinks(plan: PlanMaker) -> dict[str, Verdict]:
    return judge("KEY_AWS_010", plan.bytes())


def function(
    plan: PlanMaker, expression: dict[str, Any], *, sensitive: Any = MARKED, address: str = "aws_lambda_function.f"
) -> None:
    plan.add(
        address,
        {"environment": [{}], "function_name": "f"},
        unknown={"environment": [{"variables": True}], "id": True},
        sensitive=sensitive,
        expressions={"environment": [{"variables": expression}], "function_name": const("f")},
    )


def test_references_are_read_back() -> None:
    texts = ref("aws_iam_access_key.k[0].secret", "var.x", "module.m.out.id", "aws_iam_access_key.k")["references"]
    assert list(leading(texts)) == [
        "aws_iam_access_key.k[0].secret",
        "var.x",
        "module.m.out.id",
        "aws_iam_access_key.k",
    ]
    assert list(leading(["a.b", "a.b"])) == ["a.b", "a.b"]
    assert list(leading(["a.bc", "a.b"])) == ["a.bc", "a.b"]
    found = parse_reference('module.m["a.b"].out["x"].secret')
    assert (found.root, found.name, found.index, found.rest) == ("module", "m", "a.b", ("out", "x", "secret"))
    data = parse_reference("data.template_file.t[0].rendered")
    assert (data.block, data.index, data.rest) == ("data.template_file.t", 0, ("rendered",))
    assert parse_reference("self.secret").rest == ("secret",)
    assert parse_reference("").root == ""


@pytest.mark.parametrize(
    ("names", "status"),
    [
        (["aws_iam_access_key.k.secret"], Status.FAIL),
        (["aws_iam_access_key.k.ses_smtp_password_v4"], Status.FAIL),
        (["aws_iam_access_key.k"], Status.FAIL),
        (['aws_iam_access_key.k["secret"]'], Status.FAIL),
        (["var.prefix", "aws_iam_access_key.k.secret"], Status.FAIL),
        (["aws_iam_access_key.k.id"], None),
        (["aws_iam_access_key.k.encrypted_secret"], None),
        (["aws_iam_access_key.k.encrypted_ses_smtp_password_v4"], None),
        (["aws_iam_access_key.other.secret"], None),
        (["random_password.p.secret"], None),
    ],
)
def test_a_root_output(names: list[str], status: Status | None) -> None:
    plan = plan_with_key()
    plan.output("o", ref(*names), unknown=True)
    verdicts = outputs(plan)
    assert (verdicts["output.o"].status if "output.o" in verdicts else None) is status
    assert (KEY in verdicts) is (status is None)
    if status is None:
        assert verdicts[KEY].status is Status.PASS


def test_a_sensitive_output_passes_and_so_does_its_key() -> None:
    plan = plan_with_key()
    plan.output("o", ref("aws_iam_access_key.k.secret"), sensitive=True, unknown=True)
    assert {v.address: v.reason for v in outputs(plan).values()} == {
        "output.o": "output_sensitive",
        KEY: "secret_not_in_outputs",
    }


def test_an_encrypted_or_imported_key_has_no_secret_to_show() -> None:
    plan = PlanMaker()
    plan.key(KEY, new_key("u", pgp_key="keybase:someone"))
    plan.key("aws_iam_access_key.imported", existing_key("v", None, secret=None), actions=("no-op",))
    plan.output("a", ref("aws_iam_access_key.k.secret"))
    plan.output("b", ref("aws_iam_access_key.imported.secret"))
    assert all(verdict.status is Status.PASS for verdict in outputs(plan).values())


def test_a_message_names_the_way_through_modules() -> None:
    plan = plan_with_key()
    plan.call(["m"], value=ref("aws_iam_access_key.k.secret"))
    plan.call(["m", "n"], given=ref("var.value"))
    function(plan, ref("var.given"), address="module.m.module.n.aws_lambda_function.f")
    verdict = sinks(plan)["module.m.module.n.aws_lambda_function.f"]
    assert verdict.status is Status.FAIL
    assert verdict.message.startswith(
        "aws_iam_access_key.k.secret → module.m.value → module.m.module.n.given → "
        "module.m.module.n.aws_lambda_function.f environment: "
    )
    assert verdict.trace[0].label == "aws_iam_access_key.k.secret"


def test_a_secret_comes_out_of_a_module_and_goes_into_another() -> None:
    plan = plan_with_key(address='module.user["a"].aws_iam_access_key.this[0]', count_expression=const(1))
    plan.child_output(
        ["user"],
        "credentials",
        ref("aws_iam_access_key.this[0].id", "aws_iam_access_key.this[0].secret"),
        sensitive=True,
    )
    plan.call(["app"], env=ref('module.user["a"].credentials.secret'))
    function(plan, ref("var.env"), address="module.app.aws_lambda_function.f")
    assert sinks(plan)["module.app.aws_lambda_function.f"].status is Status.FAIL


def test_a_whole_key_that_is_handed_on_leaks_only_by_its_secret() -> None:
    plan = plan_with_key()
    plan.call(["m"], key=ref("aws_iam_access_key.k"))
    function(plan, ref("var.key.id"), address="module.m.aws_lambda_function.clean")
    function(plan, ref("var.key.secret"), address="module.m.aws_lambda_function.leak")
    verdicts = sinks(plan)
    assert "module.m.aws_lambda_function.clean" not in verdicts
    assert verdicts["module.m.aws_lambda_function.leak"].status is Status.FAIL


def test_each_value_over_keys() -> None:
    plan = plan_with_key(address='aws_iam_access_key.k["a"]', for_each_expression=ref("var.users"))
    for name, attribute in (("id", "each.value.id"), ("secret", "each.value.secret")):
        plan.add(
            f'aws_ssm_parameter.{name}["a"]',
            {"type": "String"},
            unknown={"value": True},
            sensitive={"value": True},
            expressions={"type": const("String"), "value": ref(attribute)},
            for_each_expression=ref("aws_iam_access_key.k"),
        )
    verdicts = sinks(plan)
    assert verdicts["aws_ssm_parameter.secret"].status is Status.FAIL
    assert "aws_ssm_parameter.id" not in verdicts


def test_self_in_a_provisioner_of_the_key() -> None:
    plan = PlanMaker()
    provisioner = {"type": "local-exec", "expressions": {"command": ref("self.secret")}}
    plan.key(KEY, new_key("u"), provisioners=[provisioner])
    assert sinks(plan)[KEY].reason == "secret_in_provisioner"
    provisioner["expressions"] = {"command": ref("self.id")}
    assert sinks(plan)[KEY].status is Status.PASS


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


@pytest.mark.parametrize(
    ("values", "unknown", "status"),
    [
        ({"type": "String"}, {"value": True}, Status.FAIL),
        ({"type": "SecureString"}, {"value": True}, Status.PASS),
        ({}, {"type": True, "value": True}, Status.UNKNOWN),
    ],
)
def test_a_setting_decides_by_its_planned_value(values: Any, unknown: Any, status: Status) -> None:
    plan = plan_with_key()
    plan.add("aws_ssm_parameter.p", values, unknown=unknown, expressions={"value": ref("aws_iam_access_key.k.secret")})
    verdicts = sinks(plan)
    assert verdicts["aws_ssm_parameter.p"].status is status
    assert (KEY in verdicts) is (status is Status.PASS)


def test_the_worst_instance_of_a_block_decides() -> None:
    plan = plan_with_key()
    for index, kind in enumerate(("SecureString", "String", "SecureString")):
        plan.add(
            f"aws_ssm_parameter.p[{index}]",
            {"type": kind},
            unknown={"value": True},
            expressions={"value": ref("aws_iam_access_key.k.secret")},
            count_expression=const(3),
        )
    assert sinks(plan)["aws_ssm_parameter.p"].status is Status.FAIL


@pytest.mark.parametrize(
    ("sensitive", "relevant", "status"),
    [
        (MARKED, True, Status.UNKNOWN),
        ({"environment": [{"variables": {"TOKEN": True}}]}, True, Status.UNKNOWN),
        ({"environment": [{"variables": {}}]}, True, None),
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
    plan.output("clean", ref("local.y"), hide(SECRET[::-1]))
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


def test_data_sources_that_were_read_while_planning_are_places_too() -> None:
    plan = plan_with_key(exists=True)
    plan.block("data.archive_file.a", expressions={"source": [{"content": ref("aws_iam_access_key.k.secret")}]})
    assert sinks(plan)["data.archive_file.a"].reason == "secret_in_file"


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


def test_old_terraform_wrote_no_attributes() -> None:
    plan = plan_with_key()
    plan.document["format_version"] = "0.1"
    plan.output("o", {"references": [KEY]}, unknown=True)
    assert outputs(plan)["output.o"].status is Status.UNKNOWN
    plan.document["format_version"] = "0.2"
    assert outputs(plan)["output.o"].status is Status.FAIL


def test_without_configuration_nothing_is_clean() -> None:
    plan = plan_with_key()
    del plan.document["configuration"]
    for found in (outputs(plan), sinks(plan)):
        assert {a: v.reason for a, v in found.items()} == {KEY: "configuration_missing"}


def test_a_key_that_is_not_planned_leaks_nothing() -> None:
    plan = PlanMaker()
    plan.block(KEY, count_expression=const(0))
    plan.output("o", ref("aws_iam_access_key.k[0].secret"))
    assert outputs(plan) == {}


def test_long_chains_and_cycles_end_and_never_look_clean() -> None:
    plan = plan_with_key()
    length = 300
    for number in range(length):
        before = ref(f"terraform_data.c{number - 1}.output") if number else ref("aws_iam_access_key.k.secret")
        plan.block(f"terraform_data.c{number}", expressions={"input": before})
    plan.output("o", ref(f"terraform_data.c{length - 1}.output"), unknown=True)
    plan.block("terraform_data.x", expressions={"input": ref("terraform_data.y.output")})
    plan.block("terraform_data.y", expressions={"input": ref("terraform_data.x.output")})
    plan.output("cycle", ref("terraform_data.x.output"), unknown=True)
    verdicts = outputs(plan)
    assert verdicts["output.o"].status is Status.UNKNOWN
    assert "output.cycle" not in verdicts


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
    for rule in JUDGES:
        for verdict in judge(rule, data).values():
            shown.append(repr(verdict))
            statuses.add(verdict.status)
    assert Status.FAIL in statuses
    for form in (canary, canary[::-1], base64.b64encode(canary.encode()).decode(), canary[:12], canary[-12:]):
        assert not [text for text in shown if form in text]
