"""Reads JSON text into nodes that know their lines, and refuses what loses information: duplicate keys."""

from __future__ import annotations

import json
import re
from typing import TypeAlias

from keyrules.code.terraform.hcl.ast import HclSyntaxError
from keyrules.code.terraform.hcl.lexer import read_number
from keyrules.code.terraform.hcl.numbers import exact, negate
from keyrules.records import dataclass

# Terraform ignores properties of this name, so several of them in one object lose nothing.
COMMENT_KEY = "//"

_TOKEN = re.compile(
    r"""[ \t\r]*(?:
      (?P<newline>\n)
    | (?P<string>"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})[^"\\\x00-\x1f]*)*")
    | (?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
    | (?P<word>true|false|null)
    | (?P<symbol>[\[\]{}:,])
    | (?P<end>\Z)
    )""",
    re.VERBOSE,
)
_WORDS = {"true": True, "false": False, "null": None}


@dataclass(frozen=True)
class JsonScalar:
    """A string, number, boolean or null."""

    value: str | int | float | bool | None
    line: int
    end_line: int


@dataclass(frozen=True)
class JsonArray:
    """An array; the lines are those of its brackets."""

    items: tuple[JsonNode, ...]
    line: int
    end_line: int


@dataclass(frozen=True)
class JsonProperty:
    """A property of an object; the line is that of its key."""

    key: str
    line: int
    value: JsonNode


@dataclass(frozen=True)
class JsonObject:
    """An object; the lines are those of its braces."""

    properties: tuple[JsonProperty, ...]
    line: int
    end_line: int


JsonNode: TypeAlias = JsonScalar | JsonArray | JsonObject


def read_json(text: str, max_depth: int) -> JsonNode:
    """The value that `text` is. Raises HclSyntaxError for text that is not JSON, that has a key twice in one object
    (except "//"), or that nests deeper than `max_depth`.
    """
    reader = _Reader(text.removeprefix("\ufeff"), max_depth)
    value = reader.value(1)
    reader.expect("end", "", "the end of the text")
    return value


class _Reader:
    """A cursor that has always read one token ahead."""

    def __init__(self, text: str, max_depth: int) -> None:
        self._text = text
        self._max_depth = max_depth
        self._position = 0
        self._line = 1
        self._advance()

    def _advance(self) -> None:
        while True:
            found = _TOKEN.match(self._text, self._position)
            if found is None or found.lastgroup is None:
                raise HclSyntaxError(self._line, "found something that is not JSON")
            self._position = found.end()
            if found.lastgroup != "newline":
                self._kind = found.lastgroup
                self._token = found[found.lastgroup]
                return
            self._line += 1

    def _at(self, symbol: str) -> bool:
        return self._kind == "symbol" and self._token == symbol

    def _accept(self, symbol: str) -> bool:
        if not self._at(symbol):
            return False
        self._advance()
        return True

    def expect(self, kind: str, token: str, expected: str) -> None:
        """Take one token, or only check that the text ends."""
        if self._kind != kind or self._token != token:
            raise HclSyntaxError(self._line, f"expected {expected} in JSON")
        if kind != "end":
            self._advance()

    def value(self, depth: int) -> JsonNode:
        """The value at the cursor, `depth` levels deep."""
        if depth > self._max_depth:
            raise HclSyntaxError(self._line, f"the text is nested deeper than {self._max_depth} levels")
        line, token = self._line, self._token
        if self._accept("{"):
            return self._object(line, depth)
        if self._accept("["):
            return self._array(line, depth)
        value: str | int | float | bool | None
        if self._kind == "string":
            value = _string(token)
        elif self._kind == "number":
            value = read_number(token.removeprefix("-"), line)
            value = negate(exact(value)) if value and token.startswith("-") else value
        elif self._kind == "word":
            value = _WORDS[token]
        else:
            raise HclSyntaxError(line, "expected a value in JSON")
        self._advance()
        return JsonScalar(value, line, line)

    def _object(self, line: int, depth: int) -> JsonObject:
        properties: list[JsonProperty] = []
        seen: set[str] = set()
        while not self._at("}"):
            if properties:
                self.expect("symbol", ",", "',' or '}' after a property")
            if self._kind != "string":
                raise HclSyntaxError(self._line, "expected a property name in JSON")
            key, key_line = _string(self._token), self._line
            if key in seen and key != COMMENT_KEY:
                raise HclSyntaxError(key_line, "found a property that this object has already")
            seen.add(key)
            self._advance()
            self.expect("symbol", ":", "':' after a property name")
            properties.append(JsonProperty(key, key_line, self.value(depth + 1)))
        end_line = self._line
        self._advance()
        return JsonObject(tuple(properties), line, end_line)

    def _array(self, line: int, depth: int) -> JsonArray:
        items: list[JsonNode] = []
        while not self._at("]"):
            if items:
                self.expect("symbol", ",", "',' or ']' after an element")
            items.append(self.value(depth + 1))
        end_line = self._line
        self._advance()
        return JsonArray(tuple(items), line, end_line)


def _string(token: str) -> str:
    """The text of a JSON string; half of a surrogate pair becomes U+FFFD, as in Go."""
    text: str = json.loads(token)
    if "\\u" not in token:
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
