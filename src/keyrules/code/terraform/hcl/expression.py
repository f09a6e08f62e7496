"""Reads expressions and templates of Terraform's native syntax from tokens; nothing is evaluated.

The grammar is that of HashiCorp's own parser (https://github.com/hashicorp/hcl, hclsyntax/parser.go). Text
that it does not know is refused and never skipped, because a file that is half understood would be half judged.
"""

from __future__ import annotations

from collections.abc import Callable

from keyrules.code.terraform.hcl.ast import (
    Access,
    Attr,
    Binary,
    Call,
    Conditional,
    Expr,
    ForExpr,
    HclSyntaxError,
    Index,
    ListExpr,
    Literal,
    Name,
    ObjectExpr,
    Splat,
    Step,
    Unary,
)
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
    read_number,
)
from keyrules.code.terraform.hcl.template import Marker, Piece, Text, assemble
from keyrules.code.terraform.hcl.walk import nests_deeper_than

# Deep enough for what people and generators write, shallow enough for code that walks the tree recursively.
MAX_NESTING = 200

_BY_PRECEDENCE = (("||",), ("&&",), ("==", "!="), (">", ">=", "<", "<="), ("+", "-"), ("*", "/", "%"))
_PRECEDENCE = {operator: rank for rank, operators in enumerate(_BY_PRECEDENCE, 1) for operator in operators}
_CONSTANTS = {"true": True, "false": False, "null": None}
_RESOURCE = Name("resource")
_DIRECTIVES = ("if", "else", "endif", "for", "endfor")


class ExpressionParser:
    """A cursor over tokens that reads expressions.

    Line ends are skipped wherever they mean nothing; `_newlines` says whether they do.
    """

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._position = 0
        self._newlines = True
        self._depth = 0
        self._bound: list[frozenset[str | None]] = []
        self._terms: dict[str, Callable[[], Expr]] = {
            NAME: self._name_or_call,
            NUMBER: self._number,
            QUOTE: self._quoted,
            HEREDOC: self._heredoc,
            "(": self._parenthesized,
            "[": self._list,
            "{": self._object,
        }

    def peek(self) -> Token:
        """The next token that means something here; it is not taken."""
        token = self._tokens[self._position]
        while token.kind == NEWLINE and not self._newlines:
            self._position += 1
            token = self._tokens[self._position]
        return token

    def take(self) -> Token:
        """Take the next token. The caller has seen that it is not END."""
        token = self.peek()
        self._position += 1
        return token

    def accept(self, kind: str) -> bool:
        """Take the next token if it is of this kind."""
        if self.peek().kind != kind:
            return False
        self._position += 1
        return True

    def expect(self, kind: str, expected: str) -> Token:
        """Take the next token, which must be of this kind; `expected` describes it in the HclSyntaxError."""
        if self.peek().kind != kind:
            raise self.unexpected(expected)
        return self.take()

    def at_word(self, word: str) -> bool:
        """Whether the next token is this name."""
        token = self.peek()
        return token.kind == NAME and token.text == word

    def unexpected(self, expected: str) -> HclSyntaxError:
        """The error for the next token, which tells its kind and never its text."""
        token = self.peek()
        found = token.kind if " " in token.kind else f"'{token.kind}'"
        return HclSyntaxError(token.line, f"expected {expected}, found {found}")

    def last_line(self) -> int:
        """The line of the token taken last."""
        return self._tokens[self._position - 1].line

    def _set_newlines(self, meaningful: bool) -> bool:
        """Set whether line ends mean something, and give what was in force."""
        before, self._newlines = self._newlines, meaningful
        return before

    def descend(self) -> None:
        """Enter one more level, which `ascend` leaves."""
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise _too_deep(self.peek().line)

    def ascend(self) -> None:
        """Leave the level that `descend` entered."""
        self._depth -= 1

    def whole_expression(self) -> Expr:
        """An expression that is all there is."""
        self._newlines = False
        expr = self.bounded_expression()
        self.expect(END, "the end of the expression")
        return expr

    def whole_template(self) -> Expr:
        """A bare template that is all there is."""
        expr = self._template(END)
        if nests_deeper_than(expr, MAX_NESTING):
            raise _too_deep(self.last_line())
        return expr

    def bounded_expression(self) -> Expr:
        """An expression whose tree is bounded: chains of operators and directives nest without recursion here."""
        start = self.peek()
        first = self._position
        expr = self._expression()
        if self._position - first > MAX_NESTING and nests_deeper_than(expr, MAX_NESTING):
            raise _too_deep(start.line)
        return expr

    def _expression(self) -> Expr:
        """A conditional, or a chain of binary operators, which two stacks bring into order by precedence."""
        self.descend()
        operands = [self._operand()]
        operators: list[str] = []
        while (precedence := _PRECEDENCE.get(self.peek().kind)) is not None:
            operator = self.take().kind
            while operators and _PRECEDENCE[operators[-1]] >= precedence:
                _combine(operands, operators)
            operators.append(operator)
            operands.append(self._operand())
        while operators:
            _combine(operands, operators)
        expr = operands[0]
        if self.accept("?"):
            then = self._expression()
            self.expect(":", "':' of a conditional")
            expr = Conditional(expr, then, self._expression())
        self.ascend()
        return expr

    def _operand(self) -> Expr:
        """A term with the unary operators before it and the traversal after it."""
        signs: list[str] = []
        while (kind := self.peek().kind) in ("-", "!"):
            signs.append(kind)
            self.take()
        term = self._terms.get(kind)
        if term is None:
            raise self.unexpected("an expression")
        expr = term()
        if self.peek().kind in (".", "["):
            expr = self._traversal(expr, self._steps())
        for sign in reversed(signs):
            expr = Unary(sign, expr)
        return expr

    def _traversal(self, base: Expr, steps: tuple[Step, ...]) -> Expr:
        """A base with its steps; `resource.TYPE.NAME` is another way to write `TYPE.NAME`.

        The iterator of a dynamic block may have that name, too, and has nothing but a key and a value.
        """
        if base == _RESOURCE and len(steps) > 1 and not any("resource" in names for names in self._bound):
            kind, name = steps[:2]
            if isinstance(kind, Attr) and isinstance(name, Attr) and kind.name not in ("key", "value"):
                return Access(Name(kind.name), steps[1:])
        return Access(base, steps)

    def _steps(self) -> tuple[Step, ...]:
        steps: list[Step] = []
        while True:
            if self.accept("."):
                steps.append(self._dot_step())
            elif self.accept("["):
                if self.accept("*"):
                    self.expect("]", "']' after '[*'")
                    steps.append(Splat())
                    continue
                before = self._set_newlines(False)
                steps.append(Index(self._expression()))
                self.expect("]", "']' of an index")
                self._newlines = before
            else:
                return tuple(steps)

    def _dot_step(self) -> Step:
        if self.accept("*"):
            return Splat(attributes_only=True)
        token = self.peek()
        if token.kind == NAME or (token.kind == NUMBER and token.text.isdecimal()):
            return Attr(self.take().text)
        raise self.unexpected("an attribute name, a whole number or '*' after '.'")

    def _parenthesized(self) -> Expr:
        self.take()
        before = self._set_newlines(False)
        expr = self._expression()
        self.expect(")", "')'")
        self._newlines = before
        return expr

    def _number(self) -> Expr:
        token = self.take()
        return Literal(read_number(token.text, token.line))

    def _name_or_call(self) -> Expr:
        name = self.take().text
        if self.peek().kind not in ("(", "::"):
            return Literal(_CONSTANTS[name]) if name in _CONSTANTS else Name(name)
        while self.accept("::"):
            name += "::" + self.expect(NAME, "a function name after '::'").text
        self.expect("(", "'(' of a function call")
        before = self._set_newlines(False)
        args: list[Expr] = []
        expand = False
        while not self.accept(")"):
            args.append(self._expression())
            if self.accept("..."):
                self.expect(")", "')' after '...'")
                expand = True
                break
            if self.peek().kind != ")":
                self.expect(",", "',' or ')' after a function's argument")
        self._newlines = before
        return Call(name, tuple(args), expand)

    def _list(self) -> Expr:
        self.take()
        before = self._set_newlines(False)
        if self.at_word("for"):
            return self._for("]", before)
        items: list[Expr] = []
        while not self.accept("]"):
            items.append(self._expression())
            if self.peek().kind != "]":
                self.expect(",", "',' or ']' after an element")
        self._newlines = before
        return ListExpr(tuple(items))

    def _object(self) -> Expr:
        self.take()
        start = self._position
        before = self._set_newlines(False)
        if self.at_word("for"):
            return self._for("}", before)
        self._position = start
        self._newlines = True
        items: list[tuple[Expr, Expr]] = []
        while True:
            if self.accept(NEWLINE):
                continue
            if self.accept("}"):
                break
            key = self._object_key()
            if not self.accept(":"):
                self.expect("=", "'=' or ':' after an object's key")
            items.append((key, self._expression()))
            if self.peek().kind not in (NEWLINE, "}"):
                self.expect(",", "',', '}' or the end of the line after an object's item")
        self._newlines = before
        return ObjectExpr(tuple(items))

    def _object_key(self) -> Expr:
        if self.peek().kind == NAME and self._tokens[self._position + 1].kind in ("=", ":"):
            return Literal(self.take().text)
        return self._expression()

    def _for(self, end: str, newlines_before: bool) -> Expr:
        """A list's or an object's `for`; the cursor is on the word itself."""
        self.descend()
        self.take()
        key_name, value_name = self._for_names()
        collection = self._expression()
        self.expect(":", "':' after the collection of 'for'")
        self._bound.append(frozenset({key_name, value_name}))
        key: Expr | None = None
        value = self._expression()
        group = False
        if end == "}":
            self.expect("=>", "'=>' after the key of 'for'")
            key, value = value, self._expression()
            group = self.accept("...")
        condition: Expr | None = None
        if self.at_word("if"):
            self.take()
            condition = self._expression()
        self._bound.pop()
        self.expect(end, f"'{end}' at the end of 'for'")
        self._newlines = newlines_before
        self.ascend()
        return ForExpr(key_name, value_name, collection, key, value, condition, group)

    def _for_names(self) -> tuple[str | None, str]:
        """The one or two names after `for`, with the `in` that follows them."""
        key_name: str | None = None
        value_name = self.expect(NAME, "a name after 'for'").text
        if self.accept(","):
            key_name, value_name = value_name, self.expect(NAME, "a second name after 'for'").text
        if not self.at_word("in"):
            raise self.unexpected("'in' after the names of 'for'")
        self.take()
        return key_name, value_name

    def _quoted(self) -> Expr:
        self.take()
        return self._template(END_QUOTE)

    def _heredoc(self) -> Expr:
        return self._template(END_HEREDOC, indented=self.take().text == "-")

    def _template(self, end: str, *, indented: bool = False) -> Expr:
        """A template up to and including its end token."""
        self.descend()
        pieces: list[Piece] = []
        while True:
            token = self.take()
            if token.kind == TEXT:
                pieces.append(Text(token.text))
            elif token.kind in (INTERPOLATION, DIRECTIVE):
                pieces.append(self._marker(token))
            else:
                # The lexer sees to it that nothing but the end can follow.
                break
        self.ascend()
        return assemble(pieces, token.line, indented=indented)

    def _marker(self, opener: Token) -> Marker:
        """An interpolation or directive, after its opening token."""
        before = self._set_newlines(False)
        keyword, key_name, value_name = "", None, ""
        if opener.kind == DIRECTIVE:
            keyword = self.expect(NAME, "a template directive").text
            if keyword not in _DIRECTIVES:
                raise HclSyntaxError(opener.line, f"expected one of the template directives {', '.join(_DIRECTIVES)}")
            if keyword == "for":
                key_name, value_name = self._for_names()
        expr = self._expression() if keyword in ("", "if", "for") else None
        if keyword == "for":
            self._bound.append(frozenset({key_name, value_name}))
        elif keyword == "endfor" and self._bound:
            self._bound.pop()
        closer = self.expect(END_SEQUENCE, "'}' at the end of an interpolation or directive")
        self._newlines = before
        return Marker(keyword, opener.line, opener.text == "~", closer.text == "~", expr, key_name, value_name)


def _too_deep(line: int) -> HclSyntaxError:
    return HclSyntaxError(line, f"the text is nested deeper than {MAX_NESTING} levels")


def _combine(operands: list[Expr], operators: list[str]) -> None:
    """Replace the last two operands by the last operator on them."""
    right = operands.pop()
    operands.append(Binary(operators.pop(), operands.pop(), right))
