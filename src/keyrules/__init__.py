"""Policy as code for long-lived AWS credentials: the engine of both doors, its own command and Checkov."""
