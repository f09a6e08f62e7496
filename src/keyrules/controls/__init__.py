"""Frameworks: their controls, the bounds they set, and verdicts on them."""
