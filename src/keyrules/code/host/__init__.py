"""For the time being: Checkov as a worker of the scan."""
