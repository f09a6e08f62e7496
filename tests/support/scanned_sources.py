"""A key, a module whose rotation its caller decides, and a template, for the tests of what a scan reads."""

from __future__ import annotations

KEY = 'resource "aws_iam_access_key" "k" {\n  user = "svc"\n}\n'
MODULE = """\
variable "days" {}
resource "time_rotating" "clock" {
  rotation_days = var.days
}
resource "terraform_data" "trigger" {
  input = time_rotating.clock.id
}
resource "aws_iam_access_key" "k" {
  user = "svc"
  lifecycle {
    create_before_destroy = true
    replace_triggered_by  = [terraform_data.trigger]
  }
}
"""
TEMPLATE = "Resources:\n  K:\n    Type: AWS::IAM::AccessKey\n    Properties:\n      UserName: svc\n"
ROTATION = "KEY_AWS_001"
