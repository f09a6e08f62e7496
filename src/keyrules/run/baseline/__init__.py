"""What earlier runs found, so that only what is new fails."""
