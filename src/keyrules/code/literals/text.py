"""Reads text for hard-coded credentials: escapes, base64, and the look of a secret."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from itertools import pairwise

from keyrules.code.literals.candidates import BASE64_RUN

_SUBSTITUTIONS = (
    # Escapes inside JSON and HCL strings, several levels deep; `\r` ends a line without being one of the file's lines.
    (re.compile(r"\\{1,8}[nr]"), "\r"),
    (re.compile(r"\\{1,8}t"), " "),
    (re.compile(r"\\{1,8}([\"'/])"), r"\1"),
    # Credentials in URLs.
    (re.compile(r"%2[fF]"), "/"),
    (re.compile(r"%2[bB]"), "+"),
)

# A run of plausible length (the name of a secret and its 40 characters fill 56 or more), wrapped lines included.
_BASE64_RUN = re.compile(
    rf"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{{{BASE64_RUN},}}"
    r"(?:[ \t]{0,80}\n[ \t]{0,80}[A-Za-z0-9+/]+(?=[ \t=\n\"'\\]|\Z))*"
)

# A uniformly random value of 40 characters has about 30 different ones (standard deviation 2). Stretches of four or
# more lower-case letters, of which words and paths consist, fill 20 of its places in 3 of 10,000 values, and 16 of them
# in 3 of 1,000.
_DIFFERENT = 18
_WORDY = 20
_WORDY_STRICT = 16
_LOWER_STRETCH = re.compile(r"[a-z]{4,}")

_PLACEHOLDER_WORD = re.compile(
    r"(?:access|actual|amazon|aws|bar|change|credential|default|demo|dummy|enter|example|fake|foo|goes|here|insert|"
    r"invalid|key|mock|not|obtain|placeholder|please|random|real|redacted|replace|sample|secret|some|string|test|this|"
    r"todo|user|value|with|xxx|you|your)",
    re.IGNORECASE | re.ASCII,
)


def plain_lines(text: str) -> str:
    """`text` with Unix line ends and without NULs, so that CRLF and UTF-16 read by their bytes look like any other."""
    return text.replace("\0", "").replace("\r\n", "\n")


def unescape(text: str) -> str:
    """`text` without string and URL escapes. The number of `\\n` before any place stays the same."""
    for pattern, replacement in _SUBSTITUTIONS:
        text = pattern.sub(replacement, text)
    return text


def base64_texts(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and decoded text of each run of base64 in `text`. Decodes one level; compressed content stays dark."""
    for match in _BASE64_RUN.finditer(text):
        run = re.sub(r"[ \t\n]+", "", match.group())
        decoded = base64.b64decode(run[: len(run) - len(run) % 4])
        tail = run[len(run) - len(run) % 4 :]
        if len(tail) > 1:
            decoded += base64.b64decode(tail + "=" * (4 - len(tail)))
        yield match.start(), match.end(), _decoded_text(decoded).replace("\r\n", "\n")


def _decoded_text(data: bytes) -> str:
    """UTF-16 (PowerShell's encoded commands) is told by its NULs; anything else is read byte by byte."""
    if data.count(0) * 3 < len(data):
        return data.decode("latin-1")
    return data.decode("utf-16-le" if data[1::2].count(0) >= data[::2].count(0) else "utf-16-be", "replace")


def looks_random(value: str, *, strict: bool) -> bool:
    """Whether a 40-character value has the mix of a generated secret: no hash, no placeholder, no path or words.

    `strict` is for a value that no name vouches for.
    """
    if value.endswith(("EXAMPLE", "EXAMPLEKEY")) or len(set(value)) < _DIFFERENT:
        return False
    if value in (value.lower(), value.upper()):
        return False
    wordy = sum(len(stretch) for stretch in _LOWER_STRETCH.findall(value))
    if wordy >= (_WORDY_STRICT if strict else _WORDY):
        return False
    low = value.lower()
    steps = sum(abs(ord(a) - ord(b)) <= 1 for a, b in pairwise(low))
    worded = sum(len(word) for word in _PLACEHOLDER_WORD.findall(value))
    return steps < len(value) // 2 and worded < len(value) // 2
