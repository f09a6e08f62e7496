"""KEY_AWS_001 on plans: exact ages of existing keys, and of new ones only what the plan proves."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan_context import AS_OF, judge
from plan_maker import NEW_KEY_UNKNOWN, PlanMaker, const, existing_key, new_key, ref

from keyrules.code.verdict import Verdict
from keyrules.model import Status

KEY = "aws_iam_access_key.k"


def judge_key(plan: PlanMaker, address: str = KEY, **options: Any) -> Verdict:
    return judge("KEY_AWS_001", plan.bytes(), **options)[address]


def existing(create_date: str | None, **options: Any) -> PlanMaker:
    plan = PlanMaker()
    options.setdefault("actions", ("no-op",))
    plan.key(KEY, existing_key("build", create_date), **options)
    return plan


def rotating(
    *,
    reason: str | None = "replace_by_triggers",
    clock: dict[str, Any] | None = None,
    trigger_actions: tuple[str, ...] = ("delete", "create"),
    depends_on: tuple[str, ...] = ("terraform_data.t", "time_rotating.r"),
    key_expressions: dict[str, Any] | None = None,
) -> PlanMaker:
    """A key that this plan replaces, with a trigger on a clock."""
    plan = PlanMaker()
    clock = {"rotation_days": 30} if clock is None else clock
    plan.add("time_rotating.r", clock, unknown={"rotation_rfc3339": True, "id": True})
    plan.add(
        "terraform_data.t",
        {"triggers_replace": None},
        actions=trigger_actions,
        prior={"triggers_replace": "x"},
        expressions={"triggers_replace": ref("time_rotating.r.id")},
    )
    plan.key(
        KEY,
        new_key("build"),
        actions=("create", "delete"),
        prior=existing_key("build", "2026-01-01T00:00:00Z"),
        depends_on=depends_on,
        reason=reason,
        expressions=key_expressions or {"user": const("build")},
    )
    return plan


@pytest.mark.parametrize(
    ("create_date", "status", "reason"),
    [
        ("2026-03-03T00:00:00Z", Status.PASS, "age_within_limit"),
        ("2026-03-02T23:59:59Z", Status.FAIL, "key_too_old"),
        ("2026-03-03T01:00:00+01:00", Status.PASS, "age_within_limit"),
        ("2026-03-03T00:59:59+01:00", Status.FAIL, "key_too_old"),
        ("2026-06-01T00:00:00Z", Status.PASS, "age_within_limit"),
        ("2026-06-01T00:00:01Z", Status.UNKNOWN, "created_after_as_of"),
        (None, Status.UNKNOWN, "create_date_missing"),
        ("yesterday", Status.UNKNOWN, "create_date_missing"),
        ("2026-02-30T00:00:00Z", Status.UNKNOWN, "create_date_missing"),
        ("0001-01-01T00:00:00+23:59", Status.UNKNOWN, "create_date_missing"),
        ("2026-03-03", Status.UNKNOWN, "create_date_missing"),
    ],
)
def test_an_existing_key_is_judged_by_its_age_to_the_second(
    create_date: str | None, status: Status, reason: str
) -> None:
    verdict = judge_key(existing(create_date))
    assert (verdict.status, verdict.reason) == (status, reason)


@pytest.mark.parametrize(
    ("create_date", "status", "reason"),
    [
        ("2026-03-02T23:59:59Z", Status.FAIL, "key_too_old"),
        ("2026-05-31T00:00:00Z", Status.UNKNOWN, "leaves_management"),
        (None, Status.UNKNOWN, "create_date_missing"),
    ],
)
def test_a_key_that_leaves_the_management_is_never_clean(create_date: str | None, status: Status, reason: str) -> None:
    plan = existing(create_date, actions=("forget",))
    plan.document["configuration"]["root_module"] = {}
    verdict = judge_key(plan)
    assert (verdict.status, verdict.reason) == (status, reason)
    assert ("keyrules audit" in verdict.message) is (reason == "leaves_management")
    in_state = judge("KEY_AWS_008", plan.bytes())[KEY]
    assert (in_state.status, in_state.reason) == (Status.PASS, "leaves_state")


def test_a_key_that_leaves_the_management_is_active_beside_others() -> None:
    plan = existing("2026-05-31T00:00:00Z", actions=("forget",))
    plan.key("aws_iam_access_key.second", new_key("build"))
    assert judge("KEY_AWS_003", plan.bytes())[KEY].status is Status.FAIL


@given(st.integers(0, 400 * 86_400), st.integers(1, 400))
def test_the_limit_is_the_only_line(seconds: int, limit: int) -> None:
    created = (AS_OF - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    verdict = judge_key(existing(created), max_age_days=limit)
    assert verdict.status is (Status.FAIL if seconds > limit * 86_400 else Status.PASS)


def test_the_facts_say_when_and_how_old() -> None:
    verdict = judge_key(existing("2026-05-31T12:00:00Z"))
    assert verdict.facts == {"create_date": "2026-05-31T12:00:00Z", "age_days": 0.5, "max_age_days": 90}


def test_as_of_decides_and_not_the_plan() -> None:
    later = datetime(2026, 9, 1, tzinfo=timezone.utc)
    assert judge_key(existing("2026-06-01T00:00:00Z"), as_of=later).status is Status.FAIL


def test_an_update_leaves_the_key_as_old_as_it_is() -> None:
    plan = existing(
        "2020-01-01T00:00:00Z",
        actions=("update",),
        prior=existing_key("build", "2020-01-01T00:00:00Z", status="Inactive"),
    )
    assert judge_key(plan).reason == "key_too_old"


def test_the_state_has_the_date_when_the_plan_lost_it() -> None:
    plan = PlanMaker()
    plan.key(KEY, new_key("u"), actions=("no-op",), prior=existing_key("u", "2020-01-01T00:00:00Z"))
    assert judge_key(plan).reason == "key_too_old"


def test_an_inactive_key_passes_and_one_that_is_switched_on_does_not() -> None:
    plan = PlanMaker()
    plan.key(KEY, existing_key("u", "2020-01-01T00:00:00Z", status="Inactive"), actions=("no-op",))
    unknown = {"status": True}
    plan.key(
        "aws_iam_access_key.on",
        existing_key("v", "2020-01-01T00:00:00Z", status=None),
        actions=("update",),
        unknown=unknown,
    )
    verdicts = judge("KEY_AWS_001", plan.bytes())
    assert verdicts[KEY].reason == "not_active"
    assert verdicts["aws_iam_access_key.on"].reason == "key_too_old"


def test_a_key_that_is_deleted_is_no_subject() -> None:
    plan = PlanMaker()
    plan.key(KEY, {}, actions=["delete"], prior=existing_key("u", "2020-01-01T00:00:00Z"))
    assert judge("KEY_AWS_001", plan.bytes()) == {}


def test_a_new_key_is_unknown_and_the_message_says_what_to_do() -> None:
    plan = PlanMaker()
    plan.key(KEY, new_key("u"))
    verdict = judge_key(plan)
    assert (verdict.status, verdict.reason) == (Status.UNKNOWN, "rotation_not_in_plan")
    assert "scan the Terraform source" in verdict.message


@pytest.mark.parametrize(
    ("clock", "status", "reason"),
    [
        ({"rotation_days": 90}, Status.PASS, "rotation_fires"),
        ({"rotation_days": 91}, Status.FAIL, "rotation_too_slow"),
        ({"rotation_hours": 2160}, Status.PASS, "rotation_fires"),
        ({"rotation_hours": 2161}, Status.FAIL, "rotation_too_slow"),
        ({"rotation_minutes": 129_600}, Status.PASS, "rotation_fires"),
        ({"rotation_months": 3}, Status.PASS, "rotation_fires"),
        ({"rotation_months": 4}, Status.FAIL, "rotation_too_slow"),
        ({"rotation_years": 1}, Status.FAIL, "rotation_too_slow"),
        ({"rotation_days": 30, "rotation_years": 1}, Status.FAIL, "rotation_too_slow"),
        ({"rotation_days": 0}, Status.UNKNOWN, "rotation_not_in_plan"),
        ({"rotation_days": True}, Status.UNKNOWN, "rotation_not_in_plan"),
        ({"rotation_days": 30, "rotation_rfc3339": "2027-01-01T00:00:00Z"}, Status.UNKNOWN, "rotation_not_in_plan"),
        ({"rotation_days": 30, "rfc3339": "2024-01-01T00:00:00Z"}, Status.UNKNOWN, "rotation_not_in_plan"),
        ({}, Status.UNKNOWN, "rotation_not_in_plan"),
    ],
)
def test_a_rotation_that_fires_now_is_proven(clock: dict[str, Any], status: Status, reason: str) -> None:
    verdict = judge_key(rotating(clock=clock))
    assert (verdict.status, verdict.reason) == (status, reason)


@pytest.mark.parametrize(
    "change",
    [
        {"reason": "replace_because_cannot_update"},
        {"reason": "replace_by_request"},
        {"reason": "replace_because_tainted"},
        {"reason": None},
        {"trigger_actions": ("no-op",)},
        {"depends_on": ("time_rotating.r",)},
        {"depends_on": ()},
        {"key_expressions": {"user": ref("terraform_data.t.output")}},
    ],
)
def test_what_the_plan_does_not_prove_is_unknown(change: dict[str, Any]) -> None:
    verdict = judge_key(rotating(**change))
    assert (verdict.status, verdict.reason) == (Status.UNKNOWN, "rotation_not_in_plan")


def test_the_earliest_clock_that_fired_wins() -> None:
    plan = rotating(clock={"rotation_years": 1}, depends_on=("terraform_data.t", "terraform_data.u"))
    plan.add("time_rotating.monthly", {"rotation_months": 1})
    plan.add(
        "terraform_data.u",
        {},
        actions=("update",),
        prior={"input": "x"},
        expressions={"input": ref("time_rotating.monthly.id")},
    )
    assert judge_key(plan).facts["rotation_source"] == "time_rotating.monthly"


def test_a_trigger_on_a_local_is_followed_through_the_state() -> None:
    plan = rotating()
    block = next(b for b in plan.config()["resources"] if b["type"] == "terraform_data")
    block["expressions"] = {"triggers_replace": ref("local.period")}
    assert judge_key(plan).reason == "rotation_not_in_plan"
    state = plan.document["prior_state"]["values"]["root_module"]["resources"]
    next(r for r in state if r["type"] == "terraform_data")["depends_on"] = ["time_rotating.r"]
    assert judge_key(plan).reason == "rotation_fires"


@pytest.mark.parametrize(
    ("max_age", "status", "reason"),
    [
        (7_776_000, Status.PASS, "rotation_fires"),
        (7_776_001, Status.FAIL, "rotation_too_slow"),
        (0, Status.FAIL, "rotation_missing"),
        (2_147_483_647, Status.FAIL, "rotation_missing"),
        (None, Status.FAIL, "rotation_missing"),
    ],
)
def test_an_expiring_key_is_judged_by_its_max_age(max_age: int | None, status: Status, reason: str) -> None:
    address = "awsutils_expiring_iam_access_key.k"
    plan = PlanMaker()
    plan.key(address, new_key("u", max_age=max_age))
    verdict = judge_key(plan, address)
    assert (verdict.status, verdict.reason) == (status, reason)
    shown = {7_776_000: "every 90 days", 7_776_001: "every 90.0000116 days"}.get(max_age or 0, "max_age")
    assert shown in verdict.message


def test_an_expiring_key_whose_age_is_not_known_or_already_passed() -> None:
    address = "awsutils_expiring_iam_access_key.k"
    plan = PlanMaker()
    plan.key(address, new_key("u"), unknown={**NEW_KEY_UNKNOWN, "max_age": True})
    assert judge_key(plan, address).reason == "rotation_unknown"
    plan = PlanMaker()
    plan.key(address, existing_key("u", "2020-01-01T00:00:00Z", max_age=86_400), actions=("no-op",))
    assert judge_key(plan, address).reason == "key_too_old"
