"""KEY_AWS_010 on Terraform: no key's secret ends where it is stored in plain text."""

from keyrules.iac.host.checkov_checks import register_terraform

register_terraform("KEY_AWS_010")
