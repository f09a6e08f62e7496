"""OSCAL: accepted by compliance-trestle, derived UUIDs, ids that come back, and verdicts that claim no more."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from evaluations import every_kind_of_code_result, every_kind_of_live_result, live_finding, make_evaluation
from trestle.oscal.assessment_results import Model as Results
from trestle.oscal.component import Model as Component

from keyrules.cli import main
from keyrules.controls.selection import framework_selections
from keyrules.controls.tables import load_frameworks
from keyrules.controls.verdicts import framework_report
from keyrules.model import Counts, Evaluation, EvaluationError, Plane, Subject
from keyrules.pack.catalog import load_pack
from keyrules.records import replace
from keyrules.reports import oscal_component, oscal_results
from keyrules.reports.oscal_component import control_token
from keyrules.reports.text_style import ReportOptions

PACK = load_pack()
FRAMEWORKS = load_frameworks(PACK)
HOSTILE = live_finding(
    message="\u202e\x1b[31m\n",
    subject=Subject(kind="access_key", name=" \n<b>\udcff", account="", user="=x"),
)


def under(framework: str, evaluation: Evaluation) -> Evaluation:
    (chosen,) = framework_selections(PACK, FRAMEWORKS, [(framework, None)], plane=evaluation.plane)
    run = replace(evaluation, rules=chosen.selection.rules, rule_counts={"KEY_AWS_001": Counts(passed=3)})
    return replace(run, framework=framework_report(run, chosen))


CASES = {
    "code": every_kind_of_code_result(),
    "live": every_kind_of_live_result(),
    "hostile": make_evaluation(HOSTILE, HOSTILE, plane=Plane.LIVE, errors=(EvaluationError("", "x", ""),)),
    "nothing": make_evaluation(inputs=(), rules=()),
    "cis": under("cis_aws_3.0.0", every_kind_of_live_result()),
    "clean": under("cis_aws_3.0.0", make_evaluation(plane=Plane.LIVE)),
    "nist": under("nist_800_53_r5", every_kind_of_code_result()),
    "hipaa": under("hipaa_security_rule", every_kind_of_live_result()),
}


def result_of(evaluation: Evaluation) -> dict[str, Any]:
    (result,) = json.loads("".join(oscal_results.render(evaluation, ReportOptions())))["assessment-results"]["results"]
    assert isinstance(result, dict)
    return result


def values(node: dict[str, Any], name: str) -> list[str]:
    return [each["value"] for each in node["props"] if each["name"] == name]


def uuids(node: Any) -> list[str]:
    if isinstance(node, dict):
        return [*([node["uuid"]] if "uuid" in node else []), *(u for value in node.values() for u in uuids(value))]
    return [u for item in node for u in uuids(item)] if isinstance(node, list) else []


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_trestle_accepts_it_and_every_uuid_is_one_of_a_kind(case: Evaluation) -> None:
    text = "".join(oscal_results.render(case, ReportOptions()))
    document = json.loads(text)
    Results.model_validate(document)
    found = uuids(document)
    assert len(set(found)) == len(found)
    assert "".join(oscal_results.render(case, ReportOptions())) == text
    known = {*found}
    result = document["assessment-results"]["results"][0]
    for finding in result.get("findings", ()):
        assert {each["observation-uuid"] for each in finding.get("related-observations", ())} <= known
    for observation in result.get("observations", ()):
        assert {each["subject-uuid"] for each in observation.get("subjects", ())} <= known


def test_another_moment_makes_other_uuids() -> None:
    case = CASES["cis"]
    later = replace(case, as_of=case.as_of + timedelta(seconds=1))
    first, second = (
        set(uuids(json.loads("".join(oscal_results.render(each, ReportOptions()))))) for each in (case, later)
    )
    assert not first & second


def test_times_are_those_of_the_evaluation() -> None:
    text = "".join(oscal_results.render(CASES["live"], ReportOptions()))
    document = json.loads(text)["assessment-results"]
    assert document["metadata"]["last-modified"] == "2026-01-31T09:30:00Z"
    assert {each["collected"] for each in document["results"][0]["observations"]} == {"2026-01-31T09:30:00Z"}


def test_only_the_verdict_satisfied_is_satisfied() -> None:
    states = {
        (values(each, "verdict")[0], each["target"]["status"]["state"], each["target"]["status"]["reason"])
        for name in ("clean", "cis", "nist")
        for each in result_of(CASES[name])["findings"]
    }
    assert ("satisfied", "satisfied", "pass") in states
    assert {state for verdict, state, _ in states if verdict != "satisfied"} == {"not-satisfied"}
    assert {reason for verdict, _, reason in states if verdict.endswith("assessed")} == {"other"}


@pytest.mark.parametrize("name", ["cis", "nist", "hipaa"])
def test_control_ids_come_back(name: str) -> None:
    case = CASES[name]
    assert case.framework is not None
    found = [values(each, "control")[0] for each in result_of(case)["findings"]]
    assert found == [each.control for each in case.framework.controls]


def test_tokens() -> None:
    assert control_token("nist_800_53_r5", "AC-2(1)") == "ac-2.1"
    assert control_token("nist_800_53_r5", "IA-5") == "ia-5"
    assert control_token("cis_aws_3.0.0", "1.10") == "cis_aws_3.0.0_1.10"
    assert control_token("", "KEY_AWS_001") == "KEY_AWS_001"
    for edition in FRAMEWORKS.editions:
        tokens = [control_token(edition.key, control) for control in edition.controls]
        assert len(set(tokens)) == len(tokens), edition.key


def test_the_component_definition(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["controls", "--format", "oscal"]) == 0
    text = capfd.readouterr().out
    document = json.loads(text)
    Component.model_validate(document)
    assert text == oscal_component.render(FRAMEWORKS.editions, PACK.stamp)
    (component,) = document["component-definition"]["components"]
    found = {
        (values(each, "framework")[0], values(requirement, "control")[0]): set(values(requirement, "Rule_Id"))
        for each in component["control-implementations"]
        for requirement in each["implemented-requirements"]
    }
    expected: dict[tuple[str, str], set[str]] = {}
    for edition in FRAMEWORKS.editions:
        for row in edition.rows:
            if row.rule:
                expected.setdefault((edition.key, row.control), set()).add(row.rule)
    assert found == expected


@pytest.mark.parametrize("argv", [("--matrix",), ("--rule", "KEY_AWS_001"), ("cis_aws_3.0.0:1.14",)])
def test_oscal_describes_whole_frameworks(argv: tuple[str, ...], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["controls", *argv, "--format", "oscal"]) == 2
    assert "whole frameworks" in capfd.readouterr().err
