"""The door for Checkov: the same judges as custom checks."""
