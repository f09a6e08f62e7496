"""Languages that are not read: recognised by what creates a key in them, and by nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from scanning import run, scan, write

from keyrules.code.other_languages import LANGUAGES, not_read_notes, other_languages

DECLARED = {
    "cdk": {
        "a.ts": "import * as iam from 'aws-cdk-lib/aws-iam';\nnew iam.CfnAccessKey(this, 'K', {userName: 'x'});\n",
        "b.ts": "import { AccessKey } from 'aws-cdk-lib/aws-iam';\nnew AccessKey(this, 'K', { user });\n",
        "c.py": "from aws_cdk import aws_iam as iam\niam.AccessKey(self, 'K', user=user)\n",
        "d.py": "from aws_cdk.aws_iam import CfnAccessKey\nCfnAccessKey(self, 'K', user_name='x')\n",
        "E.java": 'import software.amazon.awscdk.services.iam.*;\nAccessKey.Builder.create(this, "K").build();\n',
        "F.cs": 'using Amazon.CDK.AWS.IAM;\n// awscdk\nnew CfnAccessKey(this, "K", new CfnAccessKeyProps {});\n',
        "g.go": 'import "github.com/aws/aws-cdk-go/awscdk/v2/awsiam"\nawsiam.NewCfnAccessKey(stack, k, p)\n',
        "H.kt": "import software.amazon.awscdk.services.iam.CfnAccessKey\nCfnAccessKey.Builder.create(this, k)\n",
    },
    "pulumi": {
        "a.ts": 'import * as aws from "@pulumi/aws";\nconst k = new aws.iam.AccessKey("k", {user: u.name});\n',
        "b.py": 'import pulumi_aws as aws\nk = aws.iam.AccessKey("k", user=u.name)\n',
        "c.go": 'import "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"\niam.NewAccessKey(ctx, "k", nil)\n',
        "D.cs": 'using Pulumi.Aws.Iam;\nvar k = new AccessKey("k", new AccessKeyArgs());\n',
        "E.java": 'import com.pulumi.aws.iam.AccessKey;\nvar k = new AccessKey("k", args);\n',
        "Pulumi.yaml": "name: x\nruntime: yaml\nresources:\n  k:\n    type: aws:iam:AccessKey\n",
    },
    "cdktf": {
        "a.ts": 'import { IamAccessKey } from "@cdktf/provider-aws";\nnew IamAccessKey(this, "k", {});\n',
        "b.py": "from cdktf_cdktf_provider_aws.iam_access_key import IamAccessKey\nIamAccessKey(self, 'k', user='x')\n",
    },
    "ansible": {
        "a.yml": "- hosts: all\n  tasks:\n    - amazon.aws.iam_access_key:\n        user_name: x\n",
        "b.yaml": "- name: k\n  community.aws.iam_access_key:\n    user_name: x\n",
        "c.yml": "- iam_access_key: {user_name: x, state: present}\n",
        "e.yml": "- community.aws.iam: iam_type=user name=x access_key_state=create\n",
        "d.yml": "- iam:\n    iam_type: user\n    name: x\n    access_key_state: create\n",
    },
    "crossplane": {
        "a.yaml": "apiVersion: iam.aws.upbound.io/v1beta1\nkind: AccessKey\n",
        "b.yaml": "apiVersion: iam.aws.crossplane.io/v1beta1\nkind: AccessKey\n",
        "c.yaml": "apiVersion: iam.aws.m.upbound.io/v1beta1\nkind: 'AccessKey'  # k\n",
    },
    "ack": {"a.yaml": "apiVersion: iam.services.k8s.aws/v1alpha1\nkind: AccessKey\n"},
    "template_program": {
        "a.template.js": "module.exports = {Resources: {K: {Type: 'AWS::IAM::AccessKey'}}}\n",
        "b.py": "from troposphere.iam import AccessKey\nt.add_resource(AccessKey('K', UserName='x'))\n",
        "c.rb": "Resources({K: { 'Type' => 'AWS::IAM::AccessKey' }})\n",
    },
    "script": {
        "a.sh": "aws iam create-access-key --user-name x\n",
        "b.py": "boto3.client('iam').create_access_key(UserName='x')\n",
        "c.ts": "await client.send(new CreateAccessKeyCommand({ UserName: 'x' }));\n",
        "d.go": "out, err := svc.CreateAccessKey(&iam.CreateAccessKeyInput{})\n",
        "e.ps1": "New-IAMAccessKey -UserName x\n",
        ".gitlab-ci.yml": "job:\n  script:\n    - aws iam create-access-key --user-name x\n",
        "f.sh": "aws iam \\\n  create-access-key --user-name x\n",
        "Makefile": "key:\n\taws --profile p iam create-access-key\n",
    },
    "api_document": {
        "custom.template.json": '{"Create": "{\\"service\\":\\"IAM\\",\\"action\\":\\"createAccessKey\\"}"}\n',
        "custom.ts": "onCreate: {\n  service: 'IAM',\n  action: 'createAccessKey',\n}\n",
        "machine.asl.json": '{"Resource": "arn:aws:states:::aws-sdk:iam:createAccessKey"}\n',
        "automation.yaml": "- action: aws:executeAwsApi\n  inputs:\n    Service: iam\n    Api: CreateAccessKey\n",
        "automation.json": '{"inputs": {"Service": "iam", "Api": "CreateAccessKey"}}\n',
    },
}


@pytest.mark.parametrize(
    ("kind", "name", "text"), [(kind, name, text) for kind, files in DECLARED.items() for name, text in files.items()]
)
def test_a_declaration_is_recognised(kind: str, name: str, text: str) -> None:
    assert other_languages(name, text.encode()) == kind
    assert other_languages(name, text.replace("\n", "\r\n").encode()) == kind


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.sh", "# aws iam create-access-key --user-name x\n"),
        ("a.ts", "import * as iam from 'aws-cdk-lib/aws-iam';\n// new iam.CfnAccessKey(this, 'K', {});\n"),
        ("a.md", "aws iam create-access-key --user-name x\n"),
        ("policy.json", '{"Action": ["iam:CreateAccessKey"], "x": "aws iam create-access-key"}'),
        ("policy.json", '{"action": "iam:CreateAccessKey", "Api": "ListAccessKeys", "x": ["createAccessKey"]}'),
        ("rule.json", '{"source": ["aws.iam"], "detail": {"eventName": ["CreateAccessKey"]}}'),
        ("a.tf", 'actions = ["iam:CreateAccessKey"]\nresource "aws_iam_access_key" "k" {}\n'),
        ("a.ts", "new AccessKey('door');\n"),
        ("a.ts", "// see cdk.ts\nnew AccessKey('door');\n"),
        ("a.py", "from cloud import AccessKey\nAccessKey('x')\n"),
        ("a.yaml", "kind: AccessKey\napiVersion: example.com/v1\n"),
        ("a.yaml", "apiVersion: iam.aws.upbound.io/v1beta1\nkind: User\nx: AccessKey\n"),
        ("a.yml", "variables:\n  aws_iam_access_key: x\n  iam_access_key: AKIA\n"),
        ("a.yml", "- iam_access_key_info:\n    user_name: x\n"),
        ("a.py", "client.list_access_keys(UserName='x')\nclient.delete_access_key()\n"),
        ("a.go", "type CreateAccessKeyInput struct{}\n"),
        ("a.py", "NAME = 'success'\n"),
    ],
)
def test_other_words_are_none(name: str, text: str) -> None:
    assert other_languages(name, text.encode()) is None


def test_every_language_has_a_case() -> None:
    assert set(DECLARED) == {language.kind for language in LANGUAGES}


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16"])
def test_a_script_of_windows_is_recognised(encoding: str) -> None:
    assert other_languages("a.ps1", "x\nNew-IAMAccessKey -UserName x\n".encode(encoding)) == "script"


def test_one_note_for_each_kind_with_a_count_and_the_first_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = [("script", str(tmp_path / f"{name}.sh")) for name in "edcba"] + [("cdk", str(tmp_path / "x.ts"))]
    notes = not_read_notes([*found, found[0]])
    assert [note.split(",")[0] for note in notes] == [
        "1 file creates access keys with the AWS CDK",
        "5 files create access keys with scripts that call the IAM API",
    ]
    assert "(a.sh, b.sh, c.sh and 2 more)" in notes[1]
    assert "cdk synth" in notes[0]
    assert not_read_notes([]) == []


def test_a_run_never_says_that_nothing_declares_a_key(tmp_path: Path) -> None:
    files = {f"{kind}/{name}": text for kind, each in DECLARED.items() for name, text in each.items()}
    files.pop("template_program/a.template.js")
    folder = write(tmp_path, files)
    early = run("scan", ".", cwd=folder)
    late = scan(folder)
    assert (early.code, late.code) == (0, 0)
    for said in (early.stdout, " ".join(late.report["notes"])):
        assert "nothing in" not in said
        assert "cdk synth" in said
    assert len(late.report["notes"]) == len(DECLARED)
