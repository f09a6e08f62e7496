"""The pieces that every part of a SARIF log is made of: messages that cannot inject, places, and files by URI.

Section numbers are those of OASIS SARIF 2.1.0. No absolute path of this machine is written but those that an input has:
paths are relative to `%SRCROOT%`, which is named but not located (3.14.14 allows that).
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from keyrules.reports.text_style import printable, visible_escape

SOURCE_ROOT = "%SRCROOT%"

# What surrogateescape cannot turn back into a byte: it carries 0x80 to 0xff as U+DC80 to U+DCFF.
_NO_BYTE = re.compile("[\ud800-\udc7f\udd00-\udfff]")
_PLACEHOLDER = re.compile(r"\{(\d+)\}")


def message(text: str) -> dict[str, str]:
    """A plain text message; `](` is taken apart because SARIF would read it as a link that a name smuggled in."""
    return {"text": literal(printable(text).replace("](", "] ("))}


def literal(text: str) -> str:
    """Text without placeholders (3.11.5): the braces of `{0}` are doubled; others cannot be taken for one."""
    return _PLACEHOLDER.sub(r"{{\1}}", text)


def physical(path: str, start_line: int = 0, end_line: int = 0) -> dict[str, Any]:
    """A place in a file; lines count from 1, and a place without a known line is the whole file."""
    place: dict[str, Any] = {"artifactLocation": artifact(path)}
    if start_line > 0:
        place["region"] = {"startLine": start_line, "endLine": max(start_line, end_line)}
    return place


def artifact(path: str) -> dict[str, str]:
    """The artifactLocation of a path: relative to the source root, or a file URI where the path is absolute."""
    # Percent-encodes the bytes of the name, so that a name that is not UTF-8 still has its one correct URI. A surrogate
    # that stands for no byte can come from a JSON escape in a source file.
    name = _NO_BYTE.sub(lambda match: visible_escape(match[0]), path)
    uri = quote(name.encode("utf-8", "surrogateescape"), safe="/")
    if path.startswith("/"):
        return {"uri": f"file://{uri}"}
    return {"uri": uri, "uriBaseId": SOURCE_ROOT}
