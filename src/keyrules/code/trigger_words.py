"""The words that make a file relevant, as bytes. Generated from the rules, as a test watches:

    PYTHONPATH=checks python tests/support/trigger_vocabulary.py

Deriving them takes PyYAML and every rule file, longer than a whole run that finds none of them.
"""

from __future__ import annotations

TERRAFORM_TYPES = (
    b"aws_iam_access_key",
    b"awsutils_expiring_iam_access_key",
)
"""Resource types that a rule judges."""

MODULE_SOURCES = (
    b"//modules/iam-user",
    b"iam-system-user/aws",
    b"terraform-aws-iam-system-user",
)
"""The source of a registry module that a rule knows holds one of these."""

TEMPLATE_TYPES = (b"AWS::IAM::AccessKey",)
"""CloudFormation types that a rule judges."""
