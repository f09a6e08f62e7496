"""Reads the text of a CloudFormation template, YAML or JSON, into a tree that knows its lines.

The tree is built from the parser's events, not from its composer, so that nothing here recurses: hostile nesting and
alias bombs end as one sentence. Short-form tags become the long form (`!Sub x` is `Fn::Sub: x`), as CloudFormation
defines them: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

import codecs
import re
from typing import Any, TypeAlias

import yaml

from keyrules.pack.strict_yaml import nested_deeper
from keyrules.records import dataclass, field

MAX_CHARACTERS = 8_000_000
"""CloudFormation accepts 1 MB; anything far beyond that is refused before it is parsed."""
MAX_DEPTH = 200
MAX_NODES = 500_000

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_CORE = "tag:yaml.org,2002:"
_CORE_TAGS = frozenset({"str", "int", "float", "bool", "null", "map", "seq", "timestamp", "omap", "set"})
_SURROGATES = re.compile(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")


class TemplateError(Exception):
    """The text cannot be read as one template: one sentence that quotes nothing of it."""


@dataclass(frozen=True, eq=False)
class Scalar:
    """A value as it is written; CloudFormation treats numbers and booleans as text. Lines are 1-based and inclusive."""

    text: str = field(repr=False)
    null: bool
    line: int
    end_line: int
    depth: int = 1
    size: int = 1


@dataclass(frozen=True, eq=False)
class Listing:
    """A sequence; `depth` and `size` count with every alias expanded."""

    items: tuple[Node, ...] = field(repr=False)
    line: int
    end_line: int
    depth: int
    size: int


@dataclass(frozen=True, eq=False)
class Entry:
    """One key of a mapping, the line of the key and its value."""

    key: str
    line: int
    node: Node


@dataclass(frozen=True, eq=False)
class Table:
    """A mapping with its keys in the order of the file, each key once unless alternatives were asked for."""

    entries: tuple[Entry, ...] = field(repr=False)
    line: int
    end_line: int
    depth: int
    size: int

    def entry(self, key: str) -> Entry | None:
        """The entry of that key, or None."""
        return next((entry for entry in self.entries if entry.key == key), None)

    def get(self, key: str) -> Node | None:
        """The value of that key, or None."""
        entry = self.entry(key)
        return entry.node if entry else None


Node: TypeAlias = Scalar | Listing | Table


@dataclass
class _Open:
    """A collection whose end has not come yet; `children` holds keys and values by turns for a mapping."""

    mapping: bool
    tag: str | None
    anchor: str | None
    line: int
    children: list[Node] = field(default_factory=list)
    merges: set[int] = field(default_factory=set)


def decode_template(data: bytes) -> str:
    """The text of a template's bytes: UTF-8 or UTF-16 with or without a byte order mark, else Latin-1."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    if data[1:2] == b"\0":
        return data.decode("utf-16-le", errors="replace")
    if data[:1] == b"\0":
        return data.decode("utf-16-be", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def table(entries: tuple[Entry, ...], line: int, end_line: int) -> Table:
    """A mapping node with its size and depth counted. Raises TemplateError beyond the bounds of this module."""
    depth, size = _bounds([entry.node for entry in entries], line)
    return Table(entries, line, end_line, depth, size)


def listing(items: tuple[Node, ...], line: int, end_line: int) -> Listing:
    """A sequence node with its size and depth counted. Raises TemplateError beyond the bounds of this module."""
    depth, size = _bounds(list(items), line)
    return Listing(items, line, end_line, depth, size)


@dataclass(frozen=True)
class Doubled:
    """A key that one mapping declares twice, and the lines of both."""

    key: str = field(repr=False)
    first: int
    line: int


def read_document(text: str, doubled: list[Doubled] | None = None, alternatives: bool = False) -> Node:
    """The one document in `text`. Raises TemplateError on anything that is not exactly one sound document.

    Of a key that stands twice CloudFormation takes the last, in YAML and in JSON (its validate-template and
    get-template-summary, read in github.com/go-to-k/cdk-real-drift/issues/1074); `doubled` takes down which were found.
    With `alternatives` each of them is kept.
    """
    if len(text) > MAX_CHARACTERS:
        raise TemplateError(f"the template is longer than {MAX_CHARACTERS} characters; CloudFormation accepts 1 MB")
    text = text.removeprefix("\ufeff")
    if text.lstrip().startswith("{"):
        # JSON is YAML but for two things: tabs between tokens, and characters written as two escapes.
        text = _SURROGATES.sub(_one_escape, text.replace("\t", " "))
    try:
        return _Builder(doubled, alternatives).read(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}" if mark else "the text"
        if nested_deeper(text, error, MAX_DEPTH):
            raise TemplateError(f"{where} is nested more than {MAX_DEPTH} levels deep") from None
        raise TemplateError(f"{where} is not valid YAML or JSON") from None
    except (yaml.YAMLError, UnicodeError):
        raise TemplateError("the text holds characters that YAML and JSON do not allow") from None


def _one_escape(match: re.Match[str]) -> str:
    high, low = int(match[1], 16), int(match[2], 16)
    return f"\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08X}"


def _bounds(nodes: list[Node], line: int) -> tuple[int, int]:
    depth = 1 + max((node.depth for node in nodes), default=0)
    size = 1 + sum(node.size for node in nodes)
    if depth > MAX_DEPTH:
        raise TemplateError(f"the block at line {line} is nested more than {MAX_DEPTH} levels deep")
    if size > MAX_NODES:
        raise TemplateError(f"the block at line {line} expands to more than {MAX_NODES} values")
    return depth, size


class _Builder:
    """Turns the parser's events into nodes; aliases share the node they name."""

    def __init__(self, doubled: list[Doubled] | None, alternatives: bool) -> None:
        self._doubled = doubled
        self._alternatives = alternatives
        self._stack: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._root: Node | None = None

    def read(self, text: str) -> Node:
        for event in yaml.parse(text, Loader=_LOADER):
            self._take(event)
        if self._root is None:
            raise TemplateError("the text is empty")
        return self._root

    def _take(self, event: Any) -> None:
        line = event.start_mark.line + 1
        if isinstance(event, yaml.DocumentStartEvent) and self._root is not None:
            raise TemplateError(f"a second document starts at line {line}")
        if isinstance(event, yaml.AliasEvent):
            node = self._anchors.get(event.anchor or "")
            if node is None:
                raise TemplateError(f"line {line} uses an alias that nothing before it has completed")
            self._add(node)
        elif isinstance(event, yaml.ScalarEvent):
            self._scalar(event, line)
        elif isinstance(event, yaml.CollectionStartEvent):
            if len(self._stack) >= MAX_DEPTH:
                raise TemplateError(f"line {line} is nested more than {MAX_DEPTH} levels deep")
            mapping = isinstance(event, yaml.MappingStartEvent)
            self._stack.append(_Open(mapping, event.tag, event.anchor, line))
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close(event)

    def _scalar(self, event: Any, line: int) -> None:
        plain = event.style in (None, "")
        null = (plain and event.tag is None and event.value in _NULLS) or event.tag == _CORE + "null"
        end = event.end_mark.line + 1
        if event.style == "|":
            end = line + event.value.rstrip("\n").count("\n") + 1
        elif event.end_mark.column == 0 and end > line:
            end -= 1
        if plain and event.value == "<<" and self._stack and self._stack[-1].mapping:
            self._stack[-1].merges.add(len(self._stack[-1].children))
        self._finish(Scalar(event.value, null, line, end), event.tag, event.anchor)

    def _close(self, event: Any) -> None:
        frame = self._stack.pop()
        end = max([frame.line, *(child.end_line for child in frame.children if child.line >= frame.line)])
        if event.end_mark.column > 0 and event.end_mark.index > event.start_mark.index:
            end = max(end, event.end_mark.line + 1)
        node: Node
        if frame.mapping:
            node = table(self._entries(frame), frame.line, end)
        else:
            node = listing(tuple(frame.children), frame.line, end)
        self._finish(node, frame.tag, frame.anchor)

    def _finish(self, node: Node, tag: str | None, anchor: str | None) -> None:
        if tag is not None:
            node = _tagged(node, tag)
        if anchor is not None:
            self._anchors[anchor] = node
        self._add(node)

    def _add(self, node: Node) -> None:
        if self._stack:
            self._stack[-1].children.append(node)
        else:
            self._root = node

    def _entries(self, frame: _Open) -> tuple[Entry, ...]:
        own: dict[str, Entry] = {}
        every: list[Entry] = []
        merged: dict[str, Entry] = {}
        for position in range(0, len(frame.children), 2):
            key, node = frame.children[position], frame.children[position + 1]
            if not isinstance(key, Scalar):
                raise TemplateError(f"line {key.line} has a key that is not plain text")
            if position in frame.merges:
                for entry in _merged(node, key.line):
                    merged.setdefault(entry.key, entry)
                continue
            if key.text in own and self._doubled is not None:
                self._doubled.append(Doubled(key.text, own[key.text].line, key.line))
            own[key.text] = Entry(key.text, key.line, node)
            every.append(own[key.text])
        if self._alternatives:
            return (*(entry for name, entry in merged.items() if name not in own), *every)
        return tuple({**merged, **own}.values())


def _merged(node: Node, line: int) -> list[Entry]:
    sources = node.items if isinstance(node, Listing) else (node,)
    entries: list[Entry] = []
    for source in sources:
        if not isinstance(source, Table):
            raise TemplateError(f"line {line} merges something that is not a mapping")
        entries.extend(source.entries)
        if len(entries) > MAX_NODES:
            raise TemplateError(f"line {line} merges more than {MAX_NODES} values")
    return entries


def _tagged(node: Node, tag: str) -> Node:
    if tag == "!":
        return node
    if tag.startswith(_CORE):
        if tag.removeprefix(_CORE) not in _CORE_TAGS:
            raise TemplateError(f"line {node.line} has a tag that CloudFormation does not know")
        return node
    name = tag.removeprefix("!")
    key = name if name in ("Ref", "Condition") else f"Fn::{name}"
    return table((Entry(key, node.line, node),), node.line, node.end_line)
