"""Where the blocks and arguments of a file in Terraform's native syntax stand, to the character."""

from __future__ import annotations

from keyrules.code.terraform.hcl.ast import Expr
from keyrules.code.terraform.hcl.lexer import (
    DIRECTIVE,
    END,
    END_HEREDOC,
    END_QUOTE,
    END_SEQUENCE,
    HEREDOC,
    INTERPOLATION,
    NAME,
    NEWLINE,
    NUMBER,
    QUOTE,
    TEXT,
    Token,
    tokenize,
)
from keyrules.code.terraform.hcl.syntax import parse_expression
from keyrules.records import dataclass

_OPENING = frozenset({"(", "[", "{", QUOTE, HEREDOC, INTERPOLATION, DIRECTIVE})
_CLOSING = frozenset({")", "]", "}", END_QUOTE, END_HEREDOC, END_SEQUENCE})


@dataclass(frozen=True)
class ArgumentAt:
    """`name = value`: where the name starts, and where the value does and ends. `line` is 1-based."""

    name: str
    start: int
    value: int
    end: int
    line: int


@dataclass(frozen=True)
class BlockAt:
    """A block from its first word to behind its closing brace; `open` and `close` are where the braces stand.

    `after` is the end of its last line, a comment there included.
    """

    type: str
    labels: tuple[str, ...]
    start: int
    open: int
    close: int
    end: int
    after: int
    line: int
    arguments: tuple[ArgumentAt, ...]
    blocks: tuple[BlockAt, ...]

    @property
    def name(self) -> str:
        """`type.name` of a resource, else the only label."""
        return ".".join(self.labels)

    def argument(self, name: str) -> ArgumentAt | None:
        """The argument of that name."""
        return next((argument for argument in self.arguments if argument.name == name), None)

    def nested(self, kind: str) -> BlockAt | None:
        """The first nested block of a type."""
        return next((block for block in self.blocks if block.type == kind), None)


@dataclass(frozen=True)
class Layout:
    """A whole file."""

    text: str
    arguments: tuple[ArgumentAt, ...]
    blocks: tuple[BlockAt, ...]

    def block(self, kind: str, name: str, line: int | None = None) -> BlockAt | None:
        """The block of a type and name, `terraform_data.x` for resources; of several the one that starts on `line`."""
        found = [block for block in self.blocks if block.type == kind and block.name == name]
        return next((block for block in found if line in (None, block.line)), None)

    def value(self, argument: ArgumentAt) -> Expr:
        """An argument's expression."""
        return parse_expression(f"{self.text[argument.value : argument.end]}\n", argument.line)

    def items(self, argument: ArgumentAt) -> list[tuple[int, int]] | None:
        """Where the members of a list that is written out stand; None for any other value."""
        start = argument.value
        tokens = tokenize(self.text[start : argument.end])[:-1]
        if not tokens or tokens[0].kind != "[" or _closing(tokens, 0) != len(tokens) - 1:
            return None
        found: list[tuple[int, int]] = []
        first: Token | None = None
        last, depth = tokens[0], 0
        for token in tokens[1:]:
            if depth == 0 and token.kind in (",", "]"):
                if first is not None:
                    found.append((start + _start(first), start + last.end))
                first = None
            elif token.kind != NEWLINE or depth:
                first = first or token
                last = token
            depth += (token.kind in _OPENING) - (token.kind in _CLOSING)
        return found


def layout(text: str) -> Layout:
    """Where everything in a file stands. Raises HclSyntaxError where the text is none that the parser has taken."""
    offset = len(text) - len(text.removeprefix("\ufeff"))
    reader = _Reader(text, tokenize(text[offset:]), offset)
    arguments, blocks = reader.body(0, len(reader.tokens) - 1)
    return Layout(text, arguments, blocks)


class _Reader:
    def __init__(self, text: str, tokens: list[Token], offset: int) -> None:
        self.tokens = tokens
        self._text = text
        self._offset = offset

    def body(self, position: int, end: int) -> tuple[tuple[ArgumentAt, ...], tuple[BlockAt, ...]]:
        """The arguments and blocks between two tokens."""
        arguments: list[ArgumentAt] = []
        blocks: list[BlockAt] = []
        tokens = self.tokens
        while position < end:
            token = tokens[position]
            if token.kind != NAME:
                position += 1
                continue
            if tokens[position + 1].kind == "=":
                last = self._last(position + 2, end)
                value = next(each for each in tokens[position + 2 : last + 1] if each.kind != NEWLINE)
                ends = tokens[last].end + self._offset
                while self._text[ends - 1] in " \t\r":
                    # Behind the end of a heredoc.
                    ends -= 1
                arguments.append(ArgumentAt(token.text, self._at(token), self._at(value), ends, token.line))
                position = last + 1
                continue
            opening = next(n for n in range(position + 1, end) if tokens[n].kind == "{")
            closing = _closing(tokens, opening)
            blocks.append(self._block(position, opening, closing))
            position = closing + 1
        return tuple(arguments), tuple(blocks)

    def _block(self, position: int, opening: int, closing: int) -> BlockAt:
        tokens, offset = self.tokens, self._offset
        labels = [token.text for token in tokens[position + 1 : opening] if token.kind in (NAME, TEXT)]
        following = tokens[closing + 1]
        after = len(self._text)
        if following.kind == NEWLINE:
            after = following.end + offset - 1
            after -= self._text[after - 1] == "\r"
        elif following.kind != END:
            after = tokens[closing].end + offset
        arguments, blocks = self.body(opening + 1, closing)
        first = tokens[position]
        return BlockAt(
            first.text,
            tuple(labels),
            self._at(first),
            tokens[opening].end + offset - 1,
            tokens[closing].end + offset - 1,
            tokens[closing].end + offset,
            after,
            first.line,
            arguments,
            blocks,
        )

    def _last(self, position: int, end: int) -> int:
        """The last token of the value that starts at a token."""
        depth, last = 0, position
        while position < end:
            kind = self.tokens[position].kind
            if depth == 0 and kind in ("}", NEWLINE):
                break
            depth += (kind in _OPENING) - (kind in _CLOSING)
            last = position
            position += 1
        return last

    def _at(self, token: Token) -> int:
        if token.kind == HEREDOC:
            return self._text.rindex("<<", 0, token.end + self._offset)
        return _start(token) + self._offset


def _start(token: Token) -> int:
    """Where a token that an expression or an argument begins with starts."""
    if token.kind in (NAME, NUMBER):
        return token.end - len(token.text)
    return token.end - 1 if token.kind == QUOTE else token.end - len(token.kind)


def _closing(tokens: list[Token], opening: int) -> int:
    """The token that closes what another one opens."""
    depth = 0
    for position in range(opening, len(tokens)):
        depth += (tokens[position].kind in _OPENING) - (tokens[position].kind in _CLOSING)
        if depth == 0:
            return position
    raise ValueError("the parser has seen that it closes")
