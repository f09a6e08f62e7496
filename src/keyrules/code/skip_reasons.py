"""The reasons that people give in skip comments, made safe to print.

A comment's reason goes on to the end of its line, and in a script, or in JSON on one line, the secret that it is about
can stand there.
"""

from __future__ import annotations

import re

# Letters, digits and what joins them in a secret: plain, escaped for JSON, or encoded for a URL. Words have spaces.
_RUN = re.compile(r"[A-Za-z0-9/+=%\\]{32,}")
_KEY_ID = re.compile(r"(A[KS]IA)[A-Z0-9]{12}([A-Z0-9]{4})")
_MIXTURE = (re.compile("[a-z]"), re.compile("[A-Z]"), re.compile("[0-9]"))


def safe_reason(text: str) -> str:
    """The reason on one line, without what has the length and mixture of a secret, and with key ids masked."""
    line = _RUN.sub(lambda run: "[redacted]" if _is_mixed(run[0]) else run[0], " ".join(text.split()))
    return _KEY_ID.sub(r"\1…\2", line)


def _is_mixed(run: str) -> bool:
    return all(kind.search(run) for kind in _MIXTURE)
