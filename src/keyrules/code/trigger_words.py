"""The words that make a file relevant, as bytes. Generated from the rules, as a test watches:

    PYTHONPATH=src python tests/support/trigger_vocabulary.py

Deriving them takes PyYAML and every rule file, longer than a whole run that finds none of them.
"""

from __future__ import annotations

TERRAFORM_TYPES = (
    b"aws_iam_access_key",
    b"awsutils_expiring_iam_access_key",
)
"""Resource types that a rule judges."""

MODULE_SOURCES = (
    b"/modules/iam-user",
    b"/modules/infrastructure/permissions/iam-user",
    b"/wrappers/iam-user",
    b"cloud-platform-terraform-ecr-credentials",
    b"cloud-platform-terraform-s3-bucket",
    b"cloudposse/s3-bucket/aws",
    b"cloudposse/ses/aws",
    b"cloudposse/terraform-aws-s3-bucket",
    b"cloudposse/terraform-aws-ses",
    b"iam-chamber-user/aws",
    b"iam-s3-user/aws",
    b"iam-system-user/aws",
    b"molecule-packer-ci-iam-user-tf-module",
    b"molecule-packer-travisci-iam-user-tf-module",
    b"serverless-user/aws",
    b"ses-smtp-users/aws",
    b"terraform-aws-iam-chamber-user",
    b"terraform-aws-iam-s3-user",
    b"terraform-aws-iam-system-user",
    b"terraform-aws-serverless-user",
    b"terraform-aws-ses-smtp-users",
)
"""The source of a registry module that a rule knows holds one of these."""

TEMPLATE_TYPES = (b"AWS::IAM::AccessKey",)
"""CloudFormation types that a rule judges."""

TERRAFORM_BLOCKS = (
    (b"aws_iam_account_password_policy",),
    (b"aws_iam_policy_attachment", b"users"),
    (b"aws_iam_service_specific_credential",),
    (b"aws_iam_user_policies_exclusive", b"policy_names"),
    (b"aws_iam_user_policy",),
)
"""Types that a rule judges besides keys, each with arguments of which one stands in a file that matters."""

TEMPLATE_BLOCKS = (
    (b"AWS::IAM::ManagedPolicy", b"Users"),
    (b"AWS::IAM::Policy", b"Users"),
    (b"AWS::IAM::User", b"ManagedPolicyArns", b"Policies"),
    (b"AWS::IAM::UserPolicy",),
)
"""Types that a rule judges besides keys, each with arguments of which one stands in a file that matters."""
