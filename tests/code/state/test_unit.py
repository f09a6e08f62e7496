"""What rules on rights and settings say of a state; how a key is declared is none of its business."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from scanning import scan, write
from states import key_values, resource, state_3, state_4, user_values

STAR = json.dumps({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
NO_KEYS = json.dumps(
    {"Statement": [{"Effect": "Deny", "Action": "iam:*", "Resource": "arn:aws:iam::123456789012:user/ci"}]}
)
KEY = resource("aws_iam_access_key.k", key_values("ci"))
USER = resource("aws_iam_user.u", user_values("ci", path="/", permissions_boundary=""))
INLINE = resource("aws_iam_user_policy.p", {"user": "ci", "name": "p", "policy": STAR})
GROUP_POLICY = resource("aws_iam_group_policy.p", {"group": "ops", "name": "p", "policy": STAR})
MEMBER = resource("aws_iam_user_group_membership.m", {"user": "ci", "groups": ["ops"]})
ATTACHED = resource("aws_iam_user_policy_attachment.a", {"user": "ci", "policy_arn": "arn:aws:iam::1:policy/star"})
MANAGED = resource("aws_iam_policy.star", {"arn": "arn:aws:iam::1:policy/star", "name": "star", "policy": STAR})
OTHER = 'provider["registry.terraform.io/hashicorp/aws"].other'


def verdicts(folder: Path, text: str, name: str = "terraform.tfstate") -> dict[tuple[str, str], str]:
    """The statuses by rule and address; a state never passes what a configuration has to declare."""
    report = scan(write(folder, {name: text}), "--show-passing").report
    assert report["errors"] == []
    return {
        (f["rule"][-3:], f["location"]["address"]): f["status"] for f in report["findings"] if f["rule"][-3:] != "011"
    }


class TestRights:
    @pytest.mark.parametrize(
        ("resources", "status"),
        [
            ((KEY, USER, INLINE), "FAIL"),
            ((KEY, INLINE), "FAIL"),
            ((KEY, USER, MEMBER, GROUP_POLICY), "FAIL"),
            ((KEY, USER, GROUP_POLICY), "PASS"),
            ((KEY, USER, ATTACHED, MANAGED), "FAIL"),
            ((KEY, USER, ATTACHED), "UNKNOWN"),
            ((resource("aws_iam_access_key.k", key_values("ci", status="Inactive")), INLINE), "PASS"),
            ((KEY, resource("aws_iam_user_policy.p", {"user": "ci", "policy": STAR}, provider=OTHER)), "PASS"),
        ],
    )
    def test_of_an_administrator(self, tmp_path: Path, resources: tuple[Any, ...], status: str) -> None:
        assert verdicts(tmp_path, state_4(*resources))["020", "aws_iam_access_key.k"] == status

    def test_of_rotating(self, tmp_path: Path) -> None:
        denial = resource("module.m.aws_iam_user_policy.p", {"user": "ci", "policy": NO_KEYS})
        found = verdicts(tmp_path, state_4(KEY, USER, denial))
        assert (
            found["029", "aws_iam_access_key.k"] == "FAIL" and found["021", "module.m.aws_iam_user_policy.p"] == "FAIL"
        )

    def test_a_key_is_judged_by_no_rule_on_declarations(self, tmp_path: Path) -> None:
        assert {rule for rule, _ in verdicts(tmp_path, state_4(KEY))} == {"020", "029"}


class TestSettings:
    @pytest.mark.parametrize(("length", "reuse", "statuses"), [(6, 0, "FAIL"), (14, 24, "PASS")])
    def test_of_passwords(self, tmp_path: Path, length: int, reuse: int, statuses: str) -> None:
        values = {"minimum_password_length": length, "password_reuse_prevention": reuse}
        found = verdicts(tmp_path, state_4(resource("aws_iam_account_password_policy.p", values)))
        address = "aws_iam_account_password_policy.p"
        assert found == {("024", address): statuses, ("025", address): statuses}

    def test_of_credentials(self, tmp_path: Path) -> None:
        values = {
            "service_name": "bedrock.amazonaws.com",
            "status": "Active",
            "service_password": "hunter2hunter2hunter2",
        }
        done = scan(write(tmp_path, {"a.tfstate": state_4(resource("aws_iam_service_specific_credential.c", values))}))
        assert [finding["rule"] for finding in done.report["findings"]] == ["KEY_AWS_022"]
        assert "hunter2" not in json.dumps(done.report)

    def test_version_3_has_lists_by_their_members(self, tmp_path: Path) -> None:
        attributes = {"users.#": "1", "users.1867": "ci", "policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess"}
        key = {"primary": {"id": "AKIAX", "attributes": {"user": "ci", "status": "Active"}}}
        attachment = {"primary": {"id": "a", "attributes": attributes}}
        text = state_3({("root",): {"aws_iam_policy_attachment.a": attachment, "aws_iam_access_key.k": key}})
        found = verdicts(tmp_path, text)
        assert found["020", "aws_iam_access_key.k"] == found["021", "aws_iam_policy_attachment.a"] == "FAIL"


class TestFiles:
    @pytest.mark.parametrize(
        "name", ["terraform.tfstate.backup", "terraform.tfstate.1700000000.backup", ".terraform.tfstate.lock.info"]
    )
    def test_copies_are_passed_over(self, tmp_path: Path, name: str) -> None:
        assert verdicts(tmp_path, state_4(KEY, INLINE), name) == {}

    @pytest.mark.parametrize(
        "text", [state_4(KEY, INLINE)[:-40], "[]aws_iam_access_key", "[" * 9000 + "aws_iam_access_key"]
    )
    def test_a_damaged_one_is_an_error(self, tmp_path: Path, text: str) -> None:
        done = scan(write(tmp_path, {"terraform.tfstate": text}))
        assert done.code == 3 and [error["input"] for error in done.report["errors"]] == ["terraform.tfstate"]

    @pytest.mark.parametrize(
        "resources",
        [
            None,
            "x",
            {"aws_iam_user_policy": 1},
            [1],
            [{"type": "aws_iam_user_policy", "instances": {}}],
            [{"type": "aws_iam_user_policy", "instances": ["x"]}],
            [{"type": "aws_iam_user_policy", "instances": [{"attributes": [1]}]}],
            [{"type": "aws_iam_user_policy", "instances": [{"attributes": None}]}],
        ],
    )
    def test_one_of_another_layout_is_an_error(self, tmp_path: Path, resources: object) -> None:
        text = json.dumps({"version": 4, "resources": resources, "note": "aws_iam_user_policy"})
        done = scan(write(tmp_path, {"terraform.tfstate": text}))
        assert done.code == 3 and [error["input"] for error in done.report["errors"]] == ["terraform.tfstate"]

    @pytest.mark.parametrize("version", [1, 2, 5, "4", None])
    def test_one_of_a_version_that_is_not_read_is_an_error(self, tmp_path: Path, version: object) -> None:
        text = json.dumps({**json.loads(state_4(KEY, INLINE)), "version": version})
        done = scan(write(tmp_path, {"terraform.tfstate": text}))
        assert done.code == 3 and "version" in done.report["errors"][0]["message"]
