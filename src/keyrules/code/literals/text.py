"""Undoes what hides a value in text: escapes, folded lines, the prefixes of patches, base64.

Everything takes time proportional to the text, and leaves each line feed after as many others as before, so that what
is found in the result has the line numbers of the file.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

from keyrules.code.literals.candidates import BASE64_RUN
from keyrules.records import dataclass

# Escapes inside JSON, YAML, HCL and shells, any number of levels deep; `\r` ends a line without being one of the
# file's. What is before a run of backslashes is looked at so that a long run is tried once and not from each of its
# characters.
_LINE_ESCAPE = re.compile(r"(?<!\\)\\+(?:[nr]|u000[aAdD]|x0[aAdD])")
_TAB_ESCAPE = re.compile(r"(?<!\\)\\+(?:t|u0009|x09)")
_SELF_ESCAPE = re.compile(r"(?<!\\)\\+([\"'/+=:])")
_CODE_ESCAPE = re.compile(r"(?<!\\)\\+(?:u00|U000000|x)([2-7][0-9A-Fa-f])")
_URL_ESCAPE = re.compile(r"%(2[027BbFf]|3[AaDd])")

_FOLD = r"{mark}\n[ \t]*[A-Za-z0-9+/]+"
_FOLDED = re.compile(rf"(?<=[A-Za-z0-9+/])(?:{_FOLD.format(mark=chr(92) * 2)})+")
_SOFT_BREAKS = re.compile(r"(?<=[A-Za-z0-9+/])(?:=\n[A-Za-z0-9+/]+)+")
_QUOTED_PRINTABLE = re.compile(r"^Content-Transfer-Encoding:[ \t]*quoted-printable", re.MULTILINE | re.IGNORECASE)
_QUOTED_CODE = re.compile(r"=(2[0-9BbFf]|3[ADd])")

_HUNK = re.compile(r"^@@(@*) -\d+(?:,\d+)? ", re.MULTILINE)

# A run of plausible length (the name of a secret and its 40 characters fill 56 or more), wrapped lines included.
_BASE64_RUN = re.compile(
    rf"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{{{BASE64_RUN},}}"
    r"(?:[ \t]{0,80}\n[ \t]{0,80}[A-Za-z0-9+/]+(?=[ \t=\n\"'\\]|\Z))*"
)

# The base64 of exactly one key id (20 bytes), secret (40) or SMTP password (44), as Kubernetes stores each value; one
# or two bytes of a line end are often encoded with it.
_VALUE = re.compile(
    r"(?<![A-Za-z0-9+/=_\-])(?:"
    r"(?:QUtJQ|QVNJQ)[A-Za-z0-9+/]{22}(?:=|[A-Za-z0-9+/](?:[A-Za-z0-9+/]{2}==)?)|"
    r"[A-Za-z0-9+/]{54}(?:==|[A-Za-z0-9+/][A-Za-z0-9+/=])|"
    r"[A-Za-z0-9+/]{59}(?:=|[A-Za-z0-9+/](?:[A-Za-z0-9+/]{2}==)?)"
    r")(?![A-Za-z0-9+/=])"
)
_DECODED_VALUE = re.compile(r"(?:A[KS]IA[A-Z0-9]{16}|[A-Za-z0-9/+]{40}|[A-Za-z0-9/+]{44})(?=\r?\n?\Z)")


def plain_lines(text: str) -> str:
    """`text` with Unix line ends and without NULs, so that CRLF and UTF-16 read by their bytes look like any other."""
    return text.replace("\0", "").replace("\r\n", "\n")


def unescape(text: str) -> str:
    """`text` without string and URL escapes."""
    if "\\" in text:
        text = _FOLDED.sub(_joined, text)
        text = _LINE_ESCAPE.sub("\r", text)
        text = _TAB_ESCAPE.sub(" ", text)
        text = _CODE_ESCAPE.sub(_character, text)
        text = _SELF_ESCAPE.sub(r"\1", text)
    return _URL_ESCAPE.sub(_character, text) if "%" in text else text


def without_transport(text: str) -> str:
    """`text` as it read before it was made a patch or a mail: hunks without their prefixes, quoted-printable undone."""
    if "quoted-printable" in text.lower() and _QUOTED_PRINTABLE.search(text):
        text = _QUOTED_CODE.sub(_character, _SOFT_BREAKS.sub(_joined, text))
    hunk = _HUNK.search(text) if "@@ -" in text else None
    if hunk is not None:
        text = re.sub(rf"^[+\- ]{{{1 + len(hunk[1])}}}", "", text, flags=re.MULTILINE)
    return text


def _joined(match: re.Match[str]) -> str:
    """The parts of a folded value in one piece, with the line feeds after it."""
    pieces = [piece.lstrip(" \t") for piece in match.group().split("\n")]
    return "".join(piece.rstrip("\\=") for piece in pieces) + "\n" * (len(pieces) - 1)


def _character(match: re.Match[str]) -> str:
    return chr(int(match.group(1), 16))


@dataclass(frozen=True, repr=False)
class Opened:
    """A text in which encoded values stand decoded, and which values those are."""

    text: str
    values: frozenset[str]


def open_values(text: str) -> Opened:
    """`text` with each base64 of exactly one key id or secret in clear: so its own name stands before it."""
    values: set[str] = set()

    def decoded(match: re.Match[str]) -> str:
        value = _DECODED_VALUE.match(base64.b64decode(match.group()).decode("latin-1"))
        if value is None:
            return match.group()
        values.add(value.group())
        return value.group()

    return Opened(_VALUE.sub(decoded, text), frozenset(values))


def base64_runs(text: str) -> Iterator[tuple[int, int, bytes]]:
    """Start, end and content of each run of base64 in `text`."""
    for match in _BASE64_RUN.finditer(text):
        run = re.sub(r"[ \t\n]+", "", match.group())
        decoded = base64.b64decode(run[: len(run) - len(run) % 4])
        tail = run[len(run) - len(run) % 4 :]
        if len(tail) > 1:
            decoded += base64.b64decode(tail + "=" * (4 - len(tail)))
        yield match.start(), match.end(), decoded


def base64_texts(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and decoded text of each run of base64 in `text`. Decodes one level; compressed content stays dark."""
    for start, end, decoded in base64_runs(text):
        yield start, end, decoded_text(decoded).replace("\r\n", "\n")


def decoded_text(data: bytes) -> str:
    """UTF-16 (PowerShell's encoded commands) is told by its NULs; anything else is read byte by byte."""
    if data.count(0) * 3 < len(data):
        return data.decode("latin-1")
    return data.decode("utf-16-le" if data[1::2].count(0) >= data[::2].count(0) else "utf-16-be", "replace")
