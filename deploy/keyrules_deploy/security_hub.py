"""Hands the findings of one account to AWS Security Hub, in that account, and archives there what is gone.

Limits: 100 findings in a call, 240 KB each, 6 MB in all; the caller must be in the account that the findings name.
https://docs.aws.amazon.com/securityhub/latest/partnerguide/guidelines-batchimportfindings.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from keyrules.model import Evaluation, InputError, Status
from keyrules.reports.asff import document
from keyrules.reports.text_style import iso_utc
from keyrules_deploy.members import CLIENT, ask

MOST: Final = 100
LONGEST: Final = 240 * 1024
_LONGEST_CALL: Final = 6 * 1024 * 1024 - LONGEST
"""What may be in a call before one more finding is added."""


def import_findings(session: Any, region: str, account: str, evaluation: Evaluation) -> None:
    """Imports what does not pass, then archives earlier findings of keyrules that are no longer among it.

    Nothing is archived where something could not be evaluated: what is missing then may still be there. InputError
    where Security Hub refuses the call or any of the findings.
    """
    hub = session.client("securityhub", region_name=region, config=CLIENT)
    flagged = tuple(finding for finding in evaluation.findings if finding.status is not Status.PASS)
    findings = [_in_region(each, region) for each in document(replace(evaluation, findings=flagged))]
    _send(hub, findings)
    if not evaluation.errors:
        _send(hub, _gone(hub, account, {each["Id"] for each in findings}, evaluation))


def calls(findings: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The findings of each call. InputError for a finding that Security Hub cannot take."""
    call: list[dict[str, Any]] = []
    length = 0
    for finding in findings:
        own = len(json.dumps(finding).encode())
        if own > LONGEST:
            raise InputError(f"the finding {finding['Id']} has {own:,} bytes, more than Security Hub takes")
        if len(call) == MOST or length > _LONGEST_CALL:
            yield call
            call, length = [], 0
        call.append(finding)
        length += own
    if call:
        yield call


def _send(hub: Any, findings: Sequence[dict[str, Any]]) -> None:
    for call in calls(findings):
        answer = ask("securityhub:BatchImportFindings", hub.batch_import_findings, Findings=call)
        if answer["FailedCount"]:
            codes = ", ".join(sorted({str(each.get("ErrorCode", "")) for each in answer.get("FailedFindings", ())}))
            raise InputError(f"Security Hub refused {answer['FailedCount']} of {len(call)} findings ({codes})")


def _in_region(finding: dict[str, Any], region: str) -> dict[str, Any]:
    """The report names the region where IAM is at home; Security Hub wants its own."""
    return finding | {"ProductArn": re.sub("(?<=:securityhub:)[^:]+", region, finding["ProductArn"])}


def _gone(hub: Any, account: str, kept: set[str], evaluation: Evaluation) -> list[dict[str, Any]]:
    """The active findings of keyrules that Security Hub has and this run has not, as archived ones."""

    def equals(value: str, comparison: str = "EQUALS") -> list[dict[str, str]]:
        return [{"Value": value, "Comparison": comparison}]

    filters = {
        "AwsAccountId": equals(account),
        "GeneratorId": equals("keyrules/", "PREFIX"),
        "RecordState": equals("ACTIVE"),
    }
    pages = hub.get_paginator("get_findings").paginate(Filters=filters, PaginationConfig={"PageSize": MOST})
    found = ask("securityhub:GetFindings", lambda: [each for page in pages for each in page["Findings"]])
    archived = {
        "RecordState": "ARCHIVED",
        "UpdatedAt": iso_utc(evaluation.as_of),
        "Compliance": {"Status": "PASSED", "StatusReasons": [{"ReasonCode": "RESOLVED"}]},
    }
    return [{name: each[name] for name in _OURS if name in each} | archived for each in found if each["Id"] not in kept]


_OURS: Final = (
    "SchemaVersion",
    "Id",
    "ProductArn",
    "GeneratorId",
    "AwsAccountId",
    "Types",
    "CreatedAt",
    "FirstObservedAt",
    "Severity",
    "Title",
    "Description",
    "ProductFields",
    "Resources",
)
"""What an import has to repeat; the rest is the customer's, or Security Hub's own, and an import may not set it."""
