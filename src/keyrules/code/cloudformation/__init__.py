"""Reads CloudFormation templates."""
