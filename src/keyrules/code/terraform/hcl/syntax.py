"""Reads Terraform's native syntax into the syntax tree."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from keyrules.code.terraform.hcl.ast import Attribute, Block, Body, Expr, HclSyntaxError, Literal
from keyrules.code.terraform.hcl.expression import ExpressionParser
from keyrules.code.terraform.hcl.lexer import END, END_QUOTE, NAME, NEWLINE, QUOTE, TEXT, Token, tokenize

_T = TypeVar("_T")


def parse_hcl(text: str) -> Body:
    """The body of a whole `.tf` or `.tfvars` file. Raises HclSyntaxError where Terraform would refuse its syntax."""

    def read() -> Body:
        return _BodyParser(tokenize(text.removeprefix("\ufeff"))).body(END)

    return _guarded(read, 1)


def parse_expression(text: str, line: int) -> Expr:
    """The expression that `text` consists of.

    `line` is where the text stands in its file; every HclSyntaxError names that line.
    """
    return _guarded(lambda: ExpressionParser(tokenize(text)).whole_expression(), line, inline=True)


def parse_template(text: str, line: int) -> Expr:
    """The expression of a string that is a template without quotes, as in `.tf.json`: no backslash escapes.

    `line` is where the text stands in its file; every HclSyntaxError names that line.
    """
    if "${" not in text and "%{" not in text:
        return Literal(text)
    return _guarded(lambda: ExpressionParser(tokenize(text, template=True)).whole_template(), line, inline=True)


def _guarded(read: Callable[[], _T], line: int, *, inline: bool = False) -> _T:
    """The result of `read`; errors of inline text are put on `line`, and running out of stack is one of them."""
    try:
        return read()
    except HclSyntaxError as error:
        if inline:
            raise HclSyntaxError(line, error.message) from None
        raise
    except RecursionError:
        raise HclSyntaxError(line, "the text is nested deeper than the program's stack allows") from None


class _BodyParser(ExpressionParser):
    """Reads bodies, whose arguments are expressions."""

    def body(self, end: str) -> Body:
        """A body up to and including its end token."""
        attributes: dict[str, Attribute] = {}
        blocks: list[Block] = []
        while True:
            if self.accept(NEWLINE):
                continue
            if self.accept(end):
                return Body(attributes, tuple(blocks))
            word = self.expect(NAME, "an argument, a block or the end of the body")
            if self.peek().kind == "=":
                if word.text in attributes:
                    raise HclSyntaxError(word.line, "found an argument that this body has already")
                attributes[word.text] = self._attribute(word)
            else:
                blocks.append(self._block(word))
            if self.peek().kind != END:
                self.expect(NEWLINE, "the end of the line after an argument or block")

    def _attribute(self, word: Token) -> Attribute:
        self.expect("=", "'='")
        value = self.bounded_expression()
        return Attribute(word.text, value, word.line, self.last_line())

    def _block(self, word: Token) -> Block:
        self.descend()
        labels: list[str] = []
        while not self.accept("{"):
            labels.append(self._label())
        if self.peek().kind in (NEWLINE, END, "}"):
            body = self.body("}")
        else:
            only = self.expect(NAME, "an argument or the end of the line")
            body = Body({only.text: self._attribute(only)}, ())
            self.expect("}", "'}' after the only argument of a block on one line")
        self.ascend()
        return Block(word.text, tuple(labels), body, word.line, self.last_line())

    def _label(self) -> str:
        if self.peek().kind == NAME:
            return self.take().text
        self.expect(QUOTE, "'=', a block label or '{'")
        label = ""
        while not self.accept(END_QUOTE):
            label += self.expect(TEXT, "plain text in a block label").text
        return label
