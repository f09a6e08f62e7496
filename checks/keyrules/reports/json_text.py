"""JSON as every JSON-based report writes it: readable, deterministic and harmless when it is printed on a terminal."""

from __future__ import annotations

import json
import re
from typing import Any

from keyrules.reports.text_style import visible_escape

_NOT_PLAIN = re.compile(r"[^\n\x20-\x7e]")


def dump(document: Any) -> str:
    """`document` as indented JSON with a newline at its end, in the key order that it has.

    Text stays readable UTF-8, but characters that are not printable are written as JSON escapes: most JSON writers let
    DEL, C1 controls and bidirectional overrides through, and a terminal obeys them. A lone surrogate, which is how
    Python carries a byte of a file name that is not UTF-8, has no valid form in JSON; it becomes the text `\\xff`.
    Raises ValueError for a float that is not finite.
    """
    return _harmless(json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2))


def dump_line(document: Any) -> str:
    """The same on one line, whatever the texts in it hold."""
    return _harmless(json.dumps(document, ensure_ascii=False, allow_nan=False))


def _harmless(text: str) -> str:
    return _NOT_PLAIN.sub(_escape, text) + "\n"


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    if char.isprintable():
        return char
    if "\ud800" <= char <= "\udfff":
        return "\\" + visible_escape(char)
    return json.dumps(char)[1:-1]
