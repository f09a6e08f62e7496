"""The words by which a module that nobody knows speaks of an access key: what callers ask of it and take from it."""

from __future__ import annotations

import re

KEY_ARGUMENTS = ("create_iam_access_key", "create_access_key", "create_access_keys", "access_key_enabled")
"""Arguments by which modules are told to create a key; who gives one of these to an unknown module means a key."""

SECRET_OUTPUTS = (
    r"secret|secret_key|smtp_password|(?:\w+_)?(?:secret_access_key|access_key_secret|ses_smtp_password(?:_v4)?)"
)
"""Names of outputs that say that they carry a key's secret, as a regular expression."""


def names_secret(output: str) -> bool:
    """Whether an output is named like a key's secret."""
    return re.fullmatch(SECRET_OUTPUTS, output) is not None
