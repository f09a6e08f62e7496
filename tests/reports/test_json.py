"""The JSON report, version 1: keys, order, times, and text that no terminal obeys."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
from evaluations import (
    ACCOUNT,
    RULES,
    TRACE,
    code_finding,
    every_kind_of_code_result,
    every_kind_of_live_result,
    json_document,
    live_finding,
    make_evaluation,
)
from hypothesis import given
from hypothesis import strategies as st

from keyrules.model import Input, Location, Plane, Status
from keyrules.records import replace
from keyrules.reports import json as json_report
from keyrules.reports.json import dump
from keyrules.reports.text_style import ReportOptions

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))

ONE_CODE_FINDING = """{
  "schema": "keyrules/2",
  "plane": "code",
  "as_of": "2026-01-31T09:30:00Z",
  "pack": {
    "version": "1.2.3",
    "sha256": "abababababababababababababababababababababababababababababababab"
  },
  "inputs": [
    {
      "kind": "terraform",
      "name": "main.tf",
      "sha256": "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
      "account": null,
      "generated_at": null
    }
  ],
  "summary": {
    "evaluated": 1,
    "pass": 0,
    "fail": 1,
    "exempt": 0,
    "unknown": 0
  },
  "parameters": [],
  "findings": [
    {
      "rule": "KEY_AWS_010",
      "severity": "HIGH",
      "status": "FAIL",
      "plane": "code",
      "location": {
        "path": "main.tf",
        "start_line": 3,
        "end_line": 5,
        "address": "aws_iam_access_key.ci"
      },
      "message": "The key breaks rule KEY_AWS_010.",
      "reason": "rotation_missing",
      "facts": {
        "a": 1.5,
        "b": null
      },
      "remediation": "Repair what rule 10 names. Then look again.",
      "fingerprint": "FINGERPRINT",
      "trace": [
        {
          "label": "aws_iam_access_key.ci.secret",
          "path": "main.tf",
          "line": 3
        },
        {
          "label": "local.env",
          "path": "modules/app/locals.tf",
          "line": 7
        },
        {
          "label": "aws_lambda_function.f environment",
          "path": "modules/app/main.tf",
          "line": null
        }
      ]
    }
  ],
  "errors": [],
  "warnings": [],
  "notes": [],
  "rules_off": [],
  "coverage": []
}
"""


def test_one_code_finding_in_full() -> None:
    evaluation = make_evaluation(code_finding(RULES[2], trace=TRACE, facts={"b": None, "a": 1.5}))
    report = "".join(json_report.render(evaluation, ReportOptions()))
    assert json.loads(report) == json.loads(ONE_CODE_FINDING.replace("FINGERPRINT", evaluation.findings[0].fingerprint))
    assert list(json.loads(report)) == list(json.loads(ONE_CODE_FINDING)), "in this order"
    (line,) = [line for line in report.splitlines() if '"fingerprint"' in line]
    assert json.loads(line)["rule"] == RULES[2].id, "a finding is on a line of its own"


def test_a_live_finding_has_its_subject_and_no_location() -> None:
    report = json_document(every_kind_of_live_result())
    finding = report["findings"][0]
    assert "location" not in finding
    assert list(finding["subject"])[:7] == ["kind", "name", "account", "arn", "user", "slot", "created_at"]
    assert finding["subject"]["created_at"] == "2024-01-01T00:00:00Z"
    assert report["errors"] == [
        {
            "input": "account 444455556666",
            "kind": "access_denied",
            "message": "iam:GetCredentialReport is not allowed.",
        }
    ]


def test_the_exemption_is_there_for_exempt_findings_only() -> None:
    findings = json_document(every_kind_of_code_result())["findings"]
    by_status = {finding["status"]: finding for finding in findings}
    assert by_status["EXEMPT"]["exemption"] == "kept for the old build server"
    assert all("exemption" not in finding for status, finding in by_status.items() if status != "EXEMPT")


def test_summary_sums_up_all_statuses() -> None:
    summary = json_document(every_kind_of_code_result())["summary"]
    assert summary == {"evaluated": 5, "pass": 1, "fail": 2, "exempt": 1, "unknown": 1}


def test_report_times_are_in_utc() -> None:
    generated = datetime(2026, 1, 31, 4, 0, tzinfo=timezone(timedelta(hours=-5)))
    evaluation = make_evaluation(
        plane=Plane.LIVE, inputs=(Input("credential_report", "r.csv", account=ACCOUNT, generated_at=generated),)
    )
    assert json_document(evaluation)["inputs"][0]["generated_at"] == "2026-01-31T09:00:00Z"


def test_the_same_evaluation_gives_the_same_bytes_whatever_the_order_of_its_facts() -> None:
    one = make_evaluation(code_finding(facts={"a": 1, "b": 2}))
    other = make_evaluation(code_finding(facts={"b": 2, "a": 1}))
    assert "".join(json_report.render(one, ReportOptions())) == "".join(
        json_report.render(other, ReportOptions(width=40, quiet=True))
    )


def test_text_stays_readable_and_control_characters_are_escaped() -> None:
    location = Location("schlüssel/鍵\x1b[2J\u202e.tf", 1, 2, "a\x9bb\x7f\U000e0041")
    text = "".join(json_report.render(make_evaluation(code_finding(location=location)), ReportOptions()))
    assert "schlüssel/鍵\\u001b[2J\\u202e.tf" in text
    assert "a\\u009bb\\u007f\\udb40\\udc41" in text
    assert json.loads(text)["findings"][0]["location"]["address"] == location.address


def test_a_path_that_is_not_utf_8_is_written_with_its_bytes_shown() -> None:
    finding = code_finding(location=Location("caf\udce9.tf", 1, 1, "x\ud800"))
    text = "".join(json_report.render(make_evaluation(finding), ReportOptions()))
    assert json.loads(text.encode())["findings"][0]["location"]["path"] == "caf\\xe9.tf"


@given(ANY_TEXT)
def test_any_text_gives_valid_json_of_printable_lines(text: str) -> None:
    dumped = dump({"key": text})
    assert all(line.isprintable() for line in dumped.split("\n"))
    assert dumped.endswith("}\n")
    value = json.loads(dumped.encode())["key"]
    if not any("\ud800" <= char <= "\udfff" for char in text):
        assert value == text


def test_a_number_that_json_cannot_express_is_an_error() -> None:
    with pytest.raises(ValueError, match="JSON"):
        dump({"fact": float("nan")})


def test_fingerprints_survive_line_moves_and_slot_swaps() -> None:
    moved = code_finding(location=Location("main.tf", 30, 50, "aws_iam_access_key.ci"))
    assert moved.fingerprint == code_finding().fingerprint
    first = live_finding()
    assert first.subject is not None
    swapped = replace(first, subject=replace(first.subject, slot=2), status=Status.EXEMPT)
    assert swapped.fingerprint == first.fingerprint
