"""The function behind the AWS Config rule: what it puts, that nothing unseen is COMPLIANT, which events it takes."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from aws_organization import Aws, client_in, new_account
from canaries import leaks
from credential_reports import ACCOUNT, ROOT, evaluate, key, line, report

from keyrules.model import Evaluation, InputError, Status, UsageError
from keyrules.records import replace
from keyrules_deploy import config_rule, members
from keyrules_deploy.config_rule import Trigger, evaluations, read_trigger

AT = "2026-11-28T00:00:00"
TRIGGER = Trigger(ACCOUNT, AT, (), "token")
FINE = line(ROOT, password_enabled="true", mfa_active="true")


def event(account: str, **changes: Any) -> dict[str, Any]:
    """A periodic trigger; `changes` replace members of it, None takes one away."""
    invoking = {
        "awsAccountId": account,
        "notificationCreationTime": "2026-11-28T00:00:00.000Z",
        "messageType": "ScheduledNotification",
        "recordVersion": "1.0",
    }
    whole = {
        "version": "1.0",
        "invokingEvent": json.dumps(invoking),
        "ruleParameters": "{}",
        "resultToken": "TESTMODE",
        "eventLeftScope": False,
        "configRuleName": "OrgConfigRule-keyrules-abcd",
        "accountId": account,
    }
    return {name: value for name, value in (whole | changes).items() if value is not None}


@pytest.fixture
def account(aws: Aws) -> str:
    """An account whose user jane signs in without MFA, while joe has nothing."""
    del aws
    number = new_account("ann")
    iam = client_in(number, "iam")
    for user in ("jane", "joe"):
        iam.create_user(UserName=user)
    iam.create_login_profile(UserName="jane", Password="x" * 20)
    iam.generate_credential_report()
    return number


def put(aws: Aws) -> dict[tuple[str, str], dict[str, Any]]:
    """What Config was given, by type and id of the resource."""
    return {
        (each["ComplianceResourceType"], each["ComplianceResourceId"]): each
        for call in aws.arguments_of("PutEvaluations")
        for each in call["Evaluations"]
    }


def user_id(account: str, user: str) -> tuple[str, str]:
    found = client_in(account, "iam").get_user(UserName=user)["User"]["UserId"]
    return "AWS::IAM::User", found


class TestHandler:
    def test_users_and_the_account_are_judged(self, aws: Aws, account: str) -> None:
        assert config_rule.handler(event(account)) == {"evaluations": 3}
        found = put(aws)
        jane, joe = found[user_id(account, "jane")], found[user_id(account, "joe")]
        assert jane["ComplianceType"] == "NON_COMPLIANT"
        assert "KEY_AWS_012" in jane["Annotation"]
        assert joe["ComplianceType"] == "COMPLIANT", "by the rule on permissions, which is on all users"
        assert found["AWS::::Account", account]["ComplianceType"] == "COMPLIANT"
        assert {each["OrderingTimestamp"] for each in found.values()} == {datetime(2026, 11, 28, tzinfo=timezone.utc)}
        assert {call["ResultToken"] for call in aws.arguments_of("PutEvaluations")} == {"TESTMODE"}

    def test_only_a_rehearsal_is_one(self, aws: Aws, account: str) -> None:
        aws.answer("PutEvaluations", {"FailedEvaluations": []})
        config_rule.handler(event(account, resultToken="a real one"))
        assert [call["TestMode"] for call in aws.arguments_of("PutEvaluations")] == [False]

    def test_a_threshold_that_no_rule_has_is_refused(self, aws: Aws, account: str) -> None:
        with pytest.raises(UsageError, match="KEY_AWS_001 has no parameter 'max_days'"):
            config_rule.handler(event(account, ruleParameters='{"KEY_AWS_001.max_days": "1"}'))
        assert aws.arguments_of("PutEvaluations") == []

    def test_a_threshold_of_the_rule_is_in_force(self, aws: Aws, account: str) -> None:
        """Two new keys are one too many unless they may overlap for a while."""
        for _ in range(2):
            client_in(account, "iam").create_access_key(UserName="joe")
        for parameters, compliance in (("{}", "NON_COMPLIANT"), ('{"KEY_AWS_003.overlap_days": "30"}', "COMPLIANT")):
            client_in(account, "iam").generate_credential_report()
            config_rule.handler(event(account, ruleParameters=parameters))
            assert put(aws)[user_id(account, "joe")]["ComplianceType"] == compliance

    def test_at_most_a_hundred_in_a_call(self, aws: Aws, account: str) -> None:
        iam = client_in(account, "iam")
        for number in range(100):
            iam.create_user(UserName=f"u{number}")
        assert config_rule.handler(event(account)) == {"evaluations": 103}
        assert [len(call["Evaluations"]) for call in aws.arguments_of("PutEvaluations")] == [100, 3]

    def test_what_config_refuses_fails_the_run(self, aws: Aws, account: str) -> None:
        aws.answer("PutEvaluations", {"FailedEvaluations": [{}]})
        with pytest.raises(InputError, match="AWS Config refused 1 of 3"):
            config_rule.handler(event(account))

    @pytest.mark.parametrize(
        ("operation", "words"),
        [
            ("AssumeRole", "cannot be assumed"),
            ("ListUsers", "iam:ListUsers is not allowed"),
            ("PutEvaluations", "config:PutEvaluations is not allowed"),
        ],
    )
    def test_a_refusal_fails_the_run(self, aws: Aws, account: str, operation: str, words: str) -> None:
        aws.refuse(operation, "AccessDenied")
        with pytest.raises(InputError, match=words) as refused:
            config_rule.handler(event(account))
        assert leaks([("message", str(refused.value))], [aws.canary]) == []

    def test_an_account_without_a_report_is_not_compliant_and_fails_the_run(
        self, aws: Aws, account: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(members, "DEADLINE", timedelta(0))
        aws.refuse("GetCredentialReport", "Throttling")
        with pytest.raises(InputError, match=rf"account {account} could not be evaluated: .*throttled"):
            config_rule.handler(event(account))
        (found,) = put(aws).values()
        assert (found["ComplianceResourceType"], found["ComplianceType"]) == ("AWS::::Account", "NON_COMPLIANT")
        assert found["Annotation"].startswith("Could not be evaluated: ")


class TestEvents:
    def test_a_periodic_trigger(self) -> None:
        parameters = '{"KEY_AWS_001.max_age_days": "60", "KEY_AWS_002.max_idle_days": 30}'
        assert read_trigger(event(ACCOUNT, ruleParameters=parameters)) == Trigger(
            ACCOUNT, AT, ("KEY_AWS_001.max_age_days=60", "KEY_AWS_002.max_idle_days=30"), "TESTMODE"
        )
        assert read_trigger(event(ACCOUNT, ruleParameters=None)).thresholds == ()

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"invokingEvent": None}, "invokingEvent is missing or no JSON object"),
            ({"invokingEvent": "{"}, "invokingEvent is missing or no JSON object"),
            ({"invokingEvent": "[]"}, "invokingEvent is missing or no JSON object"),
            ({"invokingEvent": {"messageType": "ScheduledNotification"}}, "invokingEvent is missing or no JSON object"),
            ({"invokingEvent": '{"messageType": "ConfigurationItemChangeNotification"}'}, "make it periodic"),
            ({"invokingEvent": '{"messageType": "ScheduledNotification"}'}, "notificationCreationTime"),
            ({"accountId": None}, "accountId"),
            ({"accountId": "12"}, "accountId"),
            ({"accountId": "210987654321"}, "accountId"),
            ({"ruleParameters": "["}, "ruleParameters is missing or no JSON object"),
            ({"resultToken": None}, "resultToken"),
        ],
    )
    def test_every_other_event_is_refused(self, aws: Aws, changes: dict[str, Any], words: str) -> None:
        with pytest.raises(UsageError, match=words):
            config_rule.handler(event(ACCOUNT, **changes))
        assert aws.calls == []


USERS = {f"arn:aws:iam::{ACCOUNT}:user/{name}": f"AIDA{name.upper()}" for name in ("ann", "bob")}


def judged(evaluation: Evaluation) -> dict[str, tuple[str, str]]:
    """Compliance and annotation by resource id."""
    return {
        each["ComplianceResourceId"]: (each["ComplianceType"], each["Annotation"])
        for each in evaluations(evaluation, USERS, TRIGGER)
    }


class TestCompliance:
    def test_every_verdict_has_its_word(self) -> None:
        ann = line("ann", **key(1, 5, used=1))
        for row, compliance in (
            (ann, "COMPLIANT"),
            (line("ann", **key(1, 500, used=1)), "NON_COMPLIANT"),
            (ann.replace(",true,", ",perhaps,"), None),
            (line("ann"), "NOT_APPLICABLE"),
        ):
            found = judged(evaluate(report(FINE, row)))
            assert found.get("AIDAANN", (None,))[0] == compliance

    def test_unknown_is_never_compliant(self) -> None:
        evaluation = evaluate(report(FINE, line("ann", **key(1, 5, used=1))))
        unknown = [
            replace(finding, status=Status.UNKNOWN) if finding.rule == "KEY_AWS_001" else finding
            for finding in evaluation.findings
        ]
        compliance, annotation = judged(replace(evaluation, findings=tuple(unknown)))["AIDAANN"]
        assert compliance == "NON_COMPLIANT"
        assert annotation.startswith("Could not be evaluated (KEY_AWS_001): ")

    def test_an_exemption_is_neither_compliant_nor_not(self) -> None:
        evaluation = evaluate(report(FINE, line("ann", **key(1, 500, used=1))))
        exempt = [
            replace(finding, status=Status.EXEMPT, exemption="until May") if finding.status is Status.FAIL else finding
            for finding in evaluation.findings
        ]
        found = judged(replace(evaluation, findings=tuple(exempt)))["AIDAANN"]
        assert found == ("NOT_APPLICABLE", "Exempt (KEY_AWS_001): until May")

    def test_a_failure_is_worse_than_an_unknown(self) -> None:
        evaluation = evaluate(report(FINE, line("ann", **key(1, 500, used=400))))
        findings = [
            replace(finding, status=Status.UNKNOWN) if finding.rule == "KEY_AWS_002" else finding
            for finding in evaluation.findings
        ]
        assert judged(replace(evaluation, findings=tuple(findings)))["AIDAANN"][1].startswith("KEY_AWS_001: ")

    def test_where_a_row_cannot_be_read_the_account_is_not_compliant(self) -> None:
        evaluation = evaluate(report(FINE, line("ann", **key(1, 5, used=1)).replace(",true,", ",perhaps,")))
        assert evaluation.errors
        found = judged(evaluation)
        compliance, annotation = found[ACCOUNT]
        assert compliance == "NON_COMPLIANT"
        assert annotation.startswith("Could not be evaluated: ")
        assert "AIDABOB" not in found, "nothing clears what an earlier run said of a user whom this one did not judge"

    def test_the_root_user_is_the_account(self) -> None:
        compliance, annotation = judged(evaluate(report(line(ROOT, password_enabled="true"))))[ACCOUNT]
        assert compliance == "NON_COMPLIANT"
        assert "KEY_AWS_014" in annotation

    def test_a_partition_without_root_rows_is_not_applicable(self) -> None:
        row = line("ann", arn=f"arn:aws-cn:iam::{ACCOUNT}:user/ann")
        compliance, annotation = judged(evaluate(report(row)))[ACCOUNT]
        assert compliance == "NOT_APPLICABLE"
        assert "KEY_AWS_005" in annotation

    def test_a_user_who_is_gone_is_left_out(self) -> None:
        found = judged(evaluate(report(FINE, line("eve", **key(1, 500, used=1)))))
        assert set(found) == {ACCOUNT, *USERS.values()}

    def test_annotations_are_short_enough(self) -> None:
        evaluation = evaluate(report(FINE, line("ann", **key(1, 500, used=1))))
        long = tuple(replace(finding, message="x" * 1000) for finding in evaluation.findings)
        lengths = {len(annotation) for _, annotation in judged(replace(evaluation, findings=long)).values()}
        assert max(lengths) == 256
        assert min(lengths) > 0
