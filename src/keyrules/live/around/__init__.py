"""What is around the keys of an account and in no credential report: policies, devices, certificates, other keys."""
