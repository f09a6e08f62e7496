"""Live evaluations that the formats for cloud platforms are tested on: every kind of record, and hostile names."""

from __future__ import annotations

from datetime import date, datetime, timezone

from evaluations import ACCOUNT, EXCEPTION, PARAMETERS, RULES, every_kind_of_live_result, live_finding, make_evaluation

from keyrules.model import (
    BaselineReport,
    ControlResult,
    Counts,
    Evaluation,
    EvaluationError,
    Exemption,
    FrameworkReport,
    Input,
    KnownFinding,
    Outcome,
    Plane,
    ResolvedFinding,
    RulePart,
    Status,
    Subject,
)
from keyrules.records import replace

FIRST_SEEN = datetime(2025, 11, 3, 8, tzinfo=timezone.utc)
OTHER_ACCOUNT = "444455556666"
GONE = Subject(
    kind="access_key",
    name="access key 2 of bob",
    account=OTHER_ACCOUNT,
    arn=f"arn:aws:iam::{OTHER_ACCOUNT}:user/ops/bob",
    user="bob",
    slot=2,
    key_id="AKIAIOSFODNN7EXAMPLE",
    created_at=datetime(2023, 5, 6, 7, 8, 9, tzinfo=timezone.utc),
)
HOSTILE_NAME = "\u202e<b>*\x1b[2J`|]\\\n=cmd\udcff\U0001f511e\u0301"


def with_baseline() -> Evaluation:
    """A new finding, one that the baseline holds and one that is gone since."""
    known = live_finding(RULES[1], subject=replace(GONE, name="access key 1 of bob", slot=1, owner="team-b"))
    gone = ResolvedFinding(RULES[2].id, "HIGH", GONE.name, None, "ef" * 32, FIRST_SEEN, GONE)
    baseline = BaselineReport("before.json", FIRST_SEEN, (KnownFinding(known, FIRST_SEEN),), (gone,))
    return make_evaluation(live_finding(), plane=Plane.LIVE, baseline=baseline, counts=Counts(failed=1, known=1))


def with_exception() -> Evaluation:
    """A finding that an entry of the exceptions file exempts."""
    entry = replace(EXCEPTION, subject=f"arn:aws:iam::{ACCOUNT}:user/alice")
    exempt = live_finding(RULES[0], Status.EXEMPT, exemption=entry.reason, exception=entry)
    return make_evaluation(exempt, plane=Plane.LIVE)


def with_framework() -> Evaluation:
    """A run that was asked for a framework, in which one rule decides a control and supports another."""
    parts = [
        ControlResult(control, "A title", Outcome.NOT_SATISFIED, "", (RulePart(RULES[0].id, relation, "", Counts()),))
        for control, relation in (("1.14", "implements"), ("1.12", "supports"))
    ]
    report = FrameworkReport("cis_aws_3.0.0", "CIS AWS Foundations Benchmark 3.0.0", "https://e.com", tuple(parts))
    return make_evaluation(live_finding(), plane=Plane.LIVE, framework=report)


def hostile() -> Evaluation:
    """Names that try to inject, and texts far beyond every limit."""
    subject = Subject(
        kind="access_key",
        name=HOSTILE_NAME,
        account=ACCOUNT,
        arn=f"arn:aws:iam::{ACCOUNT}:user/{HOSTILE_NAME}",
        user=HOSTILE_NAME,
        slot=1,
        owner=HOSTILE_NAME * 100,
    )
    entry = Exemption(RULES[0].id, "*", HOSTILE_NAME * 200, HOSTILE_NAME, date(2026, 12, 31), HOSTILE_NAME)
    facts = {"last_used_service": HOSTILE_NAME * 500, "active": True, "days": 1.5, "unknown": None, "empty": ""}
    long_text = HOSTILE_NAME * 300
    return make_evaluation(
        live_finding(subject=subject, message=long_text, remediation=long_text, facts=facts),
        live_finding(RULES[1], Status.EXEMPT, subject=subject, exemption=entry.reason, exception=entry),
        plane=Plane.LIVE,
        errors=(EvaluationError(HOSTILE_NAME, "input", long_text),),
        controls={RULES[0].id: tuple((f"framework_{n % 30}", f"{'x' * 70}{n}") for n in range(90))},
    )


def unread() -> Evaluation:
    """Nothing but what could not be evaluated: rows of one report, an account without access, an unknown one."""
    return make_evaluation(
        plane=Plane.LIVE,
        inputs=(Input("credential_report", "a.csv", account=ACCOUNT), Input("credential_report", "b.csv")),
        errors=(
            EvaluationError("a.csv", "row", "a.csv, row 7: the column arn is empty."),
            EvaluationError("a.csv", "row", "a.csv, row 9: the column arn is empty."),
            EvaluationError("a.csv", "stale", "a.csv is 30 hours old."),
            EvaluationError(f"account {OTHER_ACCOUNT}", "verify", "iam:ListAccessKeys is not allowed."),
            EvaluationError("b.csv", "input", "b.csv is empty."),
        ),
    )


def china() -> Evaluation:
    """A report of another partition, which has no root user: a rule has nothing to judge."""
    subject = Subject("console_password", "p", ACCOUNT, f"arn:aws-cn:iam::{ACCOUNT}:user/x", "x")
    root = Subject("root", "the root user", ACCOUNT, f"arn:aws-cn:iam::{ACCOUNT}:root", "<root_account>")
    return make_evaluation(
        live_finding(subject=subject),
        live_finding(RULES[1], subject=root),
        plane=Plane.LIVE,
        gaps={RULES[3].id: (ACCOUNT,)},
    )


CASES = {
    "every kind": every_kind_of_live_result(),
    "parameters": replace(every_kind_of_live_result(), parameters=PARAMETERS),
    "baseline": with_baseline(),
    "exception": with_exception(),
    "framework": with_framework(),
    "hostile": hostile(),
    "unread": unread(),
    "china": china(),
    "nothing": make_evaluation(plane=Plane.LIVE, inputs=(), rules=()),
}
