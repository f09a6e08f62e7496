"""KEY_AWS_001 on Terraform: a declared key has a rotation that fires."""

from keyrules.iac.host.checkov_checks import register_terraform

register_terraform("KEY_AWS_001")
