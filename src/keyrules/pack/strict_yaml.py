"""YAML for data that people and tools must read the same way: one document of plain mappings, lists and scalars.

Anything that YAML readers disagree on or that hides meaning is refused: duplicate keys, anchors, aliases, merge keys,
tags, dates, floats, octal and base-60 numbers, further documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import yaml

from keyrules.files import read_named
from keyrules.model import UsageError

_MAX_DEPTH = 40
_QUOTABLE = 24
_WHOLE_NUMBER = re.compile(r"(0|-?[1-9][0-9]{0,17})\Z")
_DATE = "tag:yaml.org,2002:timestamp"
_REFUSED = {
    "tag:yaml.org,2002:float": "a number with a fraction or an exponent; write a whole number, or quote it",
    _DATE: "an unquoted date, which YAML readers turn into different things; quote it",
    "tag:yaml.org,2002:null": "no value; write one or leave the key out",
    "tag:yaml.org,2002:merge": "a merge key; write the keys out",
    "tag:yaml.org,2002:value": "YAML's default-value sign; quote it",
}
_RESOLVER: Any = yaml.resolver.Resolver()
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Block(dict[str, Any]):
    """A mapping that knows its lines, 1-based: `line` is its own (0 without one), `key_lines` those of its keys."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.key_lines: dict[str, int] = {}


def read_block(path: Path) -> Block:
    """The one document of a file, as parse_bytes gives it without its options. Raises UsageError."""
    try:
        data = read_named(str(path))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or type(error).__name__}.") from None
    return parse_bytes(data, str(path))


def parse_bytes(data: bytes, name: str, plain_dates: bool = False, may_be_empty: bool = False) -> Block:
    """The one document of a YAML file, which must be a mapping; `name` stands for the file in messages.

    Scalars are str, int or bool. With `plain_dates` an unquoted date is the text that stands there, for files in which
    everybody writes dates. With `may_be_empty` a file that holds comments only is an empty mapping; one without
    anything never is, because it may be what a broken write left.

    Raises UsageError with one sentence that names the file, the line and what to write instead. It never quotes the
    file's content beyond the keys of mappings.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{name} is not UTF-8 (byte {error.start + 1}); save it as UTF-8.") from None
    return parse_block(text, name, plain_dates, may_be_empty)


def parse_block(text: str, name: str, plain_dates: bool = False, may_be_empty: bool = False) -> Block:
    """The same for text; `name` stands for the file in messages."""
    document = _Document(text, name, plain_dates)
    try:
        return document.read(may_be_empty and bool(text.strip("\ufeff \t\r\n")))
    except yaml.MarkedYAMLError as error:
        raise UsageError(f"{name}, {_not_yaml(text, error)}.") from None
    except yaml.YAMLError:
        raise UsageError(f"{name} holds a character that YAML does not allow; remove it.") from None


def nested_deeper(text: str, error: yaml.MarkedYAMLError, limit: int) -> bool:
    """Whether what PyYAML refused opens more brackets than `limit` up to there: its later versions bound the depth
    themselves and look ahead, so that the reader of the events never meets what is too deep."""
    mark = error.problem_mark
    read = text[: mark.index] if mark else ""
    return sum(map(read.count, "[{")) - sum(map(read.count, "]}")) > limit


def _not_yaml(text: str, error: yaml.MarkedYAMLError) -> str:
    """In words of our own, because PyYAML's change with its version and may quote the file."""
    mark, start = error.problem_mark, error.context_mark
    line = mark.line + 1 if mark else 1
    if nested_deeper(text, error, _MAX_DEPTH):
        return f"line {line}: found more than {_MAX_DEPTH} levels of nesting; allowed: up to {_MAX_DEPTH}"
    kind = (
        "a character that cannot stand there, or a quote that is not closed"
        if isinstance(error, yaml.scanner.ScannerError)
        else "a bracket, a key or an indentation that does not fit what is open there"
    )
    where = f"column {mark.column + 1} has " if mark else ""
    hint = (
        "; quote a value that starts with & or *" if start and text[start.index : start.index + 1] in ("&", "*") else ""
    )
    return f"line {line}: this is not YAML ({where}{kind}){hint}"


def is_short(text: str) -> bool:
    """Whether a message may repeat a text of the file: it is shorter than any secret of AWS."""
    return len(text) <= _QUOTABLE


class _Document:
    """Builds the value straight from the parser's events, so that nothing is resolved before it was judged."""

    def __init__(self, text: str, name: str, plain_dates: bool) -> None:
        self.name = name
        self.refused = {tag: why for tag, why in _REFUSED.items() if not (plain_dates and tag == _DATE)}
        self.events: Iterator[yaml.Event] = iter(
            # libyaml takes tabs in places where other readers refuse them.
            yaml.parse(text, Loader=yaml.SafeLoader if "\t" in text else _LOADER)
        )

    def read(self, may_be_empty: bool) -> Block:
        next(self.events)
        first = next(self.events)
        if isinstance(first, yaml.StreamEndEvent):
            if may_be_empty:
                return Block(0)
            raise UsageError(f"{self.name} is empty; one mapping is expected.")
        top = next(self.events)
        value = self._value(top, 0)
        if not isinstance(value, Block):
            self._refuse(top, "found a single value or a list at the top", "a mapping of keys")
        next(self.events)
        extra = next(self.events)
        if not isinstance(extra, yaml.StreamEndEvent):
            self._refuse(extra, "found a second document", "one document per file")
        return value

    def _value(self, event: yaml.Event, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            self._refuse(event, f"found more than {_MAX_DEPTH} levels of nesting", f"up to {_MAX_DEPTH}")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            allowed = "the value itself, written out, in quotes where it starts with & or *"
            self._refuse(event, "found an anchor or an alias (& or *)", allowed)
        if getattr(event, "tag", None):
            self._refuse(event, "found a tag (!)", "plain values without tags")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(event, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(item := next(self.events), yaml.SequenceEndEvent):
                items.append(self._value(item, depth + 1))
            return items
        return self._scalar(event)

    def _mapping(self, start: yaml.Event, depth: int) -> Block:
        block = Block(_line(start))
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self._value(event, depth + 1)
            if not isinstance(key, str):
                self._refuse(event, "found a key that is not text", "keys that are words; quote a number")
            if key in block:
                name = repr(key) if is_short(key) else "…"
                self._refuse(event, f"the key {name} stands here a second time", "each key once")
            block[key] = self._value(next(self.events), depth + 1)
            block.key_lines[key] = _line(event)
        return block

    def _scalar(self, event: Any) -> str | int | bool:
        if not event.implicit[0]:
            return str(event.value)
        tag = _RESOLVER.resolve(yaml.ScalarNode, event.value, (True, False))
        if tag in self.refused:
            self._refuse(event, f"found {self.refused[tag]}", "")
        if tag == "tag:yaml.org,2002:bool":
            return event.value.lower() in ("true", "yes", "on")
        if tag == "tag:yaml.org,2002:int":
            if not _WHOLE_NUMBER.match(event.value):
                self._refuse(event, "found a number that YAML readers disagree on", "a plain decimal number, or quotes")
            return int(event.value)
        return str(event.value)

    def _refuse(self, event: yaml.Event, found: str, allowed: str) -> NoReturn:
        where = f"{self.name}, line {_line(event)}"
        raise UsageError(f"{where}: {found}; allowed: {allowed}." if allowed else f"{where}: {found}.")


def _line(event: yaml.Event) -> int:
    mark = event.start_mark
    return mark.line + 1 if mark else 1
