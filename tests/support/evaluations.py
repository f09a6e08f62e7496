"""Hand-made rules, findings and evaluations for the tests of the report writers."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

from keyrules.model import (
    Counts,
    Demand,
    Evaluation,
    EvaluationError,
    Exemption,
    Finding,
    Input,
    Lifecycle,
    Location,
    PackStamp,
    ParameterInForce,
    Plane,
    Rule,
    Severity,
    Status,
    Subject,
    TraceStep,
)
from keyrules.records import replace
from keyrules.reports import json as json_report
from keyrules.reports.text_style import ReportOptions

AS_OF = datetime(2026, 1, 31, 9, 30, tzinfo=timezone.utc)
ACCOUNT = "111122223333"


def make_rule(number: int, severity: Severity, **changes: Any) -> Rule:
    """A rule with every field filled; `changes` replace fields."""
    rule = Rule(
        id=f"KEY_AWS_{number:03d}",
        name=f"Rule {number} holds",
        category="IAM",
        severity=severity,
        guideline=f"https://example.com/keyrules/README.md#key_aws_{number:03d}",
        provider="aws",
        definition={},
        runtime=None,
        parameters={},
        rationale=f"Why rule {number} matters.",
        remediation=f"Repair what rule {number} names. Then look again.",
        limits={"code": "Cannot see the account."},
        references=("https://cwe.mitre.org/data/definitions/798.html", "https://example.com/guide"),
        lifecycle=Lifecycle(status="stable", since="1.0.0"),
        planes=frozenset({Plane.CODE}),
        path=Path(f"rules/KEY_AWS_{number:03d}.yaml"),
    )
    return replace(rule, **changes)


RULES = (
    make_rule(1, Severity.LOW),
    make_rule(8, Severity.MEDIUM),
    make_rule(10, Severity.HIGH),
    make_rule(11, Severity.CRITICAL, lifecycle=Lifecycle(status="experimental", since="1.0.0")),
)


def code_finding(rule: Rule = RULES[0], status: Status = Status.FAIL, **changes: Any) -> Finding:
    """A finding on `aws_iam_access_key.ci` at main.tf:3-5; `changes` replace fields."""
    finding = Finding(
        rule=rule.id,
        severity=rule.severity,
        status=status,
        plane=Plane.CODE,
        message=f"The key breaks rule {rule.id}.",
        reason="rotation_missing",
        remediation=rule.remediation,
        location=Location("main.tf", 3, 5, "aws_iam_access_key.ci"),
        exemption="kept for the old build server" if status is Status.EXEMPT else None,
    )
    return replace(finding, **changes)


def live_finding(rule: Rule = RULES[0], status: Status = Status.FAIL, **changes: Any) -> Finding:
    """A finding on the first key of the user alice; `changes` replace fields."""
    subject = Subject(
        kind="access_key",
        name="alice/access_key_1",
        account=ACCOUNT,
        arn=f"arn:aws:iam::{ACCOUNT}:user/alice",
        user="alice",
        slot=1,
        created_at=datetime(2024, 1, 1, tzinfo=timezone.utc),
    )
    finding = replace(code_finding(rule, status), plane=Plane.LIVE, location=None, subject=subject)
    return replace(finding, **changes)


TRACE = (
    TraceStep("aws_iam_access_key.ci.secret", "main.tf", 3),
    TraceStep("local.env", "modules/app/locals.tf", 7),
    TraceStep("aws_lambda_function.f environment", "modules/app/main.tf", 0),
)


EXCEPTION = Exemption(
    rule="KEY_AWS_001",
    subject="aws_iam_access_key.*",
    reason="The vendor's appliance takes no new key until May",
    owner="storage@example.com",
    expires=date(2026, 12, 31),
    place=".keyrules-exceptions.yaml:4",
    ticket="OPS-1234",
)
"""An entry of an exceptions file, for findings that are EXEMPT because of one: `exemption` holds its reason then."""


PARAMETERS = (
    ParameterInForce(
        rule="KEY_AWS_001",
        name="max_age_days",
        value=3650,
        unit="days",
        default=90,
        origin="command line",
        place="command line",
        looser_than=(Demand("f_1", "1.10", "max_age_days<=90"),),
    ),
    ParameterInForce(
        rule="KEY_AWS_001",
        name="max_age_days",
        value=180,
        unit="days",
        default=90,
        origin="override",
        place=".keyrules.yaml:4, override 1",
        users="svc-*\x1b[31m",
        owner="=owner@example.com",
        reason="The partner takes new keys twice a year",
    ),
    ParameterInForce("KEY_AWS_001", "slots", (1, 2), "slot", (1, 2), "default", "default"),
)
"""Of RULES[0]: one that somebody set, what holds for some users in its place, and a default."""


def make_evaluation(*findings: Finding, plane: Plane = Plane.CODE, **changes: Any) -> Evaluation:
    """An evaluation of the findings with counts to match, one input and all RULES; `changes` replace fields."""
    tally = Counter(finding.status for finding in findings)
    kind, name = ("terraform", "main.tf") if plane is Plane.CODE else ("credential_report", "report.csv")
    evaluation = Evaluation(
        plane=plane,
        as_of=AS_OF,
        pack=PackStamp(version="1.2.3", sha256="ab" * 32),
        rules=RULES,
        inputs=(Input(kind, name, sha256="cd" * 32, account=ACCOUNT if plane is Plane.LIVE else None),),
        findings=findings,
        counts=Counts(
            passed=tally[Status.PASS],
            failed=tally[Status.FAIL],
            exempt=tally[Status.EXEMPT],
            unknown=tally[Status.UNKNOWN],
        ),
    )
    return replace(evaluation, **changes)


def every_kind_of_code_result() -> Evaluation:
    """FAIL with and without a trace, EXEMPT, UNKNOWN, PASS, an error and a note, over two files."""
    return make_evaluation(
        code_finding(RULES[0], facts={"max_age_days": 90, "configured_days": None}),
        code_finding(RULES[2], trace=TRACE, message="The secret reaches a place that stores it in plain text."),
        code_finding(RULES[1], Status.EXEMPT, location=Location("legacy/old.tf", 10, 12, "aws_iam_access_key.old")),
        code_finding(RULES[0], Status.UNKNOWN, location=Location("legacy/old.tf", 20, 22, "aws_iam_access_key.x")),
        code_finding(RULES[1], Status.PASS),
        inputs=(Input("terraform", "main.tf", sha256="cd" * 32), Input("terraform", "legacy/old.tf")),
        errors=(EvaluationError("broken.tf", "syntax", "broken.tf cannot be parsed at line 4; correct the file."),),
        notes=("Two tofu files were not read.",),
    )


def every_kind_of_live_result() -> Evaluation:
    """FAIL, EXEMPT, UNKNOWN and PASS on the live plane, and an account that could not be read."""
    return make_evaluation(
        live_finding(RULES[0], facts={"age_days": 412.5, "active": True}),
        live_finding(RULES[1], Status.EXEMPT),
        live_finding(RULES[2], Status.UNKNOWN),
        live_finding(RULES[3], Status.PASS),
        plane=Plane.LIVE,
        errors=(EvaluationError("account 444455556666", "access_denied", "iam:GetCredentialReport is not allowed."),),
    )


def json_document(evaluation: Evaluation) -> dict[str, Any]:
    """The JSON report, read again."""
    report: dict[str, Any] = json.loads("".join(json_report.render(evaluation, ReportOptions())))
    return report
