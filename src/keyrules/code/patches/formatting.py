"""Columns as `terraform fmt` sets them, for the lines around a change and for no others.

Read from the formatter of github.com/hashicorp/hcl (hclwrite/format.go, linesForFormat and formatCells): the equals
signs of consecutive lines that each hold a whole assignment stand below each other, and so do the comments at the ends
of consecutive lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from keyrules.code.patches.buffer import Buffer
from keyrules.code.terraform.hcl.lexer import DIRECTIVE, END_SEQUENCE, INTERPOLATION, NEWLINE, Token, tokenize
from keyrules.records import dataclass

_CHANGES = {
    **dict.fromkeys(("(", "[", "{", INTERPOLATION, DIRECTIVE), 1),
    **dict.fromkeys((")", "]", "}", END_SEQUENCE), -1),
}


@dataclass(frozen=True)
class _Cell:
    """An assignment or a comment at the end of a line: the number of the line, counted from 0, its start, and where
    what stands before the cell ends and the cell begins."""

    line: int
    start: int
    lead: int
    place: int

    @property
    def width(self) -> int:
        """Of what stands before the cell."""
        return self.lead - self.start

    def gap(self, widest: int) -> int:
        """How many spaces belong before the cell."""
        return widest - self.width + 1


def align(buffer: Buffer) -> None:
    """Sets the columns of every line that changed, and of those that stand in line with it.

    A run of lines that was not formatted to begin with keeps its bytes, because nobody asked for its columns.
    """
    for find in (_assignments, _comments):
        crooked = {cell.line for run in _runs(buffer.original, find) for cell, _ in _moves(run)}
        states = buffer.lines()
        for run in reversed(list(_runs(buffer.text, find))):
            lines = [states[cell.line] for cell in run]
            marks = frozenset[str]().union(*(line.marks for line in lines))
            if not marks or not crooked.isdisjoint({line.old for line in lines}):
                continue
            for cell, spaces in reversed(_moves(run)):
                buffer.replace(cell.lead, cell.place, " " * spaces, marks)


def _moves(run: list[_Cell]) -> list[tuple[_Cell, int]]:
    """The cells of consecutive lines that do not stand where they belong, with the spaces that belong before them."""
    widest = max(cell.width for cell in run)
    return [(cell, cell.gap(widest)) for cell in run if cell.place - cell.lead != cell.gap(widest)]


def _runs(text: str, find: Callable[[str, int, list[Token]], tuple[int, int] | None]) -> Iterator[list[_Cell]]:
    """The cells of each run of consecutive lines that have one."""
    run: list[_Cell] = []
    for line, start, tokens in _lines(text):
        found = find(text, start, tokens)
        if found is not None:
            run.append(_Cell(line, start, *found))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _lines(text: str) -> Iterator[tuple[int, int, list[Token]]]:
    """Number, start and tokens of each line; what a heredoc or a comment holds belongs to the line that it starts on.

    Positions of tokens are those of the text without a byte order mark.
    """
    offset = len(text) - len(text.removeprefix("\ufeff"))
    tokens: list[Token] = []
    line, start = 0, offset
    for found in tokenize(text[offset:]):
        token = found._replace(end=found.end + offset)
        if token.kind != NEWLINE:
            tokens.append(token)
            continue
        yield line, start, tokens
        line, start, tokens = token.line, token.end, []
    yield line, start, tokens[:-1]


def _assignments(text: str, start: int, tokens: list[Token]) -> tuple[int, int] | None:
    """Where a line's lead ends and its assignment starts."""
    place = next((number for number, token in enumerate(tokens) if number > 0 and token.kind == "="), None)
    if place is None or sum([_CHANGES.get(token.kind, 0) for token in tokens[place:]]) != 0:
        return None
    return tokens[place - 1].end, tokens[place].end - 1


def _comments(text: str, start: int, tokens: list[Token]) -> tuple[int, int] | None:
    """Where a line's code ends and its comment starts."""
    if not tokens:
        return None
    rest = text[tokens[-1].end :].partition("\n")[0]
    comment = rest.lstrip(" \t")
    if not comment.startswith(("#", "//")):
        return None
    return tokens[-1].end, tokens[-1].end + len(rest) - len(comment)
