"""Files for a scan to read, with the places of a secret marked; each is code, or broken code, that has held secrets."""

from __future__ import annotations

KEY = """\
resource "aws_iam_access_key" "k" {
  user = "svc"
}
"""
"""What stands at the mark <KEY>."""

TERRAFORM = {
    "provider/main.tf": """\
provider "aws" {
  access_key = "<KEY_ID>"
  secret_key = "<SECRET>"
}
""",
    "default/main.tf": """\
variable "aws_secret_key" {
  default = "<SECRET>"
}
<KEY>
""",
    "tfvars/main.tf": """\
variable "aws_secret_key" {}
<KEY>
""",
    "tfvars/terraform.tfvars": 'aws_secret_key = "<SECRET>"\n',
    "tfvars/x.auto.tfvars.json": '{"aws_secret_key": "<SECRET>"}',
    "heredoc/main.tf": """\
resource "aws_instance" "i" {
  user_data = <<-EOT
    export AWS_ACCESS_KEY_ID=<KEY_ID>
    export AWS_SECRET_ACCESS_KEY=<SECRET>
  EOT
}
<KEY>
""",
    "base64/main.tf": """\
resource "aws_instance" "i" {
  user_data_base64 = "<BASE64>"
}
<KEY>
""",
    "arguments/main.tf": """\
resource "aws_iam_access_key" "k" {
  user = "svc"
  status = "<SECRET>"
  pgp_key = "<SECRET>"
}
""",
    "user/main.tf": """\
locals {
  s = { user = "svc", secret = "<SECRET>" }
}
resource "aws_iam_access_key" "k" {
  user = local.s
}
""",
    "count/main.tf": """\
resource "aws_iam_access_key" "k" {
  user  = "svc"
  count = "<SECRET>"
}
""",
    "period/main.tf": """\
resource "time_rotating" "r" {
  rotation_days = "<SECRET>"
  rfc3339 = "<SECRET>"
}
resource "terraform_data" "t" {
  input = time_rotating.r.id
}
resource "aws_iam_access_key" "k" {
  user = "svc"
  lifecycle {
    replace_triggered_by = [terraform_data.t]
  }
}
""",
    "trigger/main.tf": """\
resource "terraform_data" "t" {
  input = "<SECRET>"
}
resource "aws_iam_access_key" "k" {
  user = "svc"
  lifecycle {
    replace_triggered_by = [terraform_data.t]
  }
}
""",
    "source/main.tf": """\
module "m" {
  source = "git::https://ci:<SECRET>@example.com/iam-user.git"
}
""",
    "flow/main.tf": """\
locals {
  env = { A = "<SECRET>", B = aws_iam_access_key.k.secret }
}
resource "aws_lambda_function" "f" {
  environment {
    variables = local.env
  }
}
output "o" {
  value = "${aws_iam_access_key.k.secret} <SECRET>"
}
<KEY>
""",
    "skip/main.tf": """\
resource "aws_iam_access_key" "k" {
  user = "svc"
  # checkov:skip=KEY_AWS_001:the secret is <SECRET>
}
""",
    "skip_literal/main.tf": """\
provider "aws" {
  secret_key = "<SECRET>" # checkov:skip=KEY_AWS_011:<SECRET>
}
""",
    "json/main.tf.json": """\
{"provider": {"aws": {"secret_key": "<SECRET>"}}, "resource": {"aws_iam_access_key": {"k": {"user": "u"}}}}""",
    "tofu/main.tofu": """\
provider "aws" {
  secret_key = "<SECRET>"
}
<KEY>
""",
}
"""Terraform that parses."""

BROKEN = {
    "b_string/main.tf": """\
<KEY>
locals {
  x = "<SECRET>
}
""",
    "b_token/main.tf": """\
<KEY>
locals {
  x = <SECRET> <SECRET>
}
""",
    "b_label/main.tf": """\
<KEY>
locals "<SECRET>" <SECRET> {
}}
""",
    "b_twice/main.tf": """\
resource "aws_iam_access_key" "k" {
  user = "svc"
  pgp_key = "<SECRET>"
  pgp_key = "<SECRET>"
  "<SECRET>" = 1
}
""",
    "b_heredoc/main.tf": """\
<KEY>
locals {
  x = <<<SECRET>
<SECRET>
}
""",
    "b_escape/main.tf": """\
<KEY>
locals {
  x = "\\q<SECRET>"
}
""",
    "hang/main.tf": """\
<KEY>
locals {
  x = "${<SECRET>"
}
""",
    "b_json/main.tf.json": '{"resource": {"aws_iam_access_key": {"k": {"user": "svc"}}}, "a": "<SECRET>" x}',
    "b_json_twice/main.tf.json": '{"resource": {"aws_iam_access_key": {"k": {"<SECRET>": 1, "<SECRET>": 2}}}}',
    "b_json_type/main.tf.json": '{"resource": {"aws_iam_access_key": {"k": "<SECRET>"}}, "x": ["<SECRET>"]}',
    "b_tfvars/main.tf": """\
<KEY>
""",
    "b_tfvars/terraform.tfvars": """\
secret = "<SECRET>
<SECRET> = <SECRET>""",
    "b_template.yaml": """\
Resources:
  K:
    Type: AWS::IAM::AccessKey
    Properties:
      UserName: svc
  Secret: <SECRET>: <SECRET>
   - <SECRET>
""",
    "b_alias.yaml": """\
Resources:
  K:
    Type: AWS::IAM::AccessKey
    Properties:
      UserName: svc
  X: *<SECRET>
""",
    "b_tag.yaml": """\
Resources:
  K:
    Type: AWS::IAM::AccessKey
    Properties:
      UserName: svc
  X: !<SECRET> [
""",
    "b_tab.yaml": """\
Resources:
  K:
    Type: AWS::IAM::AccessKey
    Properties:
      UserName: svc
\t<SECRET>: <SECRET>
""",
    "b_twice.yaml": """\
Resources:
  K:
    Type: AWS::IAM::AccessKey
    Properties:
      UserName: svc
  K:
    Type: AWS::IAM::AccessKey
    Properties:
      UserName: svc
Outputs:
  <SECRET>: 1
  <SECRET>: <SECRET>
""",
    "b_type.yaml": """\
Resources:
  K:
    Type: AWS::IAM::AccessKey
    Properties:
      UserName: svc
  X:
    Type: [<SECRET>]
  Y: <SECRET>
  Z:
    Type: <SECRET>
""",
    "b_function.yaml": """\
Resources:
  K:
    Type: AWS::IAM::AccessKey
    Properties:
      UserName: !GetAtt [<SECRET>]
    Condition: <SECRET>
    Metadata: <SECRET>
""",
    "b_cut.json": '{"Resources": {"K": {"Type": "AWS::IAM::AccessKey", "Properties": {"UserName": "<SECRET>',
    "b_plan.json": '{"format_version": "1.2", "planned_values": {"root_module": {"resources": "<SECRET>"}}}',
    "b_plan_cut.json": """\
{"format_version": "1.2", "planned_values": {"root_module": {"resources": [{"values": {"secret": "<SECRET>""",
    "b_plan_twice.json": '{"format_version": "1.2", "planned_values": {"<SECRET>": 1, "<SECRET>": "<SECRET>"}}',
    "crash.yaml": """\
Metadata: [<SECRET>]
Resources:
  K:
    Type: AWS::IAM::AccessKey
    Properties:
      UserName: svc
""",
    "crash_deep.yaml": f"""\
Resources:
  K:
    Type: AWS::IAM::AccessKey
    Properties:
      UserName: svc
    Metadata: {"[" * 600}<SECRET>{"]" * 600}
""",
}
"""What no reader accepts, with the secret where an error message would quote it."""

TEMPLATES = {
    "defaults.yaml": """\
Parameters:
  SecretAccessKey:
    Type: String
    Default: <SECRET>
Resources:
  K:
    Type: AWS::IAM::AccessKey
    Properties:
      UserName: svc
""",
    "metadata.yaml": """\
Resources:
  K:
    Type: AWS::IAM::AccessKey
    Properties:
      UserName: svc
    Metadata:
      AWS::CloudFormation::Authentication:
        s3:
          accessKeyId: <KEY_ID>
          secretKey: <SECRET>
""",
    "skip.yaml": """\
Resources:
  K:
    Type: AWS::IAM::AccessKey
    Properties:
      UserName: svc
    Metadata:
      checkov:
        skip:
          - id: KEY_AWS_001
            comment: <SECRET>
          - id: KEY_AWS_005
            comment: 'x <SECRET>'
""",
    "skip_comment.yaml": """\
Resources:
  K:
    Type: AWS::IAM::AccessKey
    # checkov:skip=KEY_AWS_001:known <SECRET>
    Properties:
      UserName: svc
""",
    "one_line.json": (
        '{"Resources": {"K": {"Type": "AWS::IAM::AccessKey", "Properties": {"UserName": "svc"}, "Metadata": {"note": '
        '"checkov:skip=KEY_AWS_001:no reason", "SecretAccessKey": "<SECRET>"}}, "D": {"Type": '
        '"AWS::Serverless::Function", "Properties": {"Environment": {"Variables": {"AWS_SECRET_ACCESS_KEY": '
        '"<SECRET>", "ID": "<KEY_ID>"}}}, "Metadata": {"note": "checkov:skip=KEY_AWS_011:no reason"}}}}'
    ),
    "sub.yaml": """\
Resources:
  K:
    Type: AWS::IAM::AccessKey
    Properties:
      UserName: svc
  P:
    Type: AWS::SSM::Parameter
    Properties:
      Type: String
      Value: !Sub "<SECRET> ${K.SecretAccessKey}"
Outputs:
  O:
    Value: !Sub "<SECRET>${K.SecretAccessKey}"
""",
    "user.yaml": """\
Resources:
  K:
    Type: AWS::IAM::AccessKey
    Properties:
      UserName: !Join ['', [<SECRET>, !Ref X]]
""",
}
"""CloudFormation that parses."""

TEXTS = {
    "deploy.sh": """\
export AWS_ACCESS_KEY_ID=<KEY_ID>
export AWS_SECRET_ACCESS_KEY='<SECRET>'
export AWS_SESSION_TOKEN=<TOKEN>
""",
    ".env": """\
AWS_ACCESS_KEY_ID=<KEY_ID>
AWS_SECRET_ACCESS_KEY=<SECRET>
""",
    "credentials": """\
[default]
aws_access_key_id = <KEY_ID>
aws_secret_access_key = <SECRET>
aws_session_token = <TOKEN>
""",
    "config.json": '{"accessKeyId": "<KEY_ID>", "secretAccessKey": "<SECRET>", "sessionToken": "<TOKEN>"}',
    "ids.csv": """\
Access key ID,Secret access key
<KEY_ID>,<SECRET>
""",
    "url.sh": "curl 's3://<KEY_ID>:<URL_ENCODED>@bucket/'\n",
    "skip.sh": """\
# checkov:skip=KEY_AWS_011:it is <SECRET>
export AWS_SECRET_ACCESS_KEY=<SECRET>
""",
    "Dockerfile": "ENV AWS_ACCESS_KEY_ID=<KEY_ID> AWS_SECRET_ACCESS_KEY=<SECRET>\n",
    "user-data.tpl": """\
#!/bin/sh
aws configure set aws_secret_access_key <SECRET>
""",
}
"""Other files."""
