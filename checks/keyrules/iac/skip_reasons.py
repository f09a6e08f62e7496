"""The reasons that people give in skip comments, made safe to print.

A comment's reason goes on to the end of its line, and in a script, or in JSON on one line, the secret that it is about
can stand there.
"""

from __future__ import annotations

import re

# Letters, digits and what joins them in a secret: plain, escaped for JSON, or encoded for a URL. Words have spaces.
_RUN = re.compile(r"[A-Za-z0-9/+=%\\]{32,}")
_MIXTURE = (re.compile("[a-z]"), re.compile("[A-Z]"), re.compile("[0-9]"))


def safe_reason(text: str) -> str:
    """The reason on one line, without what has the length and mixture of a secret; empty when there is none."""
    return _RUN.sub(lambda run: "[redacted]" if _is_mixed(run[0]) else run[0], " ".join(text.split()))


def _is_mixed(run: str) -> bool:
    return all(kind.search(run) for kind in _MIXTURE)
