"""For the time being: verdicts of earlier runs."""
