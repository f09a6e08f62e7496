"""Reads Terraform and OpenTofu source as those programs do."""
