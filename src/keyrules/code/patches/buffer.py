"""A text while it is changed: what stays knows where it stood, and what is new knows which findings it is for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from typing import NamedTuple

from keyrules.run_facts import Replacement


class Change(NamedTuple):
    """What stood at these positions of the original text, what stands there now, and for which findings."""

    start: int
    end: int
    new: str
    marks: frozenset[str]


class Line(NamedTuple):
    """A line of the text as it is now: the number of the original line that some of it stood on, None where all of it
    is new, and for which findings it, or what stood beside it, was changed."""

    old: int | None
    marks: frozenset[str]


class _Piece(NamedTuple):
    """A run of the text; `at` is where it stood in the original, -1 for what is new."""

    text: str
    at: int
    marks: frozenset[str] = frozenset()


class Buffer:
    """The text of one file. Positions are those of `text` as it is now."""

    def __init__(self, original: str) -> None:
        self.original = original
        self._pieces = [_Piece(original, 0)]

    @property
    def text(self) -> str:
        """The text as it is now."""
        return "".join(piece.text for piece in self._pieces)

    def replace(self, start: int, end: int, new: str, marks: Iterable[str]) -> None:
        """Puts `new` in place of what stands there; nothing else moves a byte."""
        before, rest = self._split(self._pieces, start)
        gone, after = self._split(rest, end - start)
        marked = frozenset(marks).union(*(piece.marks for piece in gone))
        self._pieces = _joined([*before, _Piece(new, -1, marked), *after])

    def mark(self, start: int, end: int, marks: Iterable[str]) -> None:
        """Says of what is new there that it is for more findings."""
        before, rest = self._split(self._pieces, start)
        there, after = self._split(rest, end - start)
        # What ends there and has no text is there, too.
        while after and not after[0].text:
            there.append(after.pop(0))
        more = frozenset(marks)
        there = [piece if piece.at >= 0 else piece._replace(marks=piece.marks | more) for piece in there]
        self._pieces = _joined([*before, *there, *after])

    def lines(self) -> list[Line]:
        """What became of each line."""
        starts = [0, *accumulate(map(len, split_lines(self.text)))]
        old: list[int | None] = [None] * len(starts)
        marks = [frozenset[str]()] * len(starts)
        place = 0
        for piece in self._pieces:
            until = place + len(piece.text)
            first, last = bisect_right(starts, place) - 1, bisect_right(starts, until) - 1
            if piece.at >= 0:
                number = self.original.count("\n", 0, piece.at)
                for line in range(first, last + (until > starts[last])):
                    if old[line] is None:
                        old[line] = number + line - first
            else:
                # What ends where a line starts is beside that line; what stood at the start was beside the one before.
                beside = place == starts[first] and first > 0
                stop = last if until > place and until == starts[last] else last + 1
                for line in range(first - beside, stop):
                    marks[line] |= piece.marks
            place = until
        return [Line(*pair) for pair in zip(old, marks, strict=True)]

    @staticmethod
    def _split(pieces: list[_Piece], length: int) -> tuple[list[_Piece], list[_Piece]]:
        """The pieces up to a position and those from there on."""
        for number, piece in enumerate(pieces):
            if length < len(piece.text):
                head = piece._replace(text=piece.text[:length])
                tail = piece._replace(text=piece.text[length:], at=piece.at + length if piece.at >= 0 else -1)
                return [*pieces[:number], *([head] if length else [])], [tail, *pieces[number + 1 :]]
            length -= len(piece.text)
        return pieces, []

    def changes(self) -> list[Change]:
        """What differs from the original, in its order."""
        found: list[Change] = []
        place, new, marks = 0, "", frozenset[str]()
        for piece in (*self._pieces, _Piece("", len(self.original))):
            if piece.at < 0:
                new, marks = new + piece.text, marks | piece.marks
                continue
            if new or piece.at > place:
                found.append(Change(place, piece.at, new, marks))
            place, new, marks = piece.at + len(piece.text), "", frozenset()
        return found

    def line_changes(self) -> list[Replacement]:
        """The same as whole lines, without those that are the same before and after."""
        lines = split_lines(self.original)
        starts = [0, *accumulate(map(len, lines))]
        groups: list[tuple[int, int, list[Change]]] = []
        for change in self.changes():
            first = min(bisect_right(starts, change.start) - 1, max(len(lines) - 1, 0))
            end = min(bisect_right(starts, change.end), len(lines))
            if groups and first <= groups[-1][1]:
                before, until, together = groups.pop()
                groups.append((before, max(end, until), [*together, change]))
            else:
                groups.append((first, end, [change]))
        return [
            _trimmed(lines, first, end, self._new(starts[first], starts[end], part), part)
            for first, end, part in groups
        ]

    def _new(self, start: int, end: int, changes: list[Change]) -> list[str]:
        """The new lines in place of a part of the original."""
        parts, place = [], start
        for change in changes:
            parts += [self.original[place : change.start], change.new]
            place = change.end
        return split_lines("".join([*parts, self.original[place:end]]))


def _joined(pieces: list[_Piece]) -> list[_Piece]:
    """The pieces, those that stood beside each other in the original as one."""
    found: list[_Piece] = []
    for piece in pieces:
        if found and piece.at >= 0 and found[-1].at >= 0 and found[-1].at + len(found[-1].text) == piece.at:
            found[-1] = found[-1]._replace(text=found[-1].text + piece.text)
        elif piece.text or piece.at < 0:
            found.append(piece)
    return found


def split_lines(text: str) -> list[str]:
    """The lines of a text with their ends; only a line feed ends one, as for git."""
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def _trimmed(lines: list[str], start: int, end: int, new: list[str], changes: list[Change]) -> Replacement:
    """A change of lines without those that are the same at its beginning and its end."""
    while start < end and new and lines[start] == new[0]:
        start, new = start + 1, new[1:]
    while start < end and new and lines[end - 1] == new[-1]:
        end, new = end - 1, new[:-1]
    marks = frozenset[str]().union(*(change.marks for change in changes))
    open_ended = end == len(lines) and end > start and not lines[-1].endswith("\n")
    return Replacement(start, end, tuple(new), marks, open_ended)
