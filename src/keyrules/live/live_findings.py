"""Turns verdicts on rows into findings, and orders them worst first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from keyrules.live.audit import Verdict, absent_root_verdicts
from keyrules.live.credential_report import ROOT_USER, Row
from keyrules.live.explanations import Case, explain
from keyrules.live.fact_readers import SubjectKind, fact_values
from keyrules.live.instants import to_datetime
from keyrules.live.key_history import created_at, key_of, last_used_at, name_of
from keyrules.live.plan import Plan
from keyrules.live.remediation import NEW_REPORT, next_step
from keyrules.model import FactValue, Finding, ParameterValue, Plane, Rule, Selection, Status, Subject
from keyrules.reports.text_style import iso_utc

_NOTHING: Final[Mapping[int, str]] = {}
_IDLE_KEYS_RULE: Final = "KEY_AWS_002"
# For the advice of runs without that rule: no caller in a whole quarter.
_IDLE_DAYS: Final = 90
_ORDER: Final = {Status.FAIL: 0, Status.UNKNOWN: 1, Status.EXEMPT: 2, Status.PASS: 3}


def make_case(rule: Rule, subject: SubjectKind, row: Row, as_of: datetime, selection: Selection) -> Case:
    """What explanations and next steps are written from."""
    limits = {name: selection.value(rule, name) for name in rule.parameters}
    return Case(rule, subject, row, as_of, limits, _idle_days(selection))


def _idle_days(selection: Selection) -> int:
    """What the rule on idle keys says, so that two findings on one key do not advise differently."""
    rule = selection.rule(_IDLE_KEYS_RULE)
    days = selection.value(rule, "max_idle_days") if rule is not None else _IDLE_DAYS
    return days if isinstance(days, int) else _IDLE_DAYS


def make_finding(
    verdict: Verdict,
    plan: Plan,
    selection: Selection,
    as_of: datetime,
    key_ids: Mapping[int, str] = _NOTHING,
    owner: str | None = None,
) -> Finding:
    """The finding of a verdict. `key_ids` (by slot) and `owner` are known only after asking the account."""
    rule, subject, row = plan.rules[verdict.rule], verdict.subject, verdict.row
    case = make_case(rule, subject, row, as_of, selection)
    explanation = explain(case, verdict.status, verdict.contradicted)
    return Finding(
        rule=rule.id,
        severity=rule.severity,
        status=verdict.status,
        plane=Plane.LIVE,
        message=explanation.message,
        reason=explanation.reason,
        remediation=next_step(case, verdict.status, key_ids),
        subject=make_subject(subject, row, key_ids, owner),
        facts=_facts(case),
    )


def make_subject(
    subject: SubjectKind, row: Row, key_ids: Mapping[int, str] = _NOTHING, owner: str | None = None
) -> Subject:
    """The credential as reports name it. Its identity is the ARN and the time of creation, never the slot."""
    created = created_at(subject, row)
    return Subject(
        kind=subject.kind,
        name=name_of(subject, row),
        account=row.account,
        arn=row.arn,
        user=row.user,
        slot=subject.slot,
        key_id=key_ids.get(subject.slot or 0) if subject.kind == "access_key" else None,
        owner=owner,
        created_at=to_datetime(created) if created else None,
    )


def absent_root(account_prefix: str, plan: Plan) -> list[Finding]:
    """The verdicts of the rules on the root user for an account whose report has no row for it."""
    account = account_prefix.split(":")[4]
    subject = Subject(kind="root", name="the root user", account=account, arn=f"{account_prefix}root", user=ROOT_USER)
    passing = ("root_absent", "The report has no root user.", "")
    unknown = ("root_row_missing", "The root user could not be judged: the report has no row for it.", NEW_REPORT)
    return [
        Finding(
            rule=plan.rules[position].id,
            severity=plan.rules[position].severity,
            status=status,
            plane=Plane.LIVE,
            reason=reason,
            message=message,
            remediation=remediation,
            subject=subject,
        )
        for position, status in absent_root_verdicts(account_prefix, plan)
        for reason, message, remediation in (passing if status is Status.PASS else unknown,)
    ]


def number_twins(findings: Sequence[Finding]) -> list[Finding]:
    """The findings of one report, with a number for each but the first of those that nothing tells apart.

    Two keys of one user may have been created in the same second, and the report has no other identity for them. The
    number makes their fingerprints differ, so that no tool that removes duplicates loses one. It follows status and
    last use, because slots change.
    """
    seen: Counter[str] = Counter()
    numbers: dict[int, int] = {}
    for index, finding in sorted(enumerate(findings), key=lambda pair: _twin_order(pair[1])):
        fingerprint = finding.fingerprint
        numbers[index] = seen[fingerprint]
        seen[fingerprint] += 1
    return [
        replace(finding, subject=replace(finding.subject, twin=numbers[index]))
        if finding.subject is not None and numbers[index]
        else finding
        for index, finding in enumerate(findings)
    ]


def _twin_order(finding: Finding) -> tuple[object, ...]:
    subject = finding.subject or Subject(kind="", name="")
    return (
        _ORDER[finding.status],
        str(finding.facts.get("last_used_at")),
        str(finding.facts.get("active")),
        subject.key_id or "",
        subject.slot or 0,
    )


def worst_first(finding: Finding) -> tuple[object, ...]:
    """The sort key of live findings: severity, then failures before unknowns, then by rule the longest standing."""
    subject = finding.subject or Subject(kind="", name="")
    ages = (value for name, value in finding.facts.items() if name.startswith("days_since_"))
    age = max((float(value) for value in ages if isinstance(value, int | float)), default=0.0)
    created = subject.created_at.isoformat() if subject.created_at else ""
    return (
        -finding.severity,
        _ORDER[finding.status],
        finding.rule,
        -age,
        subject.account or "",
        subject.arn or "",
        created,
        subject.slot or 0,
    )


def _facts(case: Case) -> dict[str, FactValue]:
    facts = fact_values(case.subject, case.row, case.as_of)
    created, used = created_at(case.subject, case.row), last_used_at(case.subject, case.row)
    facts["created_at"] = iso_utc(to_datetime(created)) if created else None
    if case.subject.kind != "signing_certificate":
        facts["last_used_at"] = iso_utc(to_datetime(used)) if used else None
    if case.subject.kind == "access_key":
        key = key_of(case.row, case.subject.slot or 1)
        facts["last_used_service"] = key.service or None
        facts["last_used_region"] = key.region or None
    facts.update({name: _printable(value) for name, value in case.limits.items()})
    return facts


def _printable(value: ParameterValue) -> FactValue:
    return value if isinstance(value, int) else ",".join(str(item) for item in value)
