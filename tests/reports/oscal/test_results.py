"""Assessment results and plans of action: what a verdict becomes, what has no finding, and how exceptions are risks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from evaluations import AS_OF, EXCEPTION, RULES, code_finding, live_finding, make_evaluation
from oscal_cases import CASES, nodes, under, uuids, values

from keyrules.model import (
    BaselineReport,
    ControlResult,
    Counts,
    Evaluation,
    EvaluationError,
    FrameworkReport,
    KnownFinding,
    Outcome,
    ParameterInForce,
    Plane,
    RulePart,
    Severity,
    Status,
)
from keyrules.pack.catalog import load_pack
from keyrules.records import replace
from keyrules.reports.oscal.documents import documents
from keyrules.reports.oscal.risks import steps
from keyrules.reports.text_style import advice_for

THRESHOLDS = {"low": 180, "moderate": 90, "high": 30}
PART = RulePart("KEY_AWS_001", "partial", "", Counts(passed=1), "ia-5_smt.f")
TWO_KEYS = live_finding(), live_finding(subject=replace(live_finding().subject, name="bob/access_key_1", user="bob"))  # type: ignore[type-var]


def of(evaluation: Evaluation, key: str = "rules") -> tuple[dict[str, Any], dict[str, Any]]:
    """The result and the plan of action of a run."""
    made = documents(evaluation)
    (result,) = made[f"{key}/assessment-results.json"]["assessment-results"]["results"]
    poam: dict[str, Any] = made[f"{key}/poam.json"]["plan-of-action-and-milestones"]
    return result, poam


def judged(outcome: Outcome, *statements: tuple[str, Outcome]) -> Evaluation:
    control = ControlResult(
        "IA-5", "Authenticators", outcome, "Because.", (PART,), ("A rest.",), framework="nist_800_53_r5"
    )
    parts = tuple(replace(control, statement=each, outcome=own) for each, own in statements)
    name = ("nist_800_53_r5", "NIST SP 800-53 revision 5", "https://example.com")
    report = FrameworkReport(*name, (replace(control, statements=parts),), editions=(name,))
    return make_evaluation(live_finding(), plane=Plane.LIVE, framework=report)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome.SATISFIED, ("satisfied", "pass")),
        (Outcome.WITH_EXCEPTIONS, ("not-satisfied", "other")),
        (Outcome.NOT_SATISFIED, ("not-satisfied", "fail")),
        (Outcome.PARTLY_ASSESSED, ("not-satisfied", "other")),
        (Outcome.ADVERSE_EVIDENCE, None),
        (Outcome.CLEAN_EVIDENCE, None),
        (Outcome.NOT_ASSESSED, None),
    ],
)
def test_what_decides_is_a_finding_and_what_does_not_is_an_observation(
    outcome: Outcome, expected: tuple[str, str] | None
) -> None:
    result, _ = of(judged(outcome), "nist_800_53_r5")
    states = [
        (each["target"]["status"]["state"], each["target"]["status"]["reason"]) for each in result.get("findings", ())
    ]
    assert states == ([expected] if expected is not None else [])
    told = [*result.get("findings", ()), *result["observations"]]
    (verdict,) = (each for each in told if values(each, "verdict") == [outcome.value])
    assert verdict["description"] == "Because." and verdict["remarks"] == "A rest."
    assert any("subjects" in each for each in result["observations"])


def test_every_outcome_has_its_place() -> None:
    assert {outcome.value for outcome in Outcome} == {
        value
        for outcome in Outcome
        for node in nodes(of(judged(outcome), "nist_800_53_r5")[0])
        for value in values(node, "verdict")
    }


def test_a_statement_has_a_finding_of_its_own() -> None:
    case = judged(Outcome.PARTLY_ASSESSED, ("ia-5_smt.f", Outcome.SATISFIED), ("ia-5_smt.g", Outcome.NOT_ASSESSED))
    result, _ = of(case, "nist_800_53_r5")
    found = {each["target"]["target-id"]: each["target"]["status"]["state"] for each in result["findings"]}
    assert found == {"ia-5_smt": "not-satisfied", "ia-5_smt.f": "satisfied"}
    whole, _ = of(judged(Outcome.SATISFIED, ("ia-5_smt", Outcome.NOT_SATISFIED)), "nist_800_53_r5")
    assert [each["target"]["status"]["state"] for each in whole["findings"]] == ["satisfied"]


def test_credentials_that_are_treated_alike_are_subjects_of_one_observation() -> None:
    result, _ = of(make_evaluation(*TWO_KEYS, live_finding(status=Status.PASS), plane=Plane.LIVE))
    seen = {each["title"]: each for each in result["observations"] if "subjects" in each}
    assert sorted(seen) == ["KEY_AWS_001 FAIL in 111122223333", "KEY_AWS_001 PASS in 111122223333"]
    failing = seen["KEY_AWS_001 FAIL in 111122223333"]
    assert [each["title"] for each in failing["subjects"]] == ["alice/access_key_1", "bob/access_key_1"]
    assert values(failing["subjects"][0], "result") == ["fail"]
    assert values(failing["subjects"][0], "resource-id") == ["arn:aws:iam::111122223333:user/alice"]
    assert values(failing["subjects"][0], "evaluated-on") == ["2026-01-31T09:30:00Z"]
    assert values(failing["subjects"][0], "reason") == ["The key breaks rule KEY_AWS_001."]
    assert values(seen["KEY_AWS_001 PASS in 111122223333"]["subjects"][0], "result") == ["pass"]


def test_an_exception_is_an_approved_deviation_until_it_ends() -> None:
    accepted = live_finding(status=Status.EXEMPT, exemption=EXCEPTION.reason, exception=EXCEPTION)
    result, poam = of(make_evaluation(accepted, TWO_KEYS[1], plane=Plane.LIVE))
    (risk, opened) = sorted(result["risks"], key=lambda each: str(each["status"]))
    assert (risk["status"], opened["status"]) == ("deviation-approved", "open")
    assert risk["deadline"] == "2026-12-31T23:59:59Z"
    assert values(risk, "deviation-reference") == ["OPS-1234"]
    (entry,) = risk["risk-log"]["entries"]
    assert (entry["status-change"], values(entry, "deviation-reference")) == ("deviation-approved", ["OPS-1234"])
    (observation,) = (each for each in result["observations"] if values(each, "status") == ["EXEMPT"])
    assert values(observation["subjects"][0], "waived") == ["true"]
    assert [each["observation-uuid"] for each in risk["related-observations"]] == [observation["uuid"]]
    assert risk in poam["risks"] and len(poam["poam-items"]) == 2


def test_a_skip_comment_is_a_deviation_that_nobody_approved() -> None:
    result, _ = of(make_evaluation(code_finding(status=Status.EXEMPT)))
    (risk,) = result["risks"]
    assert risk["status"] == "deviation-requested"
    assert values(risk, "exception-reason") == ["kept for the old build server"]


def test_what_cannot_be_judged_is_to_be_investigated() -> None:
    result, _ = of(make_evaluation(live_finding(status=Status.UNKNOWN), plane=Plane.LIVE))
    (risk,) = result["risks"]
    (observation,) = (each for each in result["observations"] if "subjects" in each)
    assert (risk["status"], values(observation["subjects"][0], "result")) == ("investigating", ["error"])


def test_a_finding_of_the_baseline_is_still_a_risk_and_due_from_its_first_sight() -> None:
    first = AS_OF - timedelta(days=100)
    baseline = BaselineReport("base.json", None, (KnownFinding(live_finding(), first),), ())
    result, _ = of(make_evaluation(plane=Plane.LIVE, baseline=baseline))
    (risk,) = result["risks"]
    assert risk["deadline"] == "2026-04-21T09:29:59Z"
    (observation,) = (each for each in result["observations"] if "subjects" in each)
    assert values(observation["subjects"][0], "first-seen") == ["2025-10-23T09:30:00Z"]


@pytest.mark.parametrize("case", ["live", "code", "accepted", "cis"])
def test_fedramp_s_checks_of_a_plan_of_action(case: str) -> None:
    """https://github.com/GSA/fedramp-automation/blob/c784140/src/validations/rules/rev5/poam.sch, but for what only the
    organization's own plan can hold."""
    key = "cis_aws_3.0.0" if case == "cis" else "rules"
    _, poam = of(CASES[case], key)
    observations = {each["uuid"]: each for each in poam["observations"]}
    (ssp,) = (each for each in poam["back-matter"]["resources"] if "system-security-plan" in values(each, "type"))
    assert len(ssp["rlinks"]) == 1 and ssp["rlinks"][0]["media-type"] == "application/json"
    assert poam["import-ssp"]["href"] == f"#{ssp['uuid']}"
    risks = {each["uuid"]: each for each in poam["risks"]}
    for item in poam["poam-items"]:
        (related,) = item["related-risks"]
        (seen,) = item["related-observations"]
        assert seen["observation-uuid"] in observations
        risk = risks[related["risk-uuid"]]
        lifecycles = {each["lifecycle"]: each for each in risk["remediations"]}
        assert {*lifecycles} == {"recommendation", "planned"}
        assert lifecycles["planned"]["tasks"]
        for task in lifecycles["planned"]["tasks"]:
            days = task["timing"]["within-date-range"]
            assert task["type"] == "milestone" and task["description"] and days["start"] <= days["end"]
        (impact,) = (
            facet["value"]
            for each in risk["characterizations"]
            for facet in each["facets"]
            if facet["name"] == "impact"
        )
        (seen,) = risk["related-observations"]
        detected = datetime.fromisoformat(observations[seen["observation-uuid"]]["collected"].replace("Z", "+00:00"))
        deadline = datetime.fromisoformat(risk["deadline"].replace("Z", "+00:00"))
        assert deadline < detected + timedelta(days=THRESHOLDS[impact]) or risk["status"] == "deviation-approved"
        assert all(each["title"] and each["start"] for each in risk["risk-log"]["entries"])


@pytest.mark.parametrize("case", ["live", "code", "cis", "nist"])
def test_fedramp_s_checks_of_results(case: str) -> None:
    """https://github.com/GSA/fedramp-automation/blob/c784140/src/validations/rules/rev5/sar.sch, likewise."""
    key = {"cis": "cis_aws_3.0.0", "nist": "nist_800_53_r5"}.get(case, "rules")
    ran = (CASES[case].as_of, CASES[case].as_of + timedelta(seconds=3))
    made = documents(replace(CASES[case], ran=ran))
    document = made[f"{key}/assessment-results.json"]["assessment-results"]
    (result,) = document["results"]
    assert result["start"] < result["end"]
    plans = [
        each for each in document["back-matter"]["resources"] if "security-assessment-plan" in values(each, "type")
    ]
    assert [len(each["rlinks"]) for each in plans] == [1]
    assert plans[0]["rlinks"][0]["media-type"] == "application/json"
    assert document["import-ap"]["href"] == f"#{plans[0]['uuid']}"
    targets = [each["target"]["target-id"] for each in result.get("findings", ())]
    assert len(set(targets)) == len(targets)
    tasks = {each["uuid"] for each in made[f"{key}/assessment-plan.json"]["assessment-plan"]["tasks"]}
    for observation in result["observations"]:
        for origin in observation.get("origins", ()):
            assert "finding" in observation["types"] and observation["methods"] == ["TEST"]
            assert {each["task-uuid"] for each in origin.get("related-tasks", ())} <= tasks
        assert {each["type"] for each in observation.get("subjects", ())} <= {"inventory-item"}
    assert all(each["origins"] for each in [*result.get("findings", ()), *result.get("risks", ())])


def test_milestones_are_the_numbered_steps() -> None:
    rules = {rule.id: rule for rule in load_pack().rules}
    advised = steps(advice_for(Plane.LIVE, rules["KEY_AWS_001"].remediation))
    assert len(advised) == 7
    assert advised[1] == "`aws iam create-access-key --user-name NAME`."
    assert steps("Remove it. Then look again.") == ["Remove it. Then look again."]


def test_nothing_to_mend_is_an_item_that_says_so() -> None:
    _, poam = of(make_evaluation(plane=Plane.LIVE))
    (item,) = poam["poam-items"]
    assert item["title"] == "Nothing to mend" and "risks" not in poam


def test_what_was_only_counted_or_not_read_is_no_nothing() -> None:
    counted = make_evaluation(plane=Plane.LIVE, counts=Counts(failed=3))
    (item,) = of(counted)[1]["poam-items"]
    assert item["title"] == "Nothing is listed" and "3 findings are not listed here" in item["description"]
    assert "only counted" in of(counted)[0]["remarks"]
    unread = make_evaluation(plane=Plane.LIVE, errors=(EvaluationError("a.csv", "syntax", "It is no report."),))
    (item,) = of(unread)[1]["poam-items"]
    assert item["title"] == "Nothing is listed" and "1 input could not be evaluated" in item["description"]


def test_an_exception_keeps_its_risk_when_its_file_is_edited_above_it() -> None:
    def risk(**changes: Any) -> str:
        entry = replace(EXCEPTION, **changes)
        accepted = live_finding(status=Status.EXEMPT, exemption=entry.reason, exception=entry)
        return str(of(make_evaluation(accepted, plane=Plane.LIVE))[0]["risks"][0]["uuid"])

    assert risk() == risk(place=".keyrules-exceptions.yaml:40") != risk(subject="aws_iam_access_key.other")


def test_the_same_risk_in_two_runs_and_two_accounts() -> None:
    def risk(evaluation: Evaluation) -> str:
        return str(of(evaluation)[0]["risks"][0]["uuid"])

    one = make_evaluation(live_finding(), plane=Plane.LIVE)
    later = replace(one, as_of=AS_OF + timedelta(days=30))
    elsewhere = live_finding(subject=replace(live_finding().subject, account="444455556666"))  # type: ignore[type-var]
    assert risk(one) == risk(later) != risk(make_evaluation(elsewhere, plane=Plane.LIVE))


def test_a_rule_of_every_severity_has_an_impact() -> None:
    for severity in Severity:
        rule = replace(RULES[0], severity=severity)
        result, _ = of(make_evaluation(live_finding(rule), plane=Plane.LIVE, rules=(rule,)))
        assert result["risks"][0]["characterizations"][0]["facets"][0]["value"] in THRESHOLDS


def test_a_framework_s_rules_alone_are_in_its_folder() -> None:
    case = under(make_evaluation(*TWO_KEYS, live_finding(RULES[2]), plane=Plane.LIVE), "cis_aws_3.0.0")
    result, _ = of(case, "cis_aws_3.0.0")
    assert {each for node in result["observations"] for each in values(node, "assessment-rule-id")} == {
        rule.id for rule in case.rules
    }
    assert uuids(result)


def test_the_parameters_in_force_are_those_of_the_plan_and_the_component() -> None:
    override = ParameterInForce("KEY_AWS_001", "max_age_days", 365, "days", 90, "override", "a.yaml", users="old-*")
    bound = ParameterInForce("KEY_AWS_001", "max_age_days", 45, "days", 90, "framework", "source_pages")
    made = documents(make_evaluation(live_finding(), plane=Plane.LIVE, parameters=(bound, override)))
    said = [
        value for each in nodes(made["rules/assessment-results.json"]) for value in values(each, "parameter-in-force")
    ]
    assert said == [
        "KEY_AWS_001.max_age_days=45, framework source_pages, default 90",
        "KEY_AWS_001.max_age_days=365, a.yaml, default 90, for old-*; :",
    ]
    name = "KEY_AWS_001.max_age_days"
    assert [value for each in nodes(made["rules/assessment-plan.json"]) for value in values(each, name)] == ["45"]
    (parameter,) = (each for each in nodes(made["rules/component-definition.json"]) if "param-id" in each)
    assert parameter == {"param-id": name, "values": ["45"]}
