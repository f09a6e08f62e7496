"""Whether a declared rotation fires, and how often."""
