"""Hard-coded credentials in text."""
