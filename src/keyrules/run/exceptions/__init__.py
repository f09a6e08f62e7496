"""The file of exceptions: findings that somebody answers for until a day."""
