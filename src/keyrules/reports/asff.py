"""AWS Security Finding Format of a live run: the list that `aws securityhub batch-import-findings --findings` takes.

Source: the service model of Security Hub (API version 2018-10-26, BatchImportFindings) and, for the limits that it only
states in words, its documentation; Security Hub refuses findings that are longer.

| verdict | Compliance.Status | RecordState |
| --- | --- | --- |
| PASS | PASSED, severity INFORMATIONAL | ACTIVE |
| FAIL | FAILED | ACTIVE |
| UNKNOWN | WARNING ("some information is missing") | ACTIVE |
| EXEMPT | FAILED, with the exception | ARCHIVED |
| gone since the baseline | PASSED, INFORMATIONAL | ARCHIVED |
| an input that could not be evaluated | NOT_AVAILABLE, with the severity of the worst rule | ACTIVE |
| a rule for which an account holds nothing to judge | NOT_AVAILABLE, INFORMATIONAL | ACTIVE |

Workflow, Note and UserDefinedFields are the customer's: BatchImportFindings sets them once and cannot change them, and
a finding whose Workflow is SUPPRESSED stays so. An exemption ends, so it archives the finding instead, which the next
import takes back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from keyrules.model import Evaluation, FactValue
from keyrules.reports.json import declared_document, laid_out
from keyrules.reports.live_records import (
    Record,
    Records,
    Resource,
    Told,
    clipped,
    home_region,
    requirements,
)
from keyrules.reports.parameters import of_rule, parameter_line
from keyrules.reports.report_summary import loosening
from keyrules.reports.security_hub_names import requirement, standards
from keyrules.reports.text_style import ReportOptions, is_web, iso_utc, printable

NO_ACCOUNT = "000000000000"
"""Where nobody can tell an account; Security Hub then refuses the finding by name, which is better than silence."""

_TYPES = [
    "Software and Configuration Checks/AWS Security Best Practices",
    "Software and Configuration Checks/Industry and Regulatory Standards",
]
_STATUSES = {
    Told.PASS: "PASSED",
    Told.FAIL: "FAILED",
    Told.EXEMPT: "FAILED",
    Told.UNKNOWN: "WARNING",
    Told.RESOLVED: "PASSED",
    Told.ERROR: "NOT_AVAILABLE",
    Told.NOTHING_TO_JUDGE: "NOT_AVAILABLE",
}
_ARCHIVED = (Told.EXEMPT, Told.RESOLVED)
# The partitions that the service model allows in Resources[].Partition.
_PARTITIONS = ("aws", "aws-cn", "aws-us-gov")
_MOST_REQUIREMENTS = 32
_MOST_STANDARDS = 20
_LONGEST_REQUIREMENT = 64
_LONGEST_FIELD = 2048
_MOST_DECLARED = 8
"""Of six fields each: Details.Other takes 50."""


def render(evaluation: Evaluation, options: ReportOptions) -> Iterator[str]:
    """The findings as JSON text, in the order of the run's records; `options` change nothing. An empty list where there
    is nothing to tell."""
    del options
    return laid_out(findings(evaluation))


def findings(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    """What the report lists. What could not be evaluated in an unknown account is told to each account of the run."""
    cited, records = requirements(evaluation), Records(evaluation)
    for record in records.all():
        for account in (record.account,) if record.account else records.accounts() or (NO_ACCOUNT,):
            yield _finding(record, account, evaluation, cited.get(record.rule_id, ()))


def _finding(record: Record, account: str, evaluation: Evaluation, cited: Sequence[tuple[str, str]]) -> dict[str, Any]:
    account, partition = printable(account), printable(record.partition)
    region = home_region(record.partition)
    first = iso_utc(record.first_seen or evaluation.as_of)
    severity = {
        "Label": record.severity.name if record.severity is not None else "INFORMATIONAL",
        "Original": _original_severity(record),
    }
    return {
        "SchemaVersion": "2018-10-08",
        "Id": f"keyrules/{record.uid}",
        "ProductArn": f"arn:{partition}:securityhub:{region}:{account}:product/{account}/default",
        "ProductName": "keyrules",
        "CompanyName": "keyrules",
        "GeneratorId": clipped(f"keyrules/{record.rule_id or 'evaluation'}", 512),
        "AwsAccountId": account,
        "Types": _TYPES,
        "CreatedAt": first,
        "FirstObservedAt": first,
        "UpdatedAt": iso_utc(evaluation.as_of),
        "Severity": severity,
        "Title": clipped(record.title, 256),
        "Description": clipped(_description(record), 1024),
        **({"Remediation": remediation} if (remediation := _remediation(record)) else {}),
        **({"SourceUrl": record.rule.guideline} if record.rule is not None and is_web(record.rule.guideline) else {}),
        "ProductFields": _product_fields(record, evaluation),
        "Resources": _resources(record, account),
        "Compliance": _compliance(record, cited),
        "RecordState": "ARCHIVED" if record.told in _ARCHIVED else "ACTIVE",
        "FindingProviderFields": {"Severity": severity, "Types": _TYPES},
    }


def _original_severity(record: Record) -> str:
    severity = record.severity or (record.rule.severity if record.rule is not None else None)
    return severity.name if severity is not None else "INFORMATIONAL"


def _description(record: Record) -> str:
    return f"{record.message} Exempt: {record.exemption}" if record.exemption else record.message


def _remediation(record: Record) -> dict[str, Any]:
    recommendation: dict[str, Any] = {"Text": clipped(record.remediation, 512)} if record.remediation else {}
    if record.rule is not None and is_web(record.rule.guideline):
        recommendation["Url"] = record.rule.guideline
    return {"Recommendation": recommendation} if recommendation else {}


def _product_fields(record: Record, evaluation: Evaluation) -> dict[str, str]:
    """What ASFF has no place for; the remediation in full again, because Recommendation.Text is short."""
    subject = record.subject
    fields: dict[str, FactValue] = {
        "version": evaluation.pack.version,
        "pack_sha256": evaluation.pack.sha256,
        "verdict": record.told.value,
        "reason": record.reason,
        "fingerprint": record.uid,
        "input": record.input,
        "remediation": record.remediation,
        "exemption": record.exemption,
        "configuration": " ".join(loosening(evaluation)),
        "parameters": parameter_line(of_rule(evaluation.parameters, record.rule_id)),
        "declared": "; ".join(each.sentence for each in record.declared or ()),
    }
    if record.exception is not None:
        fields |= {
            "exception/owner": record.exception.owner,
            "exception/expires": record.exception.expires.isoformat(),
            "exception/ticket": record.exception.ticket,
        }
    if subject is not None:
        fields |= {"kind": subject.kind, "slot": subject.slot, "owner": subject.owner}
    fields |= {f"fact/{name}": value for name, value in record.facts}
    return {f"keyrules/{name}": text for name, value in fields.items() if (text := _field(value))}


def _field(value: FactValue) -> str:
    if value is None or value == "":
        return ""
    return str(value).lower() if isinstance(value, bool) else clipped(str(value), _LONGEST_FIELD)


def _resources(record: Record, account: str) -> list[dict[str, Any]]:
    place = {"Partition": record.partition} if record.partition in _PARTITIONS else {}
    resources = record.resources or (Resource("AwsAccount", f"AWS::::Account:{account}", account),)
    return [
        {
            "Type": resource.type,
            "Id": clipped(resource.uid, 512),
            **place,
            "Region": home_region(record.partition),
            **({"Details": details} if (details := _details(record, resource)) else {}),
        }
        for resource in resources
    ]


def _details(record: Record, resource: Resource) -> dict[str, Any]:
    """What the type of the resource has fields for, and under Other what declares a key."""
    details = {resource.type: _own_details(record, resource)}
    if resource.type == "AwsIamAccessKey":
        details["Other"] = _declared(record)
    return {name: fields for name, fields in details.items() if fields}


def _declared(record: Record) -> dict[str, str]:
    return {
        f"declared/{number}/{name}": _field(value)
        for number, place in enumerate((record.declared or ())[:_MOST_DECLARED], 1)
        for name, value in declared_document(place).items()
        if value is not None
    }


def _own_details(record: Record, resource: Resource) -> dict[str, str]:
    subject = record.subject
    if subject is None or resource.type == "AwsAccount":
        return {}
    user = printable(subject.user or "")
    if resource.type == "AwsIamUser":
        path = (subject.arn or "").partition(":user")[2].removesuffix(subject.user or "")
        return _filled({"UserName": user, "Path": printable(path)})
    if resource.type == "Other":
        return _filled({"Kind": subject.kind, "Name": printable(subject.name), "Id": printable(subject.key_id or "")})
    active = dict(record.facts).get("active")
    return _filled(
        {
            "AccessKeyId": printable(subject.key_id or ""),
            "AccountId": printable(subject.account or ""),
            "CreatedAt": iso_utc(subject.created_at) if subject.created_at is not None else "",
            "PrincipalName": user,
            "PrincipalType": "IAMUser",
            "Status": ("Active" if active else "Inactive") if isinstance(active, bool) else "",
        }
    )


def _filled(fields: Mapping[str, str]) -> dict[str, str]:
    """The fields that hold something: Security Hub refuses blank strings."""
    return {name: value for name, value in fields.items() if value.strip()}


def _compliance(record: Record, cited: Sequence[tuple[str, str]]) -> dict[str, Any]:
    related = [clipped(requirement(*pair), _LONGEST_REQUIREMENT) for pair in cited]
    if len(related) > _MOST_REQUIREMENTS:
        left = len(related) - _MOST_REQUIREMENTS + 1
        related[_MOST_REQUIREMENTS - 1 :] = [f"and {left} more: keyrules controls --rule {record.rule_id}"]
    associated = [{"StandardsId": each} for each in standards(framework for framework, _ in cited)]
    reasons = [{"ReasonCode": record.reason.upper(), "Description": clipped(record.message, 1024)}]
    if record.exemption:
        reasons.append({"ReasonCode": "EXEMPT", "Description": clipped(record.exemption, 1024)})
    return {
        "Status": _STATUSES[record.told],
        **({"RelatedRequirements": related, "AssociatedStandards": associated[:_MOST_STANDARDS]} if cited else {}),
        "StatusReasons": reasons,
    }
