"""A live account is asked for its documents: each call once, whole, and only for rules that need it."""

from __future__ import annotations

from typing import Any

import pytest
from credential_reports import AS_OF, pack, selection
from fake_aws import FakeAws
from live_accounts import met
from organization_runs import ONE, clean

from keyrules.live.account_audit import AuditRequest, combine
from keyrules.live.collection import Reach, gather, judged_accounts
from keyrules.live.limits import Limits
from keyrules.model import Evaluation, Status

REPORT_CALLS = {"AssumeRole", "GetCallerIdentity", "GetCredentialReport"}


@pytest.fixture
def fake() -> FakeAws:
    fake = FakeAws(AS_OF)
    fake.add(ONE, clean(ONE), made=AS_OF)
    return fake


def audit(reach: Reach, *numbers: int) -> Evaluation:
    chosen = Limits(selection(*numbers))
    request = AuditRequest(pack=pack().stamp, limits=chosen, now=AS_OF, max_age=None, keep_passing=True)
    targets = list(reach.targets.values())
    gathered = gather(targets, reach, None, request)
    return combine(list(judged_accounts(targets, gathered, request, reach.giver)), request).evaluation


def evaluation(fake: FakeAws, *numbers: int) -> Evaluation:
    with met(fake, ONE) as (reach, _):
        return audit(reach, *numbers)


def certificate(name: str) -> dict[str, Any]:
    arn = f"arn:aws:iam::{ONE}:server-certificate/{name}"
    return {"Path": "/", "ServerCertificateName": name, "Arn": arn, "Expiration": "2026-05-31T23:59:59Z"}


def test_only_what_the_rules_need_is_asked_for(fake: FakeAws) -> None:
    assert evaluation(fake, 24, 25).counts.passed == 2
    assert {action for _, action in fake.calls} - REPORT_CALLS == {"GetAccountPasswordPolicy"}
    fake.calls.clear()
    evaluation(fake, 1)
    assert {action for _, action in fake.calls} <= REPORT_CALLS


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
