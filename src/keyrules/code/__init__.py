"""The code plane: Terraform, OpenTofu, plans and CloudFormation."""
