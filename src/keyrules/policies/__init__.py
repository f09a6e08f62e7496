"""What the policies of a user come to: pure functions on documents, for both planes."""
