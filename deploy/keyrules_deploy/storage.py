"""What is kept in S3: one object per account and day, and one list of the organisation's accounts per day.

- `findings/account=ID/date=YYYY-MM-DD/findings.jsonl.gz`: keyrules' JSON lines. Its `run` line says when AWS made the
  report, or nothing where there was no report, and the `error` lines then say why; a file without its last line,
  `summary`, was cut off. So "no findings" and "no report" cannot be confused.
- `accounts/date=YYYY-MM-DD/accounts.jsonl.gz`: every account that Organizations lists, whatever became of it. One that
  stands here and has no object above was never judged.

The day is that of the schedule, so that a run that is late or repeated writes the same keys, and a report is judged at
the moment when AWS made it, so that the same report gives the same bytes.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from keyrules.live.aws import Refused
from keyrules.live.collection import Reach
from keyrules.live.instants import parse, to_datetime
from keyrules.live.targets import Target
from keyrules.model import Evaluation, UsageError
from keyrules.reports.json import dump_line
from keyrules.reports.json_lines import lines


def scheduled_at(event: Mapping[str, Any], now: datetime) -> datetime:
    """When the schedule wanted the run: `time` of the event, or now for an event without one. UsageError if wrong."""
    text = event.get("time")
    if text is None:
        return now
    try:
        return to_datetime(parse(str(text)))
    except ValueError:
        raise UsageError("the event's `time` is no time with seconds and zone, as in 2026-06-01T06:00:00Z") from None


def findings_key(account: str, day: date) -> str:
    """Where the verdicts on an account are kept."""
    return f"findings/account={account}/date={day.isoformat()}/findings.jsonl.gz"


def accounts_key(day: date) -> str:
    """Where the accounts of the organisation are kept."""
    return f"accounts/date={day.isoformat()}/accounts.jsonl.gz"


def packed(objects: Iterable[Any]) -> bytes:
    """One JSON object on each line, compressed; the same objects are the same bytes."""
    return gzip.compress("".join(map(dump_line, objects)).encode(), mtime=0)


def store_findings(reach: Reach, bucket: str, account: str, day: date, evaluation: Evaluation) -> None:
    """Replaces the account's object of that day; where AWS gave no report, only if there is none. May raise InputError.

    So a run that is repeated while AWS refuses it takes no report away.
    """
    has_report = any(item.generated_at is not None for item in evaluation.inputs)
    condition = {} if has_report else {"IfNoneMatch": "*"}
    key, body = findings_key(account, day), packed(lines(evaluation))
    try:
        _put(reach, Bucket=bucket, Key=key, Body=body, **condition)
    except Refused as error:
        if has_report or error.code != "PreconditionFailed":
            raise


def store_accounts(reach: Reach, bucket: str, day: date, accounts: Iterable[Target]) -> None:
    """Replaces that day's list of accounts. May raise InputError."""
    body = packed({"account": each.account, "name": each.name, "state": each.state} for each in accounts)
    _put(reach, Bucket=bucket, Key=accounts_key(day), Body=body)


def _put(reach: Reach, **parameters: Any) -> None:
    reach.aws.ask("s3:PutObject", reach.own_session(), ContentType="application/gzip", **parameters)
