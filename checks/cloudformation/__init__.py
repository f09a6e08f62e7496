"""Custom Checkov checks for CloudFormation; Checkov loads each module of this folder by itself."""
