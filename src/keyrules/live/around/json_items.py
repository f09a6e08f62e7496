"""JSON documents one after the other, their members as they are read: an account's details can be larger than memory.

`aws … > FILE` writes one object; pages and calls appended to a file are several, and `jq -s` puts them into a list.
"""

from __future__ import annotations

import codecs
import io
import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from keyrules.model import InputError

_BLOCK: Final = 1 << 18
_LONGEST: Final = 1 << 24
"""No user, role or policy comes near; what is not closed after so many characters never will be."""
_SPACE: Final = " \t\r\n"
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Member(NamedTuple):
    """A member of the object with this number, or one item of it where it is a list."""

    number: int
    name: str
    value: Any


class Started(NamedTuple):
    """A member that is a list begins, and its items follow; or, without a name, an object begins."""

    number: int
    name: str


def read_items(raw: io.BufferedReader) -> Iterator[Member | Started]:
    """The members of all objects, in their order; those that are lists item by item.

    InputError, a sentence that follows the input's name, for what is cut off or no JSON; it names the member.
    """
    encoding = "utf-16" if raw.peek(2).startswith(_UTF16) else "utf-8-sig"
    text = io.TextIOWrapper(raw, encoding=encoding, newline="")
    try:
        yield from _Reader(text).objects()
    except UnicodeError:
        raise InputError("is not UTF-8 text, so it is damaged: get it again") from None
    except RecursionError:
        raise InputError("is nested deeper than any answer of AWS: get it again") from None
    finally:
        text.detach()


class _Reader:
    """A window on the text. What begins in it is read on until it is whole."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._window = ""
        self._at = 0
        self._in_list = False
        self._place = "its beginning"
        self._value = json.JSONDecoder(object_pairs_hook=_unique).raw_decode

    def objects(self) -> Iterator[Member | Started]:
        number = 0
        last = ""
        while mark := self._next():
            if mark == "{":
                self._place = f"object {number + 1}"
                yield Started(number, "")
                yield from self._members(number)
                number += 1
            elif not ((mark in ",]" and self._in_list) or (mark == "[" and not last)):
                raise self._broken()
            self._in_list = (self._in_list and mark != "]") or mark == "["
            last = mark
        if self._in_list or not last:
            raise self._broken()

    def _members(self, number: int) -> Iterator[Member | Started]:
        seen: set[str] = set()
        mark = self._next()
        while mark != "}":
            if mark == ",":
                mark = self._next()
            if mark != '"':
                raise self._broken()
            self._at -= 1
            name = self._whole()
            self._place = f"its member {name[:64]!r}" if name.isidentifier() else "one of its members"
            if name in seen or self._next() != ":":
                raise self._broken()
            seen.add(name)
            if self._peek() == "[":
                yield Started(number, name)
                yield from self._list(number, name)
            else:
                yield Member(number, name, self._whole())
            mark = self._next()
            if mark not in (",", "}"):
                raise self._broken()

    def _list(self, number: int, name: str) -> Iterator[Member]:
        self._next()
        mark = self._peek()
        while mark != "]":
            yield Member(number, name, self._whole())
            mark = self._peek()
            if mark == ",":
                self._next()
                mark = ""
            elif mark != "]":
                raise self._broken()
        self._next()

    def _whole(self) -> Any:
        """The value that begins here."""
        if not self._peek():
            raise self._broken()
        while True:
            try:
                value, end = self._value(self._window, self._at)
                length = end - self._at
                # A number at the end of the window may go on behind it.
                if end < len(self._window) or not self._more():
                    self._at += length
                    return value
            except json.JSONDecodeError:
                if len(self._window) - self._at > _LONGEST or not self._more():
                    raise self._broken() from None
            except _Twice:
                raise self._broken() from None

    def _peek(self) -> str:
        """The next character that is no space; empty at the end."""
        while True:
            while self._at < len(self._window):
                if self._window[self._at] not in _SPACE:
                    return self._window[self._at]
                self._at += 1
            if not self._more():
                return ""

    def _next(self) -> str:
        mark = self._peek()
        self._at += len(mark)
        return mark

    def _more(self) -> bool:
        """Reads on; False at the end."""
        # A value that does not fit is read again from its beginning, so each time as much again comes with it.
        block = self._text.read(max(_BLOCK, len(self._window) - self._at))
        self._window = self._window[self._at :] + block
        self._at = 0
        return bool(block)

    def _broken(self) -> InputError:
        return InputError(f"is cut off, has a key twice, or is no JSON, at {self._place}: get it again, whole")


class _Twice(ValueError):
    """An object has a key twice."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Twice
    return found
