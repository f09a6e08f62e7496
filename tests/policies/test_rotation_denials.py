"""Who may not rotate its own keys: statements, and what each says of the user's own ARN."""

from __future__ import annotations

from typing import Any

import pytest

from keyrules.policies.document import read_document
from keyrules.policies.patterns import HOLE
from keyrules.policies.policy import Answer, Policy
from keyrules.policies.rotation_denials import denies_rotation

ANN = "arn:aws:iam::123456789012:user/team/ann"
OPEN_ANN = f"arn:{HOLE}:iam::{HOLE}:user/team/ann"
DENIED, CONDITIONAL, NO, UNKNOWN = Answer.YES, Answer.CONDITIONAL, Answer.NO, Answer.UNKNOWN
NO_MFA = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}


def deny(action: object, resource: object = "*", **more: object) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


STATEMENTS: list[tuple[dict[str, Any], Answer]] = [
    (deny("iam:CreateAccessKey"), DENIED),
    (deny("iam:UpdateAccessKey"), DENIED),
    (deny("iam:DeleteAccessKey"), DENIED),
    (deny("IAM:createaccesskey"), DENIED),
    (deny("iam:*AccessKey*"), DENIED),
    (deny("iam:??????AccessKey"), DENIED),
    (deny("iam:*"), DENIED),
    (deny("*"), DENIED),
    (deny("iam:ListAccessKeys"), NO),
    (deny("iam:GetAccessKeyLastUsed"), NO),
    (deny("s3:*"), NO),
    (deny("iam:CreateAccessKey", ANN), DENIED),
    (deny("iam:CreateAccessKey", "arn:aws:iam::123456789012:user/team/*"), DENIED),
    (deny("iam:CreateAccessKey", "arn:aws:iam::*:user/*/${aws:username}"), DENIED),
    (deny("iam:CreateAccessKey", "arn:aws:iam::*:user/${aws:username}"), NO),
    (deny("iam:CreateAccessKey", "arn:aws:iam::*:user/*/${aws:PrincipalTag/name}"), UNKNOWN),
    (deny("iam:CreateAccessKey", "arn:aws:iam::123456789012:user/bob"), NO),
    (deny("iam:CreateAccessKey", "arn:aws:iam::123456789012:user/team/ANN"), NO),
    (deny("iam:CreateAccessKey", "arn:aws:s3:::*"), NO),
    ({"Effect": "Deny", "Action": "iam:*", "NotResource": "arn:aws:iam::*:user/bob"}, DENIED),
    ({"Effect": "Deny", "Action": "iam:*", "NotResource": "arn:aws:iam::*:user/*/${aws:username}"}, NO),
    ({"Effect": "Deny", "NotAction": ["iam:ListUsers"], "Resource": "*"}, DENIED),
    ({"Effect": "Deny", "NotAction": ["iam:*AccessKey"], "Resource": "*"}, NO),
    ({"Effect": "Deny", "NotAction": ["iam:CreateAccessKey", "iam:UpdateAccessKey"], "Resource": "*"}, DENIED),
    ({"Effect": "Deny", "NotAction": ["iam:ListUsers"], "Resource": "*", "Condition": NO_MFA}, CONDITIONAL),
    (deny("iam:CreateAccessKey", Condition=NO_MFA), CONDITIONAL),
    (deny("iam:CreateAccessKey", Condition={}), DENIED),
    ({"Effect": "Allow", "Action": "iam:CreateAccessKey", "Resource": "*"}, NO),
    ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, NO),
    (deny(HOLE), UNKNOWN),
    (deny(f"s3:{HOLE}"), NO),
    (deny("iam:*", HOLE), UNKNOWN),
    (deny("iam:*", f"arn:aws:s3:::{HOLE}"), NO),
    (deny("iam:*", Condition=HOLE), UNKNOWN),
    ({**deny("iam:*"), "Effect": HOLE}, UNKNOWN),
    ({**deny("iam:*"), "Effect": "deny"}, UNKNOWN),
]


def policy(*statements: object) -> Policy:
    return Policy("the policy p", read_document({"Statement": list(statements)}))


class TestDenials:
    @pytest.mark.parametrize(("statement", "answer"), STATEMENTS)
    def test_each_statement(self, statement: dict[str, Any], answer: Answer) -> None:
        assert denies_rotation([policy(statement)], ANN).answer is answer

    @pytest.mark.parametrize(
        ("resource", "answer"),
        [
            ("*", DENIED),
            ("arn:aws:iam::*:user/team/ann", DENIED),
            ("arn:aws:iam::*:user/*/${aws:username}", DENIED),
            ("arn:aws:iam::123456789012:user/team/ann", DENIED),
            ("arn:*:iam::*:user/bob", NO),
            ("arn:aws:iam::123456789012:role/*", NO),
            (OPEN_ANN, DENIED),
            (f"arn:aws:iam::{HOLE}:user/{HOLE}", UNKNOWN),
            (HOLE, UNKNOWN),
        ],
    )
    def test_a_user_whose_account_is_not_known(self, resource: str, answer: Answer) -> None:
        assert denies_rotation([policy(deny("iam:*", resource))], OPEN_ANN).answer is answer

    def test_a_denial_beats_a_condition_and_what_is_not_known(self) -> None:
        unknown = Policy("the policy q", None, "arn:aws:iam::123456789012:policy/q")
        conditional, denied = policy(deny("iam:*", Condition=NO_MFA)), policy(deny("iam:*"))
        assert denies_rotation([conditional, unknown, denied], ANN).answer is DENIED
        assert denies_rotation([conditional, unknown], ANN).answer is UNKNOWN
        assert denies_rotation([], ANN).answer is NO

    @pytest.mark.parametrize(
        ("name", "answer"),
        [("AWSCompromisedKeyQuarantineV2", DENIED), ("AWSDenyAll", DENIED), ("ReadOnlyAccess", NO)],
    )
    def test_policies_of_aws(self, name: str, answer: Answer) -> None:
        assert denies_rotation([Policy(name, None, f"arn:aws:iam::aws:policy/{name}")], ANN).answer is answer

    def test_the_sentence_names_the_calls(self) -> None:
        statement = deny(["iam:CreateAccessKey", "iam:DeleteAccessKey"], Condition=NO_MFA)
        assert denies_rotation([policy(statement)], ANN).because == (
            "the policy p denies iam:CreateAccessKey, iam:DeleteAccessKey on the user under a condition "
            "(aws:MultiFactorAuthPresent)"
        )
