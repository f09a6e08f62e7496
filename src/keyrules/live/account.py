"""One live account, read-only: whose it is, its credential report, and for flagged users their keys and owner.

AWS makes a report at most every four hours and gives the old one in between; making one takes from seconds to minutes,
and AWS makes only so many at once. So the report that AWS has is asked for first, and a new one only where there is
none or an older one.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, Final, NamedTuple

from keyrules.live.aws import THROTTLE_CODES, Aws, Refused, Session
from keyrules.live.aws_errors import THROTTLED, AccountError
from keyrules.live.instants import Instant, from_datetime
from keyrules.live.verification import Denied
from keyrules.live.workers import in_parallel
from keyrules.records import dataclass
from keyrules.reports.text_style import human_duration, iso_utc

FRESH: Final = timedelta(hours=4)
_FIRST_WAIT: Final = 2.0
_LONGEST_WAIT: Final = 60.0
# Wire codes, not class names: LimitExceeded comes as "LimitExceeded" though its class is LimitExceededException.
_WAIT_CODES: Final = THROTTLE_CODES | {
    "LimitExceeded",
    "LimitExceededException",
    "ReportInProgress",
    "CredentialReportNotReadyException",
    "ServiceFailure",
    "ServiceFailureException",
    "ServiceUnavailable",
    "InternalFailure",
}
_START_AGAIN_CODES: Final = frozenset(
    {
        "ReportNotPresent",
        "CredentialReportNotPresentException",
        "ReportExpired",
        "CredentialReportExpiredException",
    }
)
_MAKING: Final = "AWS is still making the credential report"


class AccountReport(NamedTuple):
    """What the account gave: the CSV, and when AWS made it (aware).

    `reused` says that AWS had it already; `note` is why no new one was made, where that was refused.
    """

    content: bytes
    generated_at: datetime
    reused: bool = False
    note: str = ""


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
    """One AWS account. Every method raises InputError with one sentence when AWS does not answer."""

    def __init__(self, aws: Aws, session: Session) -> None:
        self._aws = aws
        self._session = session

    @property
    def session(self) -> Session:
        """Who speaks to the account."""
        return self._session

    def identity(self) -> tuple[str, str]:
        """The account number and the partition of the credentials in use."""
        answer = self._aws.ask("sts:GetCallerIdentity", self._session)
        return answer["Account"], answer["Arn"].partition(":")[2].partition(":")[0]

    def request(self, now: datetime, max_age: timedelta | None) -> ReportRequest:
        """The account's report, to be asked for. `max_age` is what a report may have where AWS makes no new one."""
        return ReportRequest(self._aws, self._session, now, max_age)

    def access_keys(self, user: str) -> list[LiveKey] | None:
        """The user's keys as they are now, oldest first; None when there is no such user any more."""
        try:
            keys = list(self._aws.pages("iam:ListAccessKeys", "AccessKeyMetadata", self._session, UserName=user))
        except Refused as error:
            if error.gone:
                return None
            raise
        found = [live for key in keys for live in self._with_last_use(key)]
        return sorted(found, key=lambda key: (key.created, key.key_id))

    def tags(self, user: str) -> dict[str, str]:
        """A user's tags; none where there is no such user any more. Denied if that may not be asked."""
        try:
            tags = list(self._aws.pages("iam:ListUserTags", "Tags", self._session, UserName=user))
        except Refused as error:
            if error.gone:
                return {}
            if error.denied:
                raise Denied(str(error)) from None
            raise
        return {str(item["Key"]): str(item["Value"]) for item in tags}

    def answers(self, action: str, parameters: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Every page of the answer to an action that is about the account."""
        return self._aws.answers(action, self._session, **parameters)

    def answers_of_users(self, action: str, users: Sequence[str], parallel: int) -> Iterator[dict[str, Any]]:
        """The same for an action that is about one user, of all of them in their order, asked at once. A user that is
        gone has no answer."""

        def ask(user: str) -> list[dict[str, Any]]:
            try:
                return list(self._aws.answers(action, self._session, UserName=user))
            except Refused as error:
                if error.gone:
                    return []
                raise

        found = dict(in_parallel(users, ask, parallel))
        for user in users:
            yield from found[user]

    def lacks(self, action: str, asked: Sequence[str], answered: Sequence[str]) -> str:
        """The client, by name and version, where its model lacks parameters or members that every item of the answer
        may have; the empty text where it has them."""
        return self._aws.lacks(action, asked, answered)

    def _with_last_use(self, key: dict[str, Any]) -> list[LiveKey]:
        """The key, or nothing when it was deleted since it was listed."""
        try:
            answer = self._aws.ask("iam:GetAccessKeyLastUsed", self._session, AccessKeyId=key["AccessKeyId"])
        except Refused as error:
            if error.gone:
                return []
            raise
        last = answer.get("AccessKeyLastUsed", {})
        used = last.get("LastUsedDate")
        return [
            LiveKey(
                key_id=key["AccessKeyId"],
                active=key["Status"] == "Active",
                created=from_datetime(key["CreateDate"]),
                used=from_datetime(used) if used is not None else "",
                service=last.get("ServiceName", ""),
                region=last.get("Region", ""),
            )
        ]


class ReportRequest:
    """A credential report on its way. `advance` asks once, `finish` until the deadline."""

    def __init__(self, aws: Aws, session: Session, now: datetime, max_age: timedelta | None) -> None:
        self._aws = aws
        self._session = session
        self._now = now
        self._max_age = max_age
        self._old: AccountReport | None = None
        self._generating = False
        self._why = _MAKING
        self._throttled = False

    def advance(self) -> AccountReport | None:
        """The report, or None where it is to be waited for. InputError where waiting does not help."""
        try:
            return self._made() if self._generating else self._had_or_generated()
        except Refused as error:
            if error.code not in _WAIT_CODES | _START_AGAIN_CODES:
                raise
            self._generating = self._generating and error.code not in _START_AGAIN_CODES
            self._why = str(error).rstrip(".")
            self._throttled = error.state == THROTTLED
            return None

    def finish(self, until: float) -> AccountReport:
        """The report. At `until`, of the monotonic clock, that which AWS had; AccountError where it had none."""
        pacing = self._aws.pacing
        wait = _FIRST_WAIT
        while True:
            report = self.advance()
            if report is not None:
                return report
            left = until - pacing.monotonic()
            if left <= 0:
                break
            pacing.sleep(min(wait * pacing.jitter(), left))
            wait = min(wait * 2, _LONGEST_WAIT)
        if self._old is not None:
            return self._instead(f"no new one within {pacing.deadline:g} seconds: {self._why}")
        raise AccountError(
            f"no credential report within {pacing.deadline:g} seconds: {self._why}. Run again in a few minutes, or "
            "allow more time with --deadline",
            THROTTLED if self._throttled else "timeout",
        )

    def _had_or_generated(self) -> AccountReport | None:
        try:
            self._old = self._get(reused=True)
        except Refused as error:
            if error.code not in _START_AGAIN_CODES:
                raise
            self._old = None
        if self._old is not None and self._now - self._old.generated_at < FRESH:
            return self._old
        try:
            state = self._aws.ask("iam:GenerateCredentialReport", self._session).get("State")
        except Refused as error:
            if self._old is not None and (error.denied or (error.code in _WAIT_CODES and self._is_young(self._old))):
                return self._instead(str(error))
            raise
        self._generating = True
        if state == "COMPLETE":
            self._old = None
            return self._made()
        self._why = _MAKING
        return None

    def _made(self) -> AccountReport | None:
        """The report that is made for this request, None while AWS still gives the one before it."""
        report = self._get(reused=False)
        if self._old is not None and report.generated_at <= self._old.generated_at:
            self._why = _MAKING
            return None
        return report

    def _get(self, reused: bool) -> AccountReport:
        answer = self._aws.ask("iam:GetCredentialReport", self._session)
        return AccountReport(answer["Content"], answer["GeneratedTime"].astimezone(timezone.utc), reused)

    def _is_young(self, report: AccountReport) -> bool:
        return self._max_age is None or self._now - report.generated_at <= self._max_age

    def _instead(self, why: str) -> AccountReport:
        """The report that AWS had, with what stood in the way of a new one."""
        old = self._old
        assert old is not None
        age = human_duration(self._now - old.generated_at)
        note = f"the report that AWS made {age} earlier ({iso_utc(old.generated_at)}) is used, since {why}"
        return AccountReport(old.content, old.generated_at, note=note)
