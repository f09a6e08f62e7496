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
from typing import Any, Final

import boto3
import botocore.config
import botocore.exceptions

from keyrules.live.aws_errors import client_error_sentence, failure_sentence
from keyrules.live.instants import Instant, from_datetime
from keyrules.live.verification import Denied
from keyrules.model import InputError

_CONFIG: Final = botocore.config.Config(
    connect_timeout=10, read_timeout=60, retries={"mode": "standard", "max_attempts": 3}, user_agent_extra="keyrules"
)
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
        response = self._call("sts:GetCallerIdentity", self._sts.get_caller_identity)
        return response["Account"], response["Arn"].split(":")[1]

    def report(self) -> AccountReport:
        """The credential report, made anew if AWS has none or an expired one. Waits up to the deadline."""
        account, partition = self.identity()
        deadline = self._pacing.monotonic() + self._pacing.deadline
        wait = _FIRST_WAIT
        generated = False
        while True:
            call = "iam:GetCredentialReport" if generated else "iam:GenerateCredentialReport"
            try:
                if not generated:
                    state = self._iam.generate_credential_report().get("State")
                    generated = state == "COMPLETE"
                if generated:
                    call = "iam:GetCredentialReport"
                    response = self._iam.get_credential_report()
                    break
                why = "AWS is still making the credential report"
            except botocore.exceptions.ClientError as error:
                code = _code(error)
                if code not in _WAIT_CODES | _START_AGAIN_CODES:
                    raise InputError(client_error_sentence(call, code)) from None
                generated = generated and code not in _START_AGAIN_CODES
                why = client_error_sentence(call, code)
            except botocore.exceptions.BotoCoreError as error:
                raise InputError(failure_sentence(call, error)) from None
            wait = self._pause(wait, deadline, why)
        return AccountReport(
            content=response["Content"],
            generated_at=response["GeneratedTime"].astimezone(timezone.utc),
            account=account,
            partition=partition,
        )

    def access_keys(self, user: str) -> list[LiveKey] | None:
        """The user's keys as they are now, oldest first; None when there is no such user any more."""
        keys = []
        try:
            for page in self._iam.get_paginator("list_access_keys").paginate(UserName=user):
                keys.extend(page["AccessKeyMetadata"])
        except botocore.exceptions.ClientError as error:
            if _code(error) in _GONE_CODES:
                return None
            raise InputError(client_error_sentence("iam:ListAccessKeys", _code(error))) from None
        except botocore.exceptions.BotoCoreError as error:
            raise InputError(failure_sentence("iam:ListAccessKeys", error)) from None
        found = [self._live_key(key) for key in keys]
        return sorted(found, key=lambda key: (key.created, key.key_id))

    def owner(self, user: str, tag: str) -> str | None:
        """The value of a user's tag in any casing of its name; None when there is none. Denied if not allowed."""
        try:
            for page in self._iam.get_paginator("list_user_tags").paginate(UserName=user):
                for item in page["Tags"]:
                    if item["Key"].casefold() == tag.casefold():
                        return str(item["Value"])
        except botocore.exceptions.ClientError as error:
            if _code(error) in _GONE_CODES:
                return None
            if _code(error) in _DENIED_CODES:
                raise Denied(client_error_sentence("iam:ListUserTags", _code(error))) from None
            raise InputError(client_error_sentence("iam:ListUserTags", _code(error))) from None
        except botocore.exceptions.BotoCoreError as error:
            raise InputError(failure_sentence("iam:ListUserTags", error)) from None
        return None

    def _live_key(self, key: dict[str, Any]) -> LiveKey:
        response = self._call(
            "iam:GetAccessKeyLastUsed", lambda: self._iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])
        )
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

    def _call(self, name: str, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except botocore.exceptions.ClientError as error:
            raise InputError(client_error_sentence(name, _code(error))) from None
        except botocore.exceptions.BotoCoreError as error:
            raise InputError(failure_sentence(name, error)) from None

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


def connect(profile: str | None, region: str | None, endpoint_url: str | None, pacing: Pacing) -> Account:
    """An account through the standard chain of credentials. InputError when the configuration does not work."""
    try:
        session = boto3.Session(profile_name=profile, region_name=region)
        # IAM is global in each partition; without a region botocore means the commercial one.
        where = session.region_name or "us-east-1"
        options = {"config": _CONFIG, "endpoint_url": endpoint_url, "region_name": where}
        return Account(session.client("iam", **options), session.client("sts", **options), pacing)
    except (botocore.exceptions.BotoCoreError, ValueError) as error:
        raise InputError(failure_sentence("the AWS configuration", error)) from None


def _code(error: botocore.exceptions.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
