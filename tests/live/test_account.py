"""One live account against a fake of AWS: its report, asked for as a good citizen does, and its keys."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from credential_reports import AS_OF, key, line, report
from fake_aws import FakeAccount, FakeAws, FakeKey
from live_accounts import Clock, met

from keyrules.live.account import AccountReport
from keyrules.live.aws_errors import AccountError
from keyrules.live.verification import Denied
from keyrules.model import InputError

NUMBER = "111111111111"
OLD = report(line("ann", **key(1, 500)))
NEW = report(line("ann", **key(1, 1)))
GENERATE, GET = "GenerateCredentialReport", "GetCredentialReport"
DAY = timedelta(days=1)


def account(**settings: Any) -> FakeAws:
    fake = FakeAws(AS_OF)
    fake.add(NUMBER, **{"report": OLD, "new": NEW, **settings})
    return fake


def asked(fake: FakeAws, max_age: timedelta | None = DAY, deadline: float = 600) -> tuple[AccountReport, Clock]:
    with met(fake, NUMBER) as (reach, clock):
        return reach.account(NUMBER).request(AS_OF, max_age).finish(clock.now + deadline), clock


def calls(fake: FakeAws) -> list[str]:
    return [action for number, action in fake.calls if number == NUMBER and "Report" in action]


@pytest.mark.parametrize(
    ("age", "new", "expected"),
    [
        (None, True, [GET, GENERATE, GET]),
        (timedelta(0), False, [GET]),
        (timedelta(hours=4, seconds=-1), False, [GET]),
        (timedelta(hours=4), True, [GET, GENERATE, GET]),
        (timedelta(hours=30), True, [GET, GENERATE, GET]),
    ],
)
def test_the_report_that_aws_has_is_asked_for_first(age: timedelta | None, new: bool, expected: list[str]) -> None:
    fake = account(made=AS_OF - age if age is not None else None)
    result, clock = asked(fake)
    assert (result.content, calls(fake)) == (NEW if new else OLD, expected)
    assert result.reused is not new
    assert clock.waits == []


@pytest.mark.parametrize("trouble", ["Throttling", "LimitExceeded", "ServiceFailure", "AccessDenied"])
def test_a_young_report_is_used_where_no_new_one_is_made(trouble: str) -> None:
    fake = account(made=AS_OF - timedelta(hours=20), errors={GENERATE: [trouble] * 99})
    result, _ = asked(fake)
    assert result.content == OLD
    assert result.note.startswith(
        "the report that AWS made 20 hours earlier (2026-05-31T04:00:00Z) is used, since iam:G"
    )


def test_an_old_report_is_used_where_making_one_is_denied_for_good() -> None:
    """It is refused as too old where it is judged, with its findings beside that."""
    fake = account(made=AS_OF - timedelta(hours=30), denied={GENERATE: "SCP"})
    result, _ = asked(fake)
    assert result.content == OLD
    assert "service control policy" in result.note


def test_the_age_that_is_allowed_counts_where_no_new_one_is_made() -> None:
    for max_age, naps in ((timedelta(hours=31), 0), (None, 0), (DAY, 1)):
        fake = account(made=AS_OF - timedelta(hours=30), errors={GENERATE: ["LimitExceeded"]})
        result, clock = asked(fake, max_age)
        assert (result.content, len(clock.waits)) == ((NEW, 1) if naps else (OLD, 0))


@pytest.mark.parametrize(
    "code", ["ReportInProgress", "ReportNotPresent", "ReportExpired", "LimitExceeded", "Throttling", "ServiceFailure"]
)
def test_passing_troubles_are_waited_for(code: str) -> None:
    for action in (GET, GENERATE):
        fake = account(errors={action: ["", code]} if action == GET else {action: [code]})
        assert asked(fake)[0].content == NEW


def test_a_report_that_somebody_else_has_ordered_is_waited_for() -> None:
    fake = account(errors={GET: ["ReportInProgress"]}, made=AS_OF)
    assert asked(fake)[0].content == OLD
    assert calls(fake) == [GET, GET]


def test_the_old_report_is_not_taken_for_the_new_one() -> None:
    fake = account(made=AS_OF - DAY, generation=2)
    result, clock = asked(fake)
    assert (result.content, clock.waits) == (NEW, [2, 4])


def test_waits_longer_each_time_but_not_forever() -> None:
    _, clock = asked(account(generation=9), deadline=10_000)
    assert clock.waits == [2, 4, 8, 16, 32, 60, 60, 60, 60]


@pytest.mark.parametrize(("code", "state"), [("ReportInProgress", "timeout"), ("LimitExceeded", "throttled")])
def test_the_deadline_ends_the_wait_with_a_sentence(code: str, state: str) -> None:
    fake = account(errors={GET: ["", *[code] * 99]})
    with pytest.raises(AccountError, match=r"within 600 seconds.*--deadline") as error:
        asked(fake)
    assert error.value.state == state
    fake = account(made=AS_OF - DAY, generation=99)
    result, clock = asked(fake, deadline=30)
    assert (result.content, round(sum(clock.naps))) == (OLD, 30)
    assert "no new one within" in result.note


@pytest.mark.parametrize("action", [GET, GENERATE, "GetCallerIdentity"])
def test_the_call_that_is_not_allowed_is_named(action: str) -> None:
    fake = account(denied={action: "nothing"})
    with pytest.raises(AccountError, match=action) as error:
        asked(fake)
    assert error.value.state == "denied"
    assert (GENERATE in calls(fake)) is (action == GENERATE), "where getting is denied nothing is made for nobody"


@pytest.fixture
def ann() -> FakeAccount:
    created = datetime(2025, 1, 17, tzinfo=timezone.utc)
    keys = [
        FakeKey("AKIAIOSFODNN7EXAMPLB", created, AS_OF, active=False),
        FakeKey("AKIAIOSFODNN7EXAMPLA", created - DAY),
    ]
    return FakeAccount(NUMBER, keys={"ann": keys}, tags={"ann": {"Team": "x", "Owner": "team-a"}})


def test_keys_are_read_with_their_last_use(ann: FakeAccount) -> None:
    fake = FakeAws(AS_OF)
    fake.accounts[NUMBER] = ann
    fake.page = 1
    with met(fake, NUMBER) as (reach, _):
        keys = reach.account(NUMBER).access_keys("ann")
        assert fake.count("ListAccessKeys") == 2, "page by page"
        assert keys is not None
        assert [(each.key_id, each.active, each.created, each.used) for each in keys] == [
            ("AKIAIOSFODNN7EXAMPLA", True, "2025-01-16T00:00:00", ""),
            ("AKIAIOSFODNN7EXAMPLB", False, "2025-01-17T00:00:00", "2026-06-01T00:00:00"),
        ]
        assert "team-a" in reach.account(NUMBER).tags("ann").values()


def test_a_vanished_key_is_no_vanished_user(ann: FakeAccount) -> None:
    fake = FakeAws(AS_OF)
    fake.accounts[NUMBER] = ann
    ann.gone_keys = {"AKIAIOSFODNN7EXAMPLB"}
    with met(fake, NUMBER) as (reach, _):
        keys = reach.account(NUMBER).access_keys("ann")
        assert keys is not None
        assert [each.key_id for each in keys] == ["AKIAIOSFODNN7EXAMPLA"]
        assert reach.account(NUMBER).access_keys("bob") is None
        assert reach.account(NUMBER).tags("bob") == {}


def test_refusals_of_verification(ann: FakeAccount) -> None:
    fake = FakeAws(AS_OF)
    fake.accounts[NUMBER] = ann
    with met(fake, NUMBER) as (reach, _):
        account = reach.account(NUMBER)
        ann.denied = {"ListAccessKeys": "nothing", "ListUserTags": "permissions boundary"}
        with pytest.raises(InputError, match="iam:ListAccessKeys"):
            account.access_keys("ann")
        with pytest.raises(Denied, match="iam:ListUserTags is denied by the permissions boundary"):
            account.tags("ann")
        ann.denied, ann.errors = {}, {"GetAccessKeyLastUsed": ["ServiceFailure"] * 3}
        with pytest.raises(InputError, match="iam:GetAccessKeyLastUsed failed inside AWS"):
            account.access_keys("ann")
