"""The function that judges a few accounts: what it stores, what it hands to Security Hub, and every way to fail."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from aws_organization import BUCKET, MADE, REGION, Aws, client_in, new_account, stored
from canaries import leaks
from credential_reports import evaluate, line, report

from keyrules.model import InputError
from keyrules.reports import asff
from keyrules_deploy import members, security_hub, worker

TIME = "2026-06-01T06:00:00Z"


@pytest.fixture
def accounts(aws: Aws) -> list[str]:
    """Two accounts, each with a user who signs in without MFA."""
    del aws
    numbers = [new_account("ann"), new_account("bob")]
    for number in numbers:
        iam = client_in(number, "iam")
        iam.create_user(UserName="jane")
        iam.create_login_profile(UserName="jane", Password="x" * 20)
        iam.generate_credential_report()
    return sorted(numbers)


def key(account: str) -> str:
    return f"findings/account={account}/date=2026-06-01/findings.jsonl.gz"


def run(accounts: list[str]) -> dict[str, int]:
    return worker.handler({"time": TIME, "accounts": accounts})


def failed(lines: list[dict[str, Any]]) -> set[str]:
    return {line["rule"] for line in lines if line["type"] == "finding" and line["status"] == "FAIL"}


def test_each_account_has_its_object(accounts: list[str]) -> None:
    assert run(accounts) == {"accounts": 2}
    for account in accounts:
        lines = stored(key(account))
        first, last = lines[0], lines[-1]
        assert [each["account"] for each in first["inputs"]] == [account]
        assert first["inputs"][0]["generated_at"]
        assert (first["type"], last["type"]) == ("run", "summary")
        assert "KEY_AWS_012" in failed(lines)
        assert last["pass"] > 0, "passing verdicts are kept, for the age of every key"
        assert last["lines"]["finding"] == last["evaluated"]


def test_a_repeated_run_writes_the_same_bytes(aws: Aws, accounts: list[str]) -> None:
    run(accounts)
    run(accounts)
    bodies: dict[str, list[bytes]] = {}
    for call in aws.arguments_of("PutObject"):
        bodies.setdefault(call["Key"], []).append(call["Body"])
    assert bodies.keys() == {key(account) for account in accounts}
    assert all(len(own) == 2 and own[0] == own[1] for own in bodies.values())


def test_the_role_is_assumed_with_the_external_id(aws: Aws, accounts: list[str]) -> None:
    aws.calls.clear()
    run(accounts)
    assumed = {call["RoleArn"]: call["ExternalId"] for call in aws.arguments_of("AssumeRole")}
    assert assumed == {f"arn:aws:iam::{each}:role/keyrules-member": "an-external-id-of-ours" for each in accounts}


def test_an_account_without_the_role_is_named_and_the_others_are_judged(aws: Aws, accounts: list[str]) -> None:
    bad, good = accounts
    aws.refuse("AssumeRole", "AccessDenied", lambda given: bad in given["RoleArn"])
    with pytest.raises(
        worker.NotEvaluated, match=rf"1 of 2 accounts. account {bad} .*:role/keyrules-member cannot be assumed"
    ) as refused:
        run(accounts)
    assert leaks([("message", str(refused.value))], [aws.canary]) == []
    assert "KEY_AWS_012" in failed(stored(key(good)))
    lines = stored(key(bad))
    assert [each["type"] for each in lines if each["type"] != "note"] == ["run", "account", "error", "summary"]
    assert lines[0]["inputs"][0]["generated_at"] is None
    assert lines[1]["state"] == "role missing"
    assert "cannot be assumed" in lines[2]["message"]


@pytest.mark.parametrize("operation", ["GenerateCredentialReport", "GetCredentialReport"])
def test_throttling_ends_with_a_record(
    aws: Aws, accounts: list[str], monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    monkeypatch.setattr(members, "DEADLINE", timedelta(0))
    aws.refuse("GetCredentialReport", "ReportNotPresent")
    aws.refuse(operation, "Throttling")
    with pytest.raises(worker.NotEvaluated, match=rf"2 of 2 accounts. .*{operation} was throttled"):
        run(accounts)
    (error,) = (each for each in stored(key(accounts[0])) if each["type"] == "error")
    assert "throttled" in error["message"]


def test_how_a_report_was_had_is_in_the_log_and_not_in_the_history(
    accounts: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """It differs from run to run, and a run that is repeated writes the same bytes."""
    run(accounts)
    said = capsys.readouterr().out
    for account in accounts:
        assert f"account {account}: For 1 account the report that AWS had already" in said
        assert [each for each in stored(key(account)) if "AWS had already" in each.get("message", "")] == []


def test_a_throttled_role_is_not_taken_for_a_missing_one(aws: Aws, accounts: list[str]) -> None:
    aws.refuse("AssumeRole", "Throttling")
    with pytest.raises(worker.NotEvaluated, match="sts:AssumeRole was throttled"):
        run(accounts)


def test_a_failure_takes_no_report_away_and_a_report_replaces_a_failure(aws: Aws, accounts: list[str]) -> None:
    aws.refuse("AssumeRole", "AccessDenied")
    for _ in range(2):
        with pytest.raises(worker.NotEvaluated):
            run(accounts)
    aws.allow("AssumeRole")
    run(accounts)
    whole = stored(key(accounts[0]))
    assert "error" not in {each["type"] for each in whole}
    aws.refuse("AssumeRole", "AccessDenied")
    with pytest.raises(worker.NotEvaluated):
        run(accounts)
    aws.allow("AssumeRole")
    assert stored(key(accounts[0])) == whole


def test_an_account_whose_object_cannot_be_stored_is_named(aws: Aws, accounts: list[str]) -> None:
    bad, good = accounts
    aws.refuse("PutObject", "AccessDenied", lambda given: bad in given["Key"])
    with pytest.raises(worker.NotEvaluated, match=rf"account {bad}: s3:PutObject is not allowed"):
        run(accounts)
    assert stored(key(good))


def test_a_failure_that_cannot_be_stored_is_named_too(aws: Aws, accounts: list[str]) -> None:
    aws.refuse("AssumeRole", "AccessDenied")
    aws.refuse("PutObject", "AccessDenied")
    with pytest.raises(worker.NotEvaluated, match=r"cannot be assumed.*s3:PutObject is not allowed"):
        run(accounts)


def test_a_report_of_another_account_is_not_stored_as_this_ones(aws: Aws, accounts: list[str]) -> None:
    first, second = accounts
    identity = client_in(second, "sts").get_caller_identity()
    aws.answer("GetCallerIdentity", identity)
    with pytest.raises(worker.NotEvaluated, match=f"account {first} .*belong to account {second}"):
        worker.handler({"time": TIME, "accounts": [first]})


def test_a_report_that_took_long_is_not_from_the_future(accounts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "current_time", lambda: MADE - timedelta(minutes=9))
    seconds = iter([0.0])
    clock = SimpleNamespace(monotonic=lambda: next(seconds, 540.0), sleep=lambda _: None)
    monkeypatch.setattr("keyrules.live.collection.time", clock)
    assert run(accounts) == {"accounts": 2}


def test_settings_beside_the_function_are_in_force(
    accounts: list[str], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".keyrules.yaml").write_text("rules: {KEY_AWS_012: off}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    run(accounts)
    assert "KEY_AWS_012" not in failed(stored(key(accounts[0])))


class TestSecurityHub:
    @pytest.fixture(autouse=True)
    def hubs(self, accounts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SECURITY_HUB", "yes")
        for account in accounts:
            client_in(account, "securityhub").enable_security_hub()

    def found(self, account: str) -> dict[str, dict[str, Any]]:
        findings = client_in(account, "securityhub").get_findings()["Findings"]
        return {each["Id"]: each for each in findings}

    def test_each_account_imports_its_own(self, aws: Aws, accounts: list[str]) -> None:
        run(accounts)
        for account in accounts:
            findings = self.found(account).values()
            assert {each["AwsAccountId"] for each in findings} == {account}
            arn = f"arn:aws:securityhub:{REGION}:{account}:product/{account}/default"
            assert {each["ProductArn"] for each in findings} == {arn}
            assert "keyrules/KEY_AWS_012" in {each["GeneratorId"] for each in findings}
            assert "PASSED" not in {each["Compliance"]["Status"] for each in findings}
        assert all(len(call["Findings"]) <= 100 for call in aws.arguments_of("BatchImportFindings"))

    def test_nobody_imports_unless_asked(self, aws: Aws, accounts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SECURITY_HUB", "no")
        run(accounts)
        assert aws.arguments_of("BatchImportFindings") == []

    def test_what_is_gone_is_archived(self, accounts: list[str]) -> None:
        run(accounts)
        first = accounts[0]
        client_in(first, "iam").delete_login_profile(UserName="jane")
        client_in(first, "iam").generate_credential_report()
        run(accounts)
        (mfa,) = (each for each in self.found(first).values() if each["GeneratorId"] == "keyrules/KEY_AWS_012")
        assert (mfa["RecordState"], mfa["Compliance"]["Status"]) == ("ARCHIVED", "PASSED")
        (other,) = (each for each in self.found(accounts[1]).values() if each["GeneratorId"] == "keyrules/KEY_AWS_012")
        assert other["RecordState"] == "ACTIVE"

    def test_nothing_is_archived_where_something_was_not_evaluated(
        self, aws: Aws, accounts: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run(accounts)
        monkeypatch.setattr(members, "DEADLINE", timedelta(0))
        aws.refuse("GetCredentialReport", "Throttling")
        with pytest.raises(worker.NotEvaluated):
            run(accounts)
        findings = self.found(accounts[0]).values()
        assert {each["RecordState"] for each in findings} == {"ACTIVE"}
        assert "NOT_AVAILABLE" in {each["Compliance"]["Status"] for each in findings}

    def test_an_account_without_the_role_imports_nothing(self, aws: Aws, accounts: list[str]) -> None:
        aws.refuse("AssumeRole", "AccessDenied")
        with pytest.raises(worker.NotEvaluated, match="cannot be assumed"):
            run(accounts)
        assert aws.arguments_of("BatchImportFindings") == []

    def test_findings_that_are_refused_fail_the_run(self, aws: Aws, accounts: list[str]) -> None:
        refused = [{"Id": "x", "ErrorCode": "InvalidInput", "ErrorMessage": aws.canary.secret}]
        aws.answer("BatchImportFindings", {"FailedCount": 1, "SuccessCount": 0, "FailedFindings": refused})
        with pytest.raises(worker.NotEvaluated, match=r"refused 1 of \d+ findings \(InvalidInput\)") as error:
            run(accounts)
        assert leaks([("message", str(error.value))], [aws.canary]) == []
        assert stored(key(accounts[0])), "the history does not depend on Security Hub"

    @pytest.mark.parametrize("operation", ["BatchImportFindings", "GetFindings"])
    def test_a_hub_that_refuses_fails_the_run(self, aws: Aws, accounts: list[str], operation: str) -> None:
        aws.refuse(operation, "AccessDeniedException")
        with pytest.raises(worker.NotEvaluated, match=f"securityhub:{operation} is not allowed"):
            run(accounts)

    def test_only_our_active_findings_are_looked_for(self, aws: Aws, accounts: list[str]) -> None:
        run(accounts[:1])
        (call,) = aws.arguments_of("GetFindings")
        assert {name: value[0]["Value"] for name, value in call["Filters"].items()} == {
            "AwsAccountId": accounts[0],
            "GeneratorId": "keyrules/",
            "RecordState": "ACTIVE",
        }


class TestCallsOfSecurityHub:
    def test_a_call_has_at_most_a_hundred(self) -> None:
        findings = [{"Id": str(number)} for number in range(250)]
        assert [len(call) for call in security_hub.calls(findings)] == [100, 100, 50]
        assert [each for call in security_hub.calls(findings) for each in call] == findings
        assert list(security_hub.calls([])) == []

    def test_a_call_has_at_most_six_megabytes(self) -> None:
        findings = [{"Id": "x" * 230_000} for _ in range(60)]
        calls = list(security_hub.calls(findings))
        assert sum(map(len, calls)) == 60
        assert all(sum(len(each["Id"]) for each in call) < 6 * 1024 * 1024 for call in calls)

    def test_a_finding_that_is_too_long_is_an_error(self) -> None:
        with pytest.raises(InputError, match="more than Security Hub takes"):
            list(security_hub.calls([{"Id": "x" * 240 * 1024}]))

    def test_real_findings_are_short_enough(self) -> None:
        user = "u" * 64
        findings = list(asff.findings(evaluate(report(line(user, password_enabled="true")))))
        assert findings
        assert len(list(security_hub.calls(findings))) == 1


def test_the_bucket_is_the_one_of_the_environment(aws: Aws, accounts: list[str]) -> None:
    run(accounts)
    assert {call["Bucket"] for call in aws.arguments_of("PutObject")} == {BUCKET}
    assert boto3.client("s3").list_objects_v2(Bucket=BUCKET)["KeyCount"] == 2
