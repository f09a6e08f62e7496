"""The syntax of HCL and of its JSON form."""
