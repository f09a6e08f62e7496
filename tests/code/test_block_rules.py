"""The rules on blocks that are no keys, each over blocks that are made by hand."""

from __future__ import annotations

import pytest
from scanned_without import session

from keyrules.code.block_rules import expires, long_passwords, no_reuse, not_in_state, through_groups
from keyrules.code.key_rules import BlockRule, block_verdicts
from keyrules.code.keys import Block
from keyrules.model import Status
from keyrules.policies.patterns import HOLE

PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN
OPEN = "comes from an input"


def block(kind: str, values: dict[str, object], **others: str) -> Block:
    return Block(kind, "/main.tf", f"{kind}.b", 3, 5, values.get, OPEN, **others)


def said(rule: BlockRule, number: int, subject: Block) -> tuple[Status | None, str]:
    found = block_verdicts(rule, [subject], session().timed_context(f"KEY_AWS_{number:03d}"))
    if not found:
        return None, ""
    (verdict,) = found
    assert (verdict.path, verdict.address, verdict.start_line, verdict.end_line) == ("/main.tf", subject.address, 3, 5)
    return verdict.status, verdict.message


class TestPoliciesOfUsers:
    @pytest.mark.parametrize(
        ("kind", "values", "status"),
        [
            ("aws_iam_user_policy", {}, FAIL),
            ("aws_iam_user_policy_attachment", {"user": HOLE}, FAIL),
            ("aws_iam_policy_attachment", {"users": ["ann"], "groups": ["ops"]}, FAIL),
            ("aws_iam_policy_attachment", {"users": [HOLE]}, FAIL),
            ("aws_iam_policy_attachment", {"users": HOLE}, UNKNOWN),
            ("aws_iam_policy_attachment", {"users": []}, PASS),
            ("aws_iam_policy_attachment", {"groups": ["ops"]}, None),
            ("aws_iam_user_policies_exclusive", {"policy_names": ["p"]}, FAIL),
            ("aws_iam_user_policies_exclusive", {"policy_names": []}, PASS),
            ("aws_iam_user_policy_attachments_exclusive", {"policy_arns": ["arn"]}, FAIL),
            ("AWS::IAM::User", {}, None),
            ("AWS::IAM::User", {"Groups": ["ops"], "PermissionsBoundary": "arn"}, None),
            ("AWS::IAM::User", {"Policies": [{}]}, FAIL),
            ("AWS::IAM::User", {"ManagedPolicyArns": HOLE}, UNKNOWN),
            ("AWS::IAM::User", {"ManagedPolicyArns": HOLE, "Policies": [{}]}, FAIL),
            ("AWS::IAM::UserPolicy", {}, FAIL),
            ("AWS::IAM::Policy", {"Users": ["ann"]}, FAIL),
            ("AWS::IAM::Policy", {"Groups": ["ops"]}, None),
            ("AWS::IAM::ManagedPolicy", {"Users": ["ann"]}, FAIL),
            ("AWS::IAM::ManagedPolicy", {"Roles": ["r"]}, None),
        ],
    )
    def test_each_type(self, kind: str, values: dict[str, object], status: Status | None) -> None:
        assert said(through_groups, 21, block(kind, values))[0] is status

    def test_the_sentence_names_what_gives_and_what_is_open(self) -> None:
        found = said(through_groups, 21, block("AWS::IAM::User", {"ManagedPolicyArns": ["a"], "Policies": [{}]}))
        assert "(ManagedPolicyArns, Policies)" in found[1]
        found = said(through_groups, 21, block("aws_iam_policy_attachment", {"users": HOLE}))
        assert found[1] == f"users {OPEN}"


def test_a_block_that_is_never_created_passes() -> None:
    assert said(through_groups, 21, block("aws_iam_user_policy", {}, never="never"))[0] is PASS


def test_a_block_of_an_open_number_says_so() -> None:
    assert said(through_groups, 21, block("aws_iam_user_policy", {}, caveat="judged once"))[1].endswith("(judged once)")


class TestServiceCredentials:
    @pytest.mark.parametrize(
        ("values", "status"),
        [
            ({}, FAIL),
            ({"credential_age_days": 90}, PASS),
            ({"credential_age_days": 91}, FAIL),
            ({"credential_age_days": "90"}, PASS),
            ({"credential_age_days": HOLE}, UNKNOWN),
            ({"credential_age_days": "soon"}, UNKNOWN),
            ({"credential_age_days": True}, UNKNOWN),
            ({"status": "Inactive"}, PASS),
            ({"status": HOLE}, FAIL),
            ({"service_name": "codecommit.amazonaws.com"}, PASS),
            ({"service_name": "cassandra.amazonaws.com"}, PASS),
            ({"service_name": HOLE}, UNKNOWN),
            ({"service_name": HOLE, "credential_age_days": 30}, PASS),
            ({"service_name": "new.amazonaws.com"}, FAIL),
        ],
    )
    def test_each_age(self, values: dict[str, object], status: Status) -> None:
        given = {"service_name": "bedrock.amazonaws.com", "user_name": "ann", **values}
        assert said(expires, 22, block("aws_iam_service_specific_credential", given))[0] is status

    def test_the_password_is_in_the_state_whatever_is_declared(self) -> None:
        assert said(not_in_state, 8, block("aws_iam_service_specific_credential", {}))[0] is FAIL


class TestPasswordPolicies:
    @pytest.mark.parametrize(
        ("value", "length", "reuse"),
        [
            (None, FAIL, FAIL),
            (0, FAIL, FAIL),
            (13, FAIL, FAIL),
            (14, PASS, FAIL),
            (23, PASS, FAIL),
            (24, PASS, PASS),
            ("24", PASS, PASS),
            (24.0, PASS, PASS),
            (HOLE, UNKNOWN, UNKNOWN),
            (f"1{HOLE}", UNKNOWN, UNKNOWN),
        ],
    )
    def test_each_number(self, value: object, length: Status, reuse: Status) -> None:
        kind = "aws_iam_account_password_policy"
        assert said(long_passwords, 24, block(kind, {"minimum_password_length": value}))[0] is length
        assert said(no_reuse, 25, block(kind, {"password_reuse_prevention": value}))[0] is reuse

    def test_the_sentence_says_what_is_missing(self) -> None:
        found = said(long_passwords, 24, block("aws_iam_account_password_policy", {}))[1]
        assert found == (
            "the password policy sets no minimum_password_length, which makes 6 characters, fewer than 14; set "
            "minimum_password_length to 14 or more"
        )
