"""KEY_AWS_003 on CloudFormation: a user has at most one active key."""

from keyrules.iac.host.checkov_checks import register_cloudformation

register_cloudformation("KEY_AWS_003")
