"""Scripts that complete commands in shells."""
