"""One more entry for the text of an exceptions file, of which everything else stays as it is."""

from __future__ import annotations

import re
from collections.abc import Mapping

import yaml

from keyrules.model import UsageError

_START = "# What holds in here, and for how long: `keyrules exceptions`.\nexceptions:\n"
_NONE = re.compile(r"^exceptions:[ \t]*(?:\[[ \t]*\])?[ \t]*(?P<comment>#.*)?$", re.MULTILINE)
_ITEM = re.compile(r"^([ ]*)- ", re.MULTILINE)
_FLOW = re.compile(r"^exceptions:[ \t]*[\[{*&!]", re.MULTILINE)


def with_entry(text: str, values: Mapping[str, object]) -> str:
    """The text of a valid file, which may be empty, with an entry of these values behind the others.

    Raises UsageError where its entries stand in brackets, so that nothing can be put behind them.
    """
    if not text.strip():
        text = _START
    newline = "\r\n" if "\r\n" in text else "\n"
    body = text if text.endswith("\n") else f"{text}{newline}"
    if not _ITEM.search(body):
        if _FLOW.search(_NONE.sub("exceptions:", body)):
            raise UsageError(
                "its entries stand in brackets; write each on lines of its own, with a dash, and run again"
            )
        body = _NONE.sub(lambda found: f"exceptions:{' ' + found['comment'] if found['comment'] else ''}", body)
        if not re.search(r"^exceptions:", body, re.MULTILINE):
            body += f"exceptions:{newline}"
    first = _ITEM.search(body)
    indent = first[1] if first else "  "
    lines = yaml.safe_dump(
        dict(values), sort_keys=False, allow_unicode=True, width=float("inf"), default_flow_style=False
    ).splitlines()
    entry = [f"{indent}{'- ' if number == 0 else '  '}{line}" for number, line in enumerate(lines)]
    return body + newline.join(entry) + newline
