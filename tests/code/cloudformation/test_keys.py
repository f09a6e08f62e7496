"""KEY_AWS_001, 003 and 004 on CloudFormation: declared rotation, keys per user, keys beside console access."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from cloudformation_cases import PATH, RULE_IDS, judged, statuses, template, unread

KEY = "AWS::IAM::AccessKey"


def key(**properties: object) -> dict[str, object]:
    return {"Type": KEY, "Properties": {"UserName": "someone", **properties}}


NO_VALUE = {"Ref": "AWS::NoValue"}


@pytest.mark.parametrize(
    ("properties", "status", "reason"),
    [
        ({}, "FAIL", "rotation_missing"),
        ({"Serial": None}, "FAIL", "rotation_missing"),
        ({"Serial": ""}, "FAIL", "rotation_missing"),
        ({"Serial": []}, "FAIL", "rotation_missing"),
        ({"Serial": {}}, "FAIL", "rotation_missing"),
        ({"Serial": NO_VALUE}, "FAIL", "rotation_missing"),
        ({"Serial": {"Fn::If": ["C", 1, NO_VALUE]}}, "FAIL", "rotation_missing"),
        ({"Serial": {"Fn::If": ["C", 1, {"Fn::If": ["D", NO_VALUE, 2]}]}}, "FAIL", "rotation_missing"),
        ({"Status": "Active"}, "FAIL", "rotation_missing"),
        ({"Status": {"Fn::If": ["C", "Active", "Inactive"]}}, "FAIL", "rotation_missing"),
        ({"Status": NO_VALUE}, "FAIL", "rotation_missing"),
        ({"Serial": 0}, "PASS", "rotation_manual_serial"),
        ({"Serial": 1}, "PASS", "rotation_manual_serial"),
        ({"Serial": "1"}, "PASS", "rotation_manual_serial"),
        ({"Serial": {"Fn::If": ["C", 1, 2]}}, "PASS", "rotation_manual_serial"),
        ({"Serial": {"Fn::FindInMap": ["M", "a", "b"]}}, "PASS", "rotation_manual_serial"),
        ({"Serial": {"Ref": "P"}}, "PASS", "rotation_manual_serial_parameter"),
        ({"Status": "Inactive"}, "PASS", "not_active"),
        ({"Status": {"Ref": "Off"}}, "PASS", "not_active"),
        ({"Fn::Transform": {"Name": "AWS::Include"}}, "UNKNOWN", "rotation_unknown"),
        ({"Fn::Transform": {"Name": "AWS::Include"}, "Serial": 1}, "PASS", "rotation_manual_serial"),
    ],
    ids=str,
)
def test_rotation(properties: dict[str, object], status: str, reason: str) -> None:
    parameters = {"P": {"Type": "Number", "Default": 1}, "Off": {"Type": "String", "Default": "Inactive"}}
    verdict = judged("KEY_AWS_001", json.dumps(template({"X": key(**properties)}, Parameters=parameters)))["X"]
    assert (verdict.status.value, verdict.reason) == (status, reason)


def test_a_key_without_properties_is_judged() -> None:
    text = (
        "Resources:\n  K:\n    Type: AWS::IAM::AccessKey\n  L:\n    Type: AWS::IAM::AccessKey\n    Properties: !Ref X\n"
    )
    assert statuses("KEY_AWS_001", text) == {"K": "FAIL", "L": "UNKNOWN"}


def test_the_verdict_is_anchored_on_the_key_and_knows_the_limit() -> None:
    verdict = judged("KEY_AWS_001", "Resources:\n  K:\n    Type: AWS::IAM::AccessKey\n")["K"]
    assert (verdict.path, verdict.address, verdict.start_line, verdict.end_line) == (PATH, "K", 2, 3)
    assert verdict.facts == {"max_age_days": 90}
    assert "90 days" in verdict.message


def test_a_config_rule_detects_but_does_not_rotate() -> None:
    rule = {"Type": "AWS::Config::ConfigRule", "Properties": {"Source": {"SourceIdentifier": "ACCESS_KEYS_ROTATED"}}}
    verdict = judged("KEY_AWS_001", json.dumps(template({"Watch": rule})))["K"]
    assert verdict.status.value == "FAIL"
    assert verdict.facts["detected_by"] == "Watch"


@pytest.mark.parametrize(
    ("policy", "status", "reason"),
    [
        ("Delete", "PASS", "rotation_manual_serial"),
        ("Retain", "FAIL", "rotation_keeps_the_old_key"),
        ("Snapshot", "FAIL", "rotation_keeps_the_old_key"),
        (NO_VALUE, "PASS", "rotation_manual_serial"),
        ({"Ref": "Kept"}, "FAIL", "rotation_keeps_the_old_key"),
        ({"Ref": "Gone"}, "PASS", "rotation_manual_serial"),
        ({"Ref": "Open"}, "UNKNOWN", "rotation_unknown"),
        ({"Fn::If": ["C", "Delete", "Retain"]}, "FAIL", "rotation_keeps_the_old_key"),
        ({"Fn::If": ["C", {"Ref": "Open"}, "Retain"]}, "FAIL", "rotation_keeps_the_old_key"),
        ({"Fn::If": ["C", {"Ref": "Open"}, "Delete"]}, "UNKNOWN", "rotation_unknown"),
        ({"Fn::Sub": "Re${Rest}"}, "FAIL", "rotation_keeps_the_old_key"),
    ],
    ids=str,
)
def test_a_replacement_that_keeps_the_old_key(policy: object, status: str, reason: str) -> None:
    parameters = {
        name: {"Type": "String", **({"Default": default} if default else {})}
        for name, default in (("Kept", "Retain"), ("Gone", "Delete"), ("Rest", "tain"), ("Open", ""))
    }
    rotated = {**key(Serial=1), "UpdateReplacePolicy": policy}
    verdict = judged("KEY_AWS_001", json.dumps(template({"X": rotated}, Parameters=parameters)))["X"]
    assert (verdict.status.value, verdict.reason) == (status, reason)


CONDITIONS = {
    "Prod": {"Fn::Equals": [{"Ref": "Env"}, "prod"]},
    "NotProd": {"Fn::Not": [{"Condition": "Prod"}]},
    "Test": {"Fn::Equals": ["test", {"Ref": "Env"}]},
    "Either": {"Fn::Or": [{"Condition": "Prod"}, {"Condition": "Test"}]},
    "NotEither": {"Fn::Not": [{"Condition": "Either"}]},
    "ProdInEurope": {"Fn::And": [{"Condition": "Prod"}, {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]}]},
    "Same": {"Fn::Equals": [{"Ref": "Env"}, {"Ref": "Other"}]},
    "Different": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Env"}, {"Ref": "Other"}]}]},
    "OnlyOne": {"Fn::Equals": [{"Ref": "Limited"}, "a"]},
    "OnlyOther": {"Fn::Equals": [{"Ref": "Limited"}, "c"]},
    "Never": {"Fn::Equals": ["a", "b"]},
    "Odd": {"Fn::Unheard": ["a"]},
    "Loop": {"Fn::Not": [{"Condition": "Loop"}]},
}
PARAMETERS = {
    "Env": {"Type": "String", "Default": "prod"},
    "Other": {"Type": "String"},
    "Limited": {"Type": "String", "AllowedValues": ["a", "b"]},
}


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        (None, None, True),
        ("Prod", None, True),
        ("Prod", "Prod", True),
        ("Prod", "NotProd", False),
        ("Prod", "Test", False),
        ("NotProd", "Test", True),
        ("Prod", "Either", True),
        ("Prod", "NotEither", False),
        ("Prod", "ProdInEurope", True),
        ("NotProd", "ProdInEurope", False),
        ("Same", "Different", False),
        ("Same", "Prod", True),
        ("Different", "Prod", True),
        ("Prod", "Odd", True),
        ("Prod", "Loop", True),
        ("Prod", "Undeclared", True),
    ],
    ids=str,
)
def test_keys_of_one_user_and_their_conditions(first: str | None, second: str | None, together: bool) -> None:
    keys = {
        name: {**key(), **({"Condition": condition} if condition else {})}
        for name, condition in (("A", first), ("B", second))
    }
    text = json.dumps({"Resources": keys, "Conditions": CONDITIONS, "Parameters": PARAMETERS})
    expected = "FAIL" if together else "PASS"
    assert statuses("KEY_AWS_003", text) == {"A": expected, "B": expected}


@pytest.mark.parametrize(("condition", "created"), [("Never", False), ("OnlyOther", False), ("OnlyOne", True)])
def test_a_key_that_no_parameters_create(condition: str, created: bool) -> None:
    text = json.dumps(
        {"Resources": {"K": {**key(), "Condition": condition}}, "Conditions": CONDITIONS, "Parameters": PARAMETERS}
    )
    assert (judged("KEY_AWS_001", text)["K"].reason == "never_created") is not created


EQUAL = {
    "is prod": {"Fn::Equals": [{"Ref": "B"}, "prod"]},
    "same": {"Fn::Equals": [{"Ref": "A"}, {"Ref": "B"}]},
    "same as well": {"Fn::Equals": [{"Ref": "B"}, {"Ref": "C"}]},
    "is not prod": {"Fn::Not": [{"Fn::Equals": [{"Ref": "A"}, "prod"]}]},
}


@pytest.mark.parametrize("order", list(itertools.permutations(("is prod", "same", "same as well"))), ids=str)
def test_the_order_of_conditions_decides_nothing(order: tuple[str, ...]) -> None:
    text = {"Resources": {"K": {**key(), "Condition": "All"}}, "Parameters": {n: {"Type": "String"} for n in "ABC"}}
    met = {"All": {"Fn::And": [EQUAL[name] for name in order]}}
    assert judged("KEY_AWS_001", json.dumps({**text, "Conditions": met}))["K"].reason == "rotation_missing"
    unmet = {"All": {"Fn::And": [EQUAL[name] for name in (*order, "is not prod")]}}
    assert judged("KEY_AWS_001", json.dumps({**text, "Conditions": unmet}))["K"].reason == "never_created"


def test_many_conditions_are_not_tried_forever() -> None:
    conditions = {f"C{n}": {"Fn::Equals": [{"Ref": f"P{n}"}, "x"]} for n in range(60)}
    conditions["All"] = {"Fn::And": [{"Condition": name} for name in list(conditions)]}
    keys = {f"K{n}": {**key(), "Condition": f"C{n}" if n else "All"} for n in range(60)}
    text = json.dumps({"Resources": keys, "Conditions": conditions})
    assert set(statuses("KEY_AWS_003", text).values()) == {"FAIL"}


USERS = """
Parameters:
  Name: {Type: String}
  Default: {Type: String, Default: literal}
Mappings: {M: {a: {b: literal}}}
Resources:
  User: {Type: AWS::IAM::User}
  Named: {Type: AWS::IAM::User, Properties: {UserName: literal}}
  Param: {Type: AWS::IAM::User, Properties: {UserName: !Ref Name}}
  A: {Type: AWS::IAM::AccessKey, Properties: {UserName: %s}}
  B: {Type: AWS::IAM::AccessKey, Properties: {UserName: %s}}
"""


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("literal", "literal", True),
        ("literal", "'literal'", True),
        ("literal", "other", False),
        ("!Ref User", "!Ref User", True),
        ("!Ref User", "{Ref: User}", True),
        ("!Ref User", "!Sub '${User}'", True),
        ("!Ref User", "!Join ['', [!Ref User]]", True),
        ("!Ref User", "User", False),
        ("!Ref User", "!Ref Named", False),
        ("!Ref Named", "literal", True),
        ("!Ref Named", "!Ref Default", True),
        ("!Ref Named", "!FindInMap [M, a, b]", True),
        ("!Ref Param", "!Ref Name", True),
        ("!Ref Name", "!Ref Default", False),
        ("!Sub '${AWS::StackName}-bot'", "!Join ['-', [!Ref 'AWS::StackName', bot]]", True),
        ("!Sub '${AWS::StackName}-bot'", "!Sub '${AWS::StackName}-cat'", False),
        ("!Sub ['${V}-bot', {V: !Ref Name}]", "!Sub '${Name}-bot'", True),
        ("!ImportValue x", "!ImportValue x", True),
        ("!ImportValue x", "!ImportValue y", False),
        ("!GetAtt Custom.Name", "!GetAtt [Custom, Name]", True),
    ],
)
def test_the_same_user_in_different_words(first: str, second: str, same: bool) -> None:
    expected = "FAIL" if same else "PASS"
    assert statuses("KEY_AWS_003", USERS % (first, second)) == {"A": expected, "B": expected}


def test_each_key_names_the_others_and_inactive_ones_do_not_count() -> None:
    text = json.dumps(
        {"Resources": {"A": key(), "B": key(), "C": key(), "D": key(Status="Inactive"), "E": key(UserName="e")}}
    )
    verdicts = judged("KEY_AWS_003", text)
    assert {name: verdict.facts.get("others") for name, verdict in verdicts.items()} == {
        "A": "B, C",
        "B": "A, C",
        "C": "A, B",
        "D": None,
        "E": None,
    }


def test_keys_without_a_user_are_not_keys_of_one_user() -> None:
    text = json.dumps({"Resources": {"A": {"Type": KEY}, "B": {"Type": KEY}}})
    assert statuses("KEY_AWS_003", text) == {"A": "PASS", "B": "PASS"}


def test_an_inactive_key_beside_a_login_profile_opens_nothing() -> None:
    user = {"Type": "AWS::IAM::User", "Properties": {"LoginProfile": {"Password": "x"}}}
    reference = {"Ref": "U"}
    text = json.dumps(
        {"Resources": {"U": user, "A": key(UserName=reference, Status="Inactive"), "B": key(UserName=reference)}}
    )
    assert statuses("KEY_AWS_004", text) == {"A": "PASS", "B": "FAIL"}


def test_a_loop_over_users_gives_each_one_key() -> None:
    text = """
Resources:
  Fn::ForEach::Keys:
    - Name
    - [a, b]
    - "Key${Name}": {Type: AWS::IAM::AccessKey, Properties: {UserName: %s}}
"""
    assert statuses("KEY_AWS_003", text % "!Ref Name") == {"Keya": "PASS", "Keyb": "PASS"}
    assert statuses("KEY_AWS_003", text % "same") == {"Keya": "FAIL", "Keyb": "FAIL"}


@pytest.mark.parametrize(
    ("user", "user_name", "expected"),
    [
        ({"LoginProfile": {"Password": "x"}}, {"Ref": "U"}, "FAIL"),
        ({"LoginProfile": {"Password": "x"}}, {"Fn::Sub": "${U}"}, "FAIL"),
        ({"LoginProfile": {"Password": "x"}, "UserName": "u"}, "u", "FAIL"),
        ({"LoginProfile": {"Fn::If": ["C", {"Password": "x"}, NO_VALUE]}}, {"Ref": "U"}, "FAIL"),
        ({"LoginProfile": NO_VALUE}, {"Ref": "U"}, "PASS"),
        ({"LoginProfile": None}, {"Ref": "U"}, "PASS"),
        ({}, {"Ref": "U"}, "PASS"),
        ({"LoginProfile": {"Password": "x"}}, "somebody-else", "PASS"),
        ({"LoginProfile": {"Password": "x"}}, "U", "PASS"),
    ],
    ids=str,
)
def test_console_access_beside_a_key(user: dict[str, object], user_name: object, expected: str) -> None:
    resources = {"U": {"Type": "AWS::IAM::User", "Properties": user}, "A": key(UserName=user_name)}
    assert statuses("KEY_AWS_004", json.dumps({"Resources": resources})) == {"A": expected}


def test_console_access_and_a_key_that_exclude_each_other() -> None:
    user = {
        "Type": "AWS::IAM::User",
        "Condition": "Prod",
        "Properties": {"UserName": "u", "LoginProfile": {"Password": "x"}},
    }
    resources = {"U": user, "A": {**key(UserName="u"), "Condition": "NotProd"}, "B": key(UserName="u")}
    text = json.dumps({"Resources": resources, "Conditions": CONDITIONS})
    assert statuses("KEY_AWS_004", text) == {"A": "PASS", "B": "FAIL"}


@pytest.mark.parametrize("rule", RULE_IDS)
def test_a_template_that_cannot_be_read_leaves_its_keys_unknown(rule: str, tmp_path: Path) -> None:
    text = "Resources:\n  K:\n    Type: AWS::IAM::AccessKey\n  L: *nothing\n"
    verdict = unread(rule, tmp_path, text)["K"]
    assert (verdict.status.value, verdict.reason) == ("UNKNOWN", "not_evaluated")
    assert "line 4 uses an alias that nothing before it has completed" in verdict.message


@pytest.mark.parametrize("rule", RULE_IDS)
def test_every_key_gets_exactly_one_verdict(rule: str) -> None:
    resources = {f"K{number}": key(UserName=f"u{number}") for number in range(5)}
    assert list(judged(rule, json.dumps({"Resources": resources}))) == list(resources)


@pytest.mark.parametrize("length", [1, 60])
def test_users_named_after_each_other_end(length: int) -> None:
    """Nine references at each of sixty steps are 9^60 characters; a circle has no end at all."""
    users = {
        f"U{n}": {
            "Type": "AWS::IAM::User",
            "Properties": {"UserName": {"Fn::Join": ["", [{"Ref": f"U{(n + 1) % length}"}] * 9]}},
        }
        for n in range(length)
    }
    keys = {"A": key(UserName={"Ref": "U0"}), "B": key(UserName={"Ref": "U0"}), "C": key(UserName="c")}
    text = json.dumps({"Resources": {**users, **keys}})
    assert statuses("KEY_AWS_003", text) == {"A": "FAIL", "B": "FAIL", "C": "PASS"}
