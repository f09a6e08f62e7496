"""Puts the pieces of a template together: white-space trimming, indented heredocs, `%{ if }` and `%{ for }`.

The order of the steps is that of HashiCorp's own parser (https://github.com/hashicorp/hcl,
hclsyntax/parser_template.go): trim, remove the heredoc's indentation, join neighbouring text, then nest directives.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from keyrules.code.terraform.hcl.ast import Conditional, Expr, ForExpr, HclSyntaxError, Literal, Template
from keyrules.code.terraform.hcl.lexer import WHITE_SPACE
from keyrules.records import dataclass, field, replace


@dataclass(frozen=True)
class Text:
    """Literal text; that of a heredoc comes in pieces that never span two lines."""

    value: str


@dataclass(frozen=True)
class Marker:
    """An interpolation (keyword "") or a directive, with its `~` marks.

    `expr` is what is interpolated, tested by `if` or iterated by `for`; the names are those of `for`.
    """

    keyword: str
    line: int
    trims_before: bool
    trims_after: bool
    expr: Expr | None = None
    key_name: str | None = None
    value_name: str = ""


Piece: TypeAlias = Text | Marker


@dataclass
class _Frame:
    """A directive that is still open, or the whole template when `opener` is None."""

    opener: Marker | None
    parts: list[Expr] = field(default_factory=list)
    then: Expr | None = None


def assemble(pieces: Sequence[Piece], line: int, *, indented: bool = False) -> Expr:
    """The expression of a template: a Literal when it is text only, else a Template.

    `indented` is for `<<-` heredocs. `line` is where the template ends. Raises HclSyntaxError for directives that do
    not pair up.
    """
    trimmed = _trim(pieces)
    root = _nest(_join(_remove_indentation(trimmed) if indented else trimmed), line)
    return _template(root)


def _trim(pieces: Sequence[Piece]) -> list[Piece]:
    """Apply the `~` marks, each to its direct neighbour only."""
    result: list[Piece] = []
    previous: Piece | None = None
    for number, piece in enumerate(pieces):
        following = pieces[number + 1] if number + 1 < len(pieces) else None
        if isinstance(piece, Text):
            value = piece.value
            if isinstance(previous, Marker) and previous.trims_after:
                value = value.lstrip(WHITE_SPACE)
            if isinstance(following, Marker) and following.trims_before:
                value = value.rstrip(WHITE_SPACE)
            result.append(Text(value))
        else:
            result.append(piece)
        previous = piece
    return result


def _remove_indentation(pieces: Sequence[Piece]) -> list[Piece]:
    """Take the smallest indentation off every line; blank lines neither count nor change."""
    indents: dict[int, int] = {}
    at_line_start = True
    for number, piece in enumerate(pieces):
        value = piece.value if isinstance(piece, Text) else ""
        content = value.lstrip(WHITE_SPACE)
        if at_line_start and (content or not value.endswith("\n")):
            indents[number] = len(value) - len(content)
        at_line_start = value.endswith("\n")
    common = min(indents.values(), default=0)
    return [
        replace(piece, value=piece.value[common:]) if isinstance(piece, Text) and number in indents else piece
        for number, piece in enumerate(pieces)
    ]


def _join(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Make one piece of neighbouring text, and leave out text that is empty."""
    run: list[str] = []
    for piece in pieces:
        if isinstance(piece, Text):
            run.append(piece.value)
            continue
        if any(run):
            yield Text("".join(run))
        run.clear()
        yield piece
    if any(run):
        yield Text("".join(run))


def _nest(pieces: Iterator[Piece], line: int) -> list[Expr]:
    """The parts of the whole template, with each directive in one part."""
    frames = [_Frame(None)]
    for piece in pieces:
        frame = frames[-1]
        if isinstance(piece, Text):
            frame.parts.append(Literal(piece.value))
        elif piece.keyword in ("if", "for"):
            frames.append(_Frame(piece))
        elif piece.expr is not None:
            frame.parts.append(piece.expr)
        elif piece.keyword == "else" and frame.then is None and _opened_by(frame, "if"):
            frame.then = _template(frame.parts, is_text=True)
            frame.parts = []
        elif piece.keyword in ("endif", "endfor") and _opened_by(frame, piece.keyword.removeprefix("end")):
            frames.pop()
            frames[-1].parts.append(_directive(frame))
        else:
            raise HclSyntaxError(piece.line, f"found the template directive {piece.keyword!r} where none can be")
    if len(frames) > 1:
        raise HclSyntaxError(line, "the template ends before the end of its 'if' or 'for' directive")
    return frames[0].parts


def _opened_by(frame: _Frame, keyword: str) -> bool:
    return frame.opener is not None and frame.opener.keyword == keyword


def _directive(frame: _Frame) -> Expr:
    opener = frame.opener
    assert opener is not None and opener.expr is not None, "only an `if` or a `for` opens a frame"
    parts = _template(frame.parts, is_text=True)
    if opener.keyword == "for":
        return ForExpr(opener.key_name, opener.value_name, opener.expr, None, parts, None, joined=True)
    if frame.then is None:
        return Conditional(opener.expr, parts, Literal(""))
    return Conditional(opener.expr, frame.then, parts)


def _template(parts: Sequence[Expr], *, is_text: bool = False) -> Expr:
    """Parts as one expression; an interpolated string on its own is that string."""
    if not parts:
        return Literal("")
    only = parts[0]
    if len(parts) == 1 and isinstance(only, Literal) and isinstance(only.value, str):
        return only
    return Template(tuple(parts), is_text)
