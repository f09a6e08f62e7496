"""The pure functions of Terraform's language, one module for each kind; what is not here is open."""
