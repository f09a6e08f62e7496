"""ASFF: Security Hub's own service model, its documented limits, and BatchImportFindings over HTTP."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import re
import stat
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape
from botocore.validate import ParamValidator
from canaries import assert_no_leak, make_canary
from credential_reports import AS_OF as AUDITED_AT
from credential_reports import evaluate, key, line, report
from evaluations import ACCOUNT, RULES, every_kind_of_live_result, live_finding, make_evaluation
from hypothesis import given
from hypothesis import strategies as st
from live_cases import CASES, FIRST_SEEN, GONE, HOSTILE_NAME, OTHER_ACCOUNT
from moto.server import ThreadedMotoServer
from readme import snippet

from keyrules.model import Evaluation, Plane, Status, UsageError
from keyrules.records import replace
from keyrules.reports import asff as asff_report
from keyrules.reports.live_records import clipped
from keyrules.reports.outputs import parse_outputs
from keyrules.reports.text_style import ReportOptions, iso_utc, printable

# What the service model says in words only, and Security Hub enforces. Paths without indexes.
LONGEST = {
    "Id": 512,
    "ProductArn": 2048,
    "GeneratorId": 512,
    "Title": 256,
    "Description": 1024,
    "Severity.Original": 64,
    "FindingProviderFields.Severity.Original": 64,
    "Remediation.Recommendation.Text": 512,
    "Compliance.RelatedRequirements": 64,
    "ProductFields": 2048,
    "ProductName": 128,
    "CompanyName": 128,
    "Resources.Type": 256,
    "Resources.Id": 512,
    "Resources.Region": 16,
}
MOST = {
    "Compliance.RelatedRequirements": 32,
    "Compliance.AssociatedStandards": 20,
    "Types": 50,
    "Resources": 32,
    "ProductFields": 50,
}
TIMES = ("CreatedAt", "UpdatedAt", "FirstObservedAt")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")
TYPE = re.compile(r"[^/]+(/[^/]+){0,2}")


def findings(evaluation: Evaluation) -> list[dict[str, Any]]:
    """The rendered report, parsed from the bytes that would be written."""
    document = json.loads("".join(asff_report.render(evaluation, ReportOptions())).encode())
    assert isinstance(document, list)
    return document


def hub(endpoint: str = "http://127.0.0.1:9") -> Any:
    """A client of Security Hub."""
    return boto3.client(
        "securityhub",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    )


@pytest.fixture(scope="module")
def request_shape() -> Shape:
    shape = hub().meta.service_model.operation_model("BatchImportFindings").input_shape
    assert isinstance(shape, Shape)
    return shape


def wrong(value: Any, shape: Shape, path: str = "") -> Iterator[str]:
    """What botocore leaves to the service: enumerations, patterns, and the limits that the model states in words."""
    if isinstance(shape, StructureShape):
        for name, member in value.items():
            yield from wrong(member, shape.members[name], f"{path}.{name}".lstrip("."))
    elif isinstance(shape, ListShape):
        yield from (problem for member in value for problem in wrong(member, shape.member, path))
    elif isinstance(shape, MapShape):
        yield from (f"{path}: the key {name!r}" for name in value if len(name) > 128)
        yield from (problem for member in value.values() for problem in wrong(member, shape.value, path))
    elif isinstance(shape, StringShape):
        if shape.enum and value not in shape.enum:
            yield f"{path}: {value!r} is not one of {shape.enum}"
        pattern = shape.metadata.get("pattern")
        if pattern and not re.search(pattern, value):
            yield f"{path}: {value!r} does not match {pattern}"
        if len(value) > LONGEST.get(path, 1024 if "Description" in path else 10_000):
            yield f"{path}: {len(value)} characters"
        if not value.isprintable():
            yield f"{path}: {value!r} is not printable"
    if isinstance(value, list | dict) and len(value) > MOST.get(path, 1000):
        yield f"{path}: {len(value)} entries"


@pytest.mark.parametrize("case", CASES)
def test_the_service_model_accepts_it(case: str, request_shape: Any) -> None:
    for finding in findings(CASES[case]):
        checked = ParamValidator().validate({"Findings": [finding]}, request_shape)
        assert not checked.has_errors(), checked.generate_report()
        assert list(wrong(finding, request_shape.members["Findings"].member)) == []
        assert all(TIME.fullmatch(finding[name]) for name in TIMES)
        assert all(TYPE.fullmatch(each) for each in finding["Types"])
        assert re.fullmatch(r"\d{12}", finding["AwsAccountId"])
        assert len(json.dumps(finding).encode()) < 240_000


@pytest.mark.parametrize("case", CASES)
def test_each_finding_has_an_identity_of_its_own(case: str) -> None:
    identities = Counter((finding["ProductArn"], finding["Id"]) for finding in findings(CASES[case]))
    assert set(identities.values()) <= {1}


@pytest.mark.parametrize(
    ("status", "compliance", "record", "label"),
    [
        (Status.PASS, "PASSED", "ACTIVE", "INFORMATIONAL"),
        (Status.FAIL, "FAILED", "ACTIVE", "HIGH"),
        (Status.UNKNOWN, "WARNING", "ACTIVE", "HIGH"),
        (Status.EXEMPT, "FAILED", "ARCHIVED", "HIGH"),
    ],
)
def test_each_verdict(status: Status, compliance: str, record: str, label: str) -> None:
    (finding,) = findings(make_evaluation(live_finding(RULES[2], status), plane=Plane.LIVE))
    assert finding["Compliance"]["Status"] == compliance
    assert finding["RecordState"] == record
    assert finding["Severity"] == {"Label": label, "Original": "HIGH"} == finding["FindingProviderFields"]["Severity"]
    assert finding["GeneratorId"] == "keyrules/KEY_AWS_010"
    assert finding["Title"] == "KEY_AWS_010 Rule 10 holds"
    # A provider sets these once and can never take them back, not even when an exemption ends.
    assert not {"Workflow", "WorkflowState", "Note", "UserDefinedFields", "VerificationState"} & set(finding)


def test_an_exception_is_told_whole() -> None:
    (finding,) = findings(CASES["exception"])
    fields = finding["ProductFields"]
    assert fields["keyrules/exception/owner"] == "storage@example.com"
    assert fields["keyrules/exception/expires"] == "2026-12-31"
    assert fields["keyrules/exception/ticket"] == "OPS-1234"
    assert "takes no new key until May" in finding["Description"]
    assert [reason["ReasonCode"] for reason in finding["Compliance"]["StatusReasons"]] == ["ROTATION_MISSING", "EXEMPT"]


def test_the_identity_survives_the_next_run() -> None:
    """Security Hub updates a finding by its product and Id; another moment, slot or verdict must not make a second."""
    before = make_evaluation(live_finding(), plane=Plane.LIVE)
    subject = live_finding().subject
    assert subject is not None
    moved = live_finding(status=Status.EXEMPT, subject=replace(subject, slot=2), message="Otherwise.")
    after = make_evaluation(moved, plane=Plane.LIVE, as_of=AUDITED_AT)
    (first,), (second,) = findings(before), findings(after)
    assert (first["Id"], first["ProductArn"]) == (second["Id"], second["ProductArn"])
    assert first["UpdatedAt"] < second["UpdatedAt"] == iso_utc(AUDITED_AT)
    assert first["Resources"] == second["Resources"]


def test_the_baseline_says_since_when_and_what_is_gone() -> None:
    new, known, gone = findings(CASES["baseline"])
    assert [each["FirstObservedAt"] for each in (known, gone)] == [iso_utc(FIRST_SEEN)] * 2
    assert [each["CreatedAt"] for each in (known, gone)] == [iso_utc(FIRST_SEEN)] * 2
    assert new["FirstObservedAt"] == new["UpdatedAt"] == known["UpdatedAt"]
    assert [each["RecordState"] for each in (new, known, gone)] == ["ACTIVE", "ACTIVE", "ARCHIVED"]
    assert gone["Compliance"]["Status"] == "PASSED"
    assert gone["Id"] == f"keyrules/{'ef' * 32}"
    assert gone["AwsAccountId"] == OTHER_ACCOUNT


def test_the_resources_name_the_key_and_its_user() -> None:
    *_, gone = findings(CASES["baseline"])
    access_key, user = gone["Resources"]
    assert (access_key["Type"], access_key["Id"]) == ("AwsIamAccessKey", "AWS::IAM::AccessKey:AKIAIOSFODNN7EXAMPLE")
    assert access_key["Details"]["AwsIamAccessKey"] == {
        "AccessKeyId": "AKIAIOSFODNN7EXAMPLE",
        "AccountId": OTHER_ACCOUNT,
        "CreatedAt": "2023-05-06T07:08:09Z",
        "PrincipalName": "bob",
        "PrincipalType": "IAMUser",
    }
    assert (user["Type"], user["Id"]) == ("AwsIamUser", GONE.arn)
    assert user["Details"] == {"AwsIamUser": {"UserName": "bob", "Path": "/ops/"}}


def test_a_key_without_id_is_known_by_its_user_and_creation() -> None:
    (finding,) = findings(make_evaluation(live_finding(facts={"active": False}), plane=Plane.LIVE))
    access_key = finding["Resources"][0]
    assert access_key["Id"] == f"arn:aws:iam::{ACCOUNT}:user/alice#access_key/2024-01-01T00:00:00Z"
    assert access_key["Details"]["AwsIamAccessKey"]["Status"] == "Inactive"


@pytest.mark.parametrize(
    ("partition", "region", "named"),
    [("aws", "us-east-1", True), ("aws-cn", "cn-north-1", True), ("aws-us-gov", "us-gov-west-1", True),
     ("aws-iso", "us-iso-east-1", False), ("aws-new", "us-east-1", False)],
)  # fmt: skip
def test_the_home_of_iam_in_each_partition(partition: str, region: str, named: bool) -> None:
    subject = live_finding().subject
    assert subject is not None
    moved = replace(subject, arn=f"arn:{partition}:iam::{ACCOUNT}:user/alice")
    (finding,) = findings(make_evaluation(live_finding(subject=moved), plane=Plane.LIVE))
    assert finding["ProductArn"] == f"arn:{partition}:securityhub:{region}:{ACCOUNT}:product/{ACCOUNT}/default"
    for resource in finding["Resources"]:
        assert resource["Region"] == region
        assert resource.get("Partition") == (partition if named else None)


def test_the_root_user_is_the_account() -> None:
    password, root, gap = findings(CASES["china"])
    assert [each["Type"] for each in password["Resources"]] == ["AwsIamUser"]
    assert [(each["Type"], each["Id"]) for each in root["Resources"]] == [("AwsAccount", f"AWS::::Account:{ACCOUNT}")]
    assert gap["Compliance"]["Status"] == "NOT_AVAILABLE"
    assert gap["Severity"] == {"Label": "INFORMATIONAL", "Original": "CRITICAL"}
    assert gap["ProductArn"].startswith("arn:aws-cn:securityhub:cn-north-1:")


def test_nothing_that_could_not_be_evaluated_is_silent() -> None:
    """Each input and kind of error once, in its account; in every account of the run where nobody can tell which."""
    told = findings(CASES["unread"])
    assert {each["Compliance"]["Status"] for each in told} == {"NOT_AVAILABLE"}
    assert {each["Severity"]["Label"] for each in told} == {"CRITICAL"}
    assert [(each["AwsAccountId"], each["ProductFields"]["keyrules/input"]) for each in told] == [
        (ACCOUNT, "a.csv"),
        (ACCOUNT, "a.csv"),
        (OTHER_ACCOUNT, f"account {OTHER_ACCOUNT}"),
        (ACCOUNT, "b.csv"),
    ]
    assert told[0]["Description"] == "a.csv, row 7: the column arn is empty. And 1 more problem of this kind."


def test_an_error_of_an_unknown_account_is_refused_by_security_hub_rather_than_left_out() -> None:
    evaluation = CASES["unread"]
    alone = replace(evaluation, inputs=(), errors=evaluation.errors[-1:])
    assert [each["AwsAccountId"] for each in findings(alone)] == ["000000000000"]


def test_controls_are_cited_within_the_limits() -> None:
    (finding,) = findings(CASES["framework"])
    assert finding["Compliance"]["RelatedRequirements"] == [
        "CIS AWS Foundations Benchmark v3.0.0/1.14",
        "CIS AWS Foundations Benchmark v3.0.0/1.12 (supports)",
    ]
    assert finding["Compliance"]["AssociatedStandards"] == [
        {"StandardsId": "standards/cis-aws-foundations-benchmark/v/3.0.0"}
    ]
    many = findings(CASES["hostile"])[0]["Compliance"]
    assert len(many["RelatedRequirements"]) == 32
    assert many["RelatedRequirements"][-1] == "and 59 more: keyrules controls --rule KEY_AWS_001"
    assert len(many["AssociatedStandards"]) == 20


def test_what_is_cut_says_so_and_stays_readable() -> None:
    assert clipped("abc", 3) == "abc"
    assert clipped("abcd", 3) == "ab…"
    # An e with its accent is one character to a reader: both or none.
    assert clipped("xe\u0301y", 3) == "x…"
    assert clipped("\x1b[2J", 20) == "\\x1b[2J"
    assert clipped("  ", 5) == "-"
    finding = findings(CASES["hostile"])[0]
    for text in (finding["Description"], finding["Remediation"]["Recommendation"]["Text"]):
        assert text.endswith("…")
    assert HOSTILE_NAME not in json.dumps(finding, ensure_ascii=False)


@given(st.text(), st.integers(min_value=2, max_value=40))
def test_no_text_is_longer_than_its_limit(text: str, limit: int) -> None:
    cut = clipped(text, limit)
    assert 1 <= len(cut) <= limit
    assert cut.isprintable()
    assert cut == (printable(text).strip() or "-") or cut.endswith("…")


def test_the_same_bytes_every_time() -> None:
    assert all(
        "".join(asff_report.render(case, ReportOptions())) == "".join(asff_report.render(case, ReportOptions()))
        for case in CASES.values()
    )


def test_no_secret_of_a_report_leaves() -> None:
    canary = make_canary("asff")
    misplaced = {"password_enabled": canary.secret, "cert_1_last_rotated": canary.session_token}
    content = report(line("alice", **key(1, 400)), line("bob", **key(1, 400), **misplaced))
    assert_no_leak([("asff", "".join(asff_report.render(evaluate(content), ReportOptions())))], [canary])


def test_code_findings_are_refused() -> None:
    with pytest.raises(UsageError, match="asff cannot express"):
        parse_outputs(["asff"], Plane.CODE)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    with contextlib.redirect_stdout(io.StringIO()):
        server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_security_hub_takes_it_and_updates_it(endpoint: str) -> None:
    """The second run's import changes the findings of the first and adds none."""
    client = hub(endpoint)
    client.enable_security_hub()
    for case in ("every kind", "every kind", "baseline", "unread", "hostile"):
        batch = findings(CASES[case])
        answer = client.batch_import_findings(Findings=batch)
        assert (answer["FailedCount"], answer["SuccessCount"]) == (0, len(batch))
    stored = client.get_findings()["Findings"]
    names = ("every kind", "baseline", "unread", "hostile")
    assert {each["Id"] for each in stored} == {each["Id"] for name in names for each in findings(CASES[name])}


# Stands for the AWS CLI, which wants another botocore than Checkov does: reads file:// and calls the API.
AWS = """#!{python}
import json, pathlib, sys
import boto3
assert sys.argv[1:4] == ["securityhub", "batch-import-findings", "--findings"], sys.argv
batch = json.loads(pathlib.Path(sys.argv[4].removeprefix("file://")).read_text())
assert len({{finding["AwsAccountId"] for finding in batch}}) == 1
client = boto3.client("securityhub", region_name="eu-west-1", endpoint_url={endpoint!r})
print(client.batch_import_findings(Findings=batch)["SuccessCount"])
"""


def test_the_commands_of_the_readme_import_a_large_report(endpoint: str, tmp_path: Path) -> None:
    """More findings than one call takes, of two accounts, into the Security Hub of a chosen account and region."""
    users = [line(f"user-{number}", **key(1, 400)) for number in range(130)]
    large = evaluate(report(*users), 1, 2)
    assert len(large.findings) > 200
    other = every_kind_of_live_result()
    merged = [*findings(large), *findings(other)]
    (tmp_path / "asff.json").write_text(json.dumps(merged), encoding="utf-8")
    tool = tmp_path / "bin" / "aws"
    tool.parent.mkdir()
    (tmp_path / "batches").mkdir()
    tool.write_text(AWS.format(python=sys.executable, endpoint=endpoint), encoding="utf-8")
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    environment = {
        **os.environ,
        "TMPDIR": str(tmp_path / "batches"),
        "PATH": f"{tool.parent}:{os.environ['PATH']}",
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    }
    commands = snippet("asff").replace("keyrules audit", "true audit")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands], cwd=tmp_path, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    expected = sum(finding["AwsAccountId"] == "123456789012" for finding in merged)
    assert sum(map(int, done.stdout.split())) == expected == len(findings(large))
    batches = [json.loads(path.read_text()) for path in sorted((tmp_path / "batches").glob("*/*"))]
    assert [len(batch) for batch in batches] == [100] * (expected // 100) + [expected % 100]
    assert all(":securityhub:eu-west-1:" in finding["ProductArn"] for batch in batches for finding in batch)
