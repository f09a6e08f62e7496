"""The function that the schedule starts, from the list of accounts to what the worker makes of it."""

from __future__ import annotations

import json

import boto3
import pytest
from aws_organization import CENTRAL, Aws, new_account, stored
from canaries import leaks

from keyrules.model import InputError, UsageError
from keyrules_deploy import dispatch, worker

EVENT = {"time": "2026-06-01T06:00:00Z"}


def test_every_account_is_listed_and_the_active_ones_are_handed_on(aws: Aws) -> None:
    ann, bob, gone = new_account("ann"), new_account("bob"), new_account("gone")
    boto3.client("organizations").close_account(AccountId=gone)
    assert dispatch.handler(EVENT) == {"accounts": 4, "active": 3}
    roster = stored("accounts/date=2026-06-01/accounts.jsonl.gz")
    assert roster == sorted(roster, key=lambda each: str(each["account"]))
    states = {each["account"]: (each["name"], each["state"]) for each in roster}
    assert states[ann] == ("ann", "ACTIVE")
    assert states[gone][1] != "ACTIVE"
    calls = aws.arguments_of("Invoke")
    assert {(call["FunctionName"], call["InvocationType"]) for call in calls} == {("keyrules-worker", "Event")}
    payloads = [json.loads(call["Payload"]) for call in calls]
    assert [len(payload["accounts"]) for payload in payloads] == [2, 1]
    assert [number for payload in payloads for number in payload["accounts"]] == sorted([ann, bob, CENTRAL])
    for payload in payloads:
        assert worker.handler(payload) == {"accounts": len(payload["accounts"])}
    assert stored(f"findings/account={ann}/date=2026-06-01/findings.jsonl.gz")[0]["type"] == "run"


def test_a_state_says_more_than_a_status(aws: Aws) -> None:
    listed = {"Id": "000000000001", "Name": "n", "Status": "ACTIVE", "State": "PENDING_ACTIVATION"}
    aws.answer("ListAccounts", {"Accounts": [listed]})
    assert dispatch.handler(EVENT) == {"accounts": 1, "active": 0}
    (line,) = stored("accounts/date=2026-06-01/accounts.jsonl.gz")
    assert line == {"account": "000000000001", "name": "n", "state": "PENDING_ACTIVATION"}


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        ("ListAccounts", "organizations:ListAccounts is not allowed"),
        ("PutObject", "s3:PutObject is not allowed"),
        ("Invoke", "lambda:InvokeFunction is not allowed"),
    ],
)
def test_a_refusal_fails_the_run_in_a_sentence(aws: Aws, operation: str, words: str) -> None:
    aws.refuse(operation, "AccessDenied")
    with pytest.raises(InputError, match=words) as refused:
        dispatch.handler(EVENT)
    assert leaks([("message", str(refused.value))], [aws.canary]) == []
    assert refused.value.__suppress_context__


def test_a_run_without_a_time_is_of_today(aws: Aws) -> None:
    dispatch.handler({})
    (call,) = aws.arguments_of("PutObject")
    (payload,) = aws.arguments_of("Invoke")
    day = json.loads(payload["Payload"])["time"][:10]
    assert call["Key"] == f"accounts/date={day}/accounts.jsonl.gz"


@pytest.mark.parametrize("time", ["", "<aws.scheduler.scheduled-time>", "2026-06-01", 5])
def test_a_wrong_time_is_refused(aws: Aws, time: object) -> None:
    with pytest.raises(UsageError, match="`time`"):
        dispatch.handler({"time": time})
    assert aws.arguments_of("PutObject") == []
