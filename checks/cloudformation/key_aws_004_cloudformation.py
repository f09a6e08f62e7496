"""KEY_AWS_004 on CloudFormation: a console user gets no key at setup."""

from keyrules.iac.host.checkov_checks import register_cloudformation

register_cloudformation("KEY_AWS_004")
