"""KEY_AWS_008 on Terraform: key secrets are not stored in plain text in the state."""

from keyrules.iac.host.checkov_checks import register_terraform

register_terraform("KEY_AWS_008")
