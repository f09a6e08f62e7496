"""An organisation of moto's, and what moto lacks: reports of today with a root user, refusals, functions that call each
other.

moto gives every credential report the same moment in 2015 and no row for the root user, and it runs no function.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import boto3
import botocore.client
import botocore.exceptions
import pytest
from canaries import Canary, make_canary
from fake_documents import PASSING

CENTRAL = "123456789012"
REGION = "eu-west-1"
BUCKET = "keyrules-history"
MADE = datetime.now(timezone.utc).replace(microsecond=0)
"""When AWS made every report."""

Condition = Callable[[dict[str, Any]], bool]


class Aws:
    """The calls of every client of a test: recorded, refused where the test says so, answered by moto otherwise."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.canary: Canary = make_canary("caller")
        self._refusals: dict[str, tuple[str, Condition]] = {}
        self._answers: dict[str, dict[str, Any]] = {"Invoke": {"StatusCode": 202}, **PASSING}
        real = botocore.client.BaseClient._make_api_call

        def call(client: Any, operation: str, arguments: dict[str, Any]) -> Any:
            self.calls.append((operation, dict(arguments)))
            code, applies = self._refusals.get(operation, ("", lambda _: False))
            if applies(arguments):
                message = f"refused: {self.canary.secret} {self.canary.session_token}"
                raise botocore.exceptions.ClientError({"Error": {"Code": code, "Message": message}}, operation)
            if operation in self._answers:
                return self._answers[operation]
            answer = real(client, operation, arguments)
            return self._of_today(client, answer) if operation == "GetCredentialReport" else answer

        monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", call)

    def refuse(self, operation: str, code: str, where: Condition = lambda _: True) -> None:
        """From now on."""
        self._refusals[operation] = (code, where)

    def allow(self, operation: str) -> None:
        """Again."""
        del self._refusals[operation]

    def answer(self, operation: str, given: dict[str, Any]) -> None:
        """In the place of moto."""
        self._answers[operation] = given

    def arguments_of(self, operation: str) -> list[dict[str, Any]]:
        return [arguments for name, arguments in self.calls if name == operation]

    @staticmethod
    def _of_today(client: Any, answer: dict[str, Any]) -> dict[str, Any]:
        header, _, rows = answer["Content"].partition(b"\n")
        keys = client._request_signer._credentials.get_frozen_credentials()
        account = boto3.client(
            "sts",
            aws_access_key_id=keys.access_key,
            aws_secret_access_key="x",
            aws_session_token=keys.token,
        ).get_caller_identity()["Account"]
        root = dict.fromkeys(header.decode().split(","), "N/A") | {
            "user": "<root_account>",
            "arn": f"arn:aws:iam::{account}:root",
            "user_creation_time": "2020-01-01T00:00:00Z",
            "password_enabled": "not_supported",
            "mfa_active": "true",
            **{f"{each}_active": "false" for each in ("access_key_1", "access_key_2", "cert_1", "cert_2")},
        }
        content = b"\n".join([header, ",".join(root.values()).encode(), rows])
        return answer | {"Content": content, "GeneratedTime": MADE}


def new_account(name: str) -> str:
    """The number of a new account of the organisation."""
    created = boto3.client("organizations").create_account(AccountName=name, Email=f"{name}@example.com")
    return str(created["CreateAccountStatus"]["AccountId"])


def client_in(account: str, service: str) -> Any:
    """A client in an account, as moto lets anybody have it."""
    given = boto3.client("sts").assume_role(RoleArn=f"arn:aws:iam::{account}:role/r", RoleSessionName="test")
    return boto3.client(
        service,
        aws_access_key_id=given["Credentials"]["AccessKeyId"],
        aws_secret_access_key=given["Credentials"]["SecretAccessKey"],
        aws_session_token=given["Credentials"]["SessionToken"],
    )


def stored(key: str) -> list[dict[str, Any]]:
    """The lines of an object."""
    body = boto3.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return [json.loads(line) for line in gzip.decompress(body).splitlines()]
