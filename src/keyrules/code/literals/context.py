"""Whether the text around a value says that the value is an AWS secret access key.

Works on raw text of any format: only the layout that all of them share is used (a label before its value, braces,
indentation). Every function looks at a bounded stretch of text, so that a file of any shape is read in linear time.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from functools import cached_property, lru_cache

from keyrules.code.literals.names import (
    CARRIERS,
    FOREIGN,
    IDENTIFIER,
    NOT_THE_SECRET,
    ends_in_secret_name,
    is_foreign,
    says_bare_secret,
    says_secret,
    words_of,
)

_LABEL_REACH = 200
"""How many characters before a value its label may begin."""

_LINE_REACH = 1000
"""How much of one line is looked at on either side of a value."""

_LINES_UP = 20
_LINES_DOWN = 8

_LABEL_END = " \t\"'`:=,><([]{|?&!-"
_ASSIGNED = re.compile(r"(?<![\w.\-])([\w.\-]{1,120})[\"'\]]{0,3}[ \t]{0,40}(?:=>|:=|=|:)", re.ASCII)
_NAMED_BY = re.compile(
    r"(?<![\w.])(?:name|key|parameter_?key|env_?name|variable)[\"']?[ \t]{0,40}"
    r"(?:=>|=|:|(?<=[ \t]))[ \t]{0,40}[\"']?([\w.\-/]{1,120})",
    re.IGNORECASE | re.ASCII,
)
_DESCRIPTION = re.compile(r"[ \t]*[\"']?description[\"']?[ \t]{0,40}[=:]", re.IGNORECASE)
_PROVIDER = re.compile(r"^[ \t]{0,40}provider[ \t]{1,40}\"([\w\-]{1,60})\"", re.MULTILINE | re.ASCII)
_LINE_END = re.compile(r"[\n\r]")
_BLOCK_END = re.compile(r"^\}", re.MULTILINE)
_BLOB_LINE = re.compile(r"[A-Za-z0-9+/]{41,}")


class Layout:
    """Where the lines of a text are, and the providers of other services than AWS. Lines end at `\\n` or `\\r`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = array("q", [0])
        self._starts.extend(match.end() for match in _LINE_END.finditer(text))
        self._providers = [(match.start(), is_foreign(match[1])) for match in _PROVIDER.finditer(text)]
        self._block_ends = array("q", (match.start() for match in _BLOCK_END.finditer(text)) if self._providers else ())

    @property
    def count(self) -> int:
        """How many lines there are."""
        return len(self._starts)

    def index(self, offset: int) -> int:
        """The line that an offset lies in."""
        return bisect_right(self._starts, offset) - 1

    def bounds(self, line: int) -> tuple[int, int]:
        """First and past-the-last offset of a line."""
        return self._starts[line], self._starts[line + 1] - 1 if line + 1 < len(self._starts) else len(self.text)

    def end_of(self, line: int) -> str:
        """A line, or what ends it if it is very long."""
        start, end = self.bounds(line)
        return self.text[max(start, end - _LINE_REACH) : end]

    def start_of(self, line: int) -> str:
        """A line, or what begins it if it is very long."""
        start, end = self.bounds(line)
        return self.text[start : min(end, start + _LINE_REACH)]

    def is_foreign(self, offset: int) -> bool:
        """Whether an offset lies in the provider block of another service."""
        last = bisect_left(self._providers, (offset,)) - 1
        if last < 0 or not self._providers[last][1] or offset - self._providers[last][0] > 2 * _LINE_REACH:
            return False
        end = bisect_left(self._block_ends, self._providers[last][0])
        return end == len(self._block_ends) or self._block_ends[end] > offset


class Context:
    """What surrounds the value at `start` to `end` of a text."""

    def __init__(self, layout: Layout, start: int, end: int) -> None:
        self._layout = layout
        self._start = start
        self._line = layout.index(start)
        line_start, line_end = layout.bounds(self._line)
        self._before = layout.text[max(line_start, start - _LINE_REACH) : start]
        self._after = layout.text[end : min(line_end, end + _LINE_REACH)]
        self._prefix = self._before[-_LABEL_REACH:]
        self._phrase, self._label = _label_of(self._prefix)

    @cached_property
    def _assigned(self) -> str:
        """The last name before the value that something is assigned to."""
        if "=" not in self._prefix and ":" not in self._prefix:
            return ""
        names = _ASSIGNED.findall(self._prefix)
        return names[-1] if names else ""

    @property
    def label(self) -> str:
        """The word directly before the value."""
        return self._label

    @property
    def says_bare_secret(self) -> bool:
        """Whether the value has a usual name for a secret that stands beside its key id."""
        return says_bare_secret(self._label) or says_bare_secret(self._assigned)

    def names_secret(self) -> bool:
        """Whether a name that belongs to this value says AWS secret access key."""
        if self.rules_out_any() or self._layout.is_foreign(self._start):
            return False
        if says_secret(self._label) or ends_in_secret_name(self._phrase) or says_secret(self._assigned):
            return True
        if not self._phrase.strip():
            above = self._line_above()
            return not _BLOB_LINE.fullmatch(above.strip()) and (says_secret(_label_of(above)[1]) or self._object_says())
        if _plain(self._label) in CARRIERS or _plain(self._assigned) in CARRIERS:
            return self._object_says()
        return False

    def allows_secret(self) -> bool:
        """Whether the value may be the secret of a key id that stands near, although no name says so."""
        if self.rules_out_any() or _BLOB_LINE.fullmatch(self._line_above().strip()):
            return False
        words = {*words_of(self._label), *words_of(self._assigned)}
        return "token" not in words and (says_secret(self._label) or FOREIGN.isdisjoint(words))

    def rules_out_any(self) -> bool:
        """A label that says checksum, path and the like, or an encrypted SOPS value."""
        encrypted = self._before.rfind("ENC[")
        if encrypted >= 0 and "]" not in self._before[encrypted:]:
            return True
        if says_secret(self._label):
            return False
        return any(words[-1] in NOT_THE_SECRET for words in (words_of(self._label), words_of(self._assigned)) if words)

    def _line_above(self) -> str:
        for line in range(self._line - 1, max(-1, self._line - 4), -1):
            above = self._layout.end_of(line)
            if above.strip():
                return above
        return ""

    def _object_says(self) -> bool:
        opening = _open_brace(self._before)
        if opening is not None:
            closing = _close_brace(self._after)
            inside = [self._before[opening + 1 :], self._after[:closing]]
            header = re.split(r"[{},;]", self._before[:opening])[-1]
            if header.strip(" \t[("):
                return _object_names_secret(inside, header)
            above = self._line_above()
            return _object_names_secret(inside, "" if "}" in above else above)
        closing = _close_brace(self._after)
        siblings, header = self._indented_object()
        return _object_names_secret([self._before, self._after[:closing], *siblings], header)

    def _indented_object(self) -> tuple[list[str], str]:
        """The other lines of the object that the value's line is in (nearest first), and the line that opens it."""
        own = f"{self._before}x"
        column, item = _column(own)
        siblings: list[str] = []
        header = ""
        floor = len(own) - len(own.lstrip()) if item else column
        for above in range(self._line - 1, max(-1, self._line - 1 - _LINES_UP), -1):
            line = self._layout.end_of(above)
            content = line.lstrip()
            if not content:
                continue
            indent = len(line) - len(content)
            if indent < floor:
                header = line
                break
            if item or indent > column:
                continue
            if column == 0 and line.startswith("}"):
                break
            siblings.append(line)
            if column == 0 and line.rstrip().endswith("{"):
                break
        siblings.extend(self._siblings_below(column))
        return siblings, header

    def _siblings_below(self, column: int) -> list[str]:
        siblings: list[str] = []
        for below in range(self._line + 1, min(self._layout.count, self._line + 1 + _LINES_DOWN)):
            line = self._layout.start_of(below)
            content = line.lstrip()
            if not content:
                continue
            indent = len(line) - len(content)
            if indent < column or line.startswith("}"):
                break
            if indent == column:
                siblings.append(line)
        return siblings


def _label_of(prefix: str) -> tuple[str, str]:
    """The words directly before a value, and the last of them."""
    stripped = prefix.rstrip(_LABEL_END)
    phrase = stripped[len(stripped.rstrip(IDENTIFIER + " ")) :]
    return phrase, stripped[len(stripped.rstrip(IDENTIFIER)) :]


def _plain(label: str) -> str:
    return re.sub(r"[^a-z0-9]", "", label.lower())


def _column(line: str) -> tuple[int, bool]:
    """Where the content of a line begins, and whether the line begins a YAML list item."""
    content = line.lstrip()
    indent = len(line) - len(content)
    if content.startswith("- "):
        return indent + len(content) - len(content[1:].lstrip()), True
    return indent, False


def _open_brace(before: str) -> int | None:
    depth = 0
    for index in range(len(before) - 1, -1, -1):
        if before[index] == "}":
            depth += 1
        elif before[index] == "{":
            if depth == 0:
                return index
            depth -= 1
    return None


def _close_brace(after: str) -> int:
    depth = 0
    for index, character in enumerate(after):
        if character == "{":
            depth += 1
        elif character == "}":
            if depth == 0:
                return index
            depth -= 1
    return len(after)


@lru_cache(maxsize=1024)
def _names_in(part: str) -> tuple[str, ...]:
    """What `name = …` and the like say in a stretch of text; many values may stand in the same object."""
    return tuple(_NAMED_BY.findall(part))


def _object_names_secret(parts: list[str], header: str) -> bool:
    """Whether the name nearest to the value in its object, what opens the object, or its description says so.

    `parts` are stretches of the object, nearest to the value first.
    """
    names = next((found for part in parts if (found := _names_in(part))), ())
    if any(says_secret(name) for name in names) or says_secret(header):
        return True
    return not names and any(_DESCRIPTION.match(part) and says_secret(part) for part in parts)
