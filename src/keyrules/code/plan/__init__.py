"""Reads the JSON of Terraform plans."""
