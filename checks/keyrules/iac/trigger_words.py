TERRAFORM_WORDS = (b"aws_iam_access_key", b"awsutils_expiring_iam_access_key", b"//modules/iam-user")
TEMPLATE_WORDS = (b"AWS::IAM::AccessKey",)
