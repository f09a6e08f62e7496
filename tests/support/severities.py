"""Terraform with one finding of each severity: 001 is LOW, 008 MEDIUM, 009 HIGH, 005 CRITICAL."""

from __future__ import annotations

LOW = """\
resource "aws_iam_access_key" "low" {
  user    = "svc"
  pgp_key = "keybase:ops"
}
"""
MEDIUM = LOW.replace('"low"', '"medium"').replace('  pgp_key = "keybase:ops"\n', "")
HIGH = MEDIUM.replace('"medium"', '"high"') + 'output "o" {\n  value = aws_iam_access_key.high.secret\n}\n'
CRITICAL = LOW.replace('"low"', '"critical"').replace('"svc"', '"root"')
SEVERITIES = ("low", "medium", "high", "critical")
SIXTY_DAYS = """\
resource "time_rotating" "clock" {
  rotation_days = 60
}
resource "terraform_data" "trigger" {
  input = time_rotating.clock.id
}
resource "aws_iam_access_key" "k" {
  user    = "svc"
  pgp_key = "keybase:ops"
  lifecycle {
    create_before_destroy = true
    replace_triggered_by  = [terraform_data.trigger]
  }
}
"""
