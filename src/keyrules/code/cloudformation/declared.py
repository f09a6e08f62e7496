"""Names the access keys in text that should be a CloudFormation template but cannot be parsed as one.

Broken YAML and JSON, templates of templates (Jinja, Go), duplicate names and merge conflicts hide every resource of
the file from a parser. This scan needs no sound syntax, so that such keys are reported by name instead of not at all;
it looks for `Type: AWS::IAM::AccessKey` as a key and its value, and for the name that it stands under.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable

from keyrules.code.block_rules import GIVING, TEMPLATE_BLOCKS
from keyrules.records import dataclass

_TYPE = re.compile(
    r"""(?P<quote>["']?)Type(?P=quote)[ \t]*:\s*(?:[&!][^\s,]+\s+)*(?P<mark>["']?)"""
    r"""AWS::IAM::(?P<kind>[A-Za-z]+|[A-Za-z]*_{3,}[A-Za-z]*)(?P=mark)"""
    r"""(?=[ \t]*(?:$|[,{}\]#\n]|//))"""
)
_KEY = re.compile(
    r"""(?P<indent>[ \t]*(?:-[ \t]+)*)(?:\?[ \t]+)?"""
    r"""(?P<key>"[^"\n]*"|'[^'\n]*'|[^\s"'#:](?:[^\n:]|:(?=\S))*?)[ \t]*:(?P<rest>[ \t].*|)$"""
)
_NAME_BEFORE_BRACE = re.compile(r"""("[^"\n]*"|'[^'\n]*'|[^\s"',:{}\[\]]+)\s*:\s*(?:[&!]\S+\s+)*$""")
_BLOCK_TEXT = re.compile(r"[ \t]+[|>][-+0-9]*[ \t]*(?:#.*)?$")
_PLACEHOLDER = re.compile(r"\{\{[^{}\n]{0,500}\}\}|\{%[^{}\n]{0,500}%\}|\$\{[^{}\n]{0,500}\}")
_PROSE = frozenset({"description", "comment", "comments", "documentation", "notes", "note", "summary", "readme"})
_LONGEST_NAME = 300
_HEAD = "AWS::IAM::"


@dataclass(frozen=True)
class Declared:
    """A declared resource: its logical id, empty when the text does not show one, the 1-based line of its type, and
    the type."""

    logical_id: str
    line: int
    kind: str


def declared_keys(text: str) -> list[Declared]:
    """The access keys that `text` declares, in the order of the text, duplicates included. A type that a placeholder
    completes counts where it may be the one of a key."""
    return _declared(text, _may_be_key)


def declared_blocks(text: str) -> list[Declared]:
    """The resources in `text` that rules judge besides keys, where something that they judge is said in it at all."""
    kinds = {
        kind.removeprefix(_HEAD)
        for kind in TEMPLATE_BLOCKS
        if not any(GIVING[kind]) or any(argument in text for argument in GIVING[kind])
    }
    return _declared(text, kinds.__contains__)


def _declared(text: str, wanted: Callable[[str], bool]) -> list[Declared]:
    """The resources of some types, as they are named below AWS::IAM.

    Comments do not count, nor does a mention inside a quoted text or a block of prose such as a Description. Runs in
    time linear in the length of the text, whatever it holds.
    """
    if _HEAD not in text:
        return []
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    text = _without_comments(text)
    # Placeholders of template languages keep their length, so that positions in both texts agree.
    shape = _PLACEHOLDER.sub(lambda match: "_" * len(match[0]), text)
    inside = _Structure(text, shape)
    found: list[Declared] = []
    for match in _TYPE.finditer(shape):
        if wanted(match["kind"]) and not inside.quoted(match.start()) and not inside.prose(match.start()):
            kind = f"{_HEAD}{match['kind']}"
            found.append(Declared(inside.name(match.start()), inside.line(match.start()), kind))
    return found


def _may_be_key(kind: str) -> bool:
    """Whether a type below AWS::IAM, with underscores for what a placeholder gives, is or may be that of a key."""
    first, last = kind.partition("_")[0], kind.rpartition("_")[2]
    return kind == "AccessKey" or ("_" in kind and "AccessKey".startswith(first) and "AccessKey".endswith(last))


def _without_comments(text: str) -> str:
    """The text with every comment blanked, so that positions and lines stay what they were."""
    for start, end in (("{#", "#}"), ("{{/*", "*/}}"), ("{{- /*", "*/ -}}"), ("<!--", "-->")):
        text = _blanked(text, start, end)
    lines = text.split("\n")
    in_comment = False
    for number, line in enumerate(lines):
        stripped = line.lstrip()
        if in_comment or stripped.startswith("/*"):
            in_comment = "*/" not in stripped
            lines[number] = " " * len(line)
        else:
            cut = _comment_start(line)
            lines[number] = line[:cut] + " " * (len(line) - cut)
    return "\n".join(lines)


def _blanked(text: str, start: str, end: str) -> str:
    parts: list[str] = []
    position = 0
    while (opening := text.find(start, position)) >= 0 and (closing := text.find(end, opening)) >= 0:
        closing += len(end)
        hidden = "".join(character if character == "\n" else " " for character in text[opening:closing])
        parts.extend((text[position:opening], hidden))
        position = closing
    return "".join([*parts, text[position:]])


def _comment_start(line: str) -> int:
    """Where a `#` or `//` comment starts on a line, outside quotes; the length of the line without one."""
    if "#" not in line and "//" not in line:
        return len(line)
    ends = dict(_strings(line))
    position = 0
    while position < len(line):
        if position in ends:
            position = ends[position]
            continue
        free = position == 0 or line[position - 1].isspace()
        if free and (line[position] == "#" or line.startswith("//", position)):
            return position
        position += 1
    return len(line)


def _strings(line: str) -> list[tuple[int, int]]:
    """The quoted texts on one line as (start, end); one that is not closed on the line does not count."""
    found: list[tuple[int, int]] = []
    if '"' not in line and "'" not in line:
        return found
    position = 0
    before = ""
    while position < len(line):
        character = line[position]
        if character == '"' or (character == "'" and before in ("", ":", ",", "[", "{", "-", "(")):
            end = position + 1
            while end < len(line) and line[end] != character:
                end += 2 if line[end] == "\\" and character == '"' else 1
            if end >= len(line):
                break
            found.append((position, end + 1))
            position = end + 1
            before = character
            continue
        if not character.isspace():
            before = character
        position += 1
    return found


class _Structure:
    """Which name a position of the text stands under: by braces where it stands inside some, else by indentation."""

    def __init__(self, text: str, shape: str) -> None:
        self._shape = shape
        self._starts: list[int] = []
        self._strings: list[tuple[int, int]] = []
        self._prose: set[int] = set()
        self._parents: list[str] = []
        position = 0
        stack: list[tuple[int, str]] = []
        prose_indent = -1
        for line, original in zip(shape.split("\n"), text.split("\n"), strict=True):
            self._starts.append(position)
            self._strings.extend((position + start, position + end) for start, end in _strings(line))
            indent = _width(line[: len(line) - len(line.lstrip())])
            if line.strip() and prose_indent >= 0 and indent <= prose_indent:
                prose_indent = -1
            if prose_indent >= 0:
                self._prose.add(len(self._starts) - 1)
            key = _KEY.match(line[: 4 * _LONGEST_NAME]) if prose_indent < 0 else None
            if key:
                indent = _width(key["indent"])
                while stack and stack[-1][0] >= indent:
                    stack.pop()
            self._parents.append(stack[-1][1] if stack else "")
            if key:
                name = original[key.start("key") : key.end("key")].strip("\"'")
                stack.append((indent, name))
                if name.lower() in _PROSE and _BLOCK_TEXT.match(key["rest"]):
                    prose_indent = indent
            position += len(line) + 1
        self._braces = self._enclosing(text)

    def line(self, position: int) -> int:
        """The 1-based line of a position."""
        return bisect_left(self._starts, position + 1)

    def quoted(self, position: int) -> bool:
        """Whether a position lies inside a quoted text, its opening quote not counted."""
        index = bisect_left(self._strings, (position, 0)) - 1
        return index >= 0 and self._strings[index][0] < position < self._strings[index][1]

    def prose(self, position: int) -> bool:
        """Whether a position lies in a block of text for people, or is no key at the place where keys stand."""
        number = self.line(position) - 1
        if number in self._prose:
            return True
        before = self._shape[self._starts[number] : position].strip(" \t-?")
        return bool(before) and before[-1] not in "{,"

    def name(self, position: int) -> str:
        """The name that a type at this position belongs to, or nothing."""
        before = self._shape[max(0, position - 4096) : position].rstrip()
        if before.endswith(("{", ",")) and position in self._braces:
            return self._braces[position]
        return self._parents[self.line(position) - 1]

    def _enclosing(self, text: str) -> dict[int, str]:
        """For each type the name before the brace that it stands in."""
        types = {match.start() for match in _TYPE.finditer(self._shape)}
        found: dict[int, str] = {}
        stack: list[int] = []
        strings = dict(self._strings)
        position = 0
        while position < len(self._shape):
            if position in types and stack:
                head = self._shape[max(0, stack[-1] - _LONGEST_NAME) : stack[-1]]
                if name := _NAME_BEFORE_BRACE.search(head):
                    start = max(0, stack[-1] - _LONGEST_NAME) + name.start(1)
                    found[position] = text[start : start + len(name[1])].strip("\"'")
            if position in strings:
                position = strings[position]
                continue
            if self._shape[position] == "{":
                stack.append(position)
            elif self._shape[position] == "}" and stack:
                stack.pop()
            position += 1
        return found


def _width(indent: str) -> int:
    return len(indent.expandtabs(8))
