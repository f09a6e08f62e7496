"""The function that the schedule starts: lists the organisation's accounts and hands them to the worker in batches.

Environment: BUCKET, WORKER (the function to invoke), ACCOUNTS_PER_INVOCATION.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from keyrules.cli import current_time
from keyrules.live.organization import list_accounts
from keyrules.live.targets import ACTIVE, Target
from keyrules.model import InputError
from keyrules.reports.text_style import iso_utc
from keyrules_deploy.members import reach
from keyrules_deploy.storage import scheduled_at, store_accounts


def handler(event: Mapping[str, Any], context: object = None) -> dict[str, int]:
    """Stores the list of accounts, and starts the worker for those that are active. InputError where AWS refuses."""
    del context
    when = scheduled_at(event, current_time())
    way = reach()
    accounts = list_accounts(way.aws, way.own_session(), (), Target(""))
    store_accounts(way, os.environ["BUCKET"], when.date(), accounts)
    active = [each.account for each in accounts if each.state == ACTIVE]
    size = int(os.environ["ACCOUNTS_PER_INVOCATION"])
    for start in range(0, len(active), size):
        payload = json.dumps({"time": iso_utc(when), "accounts": active[start : start + size]})
        invocation = {"FunctionName": os.environ["WORKER"], "InvocationType": "Event", "Payload": payload}
        try:
            way.aws.ask("lambda:Invoke", way.own_session(), **invocation)
        except InputError as error:
            # Nearly everywhere the permission has the operation's name; here it has another.
            raise InputError(str(error).replace("lambda:Invoke", "lambda:InvokeFunction")) from None
    return {"accounts": len(accounts), "active": len(active)}
