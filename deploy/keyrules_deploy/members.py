"""The accounts of the organisation, seen from the functions: which there are, and the read-only role in each of them.

Sentences are built from error codes only, as everywhere in keyrules: messages of AWS can quote the request.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar

import boto3
import botocore.config
import botocore.exceptions

from keyrules.live.aws import Account, Pacing
from keyrules.live.aws_errors import client_error_sentence, failure_sentence
from keyrules.model import InputError

DEADLINE: Final = 600.0
"""Seconds that an account's report may take. The functions have 900, the most that Lambda gives one run."""

_T = TypeVar("_T")
CLIENT: Final = botocore.config.Config(
    connect_timeout=10, read_timeout=60, retries={"mode": "standard", "max_attempts": 5}, user_agent_extra="keyrules"
)


class Refused(InputError):
    """AWS answered a call with an error; `code` is the one on the wire."""

    def __init__(self, call: str, code: str) -> None:
        super().__init__(client_error_sentence(call, code))
        self.code = code


def ask(name: str, call: Callable[..., _T], **arguments: Any) -> _T:
    """What a call of that name, as in `s3:PutObject`, gives. Refused, or another InputError, where it gives nothing."""
    try:
        return call(**arguments)
    except botocore.exceptions.ClientError as error:
        raise Refused(name, str(error.response.get("Error", {}).get("Code", ""))) from None
    except botocore.exceptions.BotoCoreError as error:
        raise InputError(failure_sentence(name, error)) from None


class Listed(NamedTuple):
    """An account as AWS Organizations lists it; only an ACTIVE one can be asked."""

    account: str
    name: str
    state: str


def listed_accounts() -> list[Listed]:
    """Every account of the organisation, by number; works in the management or a delegated account."""
    pages = boto3.client("organizations", config=CLIENT).get_paginator("list_accounts").paginate()
    found = ask("organizations:ListAccounts", lambda: [each for page in pages for each in page["Accounts"]])
    # State replaces Status, which says less; a client that is older than State knows only Status.
    return sorted(Listed(each["Id"], each["Name"], each.get("State") or each["Status"]) for each in found)


class Members:
    """The role that every account has for keyrules, assumed from the function's own. May be used by several threads."""

    def __init__(self, role_name: str, external_id: str) -> None:
        """Asks for the partition: `aws`, or that of GovCloud or China. InputError where AWS does not answer."""
        self._role_name, self._external_id = role_name, external_id
        self._sts = boto3.client("sts", config=CLIENT)
        self._partition = ask("sts:GetCallerIdentity", self._sts.get_caller_identity)["Arn"].split(":")[1]

    def session(self, number: str) -> Any:
        """A boto3 session in an account. InputError where the role cannot be assumed."""
        arn = f"arn:{self._partition}:iam::{number}:role/{self._role_name}"
        asked = {"RoleArn": arn, "RoleSessionName": "keyrules", "ExternalId": self._external_id}
        try:
            given = ask("sts:AssumeRole", self._sts.assume_role, **asked)["Credentials"]
        except Refused as error:
            if error.code != "AccessDenied":
                raise
            raise InputError(
                f"{arn} cannot be assumed: it is missing, or does not trust this function with this external id, or a "
                "policy of the organisation denies it; deploy member-role.yaml there"
            ) from None
        return boto3.Session(
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        )


def account_of(session: Any) -> Account:
    """The engine's view of the account that a session is in."""
    pacing = Pacing(time.monotonic, time.sleep, lambda: random.uniform(0.5, 1.0), DEADLINE)
    return Account(session.client("iam", config=CLIENT), session.client("sts", config=CLIENT), pacing)
