"""KEY_AWS_004 on Terraform: a console user gets no key at setup."""

from keyrules.iac.host.checkov_checks import register_terraform

register_terraform("KEY_AWS_004")
