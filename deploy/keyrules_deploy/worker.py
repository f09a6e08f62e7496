"""The function that judges a few accounts: `{"time": "2026-06-01T06:00:00Z", "accounts": ["123456789012", …]}`.

All accounts of an invocation are asked at the same time, because nearly all of their time is waiting for AWS to make a
report, so an invocation lasts as long as its slowest account. Environment: BUCKET, ROLE_NAME, EXTERNAL_ID, SECURITY_HUB
(`yes` to import), AWS_REGION.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import boto3

from keyrules.cli import current_time
from keyrules.model import InputError
from keyrules_deploy.judging import Judge
from keyrules_deploy.members import CLIENT, Members, account_of
from keyrules_deploy.security_hub import import_findings
from keyrules_deploy.storage import scheduled_at, store_findings


class NotEvaluated(Exception):
    """Accounts that could not be judged in full, or whose verdicts could not be handed on; the rest was."""


def handler(event: Mapping[str, Any], context: object = None) -> dict[str, int]:
    """Judges the accounts and stores what became of each. Raises NotEvaluated, after all were tried, to be retried."""
    del context
    day = scheduled_at(event, current_time()).date()
    accounts = [str(number) for number in event["accounts"]]
    visit = _Visit(Judge(current_time), day)
    with ThreadPoolExecutor(max_workers=max(len(accounts), 1)) as pool:
        bad = [problems for problems in pool.map(visit.account, accounts) if problems]
    if bad:
        raise NotEvaluated(f"{len(bad)} of {len(accounts)} accounts. {' '.join(map(' '.join, bad))}")
    return {"accounts": len(accounts)}


class _Visit:
    """What one invocation does in each of its accounts."""

    def __init__(self, judge: Judge, day: date) -> None:
        self._judge = judge
        self._day = day
        self._members = Members(os.environ["ROLE_NAME"], os.environ["EXTERNAL_ID"])
        self._s3 = boto3.client("s3", config=CLIENT)

    def account(self, number: str) -> list[str]:
        """What went wrong with an account, in sentences that name it."""
        session = None
        try:
            session = self._members.session(number)
            evaluation = self._judge.judged(number, account_of(session))
        except InputError as error:
            evaluation = self._judge.not_judged(number, str(error))
        problems = [error.message for error in evaluation.errors]
        try:
            store_findings(self._s3, os.environ["BUCKET"], number, self._day, evaluation)
            if session is not None and os.environ.get("SECURITY_HUB") == "yes":
                import_findings(session, os.environ["AWS_REGION"], number, evaluation)
        except InputError as error:
            problems.append(f"account {number}: {error}.")
        return problems
