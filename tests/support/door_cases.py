"""Small repositories on which both doors have to agree: each stands for a kind of code that was once misread."""

from __future__ import annotations

from collections.abc import Mapping

CASES: Mapping[str, Mapping[str, str]] = {
    "action_block": {
        "main.tf": """\
resource "aws_iam_access_key" "k" { user = "robot" }
action "aws_lambda_invoke" "a" {
  config {
    function_name = "f"
    payload       = jsonencode({ s = aws_iam_access_key.k.secret })
  }
}
ephemeral "aws_lambda_invocation" "e" {
  function_name = "f"
  payload       = jsonencode({ s = aws_iam_access_key.k.secret })
}
""",
    },
    "constant_trigger": {
        "main.tf": """\
resource "time_rotating" "t" { rotation_days = 30 }
resource "terraform_data" "d" { triggers_replace = [for x in [time_rotating.t.id] : "c"] }
resource "aws_iam_access_key" "k" {
  user    = "robot"
  pgp_key = "keybase:bob"
  lifecycle { replace_triggered_by = [terraform_data.d] }
}
""",
    },
    "count_compares_open_value": {
        "main.tf": """\
variable "env" {
  type = string
}
resource "aws_iam_access_key" "root" {
  count = var.env == "prod" ? 1 : 0
  user  = "root"
}
""",
    },
    "destroy_prevented": {
        "main.tf": """\
resource "time_rotating" "t" { rotation_days = 30 }
resource "terraform_data" "d" { triggers_replace = time_rotating.t.id }
resource "aws_iam_access_key" "k" {
  user    = "robot"
  pgp_key = "keybase:bob"
  lifecycle {
    prevent_destroy      = !false
    replace_triggered_by = [terraform_data.d]
  }
}
""",
    },
    "foreach_builds_the_type": {
        "t.yaml": """\
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::LanguageExtensions
Resources:
  Fn::ForEach::Kinds:
    - N
    - [Access]
    - R${N}:
        Type: !Sub AWS::IAM::${N}Key
        Properties: {UserName: robot}
""",
    },
    "hook_caller": {
        "m/main.tf": """\
variable "days" { type = number }
resource "time_rotating" "t" { rotation_days = var.days }
resource "terraform_data" "d" { triggers_replace = time_rotating.t.id }
resource "aws_iam_access_key" "k" {
  user    = "robot"
  pgp_key = "keybase:bob"
  lifecycle { replace_triggered_by = [terraform_data.d] }
}
""",
        "main.tf": """\
module "c" {
  source = "./m"
  days   = 365
}
""",
    },
    "ignored_trigger": {
        "main.tf": """\
resource "time_rotating" "t" { rotation_days = 30 }
resource "terraform_data" "d" {
  triggers_replace = { t = time_rotating.t.id }
  lifecycle { ignore_changes = [triggers_replace.t] }
}
resource "aws_iam_access_key" "k" {
  user    = "robot"
  pgp_key = "keybase:bob"
  lifecycle { replace_triggered_by = [terraform_data.d] }
}
""",
    },
    "keys_from_a_file": {
        "main.tf": """\
resource "time_rotating" "t" { rotation_days = 30 }
resource "terraform_data" "d" { triggers_replace = time_rotating.t.id }
resource "aws_iam_access_key" "k" {
  for_each = { for u in jsondecode(file("${path.module}/users.json")) : u.id => u.name }
  user     = each.value
  pgp_key  = "keybase:bob"
  lifecycle { replace_triggered_by = [terraform_data.d] }
}
""",
        "users.json": """\
[{"id": "1", "name": "ann"}, {"id": "2", "name": "ann"}]
""",
    },
    "open_pgp_tofu": {
        "main.tofu": """\
resource "time_rotating" "t" { rotation_days = 30 }
resource "terraform_data" "d" { triggers_replace = time_rotating.t.id }
resource "aws_iam_access_key" "k" {
  user    = "robot"
  pgp_key = "keybase:bob"
  lifecycle { replace_triggered_by = [terraform_data.d] }
}
""",
    },
    "registry_module_sink": {
        "main.tf": """\
module "u" {
  source = "cloudposse/iam-system-user/aws"
  name   = "r"
}
resource "aws_lambda_function" "f" {
  environment { variables = { S = module.u.secret_access_key } }
}
output "s" { value = module.u.secret_access_key }
""",
    },
    "retained_on_replacement": {
        "t.yaml": """\
AWSTemplateFormatVersion: '2010-09-09'
Resources:
  K:
    Type: AWS::IAM::AccessKey
    UpdateReplacePolicy: Retain
    Properties: {UserName: robot, Serial: 2}
""",
    },
    "skip_without_effect": {
        "main.tf": """\
#checkov:skip=KEY_AWS_001:handled elsewhere
resource "aws_iam_access_key" "k" { user = "robot" }
""",
    },
    "stack_in_terraform": {
        "main.tf": """\
resource "aws_cloudformation_stack" "s" {
  name          = "s"
  template_body = jsonencode({
    Resources = { K = { Type = "AWS::IAM::AccessKey", Properties = { UserName = "robot" } } }
  })
}
""",
    },
    "status_from_variable": {
        "main.tf": """\
variable "st" { type = string }
resource "aws_iam_access_key" "k" {
  user   = "robot"
  status = var.st
}
""",
    },
    "switched_by_values_file": {
        "main.tf": """\
variable "create" {
  type    = bool
  default = false
}
resource "aws_iam_access_key" "k" {
  count = var.create ? 1 : 0
  user  = "robot"
}
""",
        "staging.tfvars": """\
create = true
""",
    },
    "terraform_and_tofu_twins": {
        "main.tf": """\
resource "aws_iam_access_key" "k" { user = "x" }
""",
        "main.tofu": """\
resource "aws_iam_access_key" "k" {
  user   = "x"
  status = "Inactive"
}
""",
    },
    "tofu_enabled": {
        "main.tf": """\
resource "aws_iam_access_key" "off" {
  user = "robot"
  lifecycle { enabled = false }
}
variable "x" { default = true }
resource "aws_iam_access_key" "a" {
  user = "y"
  lifecycle { enabled = var.x }
}
resource "aws_iam_access_key" "b" {
  user = "y"
  lifecycle { enabled = !var.x }
}
""",
    },
}
