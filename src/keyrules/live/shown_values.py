"""How a value from an input file may appear in an error message: short, on one line, never one that may be a secret."""

from __future__ import annotations

import re
from typing import Final

from keyrules.reports.text_style import printable

# A user name has at most 64 characters, the longest value that a report legitimately holds beside ARNs.
_LONGEST: Final = 64
_KEY_ID: Final = re.compile(r"(?:A3T[A-Z0-9]|ABIA|ACCA|AKIA|ASIA)[A-Z0-9]{8,}")
_SECRET: Final = re.compile(r"[A-Za-z0-9/+=]{36,}")


def shown(value: str) -> str:
    """The value in quotes, harmless on a terminal; its length alone when it is long or looks like a credential."""
    if len(value) > _LONGEST or _KEY_ID.search(value) or _SECRET.search(value):
        return f"a value of {len(value)} characters"
    return f"'{printable(value)}'"
