"""The live account: every state and error code of AWS, with time under control."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import boto3
import botocore.exceptions
import pytest
from botocore.stub import Stubber
from canaries import leaks, make_canary
from credential_reports import AS_OF, ago, key, line, report, selection

from keyrules.live.audit import Verdict, judge_rows
from keyrules.live.aws import Account, LiveKey, Pacing
from keyrules.live.aws_errors import client_error_sentence, failure_sentence
from keyrules.live.credential_report import read_rows
from keyrules.live.plan import make_plan
from keyrules.live.report_inputs import from_stream
from keyrules.live.verification import Denied, Question, Verified, verify
from keyrules.model import InputError, Status

CANARY = make_canary("caller")
CONTENT = report(line("ann", **key(1, 500)))
IDENTITY = {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/auditor", "UserId": "AIDA"}
READY = {"Content": CONTENT, "ReportFormat": "text/csv", "GeneratedTime": AS_OF}


class Clock:
    """Time that passes only in sleep()."""

    def __init__(self) -> None:
        self.now = 0.0
        self.naps: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds


class Wire:
    """An Account whose clients answer from a script; `iam` and `sts` add to it."""

    def __init__(self, deadline: float = 600) -> None:
        credentials = {
            "aws_access_key_id": CANARY.key_id,
            "aws_secret_access_key": CANARY.secret,
            "aws_session_token": CANARY.session_token,
            "region_name": "us-east-1",
        }
        iam, sts = boto3.client("iam", **credentials), boto3.client("sts", **credentials)
        self.clock = Clock()
        self.account = Account(iam, sts, Pacing(lambda: self.clock.now, self.clock.sleep, lambda: 1.0, deadline))
        self.iam, self.sts = Stubber(iam), Stubber(sts)
        self.sts.add_response("get_caller_identity", IDENTITY)

    def state(self, state: str) -> Wire:
        self.iam.add_response("generate_credential_report", {"State": state})
        return self

    def fails(self, call: str, code: str) -> Wire:
        message = f"refused: {CANARY.secret} {CANARY.session_token}"
        self.iam.add_client_error(call, code, message, http_status_code=400)
        return self

    def ready(self) -> Wire:
        self.iam.add_response("get_credential_report", READY)
        return self

    def __enter__(self) -> Wire:
        self.iam.activate()
        self.sts.activate()
        return self

    def __exit__(self, *_: object) -> None:
        self.iam.deactivate()
        self.sts.deactivate()


GENERATE, GET = "generate_credential_report", "get_credential_report"


def test_three_calls_when_a_report_is_ready() -> None:
    with Wire().state("COMPLETE").ready() as wire:
        result = wire.account.report()
        wire.iam.assert_no_pending_responses()
        wire.sts.assert_no_pending_responses()
    assert (result.content, result.generated_at, result.account, result.partition) == (
        CONTENT,
        AS_OF,
        "123456789012",
        "aws",
    )
    assert wire.clock.naps == []


def test_waits_longer_each_time_but_not_forever() -> None:
    wire = Wire(deadline=10_000)
    for _ in range(8):
        wire.state("INPROGRESS")
    with wire.state("COMPLETE").ready():
        wire.account.report()
    assert wire.clock.naps == [2, 4, 8, 16, 32, 60, 60, 60]


@pytest.mark.parametrize(
    "code", ["ReportInProgress", "ReportNotPresent", "ReportExpired", "LimitExceeded", "Throttling", "ServiceFailure"]
)
def test_passing_troubles_are_waited_for(code: str) -> None:
    wire = Wire().state("COMPLETE").fails(GET, code)
    if code in {"ReportNotPresent", "ReportExpired"}:
        wire.state("STARTED").state("COMPLETE")
    with wire.ready():
        assert wire.account.report().content == CONTENT
        wire.iam.assert_no_pending_responses()


@pytest.mark.parametrize("code", ["LimitExceeded", "Throttling", "ServiceFailure"])
def test_troubles_of_generation_are_waited_for(code: str) -> None:
    with Wire().fails(GENERATE, code).state("COMPLETE").ready() as wire:
        assert wire.account.report().content == CONTENT


@pytest.mark.parametrize("trouble", ["STARTED", "ReportInProgress", "LimitExceeded", "ReportExpired"])
def test_the_deadline_ends_the_wait_with_a_sentence(trouble: str) -> None:
    wire = Wire(deadline=30)
    for number in range(20):
        if trouble == "STARTED":
            wire.state("STARTED")
        else:
            # Only an expired report makes the generation start again.
            (wire if number and trouble != "ReportExpired" else wire.state("COMPLETE")).fails(GET, trouble)
    with wire, pytest.raises(InputError, match=r"within 30 seconds.*--deadline"):
        wire.account.report()
    assert sum(wire.clock.naps) <= 30


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AccessDenied", "grant the permission iam:GetCredentialReport"),
        ("AccessDeniedException", "grant the permission iam:GetCredentialReport"),
        ("ExpiredToken", "sign in again"),
        ("InvalidClientTokenId", "--region"),
        ("SignatureDoesNotMatch", "secret key does not fit"),
        ("OptInRequired", "not activated"),
        ("RequestExpired", "clock"),
        ("Never heard of it", "an error without a code"),
        ("SomethingNew", "SomethingNew"),
    ],
)
def test_every_refusal_is_one_sentence_without_the_callers_secrets(code: str, words: str) -> None:
    with Wire().state("COMPLETE").fails(GET, code) as wire, pytest.raises(InputError) as error:
        wire.account.report()
    text = str(error.value)
    assert words in text
    assert leaks([("error", text), ("repr", repr(error.value))], [CANARY]) == []
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__


def test_the_call_that_is_not_allowed_is_named() -> None:
    with (
        Wire().fails(GENERATE, "AccessDenied") as wire,
        pytest.raises(InputError, match="iam:GenerateCredentialReport"),
    ):
        wire.account.report()
    wire = Wire()
    wire.sts = Stubber(wire.account._sts)
    wire.sts.add_client_error("get_caller_identity", "ExpiredToken")
    with wire, pytest.raises(InputError, match="sts:GetCallerIdentity"):
        wire.account.report()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (botocore.exceptions.NoCredentialsError(), "no AWS credentials"),
        (botocore.exceptions.ProfileNotFound(profile="p"), "no such AWS profile"),
        (botocore.exceptions.EndpointConnectionError(endpoint_url="https://u:p@x"), "cannot be reached"),
        (botocore.exceptions.ConnectTimeoutError(endpoint_url="https://x"), "did not answer"),
        (botocore.exceptions.CredentialRetrievalError(provider="p", error_msg=CANARY.secret), "could not be retrieved"),
        (botocore.exceptions.UnauthorizedSSOTokenError(), "aws sso login"),
        (botocore.exceptions.ProxyConnectionError(proxy_url=f"https://u:{CANARY.secret}@x"), "HTTPS_PROXY"),
        (botocore.exceptions.DataNotFoundError(data_path="x"), "DataNotFoundError"),
    ],
)
def test_failures_to_reach_aws(error: Exception, words: str) -> None:
    sentence = failure_sentence("iam:GetCredentialReport", error)
    assert words in sentence
    assert leaks([("sentence", sentence)], [CANARY]) == []


@pytest.mark.parametrize("error", [KeyError("GetCallerIdentityResult"), TypeError(CANARY.secret), RuntimeError()])
def test_an_answer_that_is_not_of_aws_is_one_sentence(error: Exception) -> None:
    class Page:
        def get_caller_identity(self) -> None:
            raise error

    account = Account(None, Page(), Pacing(lambda: 0.0, lambda _: None, lambda: 1.0, 600))
    with pytest.raises(InputError, match="sts:GetCallerIdentity was not answered by AWS") as refused:
        account.report()
    assert CANARY.secret not in str(refused.value)
    assert refused.value.__suppress_context__


def test_a_code_is_quoted_only_when_it_looks_like_one() -> None:
    assert CANARY.secret not in client_error_sentence("iam:ListAccessKeys", CANARY.secret)


class Keeper:
    """The account as verification sees it."""

    def __init__(
        self, keys: dict[str, list[LiveKey] | None], owners: dict[str, str] | None = None, denied: bool = False
    ) -> None:
        self.keys, self.owners, self.denied = keys, owners or {}, denied
        self.calls: list[str] = []

    def access_keys(self, user: str) -> list[LiveKey] | None:
        self.calls.append(user)
        return self.keys[user]

    def owner(self, user: str, tag: str) -> str | None:
        self.calls.append(f"{user}?{tag}")
        if self.denied:
            raise Denied("iam:ListUserTags is not allowed")
        return self.owners.get(user)


def live(key_id: str, age: float, used: float | None = None, active: bool = True) -> LiveKey:
    return LiveKey(key_id, active, ago(age)[:-1], "" if used is None else ago(used)[:-1], "s3", "eu-west-1")


MADE = AS_OF - timedelta(days=1)


def verified(keeper: Keeper, *lines: str, rules: tuple[int, ...] = (1, 2, 3), made: datetime = MADE) -> Verified:
    import io

    chosen = selection(*rules)
    plan = make_plan(chosen, AS_OF)
    verdicts: list[Verdict] = []
    rows = read_rows(from_stream(io.BytesIO(report(*lines))).stream, lambda p: pytest.fail(p.message))
    judge_rows(rows, plan, AS_OF, contradiction=lambda row: pytest.fail(row.user), record=verdicts.append)
    return verify(verdicts, plan, Question(chosen, AS_OF, "owner"), made, keeper)


def rules_of(verdicts: list[Verdict]) -> list[tuple[int, int | None]]:
    return sorted((v.rule, v.subject.slot) for v in verdicts)


def test_only_flagged_users_are_asked_about() -> None:
    keeper = Keeper({"ann": [live("AKIA1", 500)]}, {"ann": "team-a"})
    result = verified(keeper, line("ann", **key(1, 500, used=1)), line("bob", **key(1, 5, used=1)), line("eve"))
    assert keeper.calls == ["ann", "ann?owner"]
    assert list(result.key_ids.values()) == ["AKIA1"]
    assert list(result.owners.values()) == ["team-a"]


def test_what_was_fixed_since_the_report_is_dropped_and_said() -> None:
    both = line("ann", **key(1, 500, used=1), **key(2, 3, used=1))
    result = verified(Keeper({"ann": [live("AKIANEW", 3, used=1)]}), both)
    assert result.verdicts == []
    assert rules_of(result.dropped) == [(0, 1), (2, 1)]
    assert "ann" in result.notes[0]
    assert "KEY_AWS_001, KEY_AWS_003" in result.notes[0]
    deactivated = Keeper({"ann": [live("AKIAOLD", 500, used=1, active=False), live("AKIANEW", 3, used=1)]})
    assert verified(deactivated, both).verdicts == []


def test_a_new_key_does_not_hide_an_old_one() -> None:
    result = verified(
        Keeper({"ann": [live("AKIAOLD", 500, used=1), live("AKIANEW", 0)]}), line("ann", **key(2, 500, used=1))
    )
    assert rules_of(result.verdicts) == [(0, 2)]
    assert {slot.slot: key_id for slot, key_id in result.key_ids.items()} == {
        1: "AKIANEW",
        2: "AKIAOLD",
    }


def test_a_user_who_replaced_one_of_two_keys_still_has_two() -> None:
    both = line("ann", **key(1, 500, used=1), **key(2, 300, used=1))
    keeper = Keeper({"ann": [live("AKIAKEPT", 300, used=1), live("AKIANEW", 0)]})
    result = verified(keeper, both)
    assert rules_of(result.verdicts) == [(0, 2), (2, 2)], "the older of two active keys is now the one in slot 2"
    assert rules_of(result.dropped) == [(0, 1)]


def test_a_new_key_is_not_taken_for_the_one_that_is_gone() -> None:
    result = verified(Keeper({"ann": [live("AKIANEW", 0)]}), line("ann", **key(1, 500, used=1)), rules=(7,))
    assert result.verdicts == []
    assert rules_of(result.dropped) == [(0, 1)]


UNDATED = {"key_1_active": "true", "key_1_last_rotated": "N/A"}


@pytest.mark.parametrize(
    "row",
    [
        line("ann", **key(1, 500, used=1)),
        line("ann", **{**key(1, 500, used=1), "key_1_last_rotated": ago(500, seconds=1)}),
        line("ann", **{**key(1, 500, used=1), "key_1_last_rotated": ago(500, seconds=-1)}),
        line("ann", **UNDATED),
    ],
)
def test_a_key_that_was_there_before_the_report_is_no_new_key(row: str) -> None:
    """Whatever date the report has for it: N/A, or one that is a second off."""
    result = verified(Keeper({"ann": [live("AKIAOLD", 500, used=1)]}), row, rules=(1,))
    assert (rules_of(result.verdicts), result.dropped) == ([(0, 1)], [])
    assert not any("fixed" in note for note in result.notes)
    off = line("ann", **{**key(1, 500, used=1), "key_1_last_rotated": ago(499)})
    (verdict,) = verified(Keeper({"ann": [live("AKIAOLD", 500, used=1)]}), off, rules=(1,)).verdicts
    assert verdict.row.key_1_created == ago(499)[:-1], "what is kept is what the report says"


def test_a_key_is_new_only_after_the_report_was_made() -> None:
    row = line("ann", **key(1, 500, used=1))
    for hours, kept in ((25, [(0, 1)]), (24, [(0, 1)]), (23, [])):
        result = verified(Keeper({"ann": [live("AKIA", hours / 24)]}), row, rules=(1,))
        assert rules_of(result.verdicts) == kept


def test_a_key_without_a_date_is_counted_once() -> None:
    row = line("ann", key_2_active="true")
    (verdict,) = verified(Keeper({"ann": [live("AKIA", 500)]}), row, rules=(1,)).verdicts
    assert (verdict.row.key_1_active, verdict.row.key_2_active) == ("", "true")


def test_ids_are_given_only_to_keys_that_are_known() -> None:
    two = line("ann", **key(1, 500, used=1), key_2_active="true")
    result = verified(Keeper({"ann": [live("AKIAONE", 400, used=1), live("AKIATWO", 600, used=1)]}), two, rules=(1,))
    assert rules_of(result.verdicts) == [(0, 1), (0, 2)]
    assert result.key_ids == {}
    assert "told apart" in result.notes[0]


@pytest.mark.parametrize(
    ("keys", "kept"),
    [
        ([live("AKIA", 500, used=1)], True),
        ([live("AKIA", 5, used=1, active=False)], True),
        ([live("AKIA", 5, used=1)], False),
        ([live("AKIA", 5, used=1), live("AKIANEW", 0)], False),
        ([live("AKIA", 5, used=1), live("AKIAOLD", 500)], True),
        ([live("AKIANEW", 0)], False),
        ([], False),
    ],
)
def test_unknown_ends_only_where_every_key_that_it_can_be_about_passes(keys: list[LiveKey], kept: bool) -> None:
    row = line("ann", **UNDATED, password_enabled="true")
    result = verified(Keeper({"ann": keys}), row, rules=(1,))
    assert [verdict.status for verdict in result.verdicts] == [Status.UNKNOWN] * kept
    assert [verdict.status for verdict in result.dropped] == [Status.UNKNOWN] * (not kept)
    assert not any("fixed" in note for note in result.notes), "what nobody knew was not broken"


def test_what_is_judged_anew_was_not_fixed() -> None:
    idle = line("ann", **key(1, 120))
    result = verified(Keeper({"ann": [live("AKIA", 120, used=0)]}), idle, rules=(2,))
    assert rules_of(result.dropped) == [(0, 1)]
    assert "judged anew" in result.notes[0]
    assert "fixed" not in result.notes[0]


def test_steps_are_written_for_the_keys_of_today() -> None:
    row = line("ann", **key(1, 500, used=1), **key(2, 900, active=False))
    (verdict,) = verified(Keeper({"ann": [live("AKIAOLD", 500, used=0)]}), row, rules=(1,)).verdicts
    assert verdict.row.key_2_created == ""
    assert verdict.row.key_1_used == ago(1)[:-1], "the facts of the flagged key stay those of the report"


def test_live_keys_of_the_same_second_stay_two_keys() -> None:
    keys = [LiveKey("A", True, ago(500)[:-1] + ".7", "", "", ""), LiveKey("B", True, ago(500)[:-1] + ".2", "", "", "")]
    for order in (1, -1):
        result = verified(Keeper({"ann": keys[::order]}), line("ann", **key(1, 500), **key(2, 500)), rules=(3,))
        assert rules_of(result.verdicts) == [(0, 1)]


def test_keys_of_the_same_second_are_told_apart_by_status() -> None:
    row = line("ann", **key(1, 500, active=False), **key(2, 500, used=1))
    for order in (1, -1):
        keys = [live("AKIAOFF", 500, active=False), live("AKIAON", 500, used=1)][::order]
        result = verified(Keeper({"ann": keys}), row)
        assert {slot.slot: key_id for slot, key_id in result.key_ids.items()} == {1: "AKIAOFF", 2: "AKIAON"}
    unused = line("ann", **key(1, 500), **key(2, 500, active=False))
    result = verified(Keeper({"ann": [live("AKIAOFF", 500, active=False), live("AKIAON", 500)]}), unused)
    assert {slot.slot: key_id for slot, key_id in result.key_ids.items()} == {1: "AKIAON", 2: "AKIAOFF"}


def test_a_deleted_user_has_no_findings() -> None:
    result = verified(Keeper({"ann": None}), line("ann", password_enabled="true", **key(1, 500)), rules=(1, 12))
    assert result.verdicts == []
    assert "deleted" in result.notes[0]


def test_owners_are_optional_and_said_once() -> None:
    keeper = Keeper({"ann": [live("A", 500)], "bob": [live("B", 500)]}, denied=True)
    result = verified(keeper, line("ann", **key(1, 500)), line("bob", **key(1, 500)))
    assert [note for note in result.notes if "Owners" in note] == [
        "Owners are not shown: iam:ListUserTags is not allowed."
    ]
    assert len(result.verdicts) == 4


def keys_page(*ids: str, more: str | None = None) -> dict[str, Any]:
    members = [{"UserName": "ann", "AccessKeyId": i, "Status": "Active", "CreateDate": AS_OF} for i in ids]
    return {"AccessKeyMetadata": members, "IsTruncated": more is not None, **({"Marker": more} if more else {})}


@pytest.fixture
def wire() -> Iterator[Wire]:
    with Wire() as opened:
        yield opened


def test_keys_tags_and_last_use_are_read_page_by_page(wire: Wire) -> None:
    used = datetime(2026, 5, 1, tzinfo=timezone.utc)
    wire.iam.add_response("list_access_keys", keys_page("AKIAIOSFODNN7EXAMPLE", more="m"))
    wire.iam.add_response("list_access_keys", keys_page("AKIAI44QH8DHBEXAMPLE"))
    wire.iam.add_response(
        "get_access_key_last_used", {"AccessKeyLastUsed": {"LastUsedDate": used, "ServiceName": "s3", "Region": "x"}}
    )
    wire.iam.add_response("get_access_key_last_used", {"AccessKeyLastUsed": {"ServiceName": "N/A", "Region": "N/A"}})
    keys = wire.account.access_keys("ann")
    assert keys is not None
    assert {k.key_id: k.used for k in keys} == {
        "AKIAIOSFODNN7EXAMPLE": "2026-05-01T00:00:00",
        "AKIAI44QH8DHBEXAMPLE": "",
    }
    wire.iam.add_response("list_user_tags", {"Tags": [{"Key": "Owner", "Value": "team-a"}], "IsTruncated": False})
    assert wire.account.owner("ann", "owner") == "team-a"


def test_refusals_of_verification(wire: Wire) -> None:
    wire.iam.add_client_error("list_access_keys", "NoSuchEntity")
    assert wire.account.access_keys("ann") is None
    wire.iam.add_client_error("list_access_keys", "AccessDenied")
    with pytest.raises(InputError, match="iam:ListAccessKeys"):
        wire.account.access_keys("ann")
    wire.iam.add_client_error("list_user_tags", "AccessDenied")
    with pytest.raises(Denied, match="iam:ListUserTags"):
        wire.account.owner("ann", "owner")
    wire.iam.add_client_error("list_user_tags", "Throttling")
    with pytest.raises(InputError, match="throttled"):
        wire.account.owner("ann", "owner")
