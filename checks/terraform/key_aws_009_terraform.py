"""KEY_AWS_009 on Terraform: no output exposes a key's secret."""

from keyrules.iac.host.checkov_checks import register_terraform

register_terraform("KEY_AWS_009")
