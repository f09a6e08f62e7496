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

from keyrules.cli import current_time
from keyrules.live.collection import Reach
from keyrules.model import InputError
from keyrules_deploy.judging import Judge
from keyrules_deploy.members import reach
from keyrules_deploy.security_hub import import_findings
from keyrules_deploy.storage import scheduled_at, store_findings


class NotEvaluated(Exception):
    """Accounts that could not be judged in full, or whose verdicts could not be handed on; the rest was."""


def handler(event: Mapping[str, Any], context: object = None) -> dict[str, int]:
    """Judges the accounts and stores what became of each. Raises NotEvaluated, after all were tried, to be retried."""
    del context
    now = current_time()
    accounts = [str(number) for number in event["accounts"]]
    threads = max(len(accounts), 1)
    way = reach(threads, os.environ["ROLE_NAME"], os.environ["EXTERNAL_ID"])
    visit = _Visit(Judge(now), way, scheduled_at(event, now).date())
    with ThreadPoolExecutor(max_workers=threads) as pool:
        bad = [problems for problems in pool.map(visit.account, accounts) if problems]
    if bad:
        raise NotEvaluated(f"{len(bad)} of {len(accounts)} accounts. {' '.join(map(' '.join, bad))}")
    return {"accounts": len(accounts)}


class _Visit:
    """What one invocation does in each of its accounts."""

    def __init__(self, judge: Judge, way: Reach, day: date) -> None:
        self._judge = judge
        self._way = way
        self._day = day

    def account(self, number: str) -> list[str]:
        """What went wrong with an account, in sentences that name it."""
        evaluation = self._judge.judged(number, self._way)
        problems = [error.message for error in evaluation.errors]
        try:
            store_findings(self._way, os.environ["BUCKET"], number, self._day, evaluation)
            if os.environ.get("SECURITY_HUB") == "yes":
                import_findings(self._way, os.environ["AWS_REGION"], number, evaluation)
        except InputError as error:
            # Where the account is not reached, that is said already.
            if not any(str(error) in problem for problem in problems):
                problems.append(f"account {number}: {error}.")
        return problems
