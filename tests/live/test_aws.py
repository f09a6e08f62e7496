"""The way to AWS: refusals as sentences, throttling, expired sessions, pages."""

from __future__ import annotations

import botocore.exceptions
import pytest
from canaries import leaks, make_canary
from credential_reports import AS_OF
from fake_aws import DENIALS, FakeAws
from live_accounts import Clock, met

from keyrules.live.account import Account
from keyrules.live.aws import Aws, Rate, Refused, Speaker
from keyrules.live.aws_errors import AccountError, failure_sentence, refusal
from keyrules.model import InputError

CANARY = make_canary("caller")
CALL = "iam:GetCredentialReport"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AccessDenied", f"grant the permission {CALL}"),
        ("AccessDeniedException", f"grant the permission {CALL}"),
        ("ExpiredToken", "sign in again"),
        ("InvalidClientTokenId", "--region"),
        ("SignatureDoesNotMatch", "secret key does not fit"),
        ("OptInRequired", "not activated"),
        ("RequestExpired", "clock"),
        ("Never heard of it", "an error without a code"),
        ("SomethingNew", "SomethingNew"),
        (CANARY.secret, "an error without a code"),
    ],
)
def test_every_refusal_is_one_sentence_without_the_callers_secrets(code: str, words: str) -> None:
    error = Refused(CALL, code, f"refused: {CANARY.secret} {CANARY.session_token}")
    assert words in str(error)
    assert leaks([("error", str(error)), ("repr", repr(error))], [CANARY]) == []


@pytest.mark.parametrize(
    ("kind", "state", "words"),
    [
        ("SCP", "denied by SCP", "organization's policies"),
        ("RCP", "denied by RCP", "organization's policies"),
        ("permissions boundary", "denied by permissions boundary", f"add {CALL} to the boundary"),
        ("session policy", "denied by session policy", "--session-policy"),
        ("VPC endpoint policy", "denied by VPC endpoint policy", "endpoint's policy"),
        ("trust policy", "denied by trust policy", "external id"),
        ("resource policy", "denied by resource policy", "that policy"),
        ("identity policy", "denied by identity policy", "Deny"),
        ("", "denied", f"grant the permission {CALL}"),
        ("nothing", "denied", f"grant the permission {CALL}"),
    ],
)
def test_the_kind_of_policy_that_denies_is_named_with_what_ends_that(kind: str, state: str, words: str) -> None:
    message = f"User: {CANARY.secret} is not authorized to perform: {CALL} on resource: * {DENIALS[kind]}"
    error = refusal(CALL, "AccessDenied", message)
    assert (error.state, words in str(error)) == (state, True)
    assert ("grant the permission" in str(error)) is (state == "denied")
    assert leaks([("error", str(error))], [CANARY]) == []


def test_a_policy_is_no_reason_for_what_is_not_denied() -> None:
    assert refusal(CALL, "Throttling", DENIALS["SCP"]).state == "throttled"


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
    sentence = failure_sentence(CALL, error)
    assert words in sentence
    assert leaks([("sentence", sentence)], [CANARY]) == []


class Silent:
    """A session of nobody."""

    def keys(self) -> None:
        """None."""

    def renew(self) -> bool:
        return False


@pytest.mark.parametrize("error", [KeyError("GetCallerIdentityResult"), TypeError(CANARY.secret), RuntimeError()])
def test_an_answer_that_is_not_of_aws_is_one_sentence(error: Exception) -> None:
    class Page:
        def get_caller_identity(self) -> None:
            raise error

    account = Account(Aws(lambda _: Page(), Clock().pacing(), Speaker()), Silent())
    with pytest.raises(InputError, match="sts:GetCallerIdentity was not answered by AWS") as refused:
        account.identity()
    assert CANARY.secret not in str(refused.value)
    assert refused.value.__suppress_context__


def test_an_answer_that_lacks_what_was_asked_for_is_not_of_aws() -> None:
    class Empty:
        def get_caller_identity(self) -> dict[str, str]:
            return {"Account": "111111111111"}

    account = Account(Aws(lambda _: Empty(), Clock().pacing(), Speaker()), Silent())
    with pytest.raises(InputError, match="sts:GetCallerIdentity was not answered by AWS"):
        account.identity()


def test_what_is_throttled_is_asked_again_at_half_the_rate_and_not_forever() -> None:
    fake = FakeAws(AS_OF)
    account = fake.add("111111111111")
    with met(fake, "111111111111") as (reach, clock):
        # Three of each are botocore's own attempts.
        account.errors = {"ListAccessKeys": ["Throttling"] * 6}
        assert reach.account("111111111111").access_keys("ann") is None
        assert clock.waits == [1, 2]
        account.errors = {"ListAccessKeys": ["Throttling"] * 100}
        with pytest.raises(AccountError, match="was throttled") as error:
            reach.account("111111111111").access_keys("ann")
        assert error.value.state == "throttled"
        assert len(account.errors["ListAccessKeys"]) == 100 - 6 * 3


def test_the_rate_holds_for_all_and_recovers() -> None:
    clock = Clock()
    rate = Rate(clock.pacing())
    for _ in range(400):
        rate.take()
    assert clock.now == pytest.approx(384 / 300, abs=0.02), "sixteen at once"
    rate.slow_down()
    rate.slow_down()
    before = clock.now
    for _ in range(10):
        rate.take()
    assert clock.now - before == pytest.approx(10 / 150, abs=0.02), "those on their way count once"
    for _ in range(400):
        rate.take()
    before = clock.now
    for _ in range(100):
        rate.take()
    assert clock.now - before == pytest.approx(100 / 300, abs=0.02)


def test_a_session_that_expires_is_renewed() -> None:
    fake = FakeAws(AS_OF)
    fake.session_calls = 3
    fake.add("111111111111", keys={"ann": []})
    with met(fake, "111111111111") as (reach, clock):
        account = reach.account("111111111111")
        for _ in range(9):
            assert account.access_keys("ann") == []
        assert len(fake.assumed) == 4
        clock.now += 3600
        account.access_keys("ann")
        assert len(fake.assumed) == 5, "before it expires"
    fake.session_calls = 0
    with met(fake, "111111111111") as (reach, _), pytest.raises(InputError, match="have expired"):
        reach.account("111111111111")
