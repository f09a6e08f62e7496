"""Resources whose own templates are not here: nested stacks, and modules of CloudFormation's registry."""

from __future__ import annotations

from pathlib import Path

import pytest
from cloudformation_cases import unread

REMOTE = "{Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: 'https://s3.amazonaws.com/b/user.yaml'}}"
APPLICATION = "{Type: AWS::Serverless::Application, Properties: {Location: {ApplicationId: a, SemanticVersion: 1.0.0}}}"
MODULE = "{Type: My::Iam::User::MODULE}"
TEXT = """Resources:
  M: %s
  F:
    Type: AWS::Lambda::Function
    Properties: {Environment: {Variables: {S: %s}}}
Outputs: {O: {Value: %s}}
"""


def statuses(rule_id: str, folder: Path, text: str) -> dict[str, str]:
    return {name: verdict.status.value for name, verdict in unread(rule_id, folder, text).items()}


@pytest.mark.parametrize(
    ("block", "taken"),
    [
        (REMOTE, "!GetAtt M.Outputs.SecretAccessKey"),
        (REMOTE, "!GetAtt [M, Outputs.CiSecretAccessKey]"),
        (REMOTE, "!GetAtt M.Outputs.Secret"),
        (REMOTE, "!Sub 'x ${M.Outputs.SmtpPassword}'"),
        (REMOTE, "!Join ['', [!GetAtt M.Outputs.SecretKey]]"),
        ("{Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: !Ref Url}}", "!GetAtt M.Outputs.Secret"),
        ("{Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: gone.yaml}}", "!GetAtt M.Outputs.Secret"),
        (
            f"{{Type: AWS::CloudFormation::Stack, Properties: {{TemplateURL: {'x' * 5000}}}}}",
            "!GetAtt M.Outputs.Secret",
        ),
        (APPLICATION, "!GetAtt M.Outputs.SecretAccessKey"),
        (MODULE, "!GetAtt M.Key.SecretAccessKey"),
        (MODULE, "!GetAtt MKey.SecretAccessKey"),
        (MODULE, "!Sub '${M.Key.SecretAccessKey}'"),
    ],
)
def test_a_value_under_the_name_of_a_secret_is_open(tmp_path: Path, block: str, taken: str) -> None:
    for rule_id, place in (("KEY_AWS_009", "Outputs.O"), ("KEY_AWS_010", "F.Environment.Variables.S")):
        verdicts = unread(rule_id, tmp_path, TEXT % (block, taken, taken))
        assert {name: verdict.status.value for name, verdict in verdicts.items()} == {"M": "UNKNOWN"}
        assert verdicts["M"].reason == "output_not_read"
        assert verdicts["M"].message.startswith("M")
        assert f" → {place}: " in verdicts["M"].message
        assert verdicts["M"].trace[-1].label == place


@pytest.mark.parametrize(
    ("block", "taken"),
    [
        (REMOTE, "!GetAtt M.Outputs.SecretArn"),
        (REMOTE, "!GetAtt M.Outputs.AccessKeyId"),
        (REMOTE, "!Ref M"),
        (MODULE, "!GetAtt M.Secret.Arn"),
        (MODULE, "!GetAtt Other.SecretAccessKey"),
        ("{Type: AWS::SQS::Queue}", "!GetAtt M.Outputs.SecretAccessKey"),
    ],
)
def test_other_names_are_nothing(tmp_path: Path, block: str, taken: str) -> None:
    for rule_id in ("KEY_AWS_009", "KEY_AWS_010"):
        assert statuses(rule_id, tmp_path, TEXT % (block, taken, taken)) == {}


def test_a_place_made_for_secrets_keeps_it(tmp_path: Path) -> None:
    store = "{Type: AWS::SecretsManager::Secret, Properties: {SecretString: !GetAtt M.Outputs.Secret}}"
    assert statuses("KEY_AWS_010", tmp_path, f"Resources:\n  M: {REMOTE}\n  S: {store}\n") == {}


def test_a_template_that_is_here_speaks_for_itself(tmp_path: Path) -> None:
    (tmp_path / "child.yaml").write_text("Resources: {}\n")
    for block in (
        "{Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: ./child.yaml}}",
        "{Type: AWS::Serverless::Application, Properties: {Location: child.yaml}}",
    ):
        text = TEXT % (block, "!GetAtt M.Outputs.Secret", "!GetAtt M.Outputs.Secret")
        assert statuses("KEY_AWS_009", tmp_path, text) == {}


def test_a_stack_that_is_never_created_gives_nothing_out(tmp_path: Path) -> None:
    block = "{Type: AWS::CloudFormation::Stack, Condition: C, Properties: {TemplateURL: 'https://b/u.yaml'}}"
    text = TEXT % (block, "x", "!GetAtt M.Outputs.Secret")
    assert statuses("KEY_AWS_009", tmp_path, f"Conditions: {{C: !Equals [a, b]}}\n{text}") == {"M": "PASS"}


@pytest.mark.parametrize(
    ("block", "asks"),
    [
        ("{Type: My::Iam::AccessKey::MODULE, Properties: {UserName: ann}}", True),
        ("{Type: My::Iam::UserAccessKeys::MODULE}", True),
        ("{Type: My::Iam::User::MODULE, Properties: {CreateAccessKey: true}}", True),
        ("{Type: My::Iam::User::MODULE, Properties: {CreateIamAccessKey: !Ref Open}}", True),
        ("{Type: My::Iam::User::MODULE, Properties: {CreateAccessKey: false}}", False),
        ("{Type: My::Iam::User::MODULE, Properties: {UserName: ann}}", False),
        ("{Type: My::Iam::AccessKeyless::MODULE}", False),
        ("{Type: My::Iam::AccessKey}", False),
        (
            "{Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: 'https://b/u.yaml', "
            "Parameters: {CreateAccessKey: 'true'}}}",
            True,
        ),
    ],
)
def test_what_is_asked_for_a_key_may_create_one(tmp_path: Path, block: str, asks: bool) -> None:
    verdicts = unread("KEY_AWS_001", tmp_path, f"Resources:\n  M: {block}\n")
    assert {name: verdict.status.value for name, verdict in verdicts.items()} == ({"M": "UNKNOWN"} if asks else {})
    if asks:
        assert verdicts["M"].reason == "module_not_read"
        assert verdicts["M"].message.startswith("M ")
