"""KEY_AWS_009 and KEY_AWS_010 on plans: the ways that references show, through modules and carriers."""

from __future__ import annotations

from typing import Any

import pytest
from plan_leak_cases import KEY, function, outputs, plan_with_key, sinks
from plan_maker import SECRET, PlanMaker, const, existing_key, new_key, ref

from keyrules.code.plan.references import leading, parse_reference
from keyrules.model import Status


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


def test_data_sources_that_were_read_while_planning_are_places_too() -> None:
    plan = plan_with_key(exists=True)
    plan.block("data.archive_file.a", expressions={"source": [{"content": ref("aws_iam_access_key.k.secret")}]})
    assert sinks(plan)["data.archive_file.a"].reason == "secret_in_file"


def test_the_arguments_of_a_data_source_that_was_read_are_in_the_prior_state() -> None:
    plan = plan_with_key(exists=True)
    entries = []
    for name, values in (
        ("given", {"source": [{"content": f"S={SECRET}"}]}),
        ("returned", {"output_path": SECRET}),
    ):
        plan.block(f"data.archive_file.{name}", expressions={"source": [{"content": ref("local.x")}]})
        address = f"data.archive_file.{name}"
        entry = {"address": address, "mode": "data", "type": "archive_file", "name": name}
        entries.append({**entry, "values": values, "sensitive_values": {}})
    plan.document["prior_state"]["values"]["root_module"]["resources"] += entries
    verdicts = sinks(plan)
    assert verdicts["data.archive_file.given"].status is Status.FAIL
    assert "data.archive_file.returned" not in verdicts


def test_what_is_forgotten_goes_on_showing_the_secret() -> None:
    plan = plan_with_key(exists=True)
    plan.add("aws_lambda_function.f", {"environment": [{"variables": {"S": SECRET}}]}, actions=["forget"])
    plan.document["resource_changes"][-1]["change"]["after"] = None
    plan.document["planned_values"]["root_module"]["resources"].pop()
    plan.config()["resources"].pop()
    assert sinks(plan)["aws_lambda_function.f"].status is Status.FAIL


def test_old_terraform_wrote_no_attributes() -> None:
    plan = plan_with_key()
    plan.document["format_version"] = "0.1"
    plan.output("o", {"references": [KEY]}, unknown=True)
    assert outputs(plan)["output.o"].status is Status.UNKNOWN
    plan.document["format_version"] = "0.2"
    assert outputs(plan)["output.o"].status is Status.FAIL


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
