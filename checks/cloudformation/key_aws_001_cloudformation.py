"""KEY_AWS_001 on CloudFormation: a declared key has a rotation that fires."""

from keyrules.iac.host.checkov_checks import register_cloudformation

register_cloudformation("KEY_AWS_001")
