"""The function behind an organisation's AWS Config rule: judges the account whose Config asks, on its periodic trigger.

One evaluation per IAM user, and one for the account, which stands for its root user and for the run as a whole:

| what keyrules says | ComplianceType |
| --- | --- |
| a failure | NON_COMPLIANT |
| UNKNOWN, or an error | NON_COMPLIANT, "Could not be evaluated" |
| nothing worse than an exemption | NOT_APPLICABLE, with the reason |
| only passes | COMPLIANT |
| nothing to judge | NOT_APPLICABLE |

Custom rules have no INSUFFICIENT_DATA, and Config keeps the last evaluation of a resource until another comes: to put
nothing would leave an old COMPLIANT standing. So what could not be evaluated is NON_COMPLIANT, with words that say so,
and an error also fails the invocation, after everything was put.
https://docs.aws.amazon.com/config/latest/APIReference/API_PutEvaluations.html
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from keyrules.cli import current_time
from keyrules.live.instants import parse, to_datetime
from keyrules.model import Evaluation, Finding, InputError, Status, UsageError
from keyrules.reports.live_records import clipped
from keyrules_deploy.judging import Judge
from keyrules_deploy.members import reach

MOST: Final = 100
LONGEST: Final = 256
_ACCOUNT: Final = "AWS::::Account"
_WORST_FIRST: Final = (Status.FAIL, Status.UNKNOWN, Status.EXEMPT, Status.PASS)
_COMPLIANCE: Final = {
    Status.FAIL: "NON_COMPLIANT",
    Status.UNKNOWN: "NON_COMPLIANT",
    Status.EXEMPT: "NOT_APPLICABLE",
    Status.PASS: "COMPLIANT",
}


class Trigger(NamedTuple):
    """What Config asks: which account, when (ISO 8601), with which thresholds, and where the answer belongs."""

    account: str
    at: str
    thresholds: tuple[str, ...]
    token: str


class Verdict(NamedTuple):
    """The compliance of one resource and why."""

    compliance: str
    annotation: str


def handler(event: Mapping[str, Any], context: object = None) -> dict[str, int]:
    """Judges and puts the evaluations. InputError, after everything was put, where something was not evaluated."""
    del context
    trigger = read_trigger(event)
    way = reach(1, os.environ["ROLE_NAME"], os.environ["EXTERNAL_ID"])
    evaluation = Judge(current_time(), trigger.thresholds).judged(trigger.account, way)
    session = way.account(trigger.account).session
    users = {each["Arn"]: each["UserId"] for each in way.aws.pages("iam:ListUsers", "Users", session)}
    found = list(evaluations(evaluation, users, trigger))
    for start in range(0, len(found), MOST):
        answer = way.aws.ask(
            "config:PutEvaluations",
            session,
            Evaluations=found[start : start + MOST],
            ResultToken=trigger.token,
            # The word with which AWS's own samples ask for a rehearsal; Config never sends it.
            TestMode=trigger.token == "TESTMODE",
        )
        if answer["FailedEvaluations"]:
            raise InputError(f"AWS Config refused {len(answer['FailedEvaluations'])} of {len(found)} evaluations")
    if evaluation.errors:
        raise InputError(" ".join(error.message for error in evaluation.errors))
    return {"evaluations": len(found)}


def read_trigger(event: Mapping[str, Any]) -> Trigger:
    """The periodic trigger. UsageError, one sentence, for any other event."""
    invoking = _object(event, "invokingEvent")
    kind = invoking.get("messageType")
    if kind != "ScheduledNotification":
        raise UsageError(f"the rule answers ScheduledNotification only, and messageType is {kind!r}: make it periodic")
    account = str(event.get("accountId", ""))
    if len(account) != 12 or not account.isdecimal() or invoking.get("awsAccountId", account) != account:
        raise UsageError("the event's accountId is no account number, or not the one in its invokingEvent")
    parameters = _object(event, "ruleParameters") if event.get("ruleParameters") else {}
    try:
        at = parse(str(invoking.get("notificationCreationTime")))
    except ValueError:
        raise UsageError("the event's invokingEvent has no notificationCreationTime that is a time") from None
    if not event.get("resultToken"):
        raise UsageError("the event has no resultToken, without which AWS Config takes no evaluation")
    thresholds = tuple(f"{name}={value}" for name, value in sorted(parameters.items()))
    return Trigger(account, at, thresholds, str(event["resultToken"]))


def _object(event: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A member of the event that is an object written as text."""
    try:
        value = json.loads(event[name])
    except (KeyError, TypeError, ValueError):
        value = None
    if not isinstance(value, dict):
        raise UsageError(f"the event's {name} is missing or no JSON object; AWS Config sends it as text")
    return value


def evaluations(evaluation: Evaluation, users: Mapping[str, str], trigger: Trigger) -> Iterator[dict[str, Any]]:
    """What is put. `users` are the ids (AIDA…) of the users that the account has now, by ARN; one that is gone since
    the report is left out, and one without a verdict is put only where the run evaluated everything."""
    root = [finding for finding in evaluation.findings if _arn(finding).endswith(":root")]
    by_id: dict[str, list[Finding]] = {}
    for finding in evaluation.findings:
        if _arn(finding) in users:
            by_id.setdefault(users[_arn(finding)], []).append(finding)
    yield _put(_ACCOUNT, trigger.account, _of_account(evaluation, root), trigger)
    for user_id in sorted(users.values()):
        findings = by_id.get(user_id, [])
        if findings or not evaluation.errors:
            yield _put("AWS::IAM::User", user_id, _of(findings), trigger)


def _of_account(evaluation: Evaluation, root: list[Finding]) -> Verdict:
    verdict = _of(root)
    if evaluation.errors:
        return Verdict(_COMPLIANCE[Status.UNKNOWN], f"Could not be evaluated: {evaluation.errors[0].message}")
    if evaluation.gaps and verdict.compliance == _COMPLIANCE[Status.PASS]:
        return Verdict("NOT_APPLICABLE", f"Reports have nothing on the root user here ({', '.join(evaluation.gaps)}).")
    return verdict


def _of(findings: list[Finding]) -> Verdict:
    """The worst of the findings decides, and the first of those is quoted."""
    for status in _WORST_FIRST:
        own = [finding for finding in findings if finding.status is status]
        if own:
            rules = ", ".join(sorted({finding.rule for finding in own}))
            texts = {
                Status.FAIL: f"{rules}: {own[0].message}",
                Status.UNKNOWN: f"Could not be evaluated ({rules}): {own[0].message}",
                Status.EXEMPT: f"Exempt ({rules}): {own[0].exemption_text}",
                Status.PASS: f"{rules}.",
            }
            return Verdict(_COMPLIANCE[status], texts[status])
    return Verdict("NOT_APPLICABLE", "The credential report has nothing to judge here.")


def _put(kind: str, resource: str, verdict: Verdict, trigger: Trigger) -> dict[str, Any]:
    return {
        "ComplianceResourceType": kind,
        "ComplianceResourceId": resource,
        "ComplianceType": verdict.compliance,
        "Annotation": clipped(verdict.annotation, LONGEST),
        "OrderingTimestamp": to_datetime(trigger.at),
    }


def _arn(finding: Finding) -> str:
    return (finding.subject.arn if finding.subject is not None else None) or ""
