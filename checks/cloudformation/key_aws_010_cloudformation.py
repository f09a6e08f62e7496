"""KEY_AWS_010 on CloudFormation: no key's secret ends where it is stored in plain text."""

from keyrules.iac.host.checkov_checks import register_cloudformation

register_cloudformation("KEY_AWS_010")
