"""The file .keyrules.yaml: reading, checking and merging it with the command line."""
