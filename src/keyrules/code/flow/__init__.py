"""Follows a key's secret to where it leaks."""
