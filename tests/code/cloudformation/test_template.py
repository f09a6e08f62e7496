"""Reading templates: both syntaxes, every short form, lines, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from scanning import scan, write

from keyrules.code.cloudformation import document as cloudformation_document
from keyrules.code.cloudformation.document import (
    MAX_CHARACTERS,
    Listing,
    Node,
    Scalar,
    TemplateError,
    decode_template,
    read_document,
)
from keyrules.code.cloudformation.reading import read_template


def plain(node: Node) -> object:
    """The node as plain Python data."""
    if isinstance(node, Scalar):
        return None if node.null else node.text
    if isinstance(node, Listing):
        return [plain(item) for item in node.items]
    return {entry.key: plain(entry.node) for entry in node.entries}


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("!Ref K", {"Ref": "K"}),
        ("!Condition C", {"Condition": "C"}),
        ("!GetAtt K.SecretAccessKey", {"Fn::GetAtt": "K.SecretAccessKey"}),
        ("!GetAtt [K, SecretAccessKey]", {"Fn::GetAtt": ["K", "SecretAccessKey"]}),
        ("!Sub 'a${K}'", {"Fn::Sub": "a${K}"}),
        ("!Base64\n  Fn::Sub: x", {"Fn::Base64": {"Fn::Sub": "x"}}),
        ("!If [C, !Ref K, x]", {"Fn::If": ["C", {"Ref": "K"}, "x"]}),
        ("!Join ['', [!Ref K]]", {"Fn::Join": ["", [{"Ref": "K"}]]}),
        ("!Transform {Name: n}", {"Fn::Transform": {"Name": "n"}}),
        ("! text", "text"),
        ("!!str 1", "1"),
        ("~", None),
        ("", None),
        ("'null'", "null"),
        ("yes", "yes"),
        ("2012-10-17", "2012-10-17"),
    ],
)
def test_short_forms_become_long_forms(short: str, long: object) -> None:
    assert plain(read_document(f"a: {short}\n")) == {"a": long}


def test_lines_are_those_of_the_file() -> None:
    text = (
        "Resources:\n"
        "  K:\n"
        "    Type: AWS::IAM::AccessKey\n"
        "    Properties:\n"
        "      UserName: |\n"
        "        x\n"
        "        y\n"
        "\n"
        "  # a comment\n"
        "  L: {Type: AWS::IAM::AccessKey,\n"
        "      Properties: {UserName: y}\n"
        "  }\n"
    )
    keys = read_template(text).access_keys
    assert [(key.logical_id, key.start_line, key.end_line) for key in keys] == [("K", 2, 7), ("L", 10, 12)]


@pytest.mark.parametrize("loader", [yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)])
def test_json_with_tabs_surrogates_and_a_trailing_comma(loader: type, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both of PyYAML's parsers; only some installations have the fast one."""
    monkeypatch.setattr(cloudformation_document, "_LOADER", loader)
    text = '{\n\t"Resources": {\n\t\t"K": {"Type": "AWS::IAM::AccessKey", "a": "\\ud83d\\ude00\\/"},\n\t}\n}'
    key = read_template(text).resources["K"]
    assert (key.type, key.start_line) == ("AWS::IAM::AccessKey", 3)
    note = key.part("a")
    assert isinstance(note, Scalar)
    assert note.text == "\U0001f600/"


@given(
    st.recursive(
        st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=10,
    )
)
def test_json_reads_as_the_json_parser_reads_it(value: object) -> None:
    text = json.dumps({"a": value}, indent="\t")
    assert plain(read_document(text)) == {"a": value}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
def test_encodings(encoding: str) -> None:
    text = "Resources: {K: {Type: AWS::IAM::AccessKey}}\n# é\n"
    assert [key.logical_id for key in read_template(decode_template(text.encode(encoding))).access_keys] == ["K"]


def test_merge_keys_and_aliases() -> None:
    text = "a: &a {x: 1, y: 2}\nb: {<<: *a, x: 3}\nc: *a\nd: {<<: [*a, {z: 4}]}\n"
    assert plain(read_document(text)) == {
        "a": {"x": "1", "y": "2"},
        "b": {"x": "3", "y": "2"},
        "c": {"x": "1", "y": "2"},
        "d": {"x": "1", "y": "2", "z": "4"},
    }


BOMB = "a0: &a0 x\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "the text is empty"),
        ('{"a":' * 100_000, "line 1 is nested more than 200 levels deep"),
        ("\n".join(" " * depth + "a:" for depth in range(300)), "line 201 is nested more than 200 levels deep"),
        (BOMB, "the block at line 7 expands to more than 500000 values"),
        ("a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 300)), "nested more than 200"),
        ("a: &a [*a]", "line 1 uses an alias that nothing before it has completed"),
        ("a: !!python/object:os.system x", "line 1 has a tag that CloudFormation does not know"),
        ("a: 1\n---\nb: 2\n", "a second document starts at line 2"),
        ("? [a]\n: b\n", "line 1 has a key that is not plain text"),
        ("a: \x00", "the text holds characters that YAML and JSON do not allow"),
        ("a:\n\tb: 1\n", "line 2 is not valid YAML or JSON"),
        ("{% if x %}\na: 1\n", "line 1 is not valid YAML or JSON"),
        ("<<: [1]\n", "line 1 merges something that is not a mapping"),
        ("x" * (MAX_CHARACTERS + 1), "the template is longer than 8000000 characters"),
    ],
    ids=range(14),
)
def test_what_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(TemplateError, match=sentence):
        read_document(text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[]", "the document is not a mapping"),
        ("Resources: []", "the document has no Resources mapping"),
        ("a: b", "the document has no Resources mapping"),
        ("Resources: {}\nOutputs: []", "the section Outputs at line 2 is not a mapping"),
        ("Resources: {'Fn::ForEach::X': [a, b]}", "the loop at line 1 is not a list of a variable"),
        ("Resources: {'Fn::ForEach::X': [a, [b, c], {K: {}}]}", "lines 1 and 1 declare the same name"),
    ],
)
def test_what_is_no_template(text: str, sentence: str) -> None:
    with pytest.raises(TemplateError, match=sentence):
        read_template(text)


def test_no_error_quotes_the_text() -> None:
    for text in (
        "a: *wJalrXUtnFEMI",
        "a: !!wJalrXUtnFEMI x",
        "a: [wJalrXUtnFEMI",
    ):
        with pytest.raises(TemplateError) as refused:
            read_document(text)
        assert "wJalr" not in str(refused.value)


def malformed(text: str) -> list[str]:
    return [block.logical_id for block in read_template(text).malformed_keys]


@pytest.mark.parametrize(
    "body",
    [
        "[AWS::IAM::AccessKey]",
        "AWS::IAM::AccessKey",
        "'Type: AWS::IAM::AccessKey'",
        "[{Type: AWS::IAM::AccessKey}]",
        "{Type: [AWS::IAM::AccessKey]}",
        "{type: AWS::IAM::AccessKey}",
    ],
)
def test_a_resource_that_names_a_key_where_none_can_is_malformed(body: str) -> None:
    assert malformed(f"Resources:\n  A: {{Type: AWS::S3::Bucket}}\n  K: {body}\n") == ["K"]
    assert malformed(f"Resources: {{A: {{Type: AWS::S3::Bucket}}}}\nMetadata:\n  K: {body}\n") == []


@pytest.mark.parametrize(
    "body",
    [
        "{Type: AWS::IAM::AccessKey}",
        "{Type: AWS::Config::ConfigRule, Properties: {Scope: {ComplianceResourceTypes: [AWS::IAM::AccessKey]}}}",
        "{Type: AWS::S3::Bucket, Description: AWS::IAM::AccessKey, Metadata: {Type: [AWS::IAM::AccessKey]}}",
        "{Type: AWS::S3::Bucket}  # AWS::IAM::AccessKey",
        "{ResourceTypes: [AWS::IAM::AccessKey]}",
        "{Properties: {Type: AWS::IAM::AccessKey}}",
        "Nothing here declares an AWS::IAM::AccessKey.",
        "[AWS::S3::Bucket]",
    ],
)
def test_a_type_that_is_a_value_like_others_is_no_malformed_key(body: str) -> None:
    assert malformed(f"Resources:\n  K: {body}\n") == []


def test_a_malformed_key_is_an_error(tmp_path: Path) -> None:
    done = scan(write(tmp_path, {"w.yaml": "Resources:\n  K: [AWS::IAM::AccessKey]\n"}))
    assert done.code == 3
    assert done.errors()["w.yaml"].startswith("Line 2: this resource names AWS::IAM::AccessKey and has no Type")


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


@pytest.mark.parametrize("text", ["[" * 100_000, "{" * 100_000])
def test_deep_nesting_is_one_sentence(text: str) -> None:
    """Which one depends on the parser, some of which count levels themselves."""
    with pytest.raises(TemplateError):
        read_document(text)


@pytest.mark.parametrize(
    "text",
    [
        "Resources:\n  K: {Type: AWS::S3::Bucket}\n  K: {Type: AWS::IAM::AccessKey}\n",
        '{"Resources":\n {"K": {"Type": "AWS::S3::Bucket"},\n  "K": {"Type": "AWS::IAM::AccessKey"}}}',
    ],
)
def test_of_a_key_that_stands_twice_the_last_counts_and_a_note_says_so(text: str) -> None:
    read = read_template(text)
    assert [(key.logical_id, key.start_line) for key in read.access_keys] == [("K", 3)]
    assert read.notes == ("lines 2 and 3 both declare K; CloudFormation takes the last, and so do we",)
    turned = read_template(
        text.replace("S3::Bucket", "X").replace("IAM::AccessKey", "S3::Bucket").replace("AWS::X", "AWS::IAM::AccessKey")
    )
    assert turned.access_keys == ()


def test_a_note_on_a_doubled_key_names_none_that_could_be_a_secret() -> None:
    secret = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYab"
    read = read_template(f"Resources: {{}}\nMetadata:\n  {secret}: 1\n  {secret}: 2\n")
    assert read.notes == ("lines 3 and 4 both declare a key; CloudFormation takes the last, and so do we",)


def test_a_macro_is_noted() -> None:
    for transform, count in (
        ("AWS::LanguageExtensions", 0),
        ("[AWS::Serverless-2016-10-31, Mine]", 1),
        ("{Name: M}", 1),
    ):
        assert len(read_template(f"Transform: {transform}\nResources: {{}}\n").notes) == count


def test_json_with_comments_is_read() -> None:
    text = '// one\n{"Resources": { /* two\n */ "K": {"Type": "AWS::IAM::AccessKey", "u": "http://x"} // three\n}}'
    key = read_template(text).resources["K"]
    assert (key.type, key.start_line) == ("AWS::IAM::AccessKey", 3)


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
    "text", ["AWS::IAM::AccessKey: {Attributes: {}}", "kind: AccessKey\ntype: AWS::IAM::AccessKey"]
)
def test_a_specification_is_no_template(text: str) -> None:
    with pytest.raises(TemplateError):
        read_template(text)
