"""A live account is asked for its documents: each call once, whole, and only for rules that need it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import pytest
from credential_reports import AS_OF, ROOT, key, line, report, selection
from fake_aws import FakeAws
from live_accounts import REPORT_CALLS, audited, met
from organization_runs import ONE, THREE, TWO, clean

from keyrules.live.around.documents import PASSWORD_POLICY
from keyrules.live.around.judging import Whose
from keyrules.live.around.keeping import givers_of
from keyrules.model import Evaluation, Status


@pytest.fixture
def fake() -> FakeAws:
    fake = FakeAws(AS_OF)
    fake.add(ONE, clean(ONE), made=AS_OF)
    return fake


def evaluation(fake: FakeAws, *numbers: int) -> Evaluation:
    with met(fake, ONE) as (reach, _):
        return audited(reach, *numbers)


def certificate(name: str) -> dict[str, Any]:
    arn = f"arn:aws:iam::{ONE}:server-certificate/{name}"
    return {"Path": "/", "ServerCertificateName": name, "Arn": arn, "Expiration": "2026-05-31T23:59:59Z"}


def test_only_what_the_rules_need_is_asked_for(fake: FakeAws) -> None:
    assert evaluation(fake, 24, 25).counts.passed == 2
    assert {action for _, action in fake.calls} - REPORT_CALLS == {"GetAccountPasswordPolicy"}
    fake.calls.clear()
    evaluation(fake, 1)
    assert {action for _, action in fake.calls} <= REPORT_CALLS


def test_an_old_client_says_which_version_can(fake: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    with met(fake, ONE) as (reach, _):
        monkeypatch.delenv("AWS_DATA_PATH")
        found = audited(reach, 22)
    if found.counts.unknown == 0:
        pytest.skip("this botocore is not old")
    (finding,) = found.findings
    assert found.errors == (), "the account has no part in it"
    assert "botocore 1.39.0 and newer do" in finding.message
    assert fake.count("ListServiceSpecificCredentials") == 0


def test_users_are_asked_about_one_by_one(fake: FakeAws) -> None:
    users = [line(f"u{number}", arn=f"arn:aws:iam::{ONE}:user/u{number}") for number in range(5)]
    fake.accounts[ONE].report = report(line(ROOT, arn=f"arn:aws:iam::{ONE}:root"), *users)
    fake.accounts[ONE].errors["ListSSHPublicKeys"] = ["NoSuchEntity"] * 4
    old = {"UserName": "u1", "SSHPublicKeyId": "APKA1", "Status": "Active", "UploadDate": "2024-01-01T00:00:00Z"}
    fake.accounts[ONE].documents["ListSSHPublicKeys"] = {"SSHPublicKeys": [old]}
    found = evaluation(fake, 23)
    assert (found.errors, found.counts.failed, fake.count("ListSSHPublicKeys")) == ((), 1, 5)


def test_authorization_details_are_read_page_by_page(fake: FakeAws) -> None:
    users = [f"u{number}" for number in range(7)]
    prefix = f"arn:aws:iam::{ONE}"
    rows = [line(user, arn=f"{prefix}:user/{user}", **key(1, 1)) for user in users]
    fake.accounts[ONE].report = report(line(ROOT, arn=f"{prefix}:root"), *rows)
    admin = {"PolicyName": "AdministratorAccess", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}
    deny = {"Statement": {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}}
    fake.page = 2
    fake.accounts[ONE].documents["GetAccountAuthorizationDetails"] = {
        "UserDetailList": [
            {"UserName": user, "Arn": f"{prefix}:user/{user}", "CreateDate": "2024-01-01T00:00:00Z", "GroupList": ["g"]}
            for user in users
        ],
        "GroupDetailList": [
            {
                "GroupName": "g",
                "Arn": f"{prefix}:group/g",
                "AttachedManagedPolicies": [admin],
                "GroupPolicyList": [{"PolicyName": "no", "PolicyDocument": deny}],
            }
        ],
        "RoleDetailList": [],
        "Policies": [],
    }
    found = evaluation(fake, 20, 21, 29)
    assert {rule: counts.failed for rule, counts in found.rule_counts.items()} == {
        "KEY_AWS_020": 7,
        "KEY_AWS_021": 0,
        "KEY_AWS_029": 7,
    }
    assert fake.count("GetAccountAuthorizationDetails") == 4
    assert "limited by Deny" in next(finding.message for finding in found.findings if finding.rule == "KEY_AWS_020")


def test_the_support_policy_is_that_of_the_partition(fake: FakeAws) -> None:
    asked: list[dict[str, str]] = []
    answer = fake.answer

    def noting(headers: Any, body: bytes) -> Any:
        asked.append({name: values[0] for name, values in parse_qs(body.decode()).items()})
        return answer(headers, body)

    fake.answer = noting  # type: ignore[method-assign]
    evaluation(fake, 27)
    (call,) = [each for each in asked if each["Action"] == "ListEntitiesForPolicy"]
    assert call["PolicyArn"] == "arn:aws:iam::aws:policy/AWSSupportAccess"
    assert (call["EntityFilter"], call["PolicyUsageFilter"]) == ("Role", "PermissionsPolicy")


def test_no_password_policy_is_an_answer(fake: FakeAws) -> None:
    fake.accounts[ONE].errors["GetAccountPasswordPolicy"] = ["NoSuchEntity"]
    found = evaluation(fake, 24)
    assert (found.errors, [finding.reason for finding in found.findings]) == ((), ["no_password_policy"])


def test_lists_are_read_page_by_page(fake: FakeAws) -> None:
    names = [f"c{number}" for number in range(7)]
    fake.page = 3
    fake.accounts[ONE].documents["ListServerCertificates"] = {
        "ServerCertificateMetadataList": [certificate(name) for name in names]
    }
    found = evaluation(fake, 26)
    assert [finding.subject.name for finding in found.findings if finding.subject is not None] == [
        f"server certificate {name}" for name in names
    ]
    assert fake.count("ListServerCertificates") == 3


@pytest.mark.parametrize("number", [24, 26])
def test_what_is_refused_is_unknown_and_one_error(fake: FakeAws, number: int) -> None:
    action = {24: "GetAccountPasswordPolicy", 26: "ListServerCertificates"}[number]
    fake.accounts[ONE].denied[action] = ""
    found = evaluation(fake, number)
    (error,), (finding,) = found.errors, found.findings
    assert (error.input, finding.status) == (f"account {ONE}", Status.UNKNOWN)
    assert f"iam:{action} is not allowed: grant the permission iam:{action}" in error.message
    assert f"iam:{action} is not allowed" in finding.message


def test_accounts_are_asked_before_they_are_judged() -> None:
    """In windows of as many as are asked at once, so that a run waits once for all of them."""
    fake = FakeAws(AS_OF)
    for number in (ONE, TWO, THREE):
        fake.add(number, clean(number), made=AS_OF)
    with met(fake, ONE, TWO, THREE) as (reach, _):
        givers = givers_of(list(reach.targets.values()), reach, None, selection(24, 26).rules)
        givers(reach.targets[ONE])
        asked = {call for call in fake.calls if call[1] in ("GetAccountPasswordPolicy", "ListServerCertificates")}
        assert {account for account, _ in asked} == {ONE, TWO, THREE}
        assert len(asked) == 6
        given = givers(reach.targets[TWO]).items(PASSWORD_POLICY, Whose(TWO, "aws", ()))
        assert [each.name for each in given] == ["PasswordPolicy"]
        assert fake.count("GetAccountPasswordPolicy") == 3, "and none of them twice"
