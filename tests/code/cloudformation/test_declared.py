"""Naming the keys of text that no parser accepts."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyrules.code.cloudformation.declared import declared_keys
from keyrules.code.cloudformation.reading import read_template


def names(text: str) -> list[tuple[str, int]]:
    return [(key.logical_id, key.line) for key in declared_keys(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Resources:\n  K:\n    Type: AWS::IAM::AccessKey\n", [("K", 3)]),
        ("Resources:\n  K:\n    Type: 'AWS::IAM::AccessKey'  # note\n", [("K", 3)]),
        ('Resources:\n  "K":\n    "Type" : "AWS::IAM::AccessKey"\n', [("K", 3)]),
        ("Resources:\n  K:\n    Properties:\n      UserName: x\n    Type: AWS::IAM::AccessKey\n", [("K", 5)]),
        ("Resources:\n  K: {Type: AWS::IAM::AccessKey, Properties: {UserName: x}}\n", [("K", 2)]),
        ("Resources:\n  K: {Properties: {UserName: x}, Type: AWS::IAM::AccessKey}\n", [("K", 2)]),
        ("Resources:\n  K: &key\n    Type: &t AWS::IAM::AccessKey\n", [("K", 3)]),
        ("Resources:\n\tK:\n\t\tType: AWS::IAM::AccessKey\n", [("K", 3)]),
        ("Resources:\r\n  K:\r\n    Type: AWS::IAM::AccessKey\r\n", [("K", 3)]),
        ("\ufeffResources:\n  K:\n    Type: AWS::IAM::AccessKey", [("K", 3)]),
        # Broken JSON: a comment, a missing comma, an open end.
        ('{"Resources": {"K": {"Type": "AWS::IAM::AccessKey"}, // note\n', [("K", 1)]),
        ('{"Resources": {\n"A": {}\n"K": {\n"Properties": {"a": {}}, "Type": "AWS::IAM::AccessKey"}', [("K", 4)]),
        # Duplicate names.
        (
            "Resources:\n  K:\n    Type: AWS::IAM::AccessKey\n  K:\n    Type: AWS::IAM::AccessKey\n",
            [("K", 3), ("K", 5)],
        ),
        # Templates of templates.
        (
            "Resources:\n{% for user in users %}\n  Key{{ user }}:\n    Type: AWS::IAM::AccessKey\n{% endfor %}\n",
            [("Key{{ user }}", 4)],
        ),
        (
            "Resources:\n  K:\n{{- if .Values.on }}\n    Type: AWS::IAM::AccessKey\n{{- end }}\n",
            [("K", 4)],
        ),
        ('{"Resources": {"K{{ n }}": {"Type": "AWS::IAM::AccessKey", "P": "{{ x }}"}}}', [("K{{ n }}", 1)]),
        # Merge conflicts.
        (
            "Resources:\n  K:\n<<<<<<< HEAD\n    Type: AWS::IAM::AccessKey\n=======\n    Type: AWS::IAM::User\n"
            ">>>>>>> b\n",
            [("K", 4)],
        ),
        # A loop, and a second document.
        (
            "Resources:\n  Fn::ForEach::L:\n    - N\n    - [a]\n    - K${N}:\n        Type: AWS::IAM::AccessKey\n",
            [("K${N}", 6)],
        ),
        ("a: 1\n---\nResources:\n  K:\n    Type: AWS::IAM::AccessKey\n", [("K", 5)]),
        # No name in sight.
        ("Type: AWS::IAM::AccessKey\n", [("", 1)]),
    ],
)  # fmt: skip
def test_declared_keys_are_named(text: str, expected: list[tuple[str, int]]) -> None:
    assert names(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "# K:\n#   Type: AWS::IAM::AccessKey\n",
        "Resources:\n  K:\n    # Type: AWS::IAM::AccessKey\n    Type: AWS::IAM::User\n",
        "Resources:\n  K:\n    Type: AWS::IAM::User # Type: AWS::IAM::AccessKey\n",
        '{\n// "K": {"Type": "AWS::IAM::AccessKey"}\n}',
        '{\n/* "K":\n {"Type": "AWS::IAM::AccessKey"} */\n}',
        "{# K:\n  Type: AWS::IAM::AccessKey #}\n",
        "{{/* K:\n  Type: AWS::IAM::AccessKey */}}\n",
        "Description: Makes Type: AWS::IAM::AccessKey\n",
        'Description: "a {Type: AWS::IAM::AccessKey}"\n',
        "Description: 'a, Type: AWS::IAM::AccessKey'\n",
        '{"Description": "a {Type: AWS::IAM::AccessKey}"}',
        '{"Description": "{\\"Type\\": \\"AWS::IAM::AccessKey\\"}"}',
        "Description: |\n  A stack with\n    Type: AWS::IAM::AccessKey\nResources: {}\n",
        "Description: >-\n\n  Type: AWS::IAM::AccessKey\n",
        "Resources:\n  K:\n    Type: AWS::IAM::AccessKeyRotation\n",
        "Resources:\n  K:\n    Type: AWS::IAM::AccessKey is the type\n",
        "Resources:\n  K:\n    SubType: AWS::IAM::AccessKey\n",
        "Resources:\n  K:\n    Value: AWS::IAM::AccessKey\n",
        "",
    ],
)
def test_mentions_are_not_declarations(text: str) -> None:
    assert names(text) == []


def test_what_follows_prose_counts_again() -> None:
    text = "Description: |\n  Type: AWS::IAM::AccessKey\nResources:\n  K:\n    Type: AWS::IAM::AccessKey\n"
    assert names(text) == [("K", 5)]


def test_globs_and_addresses_are_no_comments() -> None:
    text = '{"R": {"P": {"a": "arn:aws:s3:::b/*"}, "K": {"u": "https://x", "Type": "AWS::IAM::AccessKey"}}}'
    assert names(text) == [("K", 1)]


@pytest.mark.parametrize(
    "text",
    [
        "{# " * 60_000 + "AWS::IAM::AccessKey",
        "{{" * 60_000 + "AWS::IAM::AccessKey",
        '"' * 100_001 + "AWS::IAM::AccessKey",
        "{" * 100_000 + "Type: AWS::IAM::AccessKey",
        "Type:" + "\n" * 100_000 + "AWS::IAM::AccessKey",
        "\n".join(f"{' ' * (n % 50)}k{n}:" for n in range(20_000)) + "\nType: AWS::IAM::AccessKey",
        "K: {Type: AWS::IAM::AccessKey}, " * 5_000,
    ],
    ids=range(7),
)
def test_hostile_text_ends(text: str) -> None:
    declared_keys(text)


NAME = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,8}", fullmatch=True)
TYPES = st.sampled_from(["AWS::IAM::AccessKey", "AWS::IAM::User"])
RESOURCES = st.dictionaries(NAME, st.tuples(TYPES, st.booleans(), NAME), min_size=1, max_size=6)


@given(RESOURCES, st.sampled_from(["yaml", "flow", "json", "pretty"]))
def test_it_finds_what_the_parser_finds(resources: dict[str, tuple[str, bool, str]], syntax: str) -> None:
    """On sound text both readings name the same keys, whatever the syntax and the order of attributes."""
    text = "Resources:\n"
    data: dict[str, dict[str, object]] = {}
    for name, (kind, type_first, user) in resources.items():
        properties = {"Properties": {"UserName": user}}
        data[name] = {"Type": kind, **properties} if type_first else {**properties, "Type": kind}
        lines = [f"    Type: {kind}\n", f"    Properties:\n      UserName: '{user}'\n"]
        text += f"  '{name}':\n" + "".join(lines if type_first else reversed(lines))
    if syntax == "flow":
        text = "Resources:\n" + "".join(f"  '{name}': {json.dumps(body)}\n" for name, body in data.items())
    elif syntax != "yaml":
        text = json.dumps({"Resources": data}, indent=2 if syntax == "pretty" else None)
    assert [name for name, _ in names(text)] == [key.logical_id for key in read_template(text).access_keys]
