"""The function that the schedule starts: lists the organisation's accounts and hands them to the worker in batches.

Environment: BUCKET, WORKER (the function to invoke), ACCOUNTS_PER_INVOCATION.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import boto3

from keyrules.cli import current_time
from keyrules.reports.text_style import iso_utc
from keyrules_deploy.members import CLIENT, ask, listed_accounts
from keyrules_deploy.storage import scheduled_at, store_accounts


def handler(event: Mapping[str, Any], context: object = None) -> dict[str, int]:
    """Stores the list of accounts, and starts the worker for those that are active. InputError where AWS refuses."""
    del context
    when = scheduled_at(event, current_time())
    accounts = listed_accounts()
    store_accounts(boto3.client("s3", config=CLIENT), os.environ["BUCKET"], when.date(), accounts)
    active = [each.account for each in accounts if each.state == "ACTIVE"]
    worker = boto3.client("lambda", config=CLIENT)
    size = int(os.environ["ACCOUNTS_PER_INVOCATION"])
    for start in range(0, len(active), size):
        payload = json.dumps({"time": iso_utc(when), "accounts": active[start : start + size]})
        ask(
            "lambda:InvokeFunction",
            worker.invoke,
            FunctionName=os.environ["WORKER"],
            InvocationType="Event",
            Payload=payload,
        )
    return {"accounts": len(accounts), "active": len(active)}
