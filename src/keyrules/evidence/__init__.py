"""The package for auditors: made from what was received, judged again by whoever has it, and compared."""
