"""Collects what an audit judges: reports from files, and from the live account, connected when it is first needed."""

from __future__ import annotations

import io
import random
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, cast

from keyrules.live.account_audit import AuditRequest, ReportResult, Verifier, audit_report, unreadable
from keyrules.live.audit import Verdict
from keyrules.live.plan import Plan
from keyrules.live.report_inputs import ReportSource, from_stream, opened
from keyrules.live.verification import Question, Verified, verify
from keyrules.model import InputError

if TYPE_CHECKING:
    from keyrules.live.aws import Account


class Address(NamedTuple):
    """Which account, and how long to wait for its report; None is what the AWS configuration says."""

    profile: str | None
    region: str | None
    endpoint_url: str | None
    deadline: timedelta


def connection_to(address: Address) -> Callable[[], Account]:
    """Gives the account, connected at the first call and kept; a call raises InputError where that fails.

    boto3 is imported then, because it takes longer than judging a report.
    """

    @cache
    def connection() -> Account:
        from keyrules.live.aws import Pacing, connect

        jitter = random.Random()
        seconds = address.deadline.total_seconds()
        pacing = Pacing(time.monotonic, time.sleep, lambda: jitter.uniform(0.5, 1.0), seconds)
        return connect(address.profile, address.region, address.endpoint_url, pacing)

    return connection


def verifier(connection: Callable[[], Account], question: Question) -> Verifier:
    """Asks the account about what a report of it flagged; raises InputError for a report of another account."""

    def check(number: str, verdicts: Sequence[Verdict], plan: Plan, made: datetime) -> Verified:
        account = connection()
        own, _ = account.identity()
        if own != number:
            raise InputError(f"the AWS credentials in use belong to account {own} and the report to account {number}")
        return verify(verdicts, plan, question, made, account)

    return check


def audit_files(sources: Sequence[ReportSource], request: AuditRequest) -> list[ReportResult]:
    """The result of each report in its order; one that cannot be opened has that as its error."""
    results: list[ReportResult] = []
    for source in sources:
        try:
            with opened(source, lambda: cast(io.BufferedReader, sys.stdin.buffer)) as report:
                results.append(audit_report(source.name, report, request))
        except InputError as error:
            results.append(unreadable(source.name, str(error), request))
    return results


def audit_account(connection: Callable[[], Account], request: AuditRequest) -> ReportResult:
    """The result of the live account's own report; an account that cannot be asked has that as its error."""
    name = "the live account"
    try:
        report = connection().report()
    except InputError as error:
        return unreadable(name, f"could not be evaluated: {error}", request)
    return audit_report(
        f"account {report.account}", from_stream(io.BytesIO(report.content), report.generated_at), request
    )
