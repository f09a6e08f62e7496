"""Finds the skip comments of a file, as Checkov 3.3 reads them; keyrules.code.skips says what they apply to."""

from __future__ import annotations

import re

from keyrules.records import dataclass

_COMMENT = re.compile(
    r"(?:checkov:skip=|bridgecrew:skip=|cortex:skip=) *([A-Za-z_\d-]+(?:,[A-Za-z_\d-]+)*)?(:[^\n]*)?", re.ASCII
)
NO_REASON = "No comment provided"

# Letters, digits and what joins them in a secret: plain, escaped for JSON, or encoded for a URL. Words have spaces.
_RUN = re.compile(r"[A-Za-z0-9/+=%\\]{32,}")
_KEY_ID = re.compile(r"(A[KS]IA)[A-Z0-9]{12}([A-Z0-9]{4})")
_MIXTURE = (re.compile("[a-z]"), re.compile("[A-Z]"), re.compile("[0-9]"))


@dataclass(frozen=True)
class SkipComment:
    """One comment: its 1-based line, the ids as they are written, with their commas, and its reason, safe to print."""

    line: int
    ids: str
    reason: str


def skip_comments(text: str) -> list[SkipComment]:
    """The comments of a file that name rules to skip, one a line at most."""
    if "skip=" not in text:
        return []
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    found = ((number, _COMMENT.search(line)) for number, line in enumerate(lines, 1) if "skip=" in line)
    return [
        SkipComment(number, match[1], safe_reason(match[2][1:]) if match[2] else NO_REASON)
        for number, match in found
        if match is not None and match[1]
    ]


def safe_reason(reason: str) -> str:
    """A reason on one line, without what has the length and mixture of a secret, and with key ids masked.

    It goes on to the end of its line, and in a script, or in JSON on one line, the secret that it is about can stand
    there.
    """
    line = _RUN.sub(lambda run: "[redacted]" if _is_mixed(run[0]) else run[0], " ".join(reason.split()))
    return _KEY_ID.sub(r"\1…\2", line) or NO_REASON


def _is_mixed(run: str) -> bool:
    return all(kind.search(run) for kind in _MIXTURE)
