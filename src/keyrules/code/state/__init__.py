"""Terraform's state: which keys exist because of it, under which addresses. No secret in it becomes a value here."""
