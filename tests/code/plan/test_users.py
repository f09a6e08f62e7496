"""KEY_AWS_003 and KEY_AWS_004 on plans: whose key it is, known or only referred to."""

from __future__ import annotations

from typing import Any

from plan_context import judge
from plan_maker import NEW_KEY_UNKNOWN, PlanMaker, const, existing_key, new_key, ref

from keyrules.model import Status

UNKNOWN_USER = {**NEW_KEY_UNKNOWN, "user": True}


def failing(plan: PlanMaker, rule: str = "KEY_AWS_003") -> set[str]:
    verdicts = judge(rule, plan.bytes())
    assert all(verdict.status in (Status.PASS, Status.FAIL) for verdict in verdicts.values())
    return {address.removeprefix("aws_iam_access_key.") for address, v in verdicts.items() if v.status is Status.FAIL}


def unknown_user_key(plan: PlanMaker, address: str, expression: dict[str, Any], **details: Any) -> None:
    plan.key(address, new_key(None), unknown=UNKNOWN_USER, expressions={"user": expression}, **details)


def test_two_active_keys_of_one_name_fail_and_say_which() -> None:
    plan = PlanMaker()
    for name in ("a", "b", "c"):
        plan.key(f"aws_iam_access_key.{name}", new_key("shared"))
    plan.key("aws_iam_access_key.d", new_key("other"))
    assert failing(plan) == {"a", "b", "c"}
    verdict = judge("KEY_AWS_003", plan.bytes())["aws_iam_access_key.b"]
    assert verdict.reason == "several_active_keys"
    assert verdict.facts == {"active_keys": 3, "others": "aws_iam_access_key.a, aws_iam_access_key.c"}


def test_inactive_and_deleted_keys_do_not_count() -> None:
    plan = PlanMaker()
    plan.key("aws_iam_access_key.a", new_key("u"))
    plan.key("aws_iam_access_key.b", new_key("u", status="Inactive"))
    plan.key("aws_iam_access_key.c", existing_key("u", None), actions=["delete"], prior=existing_key("u", None))
    assert failing(plan) == set()


def test_a_replaced_key_is_one_key() -> None:
    plan = PlanMaker()
    plan.key("aws_iam_access_key.a", new_key("u"), actions=("create", "delete"), prior=existing_key("u", None))
    assert failing(plan) == set()


def test_unknown_users_by_the_same_reference() -> None:
    plan = PlanMaker()
    unknown_user_key(plan, "aws_iam_access_key.a", ref("aws_iam_user.u.id"))
    unknown_user_key(plan, "aws_iam_access_key.b", ref("aws_iam_user.u.id"))
    unknown_user_key(plan, "aws_iam_access_key.c", ref("aws_iam_user.v.id"))
    unknown_user_key(plan, "aws_iam_access_key.d", ref("data.external.user.result"))
    assert failing(plan) == {"a", "b"}


def test_an_unknown_user_meets_a_key_that_names_the_user() -> None:
    plan = PlanMaker()
    plan.add("aws_iam_user.u", {"name": "build"}, expressions={"name": const("build")})
    unknown_user_key(plan, "aws_iam_access_key.a", ref("aws_iam_user.u.id"))
    plan.key("aws_iam_access_key.b", new_key("build"))
    assert failing(plan) == {"a", "b"}


def test_instances_by_count_index_pair_up_and_a_fixed_user_is_shared() -> None:
    plan = PlanMaker()
    for index in (0, 1):
        unknown_user_key(plan, f"aws_iam_access_key.a[{index}]", ref("aws_iam_user.u", "count.index"))
        plan.add(f"aws_iam_user.u[{index}]", {"name": f"user-{index}"})
    assert failing(plan) == set()
    unknown_user_key(plan, "aws_iam_access_key.b[1]", ref("aws_iam_user.u", "count.index"))
    assert failing(plan) == {"a[1]", "b[1]"}
    for index in (0, 1):
        unknown_user_key(plan, f"aws_iam_access_key.c[{index}]", ref("aws_iam_user.other.id"))
    assert failing(plan) == {"a[1]", "b[1]", "c[0]", "c[1]"}


def test_each_instances_have_their_own_users() -> None:
    plan = PlanMaker()
    for key in ("x", "y"):
        unknown_user_key(plan, f'aws_iam_access_key.a["{key}"]', ref("each.value.id"))
    assert failing(plan) == set()


def test_inputs_are_followed_to_the_caller_instance_by_instance() -> None:
    plan = PlanMaker()
    for key in ("x", "y"):
        plan.add(f'aws_iam_user.u["{key}"]', {"name": f"user-{key}"})
        unknown_user_key(plan, f'module.m["{key}"].aws_iam_access_key.k', ref("var.user"))
    plan.call(["m"], user=ref("aws_iam_user.u", "each.key"))
    assert failing(plan) == set()
    plan.key("aws_iam_access_key.a", new_key("user-x"))
    assert failing(plan) == {"a", 'module.m["x"].aws_iam_access_key.k'}


def test_modules_do_not_share_references_of_the_same_text() -> None:
    plan = PlanMaker()
    for module in ("m", "n"):
        unknown_user_key(plan, f"module.{module}.aws_iam_access_key.k", ref("aws_iam_user.u.id"))
    assert failing(plan) == set()


def test_a_login_profile_of_the_same_user_fails() -> None:
    plan = PlanMaker()
    plan.add("aws_iam_user_login_profile.p", {"user": "person"}, expressions={"user": const("person")})
    plan.add("aws_iam_user_login_profile.q", {}, unknown={"user": True}, expressions={"user": ref("aws_iam_user.u.id")})
    plan.key("aws_iam_access_key.a", new_key("person"))
    plan.key("aws_iam_access_key.b", new_key("person", status="Inactive"))
    plan.key("aws_iam_access_key.c", new_key("workload"))
    unknown_user_key(plan, "aws_iam_access_key.d", ref("aws_iam_user.u.id"))
    assert failing(plan, "KEY_AWS_004") == {"a", "d"}


def test_a_login_profile_that_goes_is_none() -> None:
    plan = PlanMaker()
    plan.add("aws_iam_user_login_profile.p", {}, actions=["delete"], prior={"user": "person"})
    plan.key("aws_iam_access_key.a", new_key("person"))
    assert failing(plan, "KEY_AWS_004") == set()
