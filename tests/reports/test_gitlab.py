"""GitLab Code Quality and SAST: what GitLab's own readers ask for, what must not vanish, and names that try to inject.

The conditions are those of app/validators/json_schemas/codeclimate.json in GitLab's source and of
sast-report-format.json 15.0.7 of GitLab's security-report-schemas.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest
from canaries import assert_no_leak, make_canary
from evaluations import (
    EXCEPTION,
    PARAMETERS,
    RULES,
    TRACE,
    code_finding,
    every_kind_of_code_result,
    make_evaluation,
)

from keyrules.model import (
    BaselineReport,
    Evaluation,
    EvaluationError,
    KnownFinding,
    Location,
    Plane,
    Severity,
    Status,
    TraceStep,
    UsageError,
)
from keyrules.pack.catalog import load_pack
from keyrules.records import replace
from keyrules.reports import codequality as codequality_report
from keyrules.reports import gitlab_sast as gitlab_sast_report
from keyrules.reports.outputs import parse_outputs
from keyrules.reports.report_formats import formats_of
from keyrules.reports.text_style import ReportOptions

EARLIER = datetime(2025, 12, 1, tzinfo=timezone.utc)
HOSTILE = make_evaluation(
    code_finding(
        RULES[2],
        message='key["](https://evil.example) @root <b>x</b> ~bug \x1b[31m\nnext',
        location=Location("./a b/\udce9\x1b[2J](x).tf", 0, 0, 'aws_iam_access_key.k["`<b>\u202e"]'),
        trace=(*TRACE, TraceStep("x\ud800`](y)", "", 0)),
    ),
    errors=(EvaluationError("/abs/\udcff", "syntax", "x\udcff](\n"),),
    warnings=("An exception \x1b[2J has ended.",),
)
CASES = {
    "code": every_kind_of_code_result(),
    "parameters": replace(every_kind_of_code_result(), parameters=PARAMETERS),
    "hostile": HOSTILE,
    "nothing": make_evaluation(inputs=(), rules=()),
    "the real rules": make_evaluation(
        *(code_finding(rule) for rule in load_pack().rules if Plane.CODE in rule.planes), rules=load_pack().rules
    ),
}


def quality(evaluation: Evaluation) -> list[dict[str, Any]]:
    """The Code Quality report, parsed from the bytes that would be written."""
    entries = json.loads("".join(codequality_report.render(evaluation, ReportOptions())).encode())
    assert isinstance(entries, list)
    return entries


def sast(evaluation: Evaluation) -> dict[str, Any]:
    """The SAST report, parsed from the bytes that would be written."""
    report = json.loads("".join(gitlab_sast_report.render(evaluation, ReportOptions())).encode())
    assert isinstance(report, dict)
    return report


def test_both_formats_are_for_scans_only() -> None:
    assert {"gitlab-codequality", "gitlab-sast"} <= set(formats_of(Plane.CODE))
    for name in ("gitlab-codequality", "gitlab-sast"):
        with pytest.raises(UsageError, match=name):
            parse_outputs([name], Plane.LIVE)


@pytest.mark.parametrize("case", CASES)
def test_code_quality_entries_are_what_gitlab_reads(case: str) -> None:
    entries = quality(CASES[case])
    for entry in entries:
        content = entry.pop("content", {"body": "none"})
        assert set(content) == {"body"} and isinstance(content["body"], str) and content["body"].isprintable()
        assert set(entry) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert all(isinstance(entry[key], str) and entry[key] for key in set(entry) - {"location"})
        assert entry["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert isinstance(entry["location"]["path"], str) and not entry["location"]["path"].startswith("./")
        assert type(entry["location"]["lines"]["begin"]) is int and entry["location"]["lines"]["begin"] >= 1
        assert entry["location"]["lines"]["end"] >= entry["location"]["lines"]["begin"]
    prints = [entry["fingerprint"] for entry in entries]
    assert len(prints) == len(set(prints)), "GitLab keeps one entry per fingerprint"


def test_code_quality_says_what_failed_and_what_is_unknown_and_leaves_out_the_rest() -> None:
    entries = quality(every_kind_of_code_result())
    assert [(entry["check_name"], entry["severity"]) for entry in entries] == [
        ("KEY_AWS_001", "minor"),
        ("KEY_AWS_010", "critical"),
        ("KEY_AWS_001", "minor"),
        ("keyrules_syntax", "blocker"),
    ]
    failed, _, unknown, error = entries
    assert failed["description"] == (
        "aws_iam_access_key.ci: The key breaks rule KEY_AWS_001. Change: Repair what rule 1 names."
    )
    assert failed["location"] == {"path": "main.tf", "lines": {"begin": 3, "end": 5}}
    assert failed["fingerprint"] == code_finding().fingerprint
    assert unknown["description"].startswith("aws_iam_access_key.x: Could not be evaluated: ")
    assert error["location"] == {"path": "broken.tf", "lines": {"begin": 1, "end": 1}}
    assert "cannot be parsed" in error["description"]


@pytest.mark.parametrize(
    ("severity", "name"),
    [
        (Severity.LOW, "minor"),
        (Severity.MEDIUM, "major"),
        (Severity.HIGH, "critical"),
        (Severity.CRITICAL, "blocker"),
    ],
)
def test_code_quality_severities(severity: Severity, name: str) -> None:
    (entry,) = quality(make_evaluation(code_finding(severity=severity)))
    assert entry["severity"] == name


def test_a_message_without_a_full_stop_gets_one_before_the_advice() -> None:
    descriptions = [
        quality(make_evaluation(code_finding(message=message)))[0]["description"]
        for message in ("There is no pgp_key", "There is no pgp_key.")
    ]
    assert set(descriptions) == {
        "aws_iam_access_key.ci: There is no pgp_key. Change: Repair what rule 1 names.",
    }


def test_two_errors_of_one_file_are_two_entries_and_the_same_error_is_one() -> None:
    errors = [EvaluationError("main.tf", "rule_failed", f"{rule} failed") for rule in ("a", "b", "b")]
    entries = quality(make_evaluation(errors=tuple(errors)))
    assert [entry["description"] for entry in entries] == [
        "Could not be evaluated: a failed",
        "Could not be evaluated: b failed",
    ]
    assert len({entry["fingerprint"] for entry in entries}) == 2


@pytest.mark.parametrize("case", CASES)
def test_the_sast_report_is_what_gitlab_reads(case: str) -> None:
    report = sast(CASES[case])
    assert re.fullmatch(r"15\.\d+\.\d+", report["version"]) and report["version"] in report["schema"]
    scan = report["scan"]
    assert {"analyzer", "end_time", "scanner", "start_time", "status", "type"} <= set(scan)
    assert scan["type"] == "sast"
    for tool in (scan["analyzer"], scan["scanner"]):
        assert all(tool[key] for key in ("id", "name", "version")) and tool["vendor"]["name"]
    for key in ("start_time", "end_time"):
        assert re.fullmatch(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}", scan[key])
    for message in scan["messages"]:
        assert message["level"] in {"info", "warn", "fatal"} and message["value"]
    ids = [vulnerability["id"] for vulnerability in report["vulnerabilities"]]
    assert len(ids) == len(set(ids)) and all(str(uuid.UUID(each)) == each for each in ids)
    for vulnerability in report["vulnerabilities"]:
        assert 0 < len(vulnerability["name"]) <= 255
        assert len(vulnerability["solution"]) <= 7000
        assert vulnerability["severity"] in {"Unknown", "Low", "Medium", "High", "Critical"}
        for identifier in vulnerability["identifiers"]:
            assert all(identifier[key] for key in ("type", "name", "value"))
            assert re.match("https?://.", identifier.get("url", "https://x"))
        assert vulnerability["identifiers"][0]["type"] == "keyrules_rule_id"
        assert not vulnerability["location"]["file"].startswith("./")
        assert vulnerability["location"].get("start_line", 1) >= 1
        (item,) = vulnerability["tracking"]["items"]
        assert vulnerability["tracking"]["type"] == "source"
        # GitLab's FindingSignature accepts the algorithms that it knows, and no others.
        assert [signature["algorithm"] for signature in item["signatures"]] == ["scope_offset"]


def test_a_vulnerability_has_its_rule_its_weakness_its_place_and_its_way() -> None:
    finding = code_finding(RULES[2], trace=TRACE)
    (vulnerability,) = sast(make_evaluation(finding))["vulnerabilities"]
    assert vulnerability["name"] == RULES[2].name
    assert vulnerability["severity"] == "High"
    assert vulnerability["identifiers"] == [
        {
            "type": "keyrules_rule_id",
            "name": "KEY_AWS_010",
            "value": "KEY_AWS_010",
            "url": "https://example.com/keyrules/README.md#key_aws_010",
        },
        {"type": "cwe", "name": "CWE-798", "value": "798", "url": "https://cwe.mitre.org/data/definitions/798.html"},
    ]
    assert vulnerability["location"] == {"file": "main.tf", "start_line": 3, "end_line": 5}
    assert vulnerability["description"] == (
        "`aws_iam_access_key.ci`: The key breaks rule `KEY_AWS_010`.\n\n"
        "Its path: `aws_iam_access_key.ci.secret` in `main.tf:3` → "
        "`local.env` in `modules/app/locals.tf:7` → "
        "`aws_lambda_function.f environment` in `modules/app/main.tf`"
    )
    assert vulnerability["solution"].startswith("Repair what rule 10 names.")


def test_a_vulnerability_keeps_its_identity_when_its_lines_move_and_not_when_it_is_another() -> None:
    def identity(location: Location) -> tuple[str, Any]:
        (vulnerability,) = sast(make_evaluation(code_finding(location=location)))["vulnerabilities"]
        return vulnerability["id"], vulnerability["tracking"]["items"][0]["signatures"]

    here = identity(Location("main.tf", 3, 5, "aws_iam_access_key.ci"))
    assert identity(Location("main.tf", 30, 35, "aws_iam_access_key.ci")) == here
    other = identity(Location("main.tf", 3, 5, "aws_iam_access_key.other"))
    assert other[0] != here[0] and other[1] != here[1]


def test_nothing_that_is_no_vulnerability_vanishes_from_a_sast_report() -> None:
    known = BaselineReport("old.json", EARLIER, (KnownFinding(code_finding(RULES[1]), EARLIER),), ())
    evaluation = replace(
        every_kind_of_code_result(), warnings=("The exception for KEY_AWS_008 has ended.",), baseline=known
    )
    report = sast(evaluation)
    severities = [(each["name"], each["severity"]) for each in report["vulnerabilities"]]
    assert severities == [
        ("Rule 1 holds", "Low"),
        ("Rule 10 holds", "High"),
        ("Rule 1 holds (could not be evaluated)", "Unknown"),
        # GitLab would call it no longer detected.
        ("Rule 8 holds", "Medium"),
    ]
    # GitLab would call it resolved.
    assert code_finding(RULES[1]).fingerprint in {entry["fingerprint"] for entry in quality(evaluation)}
    assert report["scan"]["messages"] == [
        {
            "level": "warn",
            "value": "broken.tf could not be evaluated: broken.tf cannot be parsed at line 4; correct the file.",
        },
        {"level": "warn", "value": "The exception for KEY_AWS_008 has ended."},
        {
            "level": "info",
            "value": "KEY_AWS_008 is exempt: legacy/old.tf, aws_iam_access_key.old: kept for the old build server",
        },
        {"level": "info", "value": "Among these, 1 finding known since the baseline old.json."},
        {"level": "info", "value": "Two tofu files were not read."},
    ]


def test_an_exception_is_named_whole_in_a_sast_report() -> None:
    exempt = code_finding(status=Status.EXEMPT, exception=EXCEPTION, exemption=EXCEPTION.reason)
    report = sast(make_evaluation(exempt))
    assert report["vulnerabilities"] == [] and quality(make_evaluation(exempt)) == []
    (message,) = report["scan"]["messages"]
    for part in (EXCEPTION.reason, EXCEPTION.owner, "2026-12-31", "OPS-1234"):
        assert part in message["value"]


@pytest.mark.parametrize(("errors", "status"), [((), "success"), ((EvaluationError("a", "syntax", "b"),), "failure")])
def test_a_scan_with_an_error_is_a_failure(errors: tuple[EvaluationError, ...], status: str) -> None:
    assert sast(make_evaluation(errors=errors))["scan"]["status"] == status


def test_the_time_of_a_scan_is_the_moment_of_evaluation_in_utc_to_the_second() -> None:
    moment = datetime.fromisoformat("2026-01-31T10:30:00.250000+01:00")
    scan = sast(make_evaluation(as_of=moment))["scan"]
    assert (scan["start_time"], scan["end_time"]) == ("2026-01-31T09:30:00", "2026-01-31T09:30:00")


def test_hostile_names_stay_names() -> None:
    (vulnerability,) = sast(HOSTILE)["vulnerabilities"]
    # Outside of code spans nothing is left that GitLab could read as a link, HTML, a mention or a label.
    outside = re.sub(r"(?s)(`+)(?!`).*?(?<!`)\1(?!`)", "", vulnerability["description"])
    assert not set("<>@[]~") & set(outside)
    # A path is the name that the file has, so that GitLab finds it; everything else can be shown as it is.
    path = quality(HOSTILE)[0]["location"]["path"]
    assert path == "a b/\\xe9\x1b[2J](x).tf"
    shown = [text for text in (*strings(quality(HOSTILE)), *strings(sast(HOSTILE))) if text != path]
    assert all(text.replace("\n\n", "").isprintable() for text in shown)


@pytest.mark.parametrize("module", [codequality_report, gitlab_sast_report])
def test_the_file_itself_is_harmless_on_a_terminal(module: Any) -> None:
    text: str = "".join(module.render(HOSTILE, ReportOptions()))
    assert text.endswith("\n") and text.replace("\n", "").isprintable()


@pytest.mark.parametrize("module", [codequality_report, gitlab_sast_report])
def test_a_finding_shows_its_message_and_its_way_and_nothing_of_its_facts(module: Any) -> None:
    canary = make_canary("gitlab")
    facts = {"detail": canary.secret}
    finding = code_finding(RULES[3], facts=facts, trace=TRACE)
    render: Callable[[Evaluation, ReportOptions], str] = module.render
    assert_no_leak([(module.__name__, render(make_evaluation(finding), ReportOptions()))], [canary])


def strings(node: Any) -> list[str]:
    """Every text in a document, keys left out."""
    if isinstance(node, str):
        return [node]
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [text for child in children for text in strings(child)]
