"""SARIF as GitHub code scanning uses it: rules, tags, categories, baselines, places and fingerprints."""

from __future__ import annotations

import json
from typing import Any

import pytest
from evaluations import (
    ACCOUNT,
    RULES,
    code_finding,
    every_kind_of_code_result,
    live_finding,
    make_evaluation,
    make_rule,
)
from sarif_logs import BASELINE, CASES, EARLIER, run_of

from keyrules.model import (
    Input,
    KnownFinding,
    Location,
    Plane,
    Severity,
    Status,
)
from keyrules.records import replace


def test_rules_carry_what_github_shows() -> None:
    run = run_of(every_kind_of_code_result())
    driver = run["tool"]["driver"]
    assert driver["name"] == "keyrules"
    assert driver["semanticVersion"] == "1.2.3"
    assert driver["informationUri"] == "https://example.com/keyrules/README.md"
    assert [rule["id"] for rule in driver["rules"]] == [rule.id for rule in RULES]
    assert [rule["defaultConfiguration"]["level"] for rule in driver["rules"]] == ["note", "warning", "error", "error"]
    scores = [rule["properties"]["security-severity"] for rule in driver["rules"]]
    assert scores == ["3.0", "5.5", "8.0", "9.5"]
    assert [rule["properties"]["precision"] for rule in driver["rules"]] == ["high", "high", "high", "medium"]
    rule = driver["rules"][0]
    assert rule["helpUri"] == RULES[0].guideline
    assert rule["fullDescription"]["text"] == RULES[0].rationale
    assert RULES[0].remediation in rule["help"]["text"]
    assert "Cannot see the account." in rule["help"]["markdown"]


def test_weaknesses_come_from_the_references_of_the_rule() -> None:
    references = (
        "https://cwe.mitre.org/data/definitions/522.html",
        "CWE-89",
        "https://cwe.mitre.org/data/definitions/522.html",
        "https://docs.aws.amazon.com/",
    )
    run = run_of(make_evaluation(rules=(make_rule(9, Severity.HIGH, references=references),)))
    tags = run["tool"]["driver"]["rules"][0]["properties"]["tags"]
    assert tags == ["security", "iam", "external/cwe/cwe-089", "external/cwe/cwe-522"]


def test_controls_are_tags_and_all_of_them_properties_and_help() -> None:
    many = tuple(("nist_800_53_r5", f"AC-{number}") for number in range(30))
    controls = {"KEY_AWS_001": (("cis_aws_7.0.0", "2.12"), *many)}
    first, second, *_ = run_of(make_evaluation(controls=controls))["tool"]["driver"]["rules"]
    tags = first["properties"]["tags"]
    assert tags[:4] == ["security", "iam", "external/cwe/cwe-798", "cis-aws-7.0.0/2.12"]
    assert len(tags) == 20, "GitHub refuses a file with 21 tags on a rule"
    assert len(first["properties"]["controls"]) == 31
    assert first["properties"]["controls"][:2] == ["cis_aws_7.0.0:2.12", "nist_800_53_r5:AC-0"]
    assert "- `cis_aws_7.0.0`: 2.12\n- `nist_800_53_r5`: AC-0, AC-1," in first["help"]["markdown"]
    assert "Controls" not in second["help"]["markdown"]


def test_the_real_rules_keep_the_limits_of_github() -> None:
    rules = run_of(CASES["the real rules"])["tool"]["driver"]["rules"]
    assert len(rules) >= 17
    for rule in rules:
        assert len(rule["name"]) <= 255
        assert 0 < len(rule["shortDescription"]["text"]) <= 1024
        assert 0 < len(rule["fullDescription"]["text"]) <= 1024
        assert rule["help"]["text"] and rule["help"]["markdown"]
        assert len(rule["properties"]["tags"]) <= 20
        assert len(rule["properties"]["tags"]) == len(set(rule["properties"]["tags"]))
    tags = {rule["id"]: rule["properties"]["tags"] for rule in rules}
    # GitHub shows the first ten.
    assert "cis-aws-7.0.0/2.12" in tags["KEY_AWS_001"][:10]
    assert {"cis-aws-7.0.0/2.11", "pci-dss-4.0.1/8.2.6"} <= set(tags["KEY_AWS_002"][:14])


def test_help_keeps_paragraphs_and_has_no_html() -> None:
    rule = make_rule(5, Severity.LOW, remediation="Code: not `<root>` but <root_account>.\nLive: sign in.")
    markdown = run_of(make_evaluation(rules=(rule,)))["tool"]["driver"]["rules"][0]["help"]["markdown"]
    assert "Code: not `<root>` but \\<root_account>.\n\nLive: sign in." in markdown


def test_without_a_baseline_no_result_has_a_state() -> None:
    assert not any("baselineState" in result for result in run_of(CASES["code"])["results"])


def test_with_a_baseline_every_result_has_a_state_and_known_ones_stay() -> None:
    run = run_of(CASES["baseline"])
    states = [(result["properties"]["status"], result["baselineState"]) for result in run["results"]]
    # 3.27.24: all or none. A baseline has no PASS, and this one does not have what is EXEMPT. GitHub closes what is
    # missing.
    assert states == [
        ("FAIL", "new"),
        ("FAIL", "new"),
        ("EXEMPT", "new"),
        ("UNKNOWN", "new"),
        ("PASS", "unchanged"),
        ("FAIL", "unchanged"),
        ("FAIL", "updated"),
    ]
    assert [result["properties"].get("first_seen") for result in run["results"][-2:]] == ["2025-12-01T00:00:00Z"] * 2
    assert run["results"][-1]["properties"]["moved_from"] == "main.tf"
    # GitHub, which does not read the state, would open an absent result again.
    assert "ef" * 32 not in json.dumps(run["results"])
    assert run["properties"]["baseline"]["name"] == "baseline.json"
    assert [gone["fingerprint"] for gone in run["properties"]["baseline"]["resolved"]] == ["ef" * 32]
    assert run["properties"]["summary"]["known"] == 0


def test_what_is_exempt_is_unchanged_where_the_baseline_holds_it() -> None:
    exempt = code_finding(status=Status.EXEMPT)
    for held, state in ((frozenset({exempt.fingerprint}), "unchanged"), (frozenset(), "new")):
        run = run_of(make_evaluation(exempt, baseline=replace(BASELINE, known=(), exempt=held)))
        assert [result["baselineState"] for result in run["results"]] == [state]


def test_a_baseline_without_a_time_has_none() -> None:
    run = run_of(make_evaluation(baseline=replace(BASELINE, as_of=None)))
    assert run["properties"]["baseline"]["as_of"] is None


def test_a_scan_and_an_audit_are_two_categories_to_github() -> None:
    ids = [run_of(CASES[plane])["automationDetails"]["id"] for plane in ("code", "live")]
    assert ids == ["keyrules/code/", "keyrules/live/"]
    assert len({text.rpartition("/")[0] for text in ids}) == 2


def test_of_several_reports_the_one_of_the_account_is_named_and_none_is_guessed() -> None:
    def physical(*inputs: Input) -> Any:
        evaluation = make_evaluation(live_finding(), plane=Plane.LIVE, inputs=inputs)
        return run_of(evaluation)["results"][0]["locations"][0].get("physicalLocation")

    mine, other = Input("credential_report", "a.csv", account=ACCOUNT), Input("credential_report", "b.csv", account="9")
    assert physical(other, mine) == {"artifactLocation": {"uri": "a.csv", "uriBaseId": "%SRCROOT%"}}
    # GitHub refuses a file in which one result has no place, so the account stands for the report.
    named = {"artifactLocation": {"uri": "account%20111122223333", "uriBaseId": "%SRCROOT%"}}
    assert physical(mine, Input("credential_report", "c.csv", account=ACCOUNT)) == named


@pytest.mark.parametrize("case", CASES)
def test_every_place_of_a_result_is_one_that_github_takes(case: str) -> None:
    for result in run_of(CASES[case])["results"]:
        assert result["message"]["text"]
        (location,) = result["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"]


def test_the_fingerprint_that_github_uses_is_given_only_where_it_cannot_be_computed() -> None:
    def prints(*findings: Any, plane: Plane = Plane.CODE) -> Any:
        return [result["partialFingerprints"] for result in run_of(make_evaluation(*findings, plane=plane))["results"]]

    placed = code_finding()
    unplaced = code_finding(location=Location("plan.json", 0, 0, "aws_iam_access_key.ci"))
    assert "primaryLocationLineHash" not in prints(placed)[0]
    assert prints(unplaced)[0]["primaryLocationLineHash"] == unplaced.fingerprint
    live = live_finding()
    assert prints(live, plane=Plane.LIVE)[0]["primaryLocationLineHash"] == live.fingerprint


def test_findings_that_share_a_line_are_told_apart_by_our_fingerprint() -> None:
    first, second, third = (
        code_finding(location=Location("one-line.json", line, line, address))
        for line, address in ((1, "A"), (1, "B"), (2, "C"))
    )
    other_rule = code_finding(RULES[1], location=Location("one-line.json", 1, 1, "A"))
    results = run_of(make_evaluation(first, second, third, other_rule))["results"]
    hashes = [result["partialFingerprints"].get("primaryLocationLineHash") for result in results]
    assert hashes == [first.fingerprint, second.fingerprint, None, None]
    baseline = replace(BASELINE, known=(KnownFinding(second, EARLIER),))
    assert all(
        "primaryLocationLineHash" in result["partialFingerprints"]
        for result in run_of(make_evaluation(first, baseline=baseline))["results"]
    )


def test_a_resource_of_a_plan_has_no_line() -> None:
    inputs = (Input("plan", "plan.json"), Input("terraform", "main.tf"))
    places = [Location("plan.json", 1, 1, "a"), Location("plan.json", 7, 7, "b"), Location("main.tf", 1, 1, "c")]
    findings = [code_finding(location=place) for place in places]
    results = run_of(make_evaluation(*findings, inputs=inputs))["results"]
    regions = [result["locations"][0]["physicalLocation"].get("region") for result in results]
    assert regions == [None, {"startLine": 7, "endLine": 7}, {"startLine": 1, "endLine": 1}]
    hashes = [result["partialFingerprints"].get("primaryLocationLineHash") for result in results]
    assert hashes == [findings[0].fingerprint, None, None]
