"""The words by which code that is not read speaks of an access key: what callers ask of it and take from it."""

from __future__ import annotations

import re

KEY_ARGUMENTS = ("create_iam_access_key", "create_access_key", "create_access_keys", "access_key_enabled")
"""Arguments by which modules are told to create a key; who gives one of these to an unknown module means a key."""

SECRET_OUTPUTS = (
    r"secret|secret[-_]?key|smtp[-_]?password"
    r"|[\w-]*(?:secret[-_]?access[-_]?key|access[-_]?key[-_]?secret|ses[-_]?smtp[-_]?password(?:[-_]?v4)?)"
)
"""Names of outputs that say that they carry a key's secret, as a regular expression on lower case; CloudFormation has
no underscores in names."""


def names_secret(output: str) -> bool:
    """Whether an output is named like a key's secret."""
    return re.fullmatch(SECRET_OUTPUTS, output.lower()) is not None
