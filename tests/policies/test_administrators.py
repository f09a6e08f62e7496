"""Who is an administrator: a table of documents, each with what AWS's evaluation makes of it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from keyrules.policies.administrators import administrator
from keyrules.policies.document import default_document, read_document
from keyrules.policies.patterns import HOLE
from keyrules.policies.policy import Answer, Policy

STAR = {"Effect": "Allow", "Action": "*", "Resource": "*"}
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
NO_MFA = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
ADMIN, CONDITIONAL, NO, UNKNOWN = Answer.YES, Answer.CONDITIONAL, Answer.NO, Answer.UNKNOWN


def allow(action: object, resource: object = "*", **more: object) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: object, resource: object = "*", **more: object) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def besides(effect: str, action: object, resource: object = "*", **more: object) -> dict[str, Any]:
    return {"Effect": effect, "NotAction": action, "Resource": resource, **more}


LETTERS = [f"{letter}*" for letter in "abcdefghijklmnopqrstuvwxyz"]

DOCUMENTS: list[tuple[str, object, Answer]] = [
    ("everything", STAR, ADMIN),
    ("everything with MFA", {**STAR, "Condition": MFA}, CONDITIONAL),
    ("everything, and a Deny of everything", [STAR, deny("*")], NO),
    ("the Deny comes first", [deny("*"), STAR], NO),
    ("everything but IAM by Deny", [STAR, deny("iam:*")], ADMIN),
    ("everything but IAM by NotAction", besides("Allow", "iam:*"), NO),
    ("*:*", allow("*:*"), ADMIN),
    ("?*", allow("?*"), ADMIN),
    ("**", allow("**"), ADMIN),
    ("*:?*", allow("*:?*"), ADMIN),
    ("?:*", allow("?:*"), NO),
    ("three characters", allow("???"), NO),
    ("each letter", allow(LETTERS), NO),
    ("i*", allow("i*"), NO),
    ("*s", allow("*s"), NO),
    ("iam:*", allow("iam:*"), NO),
    ("*:Get*", allow("*:Get*"), NO),
    ("a star among others", allow(["s3:GetObject", "*"]), ADMIN),
    ("a star among resources", allow("*", ["arn:aws:s3:::bucket", "*"]), ADMIN),
    ("everything but one bucket", {"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::b"}, NO),
    ("every ARN", allow("*", "arn:aws:*"), NO),
    ("every ARN of every partition", allow("*", "arn:*"), NO),
    ("every resource, twice a star", allow("*", "**"), ADMIN),
    ("every resource of one character or more", allow("*", "?*"), ADMIN),
    ("resources with a colon", allow("*", "*:*"), NO),
    ("one bucket", allow("*", "arn:aws:s3:::b/*"), NO),
    ("an empty condition", {**STAR, "Condition": {}}, ADMIN),
    ("a condition that asks nothing", {**STAR, "Condition": {"Bool": {}}}, ADMIN),
    ("denied without MFA", [STAR, deny("*", Condition=NO_MFA)], CONDITIONAL),
    ("all but a few denied without MFA", [STAR, besides("Deny", ["iam:ListUsers"], Condition=NO_MFA)], CONDITIONAL),
    ("all but a few denied", [STAR, besides("Deny", ["iam:ListUsers", "iam:GetUser"])], NO),
    ("all but one bucket denied", [STAR, {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::b"}], NO),
    ("one bucket denied", [STAR, deny("*", "arn:aws:s3:::b")], ADMIN),
    ("a Deny of all but everything", [STAR, besides("Deny", "*")], ADMIN),
    ("a Deny with a condition on one service", [STAR, deny("s3:*", Condition=MFA)], ADMIN),
    ("with MFA and without", [{**STAR, "Condition": MFA}, {**STAR, "Condition": NO_MFA}], CONDITIONAL),
    ("with a condition and without", [{**STAR, "Condition": MFA}, STAR], ADMIN),
    ("all but IAM, and IAM", [besides("Allow", "iam:*"), allow("iam:*")], ADMIN),
    ("all but IAM, and IAM in other letters", [besides("Allow", "IAM:*"), allow("iam:*")], ADMIN),
    ("all but IAM, and half of IAM", [besides("Allow", "iam:*"), allow("iam:Get*")], NO),
    ("all but IAM, and IAM with MFA", [besides("Allow", "iam:*"), allow("iam:*", Condition=MFA)], CONDITIONAL),
    ("all but IAM, and all but S3", [besides("Allow", "iam:*"), besides("Allow", "s3:*")], ADMIN),
    ("all but IAM, and all but some IAM", [besides("Allow", "iam:*"), besides("Allow", "iam:Get*")], NO),
    ("all but IAM of one bucket, and IAM", [besides("Allow", "iam:*", "arn:aws:s3:::b"), allow("iam:*")], NO),
    ("an older version", {"Version": "2008-10-17", "Statement": STAR}, ADMIN),
    ("no statement", {"Version": "2012-10-17", "Statement": []}, NO),
    ("no Statement", {"Version": "2012-10-17"}, UNKNOWN),
    ("a misspelt Statement", {"Statements": [STAR]}, UNKNOWN),
    ("no Effect", {"Action": "*", "Resource": "*"}, UNKNOWN),
    ("an Effect in small letters", {**STAR, "Effect": "allow"}, UNKNOWN),
    ("no Resource", {"Effect": "Allow", "Action": "*"}, UNKNOWN),
    ("Action and NotAction", {**STAR, "NotAction": "iam:*"}, UNKNOWN),
    ("no action in the list", allow([]), UNKNOWN),
    ("an action that is a number", allow([1]), UNKNOWN),
    ("a statement that is a text", ["Allow"], UNKNOWN),
    ("a Condition that is a list", {**STAR, "Condition": []}, UNKNOWN),
    ("not JSON", "{'Statement': []}", UNKNOWN),
    ("an element twice", '{"Statement": [], "Statement": []}', UNKNOWN),
    ("a list of documents", json.dumps([{"Statement": STAR}]), UNKNOWN),
    ("nested without end", "[" * 100_000, UNKNOWN),
    ("nothing", "", UNKNOWN),
    ("an open action", allow(HOLE), UNKNOWN),
    ("an open action of a service", allow(f"s3:{HOLE}"), NO),
    ("an open service", allow(f"{HOLE}:Get*"), NO),
    ("an open resource", allow("*", HOLE), UNKNOWN),
    ("an open bucket", allow("*", f"arn:aws:s3:::{HOLE}/*"), NO),
    ("an open ARN below a bucket", allow("*", f"{HOLE}/*"), NO),
    ("an open resource of one action", allow("s3:GetObject", HOLE), NO),
    ("an open Effect", {**STAR, "Effect": HOLE}, UNKNOWN),
    ("an open Condition", {**STAR, "Condition": HOLE}, UNKNOWN),
    ("an open statement", [HOLE], UNKNOWN),
    ("an open statement beside everything", [STAR, deny(HOLE, HOLE)], ADMIN),
    ("an open condition value", {**STAR, "Condition": {"StringEquals": {"aws:SourceVpc": HOLE}}}, CONDITIONAL),
    ("an open document", HOLE, UNKNOWN),
]


def policy(stated: object, name: str = "the policy p") -> Policy:
    document = stated if isinstance(stated, str) or (isinstance(stated, dict) and "Effect" not in stated) else None
    if document is None or (isinstance(stated, dict) and "Action" in stated):
        document = {"Version": "2012-10-17", "Statement": stated}
    return Policy(name, read_document(document))


def managed(name: str, partition: str = "aws", account: str = "aws") -> Policy:
    return Policy(f"the policy {name}", None, f"arn:{partition}:iam::{account}:policy/{name}")


class TestDocuments:
    @pytest.mark.parametrize(("stated", "answer"), [row[1:] for row in DOCUMENTS], ids=[row[0] for row in DOCUMENTS])
    def test_each_alone(self, stated: object, answer: Answer) -> None:
        assert administrator([policy(stated)]).answer is answer

    @pytest.mark.parametrize("form", [json.dumps, lambda document: quote(json.dumps(document)), dict])
    def test_every_form_is_read(self, form: Any) -> None:
        assert administrator([Policy("p", read_document(form({"Statement": [STAR]})))]).answer is ADMIN

    def test_the_sentence_says_what_decided(self) -> None:
        admin = policy([STAR, deny("iam:*")], "the inline policy x of the group ops")
        assert administrator([policy(allow("s3:*")), admin]).because == (
            "the inline policy x of the group ops allows every action on every resource, limited by Deny"
        )
        assert administrator([policy({**STAR, "Condition": MFA})]).because.endswith(
            "under a condition (aws:MultiFactorAuthPresent)"
        )
        assert administrator([policy({"Statement": [{**STAR, "Effect": "yes"}]})]).because == (
            "the policy p has neither Allow nor Deny as the Effect of statement 1"
        )


class TestSets:
    def test_an_administrator_by_one_of_many(self) -> None:
        decision = administrator([policy(allow("s3:*")), admin := policy(STAR, "the policy of the group")])
        assert (decision.answer, decision.by) == (ADMIN, admin)

    def test_a_deny_in_another_policy_counts(self) -> None:
        assert administrator([policy(STAR), policy(deny("*"))]).answer is NO
        assert administrator([managed("AdministratorAccess"), managed("AWSDenyAll")]).answer is NO

    def test_what_is_not_known_beside_an_administrator_changes_nothing(self) -> None:
        assert administrator([managed("custom", account="123456789012"), policy(STAR)]).answer is ADMIN

    def test_what_is_not_known_beside_a_condition(self) -> None:
        unknown = managed("custom", account="123456789012")
        assert administrator([policy({**STAR, "Condition": MFA}), unknown]).answer is UNKNOWN

    def test_rights_that_come_together_from_two_policies(self) -> None:
        assert administrator([policy(besides("Allow", "iam:*")), policy(allow("iam:*"))]).answer is ADMIN

    def test_no_policy(self) -> None:
        assert administrator([]).answer is NO


class TestManaged:
    @pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov", "aws-iso-b", HOLE])
    def test_by_the_arn_in_every_partition(self, partition: str) -> None:
        assert administrator([managed("AdministratorAccess", partition)]).answer is ADMIN

    @pytest.mark.parametrize(
        ("arn", "answer"),
        [
            ("arn:aws:iam::123456789012:policy/AdministratorAccess", UNKNOWN),
            ("arn:aws:iam::aws:policy/team/AdministratorAccess", NO),
            ("arn:aws:iam::aws:policy/AdministratorAccess-Amplify", NO),
            ("arn:aws:iam::aws:policy/administratoraccess", NO),
            ("arn:aws:iam::aws:policy/PowerUserAccess", NO),
            ("arn:aws:iam::aws:policy/AWSMcpServiceActionsFullAccess", CONDITIONAL),
            (f"arn:aws:iam::aws:policy/{HOLE}", UNKNOWN),
            (HOLE, UNKNOWN),
            ("", UNKNOWN),
        ],
    )
    def test_never_by_the_name(self, arn: str, answer: Answer) -> None:
        assert administrator([Policy("the policy AdministratorAccess", None, arn)]).answer is answer

    def test_the_document_of_a_customers_policy_of_that_name(self) -> None:
        own = read_document({"Statement": [allow("s3:*")]})
        named = Policy("the policy AdministratorAccess", own, "arn:aws:iam::123456789012:policy/AdministratorAccess")
        assert administrator([named]).answer is NO


class TestBoundaries:
    @pytest.mark.parametrize(
        ("boundary", "answer"),
        [
            (policy(STAR), ADMIN),
            (managed("AdministratorAccess"), ADMIN),
            (policy(allow("s3:*")), CONDITIONAL),
            (managed("PowerUserAccess"), CONDITIONAL),
            (policy({**STAR, "Condition": MFA}), CONDITIONAL),
            (policy([STAR, deny("*")]), CONDITIONAL),
            (managed("custom", account="123456789012"), ADMIN),
        ],
    )
    def test_of_an_administrator(self, boundary: Policy, answer: Answer) -> None:
        assert administrator([policy(STAR)], boundary).answer is answer

    def test_they_grant_nothing(self) -> None:
        assert administrator([policy(allow("s3:*"))], policy(STAR)).answer is NO

    def test_they_limit_what_is_not_known(self) -> None:
        unknown = managed("custom", account="123456789012")
        assert administrator([unknown], policy(allow("s3:*"))).answer is CONDITIONAL
        assert administrator([unknown], policy(STAR)).answer is UNKNOWN

    def test_one_that_is_not_known_is_named(self) -> None:
        boundary = Policy("the permissions boundary limits", None, "arn:aws:iam::123456789012:policy/limits")
        assert "the permissions boundary limits" in administrator([policy(STAR)], boundary).because


class TestVersions:
    def version(self, number: int, statement: object, default: object) -> dict[str, object]:
        return {"VersionId": f"v{number}", "IsDefaultVersion": default, "Document": {"Statement": statement}}

    @pytest.mark.parametrize(
        ("versions", "named", "answer"),
        [
            ([(1, STAR, False), (2, allow("s3:*"), True)], "v2", NO),
            ([(1, STAR, True), (2, allow("s3:*"), False)], "v1", ADMIN),
            ([(1, STAR, True)], None, ADMIN),
            ([(1, STAR, True), (2, allow("s3:*"), True)], "v1", UNKNOWN),
            ([(1, allow("s3:*"), True)], "v2", UNKNOWN),
            ([(1, STAR, False)], "v1", UNKNOWN),
            ([(1, STAR, "true")], "v1", UNKNOWN),
            ([], "v1", UNKNOWN),
        ],
    )
    def test_only_the_default_counts(
        self, versions: list[tuple[int, object, object]], named: str | None, answer: Answer
    ) -> None:
        entry = {"PolicyVersionList": [self.version(*each) for each in versions], "DefaultVersionId": named}
        assert administrator([Policy("p", default_document(entry), "arn:x")]).answer is answer

    @pytest.mark.parametrize("broken", [None, "v1", [1], {}])
    def test_versions_that_are_none(self, broken: object) -> None:
        assert default_document({"PolicyVersionList": broken}).problem
