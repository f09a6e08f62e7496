"""KEY_AWS_003 on Terraform: a user has at most one active key."""

from keyrules.iac.host.checkov_checks import register_terraform

register_terraform("KEY_AWS_003")
