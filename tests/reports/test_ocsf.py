"""OCSF: a foreign model of the class, the enumerations of the schema, and what each verdict becomes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from canaries import assert_no_leak, make_canary
from credential_reports import evaluate, key, line, report
from evaluations import ACCOUNT, AS_OF, RULES, live_finding, make_evaluation
from live_cases import CASES, FIRST_SEEN, GONE, HOSTILE_NAME, OTHER_ACCOUNT
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding  # type: ignore[import-untyped]
from py_ocsf_models.objects.cloud import Cloud  # type: ignore[import-untyped]
from pydantic import BaseModel

from keyrules.model import Evaluation, Plane, Severity, Status, UsageError
from keyrules.records import replace
from keyrules.reports import ocsf as ocsf_report
from keyrules.reports.outputs import parse_outputs
from keyrules.reports.text_style import ReportOptions

# Attributes of OCSF 1.5.0 that the foreign models do not have; its compliance finding leaves out the cloud profile.
UNMODELLED = {
    "cloud",
    "cloud.cloud_partition",
    "compliance.status",
    "compliance.status_code",
    "compliance.status_details",
    "resources.created_time",
}


def events(evaluation: Evaluation) -> list[dict[str, Any]]:
    """The rendered report, parsed from the bytes that would be written."""
    document = json.loads("".join(ocsf_report.render(evaluation, ReportOptions())).encode())
    assert isinstance(document, list)
    return document


def unmodelled(event: Any, model: Any, path: str = "") -> Iterator[str]:
    """The attributes of an event that a parsed model does not have, by their paths without indexes."""
    if isinstance(model, BaseModel):
        for name, value in event.items():
            inner = f"{path}.{name}".lstrip(".")
            if name not in type(model).model_fields:
                yield inner
            else:
                yield from unmodelled(value, getattr(model, name), inner)
    elif isinstance(model, list):
        for value, parsed in zip(event, model, strict=True):
            yield from unmodelled(value, parsed, path)


def milliseconds(moment: Any) -> int:
    return int(moment.timestamp()) * 1000


@pytest.mark.parametrize("case", CASES)
def test_a_foreign_model_accepts_it_and_knows_every_attribute(case: str) -> None:
    found = set()
    for event in events(CASES[case]):
        parsed = ComplianceFinding.model_validate(event)
        found |= set(unmodelled(event, parsed))
        found |= set(unmodelled(event["cloud"], Cloud.model_validate(event["cloud"]), "cloud"))
        assert parsed.type_uid == parsed.class_uid * 100 + parsed.activity_id
        assert parsed.metadata.version == "1.5.0"
    assert found <= UNMODELLED


@pytest.mark.parametrize("case", CASES)
def test_each_event_has_an_identity_of_its_own(case: str) -> None:
    found = events(CASES[case])
    assert len({event["finding_info"]["uid"] for event in found}) == len(found)
    assert len({event["metadata"]["uid"] for event in found}) == len(found)


@pytest.mark.parametrize(
    ("status", "compliance", "state", "severity"),
    [
        (Status.PASS, (1, "Pass"), (1, "New"), (1, "Informational")),
        (Status.FAIL, (3, "Fail"), (1, "New"), (4, "High")),
        (Status.UNKNOWN, (2, "Warning"), (1, "New"), (4, "High")),
        (Status.EXEMPT, (3, "Fail"), (3, "Suppressed"), (4, "High")),
    ],
)
def test_each_verdict(
    status: Status, compliance: tuple[int, str], state: tuple[int, str], severity: tuple[int, str]
) -> None:
    (event,) = events(make_evaluation(live_finding(RULES[2], status), plane=Plane.LIVE))
    assert (event["compliance"]["status_id"], event["compliance"]["status"]) == compliance
    assert (event["status_id"], event["status"]) == state
    assert (event["severity_id"], event["severity"]) == severity
    assert event["status_code"] == status.value
    assert (event["activity_id"], event["type_uid"]) == (1, 200301)
    assert event["time"] == milliseconds(AS_OF)
    assert event["metadata"]["event_code"] == "KEY_AWS_010" == event["finding_info"]["analytic"]["uid"]


@pytest.mark.parametrize(("severity", "number"), [(Severity.LOW, 2), (Severity.MEDIUM, 3), (Severity.CRITICAL, 5)])
def test_severities(severity: Severity, number: int) -> None:
    (event,) = events(make_evaluation(live_finding(severity=severity), plane=Plane.LIVE))
    assert event["severity_id"] == number


def test_the_baseline_creates_updates_and_closes() -> None:
    new, known, gone = events(CASES["baseline"])
    assert [each["activity_name"] for each in (new, known, gone)] == ["Create", "Update", "Close"]
    assert [each["type_uid"] for each in (new, known, gone)] == [200301, 200302, 200303]
    assert "first_seen_time" not in new["finding_info"]
    assert {each["finding_info"]["first_seen_time"] for each in (known, gone)} == {milliseconds(FIRST_SEEN)}
    assert known["finding_info"]["last_seen_time"] == milliseconds(AS_OF)
    assert "last_seen_time" not in gone["finding_info"]
    assert (gone["status"], gone["compliance"]["status"]) == ("Resolved", "Pass")
    assert gone["cloud"]["account"]["uid"] == OTHER_ACCOUNT


def test_an_exception_is_told_whole() -> None:
    (event,) = events(CASES["exception"])
    assert "takes no new key until May" in event["status_detail"]
    assert event["unmapped"]["exception"] == {
        "subject": f"arn:aws:iam::{ACCOUNT}:user/alice",
        "reason": "The vendor's appliance takes no new key until May",
        "owner": "storage@example.com",
        "expires": "2026-12-31",
        "place": ".keyrules-exceptions.yaml:4",
        "ticket": "OPS-1234",
    }


def test_the_resources_name_the_key_its_user_and_who_answers() -> None:
    _, known, gone = events(CASES["baseline"])
    access_key, user = gone["resources"]
    assert (access_key["type"], access_key["uid"]) == ("AwsIamAccessKey", "AWS::IAM::AccessKey:AKIAIOSFODNN7EXAMPLE")
    assert access_key["owner"]["uid"] == GONE.arn == user["uid"]
    assert access_key["owner"]["credential_uid"] == GONE.key_id
    assert GONE.created_at is not None
    assert access_key["created_time"] == milliseconds(GONE.created_at)
    assert user["type"] == "AwsIamUser"
    assert "owner" not in user
    assert known["resources"][1]["owner"]["name"] == "team-b"


def test_each_partition_has_its_region() -> None:
    password, root, gap = events(CASES["china"])
    assert {each["cloud"]["region"] for each in (password, root, gap)} == {"cn-north-1"}
    assert {each["cloud"]["cloud_partition"] for each in (password, root, gap)} == {"aws-cn"}
    assert [each["type"] for each in root["resources"]] == ["AwsAccount"]
    assert (gap["compliance"]["status"], gap["severity"]) == ("Warning", "Informational")


def test_nothing_that_could_not_be_evaluated_is_silent() -> None:
    told = events(CASES["unread"])
    assert {each["compliance"]["status"] for each in told} == {"Unknown"}
    assert {each["severity"] for each in told} == {"Critical"}
    assert [each["unmapped"]["input"] for each in told] == ["a.csv", "a.csv", f"account {OTHER_ACCOUNT}", "b.csv"]
    assert len(told[0]["compliance"]["status_details"]) == 2
    assert [each["cloud"].get("account", {}).get("uid") for each in told] == [ACCOUNT, ACCOUNT, OTHER_ACCOUNT, None]
    assert told[3]["resources"][0]["name"] == "b.csv"


def test_controls_are_cited() -> None:
    (event,) = events(CASES["framework"])
    assert event["compliance"]["standards"] == ["standards/cis-aws-foundations-benchmark/v/3.0.0"]
    assert event["compliance"]["requirements"] == [
        "CIS AWS Foundations Benchmark v3.0.0/1.14",
        "CIS AWS Foundations Benchmark v3.0.0/1.12 (supports)",
    ]
    cited = {RULES[0].id: (("nist_800_53_r5", "IA-5"), ("nist_800_53_r5", "AC-2"))}
    (event,) = events(make_evaluation(live_finding(), plane=Plane.LIVE, controls=cited))
    assert event["compliance"]["standards"] == ["standards/nist-800-53/v/5.0.0"]
    assert event["compliance"]["requirements"] == ["NIST.800-53.r5 IA-5", "NIST.800-53.r5 AC-2"]


def test_the_finding_keeps_its_identity_and_each_run_is_an_event_of_its_own() -> None:
    (first,) = events(make_evaluation(live_finding(), plane=Plane.LIVE))
    (second,) = events(make_evaluation(live_finding(), plane=Plane.LIVE, as_of=FIRST_SEEN))
    assert first["finding_info"]["uid"] == second["finding_info"]["uid"] == live_finding().fingerprint
    assert first["metadata"]["uid"] != second["metadata"]["uid"]


def test_names_stay_in_their_strings() -> None:
    text = "".join(ocsf_report.render(CASES["hostile"], ReportOptions()))
    assert HOSTILE_NAME not in text
    assert all(character.isprintable() or character == "\n" for character in text)
    assert "\\\\x1b[2J" in text


def test_the_same_bytes_every_time() -> None:
    for case in CASES.values():
        assert "".join(ocsf_report.render(case, ReportOptions())) == "".join(ocsf_report.render(case, ReportOptions()))
    assert "".join(ocsf_report.render(CASES["nothing"], ReportOptions())) == "[]\n"


def test_no_secret_of_a_report_leaves() -> None:
    canary = make_canary("ocsf")
    misplaced = {"password_enabled": canary.secret, "cert_1_last_rotated": canary.session_token}
    content = report(line("alice", **key(1, 400)), line("bob", **key(1, 400), **misplaced))
    assert_no_leak([("ocsf", "".join(ocsf_report.render(evaluate(content), ReportOptions())))], [canary])


def test_a_finding_of_no_known_account() -> None:
    """Hand-made findings may lack what a report always has; the event is still valid."""
    subject = live_finding().subject
    assert subject is not None
    bare = live_finding(subject=replace(subject, account=None, arn=None), remediation="")
    (event,) = events(make_evaluation(bare, plane=Plane.LIVE))
    ComplianceFinding.model_validate(event)
    assert event["resources"][0]["type"] == "Other"
    assert "remediation" not in event


def test_code_findings_are_refused() -> None:
    with pytest.raises(UsageError, match="ocsf cannot express"):
        parse_outputs(["ocsf"], Plane.CODE)
