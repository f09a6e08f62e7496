"""Hands the findings of one account to AWS Security Hub, in that account, and archives there what is gone.

Limits: 100 findings in a call, 240 KB each, 6 MB in all; the caller must be in the account that the findings name.
https://docs.aws.amazon.com/securityhub/latest/partnerguide/guidelines-batchimportfindings.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from keyrules.live.aws import Aws, Session
from keyrules.live.collection import Reach
from keyrules.model import Evaluation, InputError, Status
from keyrules.records import replace
from keyrules.reports import asff
from keyrules.reports.text_style import iso_utc

MOST: Final = 100
LONGEST: Final = 240 * 1024
_LONGEST_CALL: Final = 6 * 1024 * 1024 - LONGEST
"""What may be in a call before one more finding is added."""


def import_findings(reach: Reach, region: str, account: str, evaluation: Evaluation) -> None:
    """Imports what does not pass, then archives earlier findings of keyrules that are no longer among it.

    Nothing is archived where something could not be evaluated: what is missing then may still be there. InputError
    where the account is not reached, or Security Hub refuses the call or any of the findings.
    """
    hub = _Hub(reach.aws, reach.account(account).session)
    flagged = tuple(finding for finding in evaluation.findings if finding.status is not Status.PASS)
    findings = [_in_region(each, region) for each in asff.findings(replace(evaluation, findings=flagged))]
    hub.send(findings)
    if not evaluation.errors:
        hub.send(_archived(hub.active(account), {each["Id"] for each in findings}, evaluation))


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


class _Hub:
    """Security Hub of one account."""

    def __init__(self, aws: Aws, session: Session) -> None:
        self._aws = aws
        self._session = session

    def send(self, findings: Sequence[dict[str, Any]]) -> None:
        """Imports them, in as many calls as it takes."""
        for call in calls(findings):
            answer = self._aws.ask("securityhub:BatchImportFindings", self._session, Findings=call)
            if answer["FailedCount"]:
                codes = ", ".join(sorted({str(each.get("ErrorCode", "")) for each in answer.get("FailedFindings", ())}))
                raise InputError(f"Security Hub refused {answer['FailedCount']} of {len(call)} findings ({codes})")

    def active(self, account: str) -> Iterator[dict[str, Any]]:
        """The findings of keyrules that are not archived."""

        def equals(value: str, comparison: str = "EQUALS") -> list[dict[str, str]]:
            return [{"Value": value, "Comparison": comparison}]

        filters = {
            "AwsAccountId": equals(account),
            "GeneratorId": equals("keyrules/", "PREFIX"),
            "RecordState": equals("ACTIVE"),
        }
        return self._aws.pages("securityhub:GetFindings", "Findings", self._session, Filters=filters, MaxResults=MOST)


def _in_region(finding: dict[str, Any], region: str) -> dict[str, Any]:
    """The report names the region where IAM is at home; Security Hub wants its own."""
    return finding | {"ProductArn": re.sub("(?<=:securityhub:)[^:]+", region, finding["ProductArn"])}


def _archived(found: Iterable[dict[str, Any]], kept: set[str], evaluation: Evaluation) -> list[dict[str, Any]]:
    """Those that this run no longer has, as archived ones."""
    changes = {
        "RecordState": "ARCHIVED",
        "UpdatedAt": iso_utc(evaluation.as_of),
        "Compliance": {"Status": "PASSED", "StatusReasons": [{"ReasonCode": "RESOLVED"}]},
    }
    return [{name: each[name] for name in _OURS if name in each} | changes for each in found if each["Id"] not in kept]


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
