"""OCSF 1.5.0 Compliance Finding events (class 2003) of a live run, as one JSON array.

An array, because the readers of such files (Prowler's, jq, the loaders of security lakes) take one; `jq -c '.[]'` makes
lines of it. Source: https://schema.ocsf.io/1.5.0/classes/compliance_finding?profiles=cloud. Times are milliseconds
since 1970 in UTC, as its timestamp_t says.

| verdict | compliance.status | status | activity |
| --- | --- | --- | --- |
| PASS | Pass | New | Create |
| FAIL | Fail | New | Create; Update where the baseline holds it |
| UNKNOWN | Warning: "did not yield a result due to missing information" | New | the same |
| EXEMPT | Fail | Suppressed | Create |
| gone since the baseline | Pass | Resolved | Close |
| an input that could not be evaluated | Unknown, with the severity of the worst rule | New | Create |
| a rule for which an account holds nothing to judge | Warning, Informational | New | Create |
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from keyrules.model import DeclaredAt, Evaluation, Exemption, Severity
from keyrules.reports.evidence import PROJECT
from keyrules.reports.json import declared_document, laid_out
from keyrules.reports.live_records import Record, Records, Told, home_region, requirements
from keyrules.reports.parameters import of_rule, parameter_document
from keyrules.reports.report_summary import loosening
from keyrules.reports.security_hub_names import requirement, standards
from keyrules.reports.text_style import ReportOptions, is_web, iso_utc, printable

VERSION = "1.5.0"
_CLASS = 2003

_SEVERITIES = {
    None: (1, "Informational"),
    Severity.LOW: (2, "Low"),
    Severity.MEDIUM: (3, "Medium"),
    Severity.HIGH: (4, "High"),
    Severity.CRITICAL: (5, "Critical"),
}
_PASS, _WARNING, _FAIL, _UNKNOWN = (1, "Pass"), (2, "Warning"), (3, "Fail"), (0, "Unknown")
_COMPLIANCE = {
    Told.PASS: _PASS,
    Told.FAIL: _FAIL,
    Told.EXEMPT: _FAIL,
    Told.UNKNOWN: _WARNING,
    Told.RESOLVED: _PASS,
    Told.ERROR: _UNKNOWN,
    Told.NOTHING_TO_JUDGE: _WARNING,
}
_STATUSES = {Told.EXEMPT: (3, "Suppressed"), Told.RESOLVED: (4, "Resolved")}
_NEW = (1, "New")


def render(evaluation: Evaluation, options: ReportOptions) -> Iterator[str]:
    """The events as JSON text, in the order of the run's records; `options` change nothing. An empty list where there
    is nothing to tell."""
    del options
    cited = requirements(evaluation)
    return laid_out(_event(record, evaluation, cited.get(record.rule_id, ())) for record in Records(evaluation).all())


def _event(record: Record, evaluation: Evaluation, cited: Sequence[tuple[str, str]]) -> dict[str, Any]:
    activity, activity_name = _activity(record)
    severity, severity_name = _SEVERITIES[record.severity]
    status, status_name = _STATUSES.get(record.told, _NEW)
    return {
        "activity_id": activity,
        "activity_name": activity_name,
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": _CLASS,
        "class_name": "Compliance Finding",
        "type_uid": _CLASS * 100 + activity,
        "type_name": f"Compliance Finding: {activity_name}",
        "time": _milliseconds(evaluation.as_of),
        "severity_id": severity,
        "severity": severity_name,
        "status_id": status,
        "status": status_name,
        "status_code": record.told.value,
        "status_detail": printable(record.exemption or record.message),
        "message": printable(record.message),
        "metadata": _metadata(record, evaluation),
        "cloud": _cloud(record),
        "compliance": _compliance(record, cited),
        "finding_info": _finding_info(record, evaluation),
        **({"remediation": remediation} if (remediation := _remediation(record)) else {}),
        "resources": _resources(record),
        "unmapped": _unmapped(record, evaluation),
    }


def _activity(record: Record) -> tuple[int, str]:
    if record.told is Told.RESOLVED:
        return 3, "Close"
    return (2, "Update") if record.known else (1, "Create")


def _metadata(record: Record, evaluation: Evaluation) -> dict[str, Any]:
    event = "\0".join([record.uid, record.told.value, iso_utc(evaluation.as_of)])
    return {
        "version": VERSION,
        "uid": hashlib.sha256(event.encode()).hexdigest(),
        **({"event_code": record.rule_id} if record.rule_id else {}),
        "product": {
            "name": "keyrules",
            "uid": "keyrules",
            "vendor_name": "keyrules",
            "version": evaluation.pack.version,
            "url_string": PROJECT,
        },
        "profiles": ["cloud"],
    }


def _cloud(record: Record) -> dict[str, Any]:
    return {
        "provider": "AWS",
        "cloud_partition": printable(record.partition),
        "region": home_region(record.partition),
        **({"account": _account(record.account)} if record.account else {}),
    }


def _account(account: str) -> dict[str, Any]:
    """Its name is not in a credential report, and consumers ask for one: the number again."""
    return {"name": printable(account), "uid": printable(account), "type": "AWS Account", "type_id": 10}


def _compliance(record: Record, cited: Sequence[tuple[str, str]]) -> dict[str, Any]:
    status, status_name = _COMPLIANCE[record.told]
    return {
        **({"control": printable(record.title)} if record.rule_id else {}),
        **({"desc": printable(record.rule.rationale)} if record.rule is not None else {}),
        "standards": standards(framework for framework, _ in cited) or ["keyrules"],
        **({"requirements": [requirement(*pair) for pair in cited]} if cited else {}),
        "status_id": status,
        "status": status_name,
        "status_code": record.reason,
        "status_details": [printable(text) for text in record.details or (record.message,)],
    }


def _finding_info(record: Record, evaluation: Evaluation) -> dict[str, Any]:
    rule = record.rule
    seen = {} if record.first_seen is None else {"first_seen_time": _milliseconds(record.first_seen)}
    last = {} if record.told is Told.RESOLVED else {"last_seen_time": _milliseconds(evaluation.as_of)}
    analytic = {"type_id": 1, "type": "Rule", "uid": record.rule_id, "version": evaluation.pack.version}
    return {
        "uid": record.uid,
        "title": printable(record.title),
        "desc": printable(record.message),
        "created_time": _milliseconds(record.first_seen or evaluation.as_of),
        **seen,
        **last,
        "types": ["Software and Configuration Checks"],
        **(
            {"analytic": {**analytic, "name": rule.name if rule is not None else record.rule_id}}
            if analytic["uid"]
            else {}
        ),
        "data_sources": ["AWS IAM credential report"],
        **({"src_url": rule.guideline} if rule is not None and is_web(rule.guideline) else {}),
    }


def _remediation(record: Record) -> dict[str, Any] | None:
    if not record.remediation:
        return None
    references = (record.rule.guideline, *record.rule.references) if record.rule is not None else ()
    return {
        "desc": printable(record.remediation),
        **({"references": web} if (web := [text for text in references if is_web(text)]) else {}),
    }


def _resources(record: Record) -> list[dict[str, Any]]:
    """The credential and its user; what an error names where nobody can tell the account."""
    place = {"cloud_partition": printable(record.partition), "region": home_region(record.partition)}
    found = [
        {
            "type": resource.type,
            "uid": printable(resource.uid),
            "name": printable(resource.name),
            **place,
            "group": {"name": "iam"},
            **_owner(record, resource.type),
        }
        for resource in record.resources
    ]
    if found and record.subject is not None:
        subject = record.subject
        if subject.created_at is not None:
            found[0]["created_time"] = _milliseconds(subject.created_at)
        found[0]["data"] = {"kind": subject.kind, "slot": subject.slot, "user": printable(subject.user or "")}
    return found or [{"type": "Other", "uid": record.uid, "name": printable(record.input or record.title), **place}]


def _owner(record: Record, resource_type: str) -> dict[str, Any]:
    """Who answers for a user, by the user's tag; and the user, for an access key."""
    subject = record.subject
    if subject is None or record.account is None:
        return {}
    if resource_type == "AwsIamAccessKey":
        key = {"credential_uid": printable(subject.key_id)} if subject.key_id else {}
        user = {"name": printable(subject.user or subject.name), "uid": printable(subject.arn or subject.name)}
        return {"owner": {**user, "type": "User", "type_id": 1, "account": _account(record.account), **key}}
    if not subject.owner:
        return {}
    owner = printable(subject.owner)
    return {"owner": {"name": owner, "uid": owner, "type_id": 0, "account": _account(record.account)}}


def _unmapped(record: Record, evaluation: Evaluation) -> dict[str, Any]:
    own = of_rule(evaluation.parameters, record.rule_id)
    return {
        "reason": record.reason,
        "facts": {name: printable(value) if isinstance(value, str) else value for name, value in record.facts},
        "pack_sha256": evaluation.pack.sha256,
        **({"configuration": printable(text)} if (text := " ".join(loosening(evaluation))) else {}),
        **({"parameters": list(map(parameter_document, own))} if own else {}),
        **({"input": printable(record.input)} if record.input else {}),
        **({"exemption": printable(record.exemption)} if record.exemption else {}),
        **({"exception": _exception(record.exception)} if record.exception is not None else {}),
        **({"declared": list(map(_declared, record.declared))} if record.declared is not None else {}),
    }


def _declared(place: DeclaredAt) -> dict[str, Any]:
    values = declared_document(place).items()
    return {name: printable(value) if isinstance(value, str) else value for name, value in values}


def _exception(entry: Exemption) -> dict[str, Any]:
    return {
        "subject": printable(entry.subject),
        "reason": printable(entry.reason),
        "owner": printable(entry.owner),
        "expires": entry.expires.isoformat(),
        "place": printable(entry.place),
        **({"ticket": printable(entry.ticket)} if entry.ticket else {}),
    }


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
