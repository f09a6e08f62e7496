"""The live account: the credential report, and for flagged users their keys and owner. The only module with boto3.

Three calls when AWS has a report: GetCallerIdentity, GenerateCredentialReport, GetCredentialReport. AWS makes a new
report at most every four hours and gives the old one in between; making one takes from seconds to minutes.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html

No message of AWS or of botocore is passed on, because some of them quote the request with its session token; their
error codes are turned into sentences of our own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from typing import Any, Final, TypeVar

import boto3
import botocore.config
import botocore.exceptions

from keyrules.live.aws_errors import client_error_sentence, failure_sentence
from keyrules.live.instants import Instant, from_datetime
from keyrules.live.verification import Denied
from keyrules.model import InputError

_T = TypeVar("_T")
_CONNECT_SECONDS: Final = 10.0
_READ_SECONDS: Final = 60.0
_FIRST_WAIT: Final = 2.0
_LONGEST_WAIT: Final = 60.0
# Wire codes, not class names: LimitExceeded comes as "LimitExceeded" though its class is LimitExceededException.
_WAIT_CODES: Final = frozenset(
    {
        "LimitExceeded",
        "LimitExceededException",
        "ReportInProgress",
        "CredentialReportNotReadyException",
        "ServiceFailure",
        "ServiceFailureException",
        "ServiceUnavailable",
        "InternalFailure",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
    }
)
_START_AGAIN_CODES: Final = frozenset(
    {
        "ReportNotPresent",
        "CredentialReportNotPresentException",
        "ReportExpired",
        "CredentialReportExpiredException",
    }
)
_GONE_CODES: Final = frozenset({"NoSuchEntity", "NoSuchEntityException"})
_DENIED_CODES: Final = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})


@dataclass(frozen=True)
class Pacing:
    """Time, injected: `monotonic` in seconds, `sleep` in seconds, `jitter` gives a factor; `deadline` in seconds."""

    monotonic: Callable[[], float]
    sleep: Callable[[float], None]
    jitter: Callable[[], float]
    deadline: float


@dataclass(frozen=True)
class AccountReport:
    """What the account gave: the CSV, when AWS made it (aware), and whose it is."""

    content: bytes
    generated_at: datetime
    account: str
    partition: str


@dataclass(frozen=True)
class LiveKey:
    """An access key as IAM has it now."""

    key_id: str
    active: bool
    created: Instant
    used: Instant
    service: str
    region: str


class Account:
    """One AWS account, read-only. Every method raises InputError with one sentence when AWS does not answer."""

    def __init__(self, iam: Any, sts: Any, pacing: Pacing) -> None:
        self._iam = iam
        self._sts = sts
        self._pacing = pacing

    def identity(self) -> tuple[str, str]:
        """The account number and the partition of the credentials in use."""

        def ask() -> tuple[str, str]:
            response = self._sts.get_caller_identity()
            return response["Account"], response["Arn"].split(":")[1]

        return _answer("sts:GetCallerIdentity", ask)

    def report(self) -> AccountReport:
        """The credential report, made anew if AWS has none or an expired one. Waits up to the deadline."""
        deadline = self._pacing.monotonic() + self._pacing.deadline
        account, partition = self.identity()
        wait = _FIRST_WAIT
        generated = False
        while True:
            try:
                if not generated:
                    state = _answer("iam:GenerateCredentialReport", self._iam.generate_credential_report).get("State")
                    generated = state == "COMPLETE"
                if generated:
                    content, generated_at = _answer("iam:GetCredentialReport", self._content)
                    return AccountReport(content, generated_at, account, partition)
                why = "AWS is still making the credential report"
            except _Refused as error:
                if error.code not in _WAIT_CODES | _START_AGAIN_CODES:
                    raise
                generated = generated and error.code not in _START_AGAIN_CODES
                why = str(error)
            wait = self._pause(wait, deadline, why)

    def access_keys(self, user: str) -> list[LiveKey] | None:
        """The user's keys as they are now, oldest first; None when there is no such user any more."""

        def ask() -> list[dict[str, Any]]:
            pages = self._iam.get_paginator("list_access_keys").paginate(UserName=user)
            return [key for page in pages for key in page["AccessKeyMetadata"]]

        try:
            keys = _answer("iam:ListAccessKeys", ask)
        except _Refused as error:
            if error.code in _GONE_CODES:
                return None
            raise
        found = [_answer("iam:GetAccessKeyLastUsed", partial(self._live_key, key)) for key in keys]
        return sorted(found, key=lambda key: (key.created, key.key_id))

    def owner(self, user: str, tag: str) -> str | None:
        """The value of a user's tag in any casing of its name; None when there is none. Denied if not allowed."""

        def ask() -> list[dict[str, str]]:
            pages = self._iam.get_paginator("list_user_tags").paginate(UserName=user)
            return [item for page in pages for item in page["Tags"]]

        try:
            tags = _answer("iam:ListUserTags", ask)
        except _Refused as error:
            if error.code in _GONE_CODES:
                return None
            if error.code in _DENIED_CODES:
                raise Denied(str(error)) from None
            raise
        return next((str(item["Value"]) for item in tags if item["Key"].casefold() == tag.casefold()), None)

    def _content(self) -> tuple[bytes, datetime]:
        response = self._iam.get_credential_report()
        return response["Content"], response["GeneratedTime"].astimezone(timezone.utc)

    def _live_key(self, key: dict[str, Any]) -> LiveKey:
        response = self._iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])
        last = response.get("AccessKeyLastUsed", {})
        used = last.get("LastUsedDate")
        return LiveKey(
            key_id=key["AccessKeyId"],
            active=key["Status"] == "Active",
            created=from_datetime(key["CreateDate"]),
            used=from_datetime(used) if used is not None else "",
            service=last.get("ServiceName", ""),
            region=last.get("Region", ""),
        )

    def _pause(self, wait: float, deadline: float, why: str) -> float:
        """Sleeps for about `wait` seconds and gives the next wait. InputError when the deadline is reached."""
        left = deadline - self._pacing.monotonic()
        if left <= 0:
            raise InputError(
                f"no credential report within {self._pacing.deadline:g} seconds: {why.rstrip('.')}. Run again in a few "
                "minutes, or allow more time with --deadline"
            )
        self._pacing.sleep(min(wait * self._pacing.jitter(), left))
        return min(wait * 2, _LONGEST_WAIT)


class _Refused(InputError):
    """AWS answered a call with an error; `code` is the one on the wire."""

    def __init__(self, call: str, code: str) -> None:
        super().__init__(client_error_sentence(call, code))
        self.code = code


def _answer(name: str, call: Callable[[], _T]) -> _T:
    """What a call gives. InputError where AWS refuses it (_Refused), is not reached, or is not who answers."""
    try:
        return call()
    except botocore.exceptions.ClientError as error:
        raise _Refused(name, str(error.response.get("Error", {}).get("Code", ""))) from None
    except botocore.exceptions.BotoCoreError as error:
        raise InputError(failure_sentence(name, error)) from None
    except Exception:
        # botocore fails with errors of many types on what is not the answer of the service, such as the page of a
        # proxy that wants a password, and its messages quote that.
        raise InputError(f"{name} was not answered by AWS: check the proxy, and what --endpoint-url names") from None


def connect(profile: str | None, region: str | None, endpoint_url: str | None, pacing: Pacing) -> Account:
    """An account through the standard chain of credentials. InputError when the configuration does not work."""
    try:
        session = boto3.Session(profile_name=profile, region_name=region)
        # IAM is global in each partition; without a region botocore means the commercial one.
        where = session.region_name or "us-east-1"
        config = botocore.config.Config(
            connect_timeout=min(_CONNECT_SECONDS, pacing.deadline) or 1,
            read_timeout=min(_READ_SECONDS, pacing.deadline) or 1,
            retries={"mode": "standard", "max_attempts": 3},
            user_agent_extra="keyrules",
        )
        options = {"config": config, "endpoint_url": endpoint_url, "region_name": where}
        return Account(session.client("iam", **options), session.client("sts", **options), pacing)
    except (botocore.exceptions.BotoCoreError, ValueError) as error:
        raise InputError(failure_sentence("the AWS client cannot start", error)) from None
