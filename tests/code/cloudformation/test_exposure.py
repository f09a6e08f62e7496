"""KEY_AWS_009 and 010 on CloudFormation: where the secret of a key goes, and by which way."""

from __future__ import annotations

import json

import pytest
from cloudformation_cases import judged, statuses, template
from hypothesis import given
from hypothesis import strategies as st

SECRET = {"Fn::GetAtt": ["K", "SecretAccessKey"]}

CARRYING = [
    ("!GetAtt K.SecretAccessKey", SECRET),
    ("!GetAtt [K, SecretAccessKey]", SECRET),
    ("{Fn::GetAtt: K.SecretAccessKey}", {"Fn::GetAtt": "K.SecretAccessKey"}),
    ("!Sub '${K.SecretAccessKey}'", {"Fn::Sub": "${K.SecretAccessKey}"}),
    ("!Sub 'a ${!literal} ${K.SecretAccessKey}'", {"Fn::Sub": "a ${!literal} ${K.SecretAccessKey}"}),
    ("!Sub ['${V}', {V: !GetAtt K.SecretAccessKey}]", {"Fn::Sub": ["${V}", {"V": SECRET}]}),
    ("!Sub ['${V} ${K.SecretAccessKey}', {V: x}]", {"Fn::Sub": ["${V} ${K.SecretAccessKey}", {"V": "x"}]}),
    ("!Sub ['${K.SecretAccessKey}']", {"Fn::Sub": ["${K.SecretAccessKey}"]}),
    ("!GetAtt [K.SecretAccessKey]", {"Fn::GetAtt": ["K.SecretAccessKey"]}),
    ("!Join [':', [!Ref K, !GetAtt K.SecretAccessKey]]", {"Fn::Join": [":", [{"Ref": "K"}, SECRET]]}),
    ("!If [C, !GetAtt K.SecretAccessKey, x]", {"Fn::If": ["C", SECRET, "x"]}),
    ("!If [C, x, !GetAtt K.SecretAccessKey]", {"Fn::If": ["C", "x", SECRET]}),
    ("!Select [1, [!Ref K, !GetAtt K.SecretAccessKey]]", {"Fn::Select": [1, [{"Ref": "K"}, SECRET]]}),
    ("!Select [!Ref N, [!GetAtt K.SecretAccessKey, x]]", {"Fn::Select": [{"Ref": "N"}, [SECRET, "x"]]}),
    ("!Select [0, !Split ['/', !GetAtt K.SecretAccessKey]]", {"Fn::Select": [0, {"Fn::Split": ["/", SECRET]}]}),
    ("!Base64 {'Fn::GetAtt': K.SecretAccessKey}", {"Fn::Base64": {"Fn::GetAtt": "K.SecretAccessKey"}}),
    ("!ToJsonString {s: !GetAtt K.SecretAccessKey}", {"Fn::ToJsonString": {"s": SECRET}}),
    ("!Transform {Name: m, Parameters: {s: !GetAtt K.SecretAccessKey}}",
     {"Fn::Transform": {"Name": "m", "Parameters": {"s": SECRET}}}),
    ("!FindInMap [M, a, b, {DefaultValue: !GetAtt K.SecretAccessKey}]",
     {"Fn::FindInMap": ["M", "a", "b", {"DefaultValue": SECRET}]}),
    ("!GetAtt [K, !Ref Unknown]", {"Fn::GetAtt": ["K", {"Ref": "Unknown"}]}),
]  # fmt: skip
HARMLESS = [
    ("!Ref K", {"Ref": "K"}),
    ("!Ref {'Fn::Sub': '${K.SecretAccessKey}'}", {"Ref": {"Fn::Sub": "${K.SecretAccessKey}"}}),
    ("!GetAtt K.Id", {"Fn::GetAtt": ["K", "Id"]}),
    ("!Sub '${K}'", {"Fn::Sub": "${K}"}),
    ("!Sub '${!K.SecretAccessKey}'", {"Fn::Sub": "${!K.SecretAccessKey}"}),
    ("!Sub ['x', {V: !GetAtt K.SecretAccessKey}]", {"Fn::Sub": ["x", {"V": SECRET}]}),
    ("!Select [0, [!Ref K, !GetAtt K.SecretAccessKey]]", {"Fn::Select": [0, [{"Ref": "K"}, SECRET]]}),
    ("'${K.SecretAccessKey}'", "${K.SecretAccessKey}"),
    ("K.SecretAccessKey", "K.SecretAccessKey"),
    ("!GetAtt Other.SecretAccessKey", {"Fn::GetAtt": ["Other", "SecretAccessKey"]}),
    ("!FindInMap [M, !GetAtt K.SecretAccessKey, b]", {"Fn::FindInMap": ["M", SECRET, "b"]}),
    ("!Length [!GetAtt K.SecretAccessKey]", {"Fn::Length": [SECRET]}),
    ("!ImportValue x", {"Fn::ImportValue": "x"}),
]
ALL = [(*pair, "FAIL") for pair in CARRYING] + [(*pair, "PASS") for pair in HARMLESS]

YAML = """
Resources:
  K: {Type: AWS::IAM::AccessKey, Properties: {UserName: someone}}
  Other: {Type: AWS::IAM::User}
  F:
    Type: AWS::Lambda::Function
    Properties: {Environment: {Variables: {S: %s}}}
Outputs: {O: {Value: %s}}
"""


@pytest.mark.parametrize(("short", "long", "expected"), ALL, ids=[short for short, _, _ in ALL])
def test_each_form_short_and_long(short: str, long: object, expected: str) -> None:
    sink = {"Type": "AWS::Lambda::Function", "Properties": {"Environment": {"Variables": {"S": long}}}}
    other = {"Type": "AWS::IAM::User"}
    document = template({"Other": other, "F": sink}, Outputs={"O": {"Value": long}})
    for rule in ("KEY_AWS_009", "KEY_AWS_010"):
        from_yaml = judged(rule, YAML % (short, short))["K"]
        from_json = judged(rule, json.dumps(document))["K"]
        assert from_yaml.status.value == expected
        assert (from_yaml.status, from_yaml.reason, from_yaml.message) == (
            from_json.status,
            from_json.reason,
            from_json.message,
        )


def test_an_output_names_itself_its_way_its_line_and_its_export() -> None:
    text = """Resources:
  K: {Type: AWS::IAM::AccessKey, Properties: {UserName: a}}
Outputs:
  Id: {Value: !Ref K}
  Secret:
    Value: !Join
      - ":"
      - - !Ref K
        - !GetAtt K.SecretAccessKey
    Export: {Name: shared}
  Again: {Value: !Sub "${K.SecretAccessKey}"}
"""
    verdict = judged("KEY_AWS_009", text)["K"]
    assert verdict.message.startswith("K.SecretAccessKey → Fn::Join → Outputs.Secret (also Outputs.Again): ")
    assert "exported" in verdict.message
    assert verdict.facts == {"output": "Secret", "outputs": "Secret, Again", "exported": "Secret"}
    assert [(step.label, step.line) for step in verdict.trace] == [
        ("K.SecretAccessKey", 9),
        ("Fn::Join", 6),
        ("Outputs.Secret", 6),
        ("K.SecretAccessKey", 11),
        ("Fn::Sub", 11),
        ("Outputs.Again", 11),
    ]


def test_an_export_name_is_shown_too() -> None:
    outputs = {"O": {"Value": "x", "Export": {"Name": SECRET}}}
    assert statuses("KEY_AWS_009", json.dumps(template({}, Outputs=outputs))) == {"K": "FAIL"}


def test_a_parameter_hands_its_value_on() -> None:
    def parameter(value: object) -> dict[str, object]:
        return {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": value}}

    resources = {"P": parameter({"Fn::Sub": "${K.SecretAccessKey}"}), "Q": parameter({"Fn::GetAtt": ["P", "Value"]})}
    outputs = {"O": {"Value": {"Fn::GetAtt": ["Q", "Value"]}}}
    verdict = judged("KEY_AWS_009", json.dumps(template(resources, Outputs=outputs)))["K"]
    assert verdict.message.startswith("K.SecretAccessKey → Fn::Sub → P.Value → Q.Value → Outputs.O: ")


def test_parameters_that_hand_values_round_end() -> None:
    loop = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Fn::GetAtt": ["P", "Value"]}}}
    assert statuses("KEY_AWS_010", json.dumps(template({"P": loop}))) == {"K": "PASS"}


SINKS: list[tuple[str, dict[str, object], str | None]] = [
    ("AWS::EC2::Instance", {"UserData": SECRET}, "secret_in_user_data"),
    ("AWS::EC2::LaunchTemplate", {"LaunchTemplateData": {"UserData": SECRET}}, "secret_in_user_data"),
    ("AWS::AutoScaling::LaunchConfiguration", {"UserData": SECRET}, "secret_in_user_data"),
    ("AWS::Lambda::Function", {"Environment": {"Variables": {"Password": SECRET}}}, "secret_in_environment"),
    ("AWS::Lambda::Function", {"Code": {"ZipFile": SECRET}}, "secret_in_code"),
    ("AWS::Serverless::Function", {"Environment": {"Variables": {"A": SECRET}}}, "secret_in_environment"),
    ("AWS::ECS::TaskDefinition", {"ContainerDefinitions": [{"Environment": [{"Value": SECRET}]}]},
     "secret_in_container_definition"),
    ("AWS::CodeBuild::Project", {"Environment": {"EnvironmentVariables": [{"Value": SECRET}]}},
     "secret_in_build_project"),
    ("AWS::CodeBuild::Project",
     {"Environment": {"EnvironmentVariables": [{"Type": "SECRETS_MANAGER", "Value": SECRET}]}},
     "secret_in_build_project"),
    ("AWS::Batch::JobDefinition", {"ContainerProperties": {"Environment": [{"Value": SECRET}]}},
     "secret_in_container_definition"),
    ("AWS::AppRunner::Service", {"SourceConfiguration": {"RuntimeEnvironmentVariables": [SECRET]}},
     "secret_in_environment"),
    ("AWS::ElasticBeanstalk::Environment", {"OptionSettings": [{"Value": SECRET}]}, "secret_in_environment"),
    ("AWS::ElasticBeanstalk::ConfigurationTemplate", {"OptionSettings": [{"Value": SECRET}]},
     "secret_in_environment"),
    ("AWS::SSM::Parameter", {"Type": "String", "Value": SECRET}, "secret_in_string_parameter"),
    ("AWS::SSM::Parameter", {"Type": "StringList", "Value": SECRET}, "secret_in_string_parameter"),
    ("AWS::SSM::Parameter", {"Value": SECRET}, "secret_in_string_parameter"),
    ("AWS::SSM::Parameter", {"Type": "SecureString", "Value": SECRET}, None),
    ("AWS::SSM::Parameter", {"Type": "SecureString", "Description": SECRET}, "secret_in_other_property"),
    ("AWS::CloudFormation::Stack", {"Parameters": {"Password": SECRET}}, "secret_in_stack_parameter"),
    ("AWS::Serverless::Application", {"Parameters": {"P": SECRET}}, "secret_in_stack_parameter"),
    ("Custom::Anything", {"Password": SECRET}, "secret_in_custom_resource"),
    ("AWS::CloudFormation::CustomResource", {"S": SECRET}, "secret_in_custom_resource"),
    ("AWS::Glue::Job", {"DefaultArguments": {"--key": SECRET}}, "secret_in_arguments"),
    ("AWS::StepFunctions::StateMachine", {"DefinitionSubstitutions": {"S": SECRET}}, "secret_in_code"),
    ("AWS::ApiGateway::Stage", {"Variables": {"S": SECRET}}, "secret_in_arguments"),
    ("AWS::SecretsManager::Secret", {"SecretString": SECRET}, None),
    ("AWS::SecretsManager::Secret", {"GenerateSecretString": {"SecretStringTemplate": SECRET}}, None),
    ("AWS::SecretsManager::Secret", {"Tags": [{"Value": SECRET}]}, "secret_in_other_property"),
    ("AWS::RDS::DBInstance", {"MasterUserPassword": SECRET}, None),
    ("AWS::DataSync::LocationObjectStorage", {"SecretKey": SECRET}, None),
    ("AWS::AppFlow::ConnectorProfile",
     {"ConnectorProfileConfig": {"ConnectorProfileCredentials": {"Amplitude": {"SecretKey": SECRET}}}}, None),
    ("AWS::OpsWorks::App", {"AppSource": {"Password": SECRET}}, None),
    ("AWS::Synthetics::Canary", {"RunConfig": {"EnvironmentVariables": {"SecretAccessKey": SECRET}}},
     "secret_in_other_property"),
    ("AWS::KinesisAnalyticsV2::Application",
     {"ApplicationConfiguration": {"EnvironmentProperties": {"PropertyGroups": [
         {"PropertyMap": {"AwsSecretAccessKey": SECRET}}]}}}, "secret_in_other_property"),
    ("AWS::AppConfig::HostedConfigurationVersion", {"Content": {"Fn::ToJsonString": {"ClientSecret": SECRET}}},
     "secret_in_other_property"),
    ("AWS::SecretsManager::Secret", {"SecretString": {"Fn::ToJsonString": {"ClientSecret": SECRET}}}, None),
    ("AWS::SNS::Topic", {"DisplayName": SECRET}, "secret_in_other_property"),
    ("AWS::New::Thing", {"Options": {"DB_PASSWORD": SECRET}}, "secret_in_other_property"),
    ("Vendor::New::Thing", {"Password": SECRET}, "secret_in_other_property"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "properties", "reason"), SINKS, ids=str)
def test_each_place(kind: str, properties: dict[str, object], reason: str | None) -> None:
    verdict = judged("KEY_AWS_010", json.dumps(template({"R": {"Type": kind, "Properties": properties}})))["K"]
    assert verdict.reason == (reason or "secret_not_in_plain_text")
    assert verdict.status.value == ("FAIL" if reason else "PASS")


@pytest.mark.parametrize(
    "document",
    [
        template({"R": {"Type": "AWS::EC2::Instance", "Metadata": {"AWS::CloudFormation::Init": {"x": [SECRET]}}}}),
        template({"R": {"Type": "AWS::SecretsManager::Secret", "Metadata": {"SecretString": SECRET}}}),
        template({}, Metadata={"note": SECRET}),
    ],
)
def test_metadata_is_plain_text(document: dict[str, object]) -> None:
    assert judged("KEY_AWS_010", json.dumps(document))["K"].reason == "secret_in_metadata"


def test_globals_reach_every_function() -> None:
    document = template({}, Globals={"Function": {"Environment": {"Variables": {"S": SECRET}}}})
    verdict = judged("KEY_AWS_010", json.dumps(document))["K"]
    assert (verdict.reason, verdict.facts["sink"]) == (
        "secret_in_environment",
        "Globals.Function.Environment.Variables.S",
    )


def test_one_verdict_names_every_place_in_the_order_of_the_file() -> None:
    function = {
        "Type": "AWS::Lambda::Function",
        "Properties": {"Environment": {"Variables": {"B": SECRET, "A": SECRET}}},
    }
    store = {"Type": "AWS::SecretsManager::Secret", "Properties": {"SecretString": SECRET, "Name": SECRET}}
    verdict = judged("KEY_AWS_010", json.dumps(template({"Z": function, "S": store})))["K"]
    assert verdict.facts["sinks"] == "Z.Environment.Variables.B, Z.Environment.Variables.A, S.Name"
    others = "Z.Environment.Variables.A, S.Name"
    assert verdict.message.startswith(f"K.SecretAccessKey → Z.Environment.Variables.B (also {others}): ")
    assert [step.label for step in verdict.trace if step.label != "K.SecretAccessKey"] == [
        "Z.Environment.Variables.B",
        "Z.Environment.Variables.A",
        "S.Name",
    ]


def test_each_key_has_its_own_flows() -> None:
    other = {"Type": "AWS::IAM::AccessKey", "Properties": {"UserName": "b"}}
    outputs = {"O": {"Value": {"Fn::Sub": "${L.SecretAccessKey}"}}}
    assert statuses("KEY_AWS_009", json.dumps(template({"L": other}, Outputs=outputs))) == {"K": "PASS", "L": "FAIL"}


def test_flows_inside_loops() -> None:
    text = """
Resources:
  Fn::ForEach::Keys:
    - Name
    - %s
    - "Key${Name}": {Type: AWS::IAM::AccessKey, Properties: {UserName: !Ref Name}}
Outputs:
  Fn::ForEach::Secrets:
    - Name
    - %s
    - "Secret${Name}": {Value: !GetAtt [!Sub "Key${Name}", SecretAccessKey]}
"""
    assert statuses("KEY_AWS_009", text % ("[a, b]", "[b]")) == {"Keya": "PASS", "Keyb": "FAIL"}
    assert statuses("KEY_AWS_009", text % ("!Ref P", "!Ref P")) == {"Key${Name}": "FAIL"}


def nested(leaf: object) -> st.SearchStrategy[object]:
    """Values of intrinsic functions and plain data, nested at random, that hold `leaf` where it counts."""
    filler = st.sampled_from(["x", {"Ref": "K"}, {"Fn::Sub": "${K} ${!K.SecretAccessKey}"}, 1])

    def grow(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
        return st.one_of(
            st.builds(lambda value, other: {"Fn::Join": ["", [other, value]]}, inner, filler),
            st.builds(lambda value: {"Fn::Base64": value}, inner),
            st.builds(lambda value, other: {"Fn::If": ["C", other, value]}, inner, filler),
            st.builds(lambda value: {"Fn::Sub": ["a ${V}", {"V": value, "W": "x"}]}, inner),
            st.builds(lambda value, other: {"Fn::Select": [1, [other, value]]}, inner, filler),
            st.builds(lambda value: {"Fn::Split": [",", value]}, inner),
            st.builds(lambda value, other: [other, value], inner, filler),
            st.builds(lambda value, other: {"Name": other, "Value": value}, inner, filler),
        )

    return st.recursive(st.just(leaf), grow, max_leaves=6)


@given(
    st.sampled_from([SECRET, {"Fn::GetAtt": "K.SecretAccessKey"}, {"Fn::Sub": "${K.SecretAccessKey}"}]).flatmap(nested)
)
def test_a_planted_secret_is_found_however_deep(value: object) -> None:
    function = {"Type": "AWS::Lambda::Function", "Properties": {"Environment": {"Variables": {"S": value}}}}
    text = json.dumps(template({"F": function}, Outputs={"O": {"Value": value}}))
    assert statuses("KEY_AWS_009", text) == {"K": "FAIL"}
    assert judged("KEY_AWS_010", text)["K"].reason == "secret_in_environment"


@given(nested({"Ref": "K"}))
def test_a_key_id_never_is_a_finding(value: object) -> None:
    function = {"Type": "AWS::Lambda::Function", "Properties": {"Environment": {"Variables": {"S": value}}}}
    text = json.dumps(template({"F": function}, Outputs={"O": {"Value": value}}, Metadata={"m": value}))
    assert statuses("KEY_AWS_009", text) == {"K": "PASS"}
    assert statuses("KEY_AWS_010", text) == {"K": "PASS"}
