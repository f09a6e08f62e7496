"""Properties as plain values with holes, and blocks of templates that nobody can read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cloudformation_cases import PATH, unread

from keyrules.code.cloudformation.intrinsics import Reader
from keyrules.code.cloudformation.plain_values import Values
from keyrules.code.cloudformation.view import template_file
from keyrules.policies.patterns import HOLE

PARAMETERS = {
    "Open": {"Type": "String"},
    "Known": {"Type": "String", "Default": "k"},
    "Several": {"Type": "CommaDelimitedList", "Default": "a, b"},
    "None": {"Type": "CommaDelimitedList", "Default": ""},
}
USERS = {
    "Named": {"Type": "AWS::IAM::User", "Properties": {"UserName": "ann", "Path": "/team/"}},
    "Unnamed": {"Type": "AWS::IAM::User"},
}
REF_OPEN, NO_VALUE = {"Ref": "Open"}, {"Ref": "AWS::NoValue"}


def values(value: object) -> tuple[Values, Any]:
    """A reader of a template, and the node of a value in it."""
    probe = {"Type": "T", "Properties": {"P": value}}
    text = json.dumps({"Parameters": PARAMETERS, "Resources": {**USERS, "Probe": probe}})
    template = template_file(PATH, text).template
    assert template is not None
    return Values(template, Reader(template, defaults=True)), template.resources["Probe"].setting("P")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("x", "x"),
        (["x", 1], ["x", "1"]),
        ({"a": {"b": ["c"]}}, {"a": {"b": ["c"]}}),
        ({"a": NO_VALUE, "b": "c"}, {"b": "c"}),
        (["a", NO_VALUE], ["a"]),
        ([{"Ref": "Known"}, REF_OPEN], ["k", HOLE]),
        ({"Fn::Sub": "arn:${AWS::Partition}:s3:::${Open}/*"}, f"arn:{HOLE}:s3:::{HOLE}/*"),
        ({"Fn::Sub": ["${x}-${Known}", {"x": {"Fn::If": ["C", REF_OPEN, "y"]}}]}, f"{HOLE}-k"),
        ({"Fn::Join": [":", ["arn", REF_OPEN, "iam"]]}, f"arn:{HOLE}:iam"),
        ({"Fn::If": ["C", "a", "b"]}, HOLE),
        ([{"Fn::If": ["C", "a", NO_VALUE]}], [HOLE]),
        ({"Fn::GetAtt": ["Named", "Arn"]}, f"arn:{HOLE}:iam::{HOLE}:user/team/ann"),
        ({"Fn::GetAtt": ["Unnamed", "Arn"]}, f"arn:{HOLE}:iam::{HOLE}:user/*-Unnamed-*"),
        ({"Fn::Transform": {"Name": "AWS::Include"}}, HOLE),
        ("{{resolve:ssm:x}}", HOLE),
        ("arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::*:user/${aws:username}"),
    ],
)
def test_a_value(value: object, expected: object) -> None:
    reader, node = values(value)
    assert reader.plain(node) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["a", "b"], ["a", "b"]),
        ([], []),
        (NO_VALUE, []),
        ({"Ref": "Several"}, ["a", "b"]),
        ({"Ref": "None"}, []),
        (REF_OPEN, [None]),
        ({"Fn::If": ["C", ["a"], NO_VALUE]}, ["a"]),
        ({"Fn::If": ["C", ["a"], ["b"]]}, ["a", "b"]),
        (["a", {"Fn::If": ["C", "b", NO_VALUE]}], ["a", "b"]),
    ],
)
def test_the_members_of_a_list_in_some_case(value: object, expected: list[str | None]) -> None:
    reader, node = values(value)
    assert [member and reader.plain(member) for member in reader.members(node)] == expected


class TestUnreadable:
    @pytest.mark.parametrize(
        ("kind", "rest", "named"),
        [
            ("UserPolicy", "", True),
            ("User", "ManagedPolicyArns: [x]", True),
            ("User", "Groups: [x]", False),
            ("Policy", "Users: [x]", True),
            ("ManagedPolicy", "Roles: [x]", False),
            ("Role", "Users: [x]", False),
        ],
    )
    def test_a_block_that_may_be_judged_is_unknown(self, tmp_path: Path, kind: str, rest: str, named: bool) -> None:
        text = f"Resources:\n  B:\n    Type: AWS::IAM::{kind}\n    Properties:\n      {rest}\n  bad: [\n"
        found = unread("KEY_AWS_021", tmp_path, text)
        assert {name: verdict.status.value for name, verdict in found.items()} == ({"B": "UNKNOWN"} if named else {})

    def test_it_concerns_no_rule_on_keys(self, tmp_path: Path) -> None:
        assert unread("KEY_AWS_001", tmp_path, "Resources:\n  B:\n    Type: AWS::IAM::UserPolicy\n  bad: [\n") == {}
