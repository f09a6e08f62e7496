"""Loops, types that a template builds, and pieces that it takes from elsewhere: declared, or open, never silent."""

from __future__ import annotations

import json

import pytest

from keyrules.code.cloudformation.document import Scalar
from keyrules.code.cloudformation.reading import read_template


def test_loops_over_known_values_declare_each_key() -> None:
    text = """
Parameters: {Names: {Type: CommaDelimitedList, Default: "carol, dan"}}
Resources:
  Fn::ForEach::Team:
    - Name
    - [alice, bo-b]
    - Key&{Name}:
        Type: AWS::IAM::AccessKey
        Properties: {UserName: !Ref Name, Serial: !Sub "${Name}"}
  Fn::ForEach::Guests:
    - Name
    - !Ref Names
    - "Guest${Name}": {Type: AWS::IAM::AccessKey, Properties: {UserName: "${Name}"}}
"""
    resources = read_template(text).resources
    assert list(resources) == ["Keyalice", "Keybob", "Guestcarol", "Guestdan"]
    assert not any(block.looped for block in resources.values())
    names = [resources[name].setting("UserName") for name in resources]
    assert [name.text for name in names if isinstance(name, Scalar)] == ["alice", "bo-b", "carol", "dan"]


def test_a_loop_over_unknown_values_declares_its_block_once() -> None:
    text = "Resources: {'Fn::ForEach::X': [N, {Ref: P}, {'K${N}': {Type: 'AWS::IAM::AccessKey'}}]}"
    assert [(key.logical_id, key.looped) for key in read_template(text).access_keys] == [("K${N}", True)]


def test_nested_loops_do_not_explode() -> None:
    """Twenty loops over ten values each are 10^20 blocks; what exceeds the bound stays one block per loop body."""
    name = "".join(f"${{V{number}}}" for number in range(20))
    body: dict[str, object] = {f"K{name}": {"Type": "AWS::IAM::AccessKey"}}
    for number in range(20):
        body = {f"Fn::ForEach::L{number}": [f"V{number}", [str(value) for value in range(10)], body]}
    keys = read_template(json.dumps({"Resources": body})).access_keys
    assert len(keys) < 100_000
    assert any(key.looped for key in keys)


@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        ("[Access, Role]", {"RAccess": True, "RRole": False}),
        ("!FindInMap [M, a, kinds]", {"RAccess": True, "RRole": False}),
        ("!Split ['|', 'Access|Role']", {"RAccess": True, "RRole": False}),
        ("[!Ref Default, Role]", {"RAccess": True, "RRole": False}),
        ("[!FindInMap [M, a, one], Role]", {"RAccess": True, "RRole": False}),
    ],
)
def test_a_loop_that_builds_the_type_declares_what_it_builds(values: str, kinds: dict[str, bool]) -> None:
    text = f"""
Parameters: {{Default: {{Type: String, Default: Access}}}}
Mappings: {{M: {{a: {{kinds: [Access, Role], one: Access}}}}}}
Resources:
  Fn::ForEach::Kinds:
    - N
    - {values}
    - R${{N}}: {{Type: !Sub "AWS::IAM::${{N}}Key"}}
"""
    read = read_template(text)
    assert [key.logical_id for key in read.access_keys] == [name for name, is_key in kinds.items() if is_key]
    assert read.open_keys == ()


@pytest.mark.parametrize(
    ("values", "kind", "opened"),
    [
        ("!Ref Given", "AWS::IAM::${N}Key", True),
        ("!Ref Given", "AWS::${N}::AccessKey", True),
        ("!Ref Given", "AWS::S3::${N}", False),
        ("!Ref WithDefault", "AWS::IAM::${N}", True),
        ("!Ref WithDefault", "AWS::IAM::User", False),
        ("!FindInMap [M, !Ref 'AWS::Region', kinds]", "AWS::IAM::${N}", True),
        ("[!Ref Given]", "AWS::IAM::${N}", True),
    ],
)
def test_a_type_that_only_a_deployment_knows_is_open_where_it_may_be_a_key(
    values: str, kind: str, opened: bool
) -> None:
    text = f"""
Parameters: {{Given: {{Type: CommaDelimitedList}}, WithDefault: {{Type: CommaDelimitedList, Default: "Role,User"}}}}
Mappings: {{M: {{eu-west-1: {{kinds: [AccessKey]}}}}}}
Resources:
  Fn::ForEach::Kinds: [N, {values}, {{"R${{N}}": {{Type: {kind}}}}}]
"""
    read = read_template(text)
    assert [block.logical_id for block in read.open_keys] == (["R${N}"] if opened else [])
    assert read.access_keys == ()


def test_nested_loops_build_types() -> None:
    text = """
Resources:
  Fn::ForEach::A:
    - S
    - [IAM, S3]
    - Fn::ForEach::B: [K, [AccessKey, User], {"X${S}${K}": {Type: "AWS::${S}::${K}"}}]
"""
    assert [key.logical_id for key in read_template(text).access_keys] == ["XIAMAccessKey"]


@pytest.mark.parametrize(
    ("kind", "is_key"),
    [
        ("!Sub AWS::IAM::AccessKey", True),
        ("!Join ['::', [AWS, IAM, AccessKey]]", True),
        ("!FindInMap [M, a, b]", True),
        ("!Select [1, [AWS::S3::Bucket, AWS::IAM::AccessKey]]", True),
        ("!Sub AWS::IAM::User", False),
    ],
)
def test_a_type_from_a_function_is_what_it_yields(kind: str, is_key: bool) -> None:
    text = f"Mappings: {{M: {{a: {{b: 'AWS::IAM::AccessKey'}}}}}}\nResources:\n  K:\n    Type: {kind}\n"
    assert [key.logical_id for key in read_template(text).access_keys] == (["K"] if is_key else [])


@pytest.mark.parametrize(
    ("location", "opened"),
    [("s3://bucket/keys.yaml", True), ("!Ref Where", True), ("keys.yaml", False), ("./keys.yaml", False)],
)
def test_resources_included_from_elsewhere_are_open(location: str, opened: bool) -> None:
    text = (
        "Parameters: {Where: {Type: String}}\n"
        f"Resources:\n  Fn::Transform: {{Name: AWS::Include, Parameters: {{Location: {location}}}}}\n"
    )
    assert bool(read_template(text).open_keys) is opened


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("K:\n  Type: AWS::IAM::AccessKey\n", "K"),
        ("Type: AWS::IAM::AccessKey\nProperties: {UserName: x}\n", "AWS::IAM::AccessKey"),
    ],
)
def test_what_a_template_includes_is_read_by_itself(text: str, name: str) -> None:
    assert [key.logical_id for key in read_template(text).access_keys] == [name]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Resources:\n  K:\n    Fn::Transform: {Name: AWS::Include, Parameters: {Location: 's3://b/k'}}\n", "K"),
        ("Transform: {Name: AWS::Include, Parameters: {Location: 's3://b/k'}}\nResources: {}\n", "Transform"),
        ("Fn::Transform: {Name: AWS::Include, Parameters: {Location: 's3://b/k'}}\n", "Transform"),
    ],
)
def test_a_whole_resource_or_template_from_elsewhere_is_open(text: str, name: str) -> None:
    assert [block.logical_id for block in read_template(text).open_keys] == [name]
