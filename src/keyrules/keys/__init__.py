"""The life of a key: code, state and account joined."""
