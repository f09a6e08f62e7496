"""KEY_AWS_009 on CloudFormation: no output exposes a key's secret."""

from keyrules.iac.host.checkov_checks import register_cloudformation

register_cloudformation("KEY_AWS_009")
