"""Turns text in Terraform's native syntax into tokens, templates and heredocs included.

The rules are those of HashiCorp's own scanner (https://github.com/hashicorp/hcl, hclsyntax/scan_tokens.rl). Reading is
iterative and takes time in proportion to the text, whatever the nesting.
"""

from __future__ import annotations

import re
import sys
from typing import ClassVar, NamedTuple, TypeAlias

from keyrules.code.terraform.hcl.ast import HclSyntaxError
from keyrules.code.terraform.hcl.numbers import MAX_NUMBER_LENGTH, NotComputed, parse_number
from keyrules.records import dataclass

NAME = "a name"
NUMBER = "a number"
NEWLINE = "the end of the line"
END = "the end of the text"
TEXT = "template text"
QUOTE = "an opening quote"
END_QUOTE = "a closing quote"
HEREDOC = "a heredoc"
END_HEREDOC = "the end of a heredoc"
INTERPOLATION = "the start of an interpolation"
DIRECTIVE = "the start of a template directive"
END_SEQUENCE = "the end of an interpolation or directive"

# Unicode's White_Space property, which the reference implementation trims by; str.strip() alone would take more.
WHITE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001"
    "\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)

# ASCII letters, digits, "_", "-", and whatever is not ASCII: told by what they are not, which compiles far faster.
_NAME_PATTERN = r"[^\x00-@\[-^`{-\x7f][^\x00-,./:-@\[-^`{-\x7f]*"
_CODE = re.compile(
    rf"""
      (?P<blank>[ \t]+|(?:\#|//)[^\n]*)
    | (?P<newline>\r?\n)
    | (?P<name>{_NAME_PATTERN})
    | (?P<quote>")
    | (?P<number>[0-9](?:\.*(?:[0-9]|[eE][+-]?[0-9]))*)
    | (?P<comment>/\*)
    | (?P<heredoc><<(?P<indented>-?)(?P<marker>{_NAME_PATTERN})\r?\n)
    | (?P<open>\{{)
    | (?P<close>~?\}})
    | (?P<symbol>::|\.\.\.|=>|==|!=|<=|>=|&&|\|\||[\[\]()=<>+\-*/%!?:.,])
    """,
    re.VERBOSE,
)
# What follows is never matched further once a text run is taken, so the nested repetition cannot backtrack.
_QUOTED = re.compile(
    r"""(?P<sequence>[$%]\{~?)|(?P<escaped>\$\$\{|%%\{)|(?P<text>(?:[^"\\$%\r\n]+|\\[^\r\n])+|[$%])|(?P<quote>")"""
)
_UNQUOTED = re.compile(r"(?P<sequence>[$%]\{~?)|(?P<escaped>\$\$\{|%%\{)|(?P<text>[^$%\n]*\n|[^$%\n]+|[$%]\n?)")
_ESCAPE = re.compile(r"\\(?:u(?P<short>[0-9A-Fa-f]{4})|U(?P<long>[0-9A-Fa-f]{8})|(?P<one>.))")
_ONE_LETTER_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_SURROGATES = range(0xD800, 0xE000)
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


class Token(NamedTuple):
    """One token: its kind, its text, the 1-based line it starts on, and the position in the text where it ends.

    `kind` is one of this module's constants, or the symbol itself. `text` is the name, the number as written, or
    template text with its escapes resolved. A template sequence's ends have "~" when they trim white space, and a
    heredoc's start has "-" when the heredoc is indented.
    """

    kind: str
    text: str
    line: int
    end: int


@dataclass
class _Code:
    """Reading expressions and bodies; `depth` counts the open braces inside a template sequence."""

    in_template: bool
    depth: int = 0
    description: ClassVar[str] = "an interpolation or directive"


@dataclass
class _Quoted:
    """Reading a quoted template."""

    description: ClassVar[str] = "a quoted string"


@dataclass
class _Unquoted:
    """Reading a heredoc up to its marker, or with no marker a bare template up to the end of the text."""

    marker: str | None
    at_line_start: bool = True
    description: ClassVar[str] = "a heredoc"


_Mode: TypeAlias = _Code | _Quoted | _Unquoted


def tokenize(text: str, line: int = 1, *, template: bool = False) -> list[Token]:
    """The tokens of a configuration or expression, or of a bare template; the last one is always END.

    `line` is the line that the text starts on. Raises HclSyntaxError where no token can start, and where the text ends
    inside a string, a heredoc, a comment or a template sequence.
    """
    return _Lexer(text, line).run(_Unquoted(None) if template else _Code(in_template=False))


def read_number(text: str, line: int) -> int | float:
    """The value of an unsigned decimal number, an int where it is whole.

    Raises HclSyntaxError for anything else, and for numbers too long or too large to be represented.
    """
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise HclSyntaxError(line, "expected a decimal number, found digits that do not form one")
    if len(text) > MAX_NUMBER_LENGTH:
        raise HclSyntaxError(line, f"found a number of more than {MAX_NUMBER_LENGTH} characters")
    try:
        return parse_number(text)
    except NotComputed:
        raise HclSyntaxError(line, "found a number that is too large or too small") from None


def _unescape(raw: str, line: int) -> str:
    """Quoted text with its backslash escapes resolved. Raises HclSyntaxError for an escape that does not exist."""
    if "\\" not in raw:
        return raw

    def character(found: re.Match[str]) -> str:
        digits = found["short"] or found["long"]
        if digits:
            code = int(digits, 16)
            if code > sys.maxunicode or code in _SURROGATES:
                raise HclSyntaxError(line, "found an escape of a code point that is no Unicode character")
            return chr(code)
        if found["one"] not in _ONE_LETTER_ESCAPES:
            raise HclSyntaxError(line, 'expected \\n, \\r, \\t, \\", \\\\, \\uXXXX or \\UXXXXXXXX after a backslash')
        return _ONE_LETTER_ESCAPES[found["one"]]

    return _ESCAPE.sub(character, raw)


class _Lexer:
    """A cursor over the text and the stack of modes that it is in."""

    def __init__(self, text: str, line: int) -> None:
        self._text = text
        self._position = 0
        self._line = line
        self._tokens: list[Token] = []
        self._modes: list[_Mode] = []

    def run(self, mode: _Mode) -> list[Token]:
        self._modes.append(mode)
        while self._position < len(self._text):
            mode = self._modes[-1]
            if isinstance(mode, _Code):
                self._read_code(mode)
            elif isinstance(mode, _Quoted):
                self._read_quoted()
            else:
                self._read_unquoted(mode)
        if len(self._modes) > 1:
            raise HclSyntaxError(self._line, f"the text ends inside {self._modes[-1].description}")
        self._add(END)
        return self._tokens

    def _add(self, kind: str, text: str = "") -> None:
        self._tokens.append(Token(kind, text, self._line, self._position))

    def _read_code(self, mode: _Code) -> None:
        """Read tokens until the mode changes or the text ends."""
        text, tokens = self._text, self._tokens
        while self._position < len(text):
            found = _CODE.match(text, self._position)
            if found is None:
                raise HclSyntaxError(self._line, "found a character that cannot start anything here")
            self._position = found.end()
            group = found.lastgroup
            if group == "blank":
                continue
            if group == "name":
                self._add_name(found[0])
            elif group == "symbol":
                tokens.append(Token(found[0], "", self._line, self._position))
            elif group == "newline":
                tokens.append(Token(NEWLINE, "", self._line, self._position))
                self._line += 1
            elif group == "number":
                tokens.append(Token(NUMBER, found[0], self._line, self._position))
            elif group == "comment":
                self._skip_comment()
            elif group == "open":
                mode.depth += 1
                tokens.append(Token("{", "", self._line, self._position))
            elif group == "close":
                if self._close(mode, found[0]):
                    return
            else:
                self._open_template(found)
                return

    def _add_name(self, name: str) -> None:
        if not name.isascii() and not name.replace("-", "_").isidentifier():
            raise HclSyntaxError(self._line, "found a character that cannot be part of a name")
        self._add(NAME, name)

    def _skip_comment(self) -> None:
        end = self._text.find("*/", self._position)
        if end < 0:
            raise HclSyntaxError(self._line, "the text ends inside a comment")
        self._line += self._text.count("\n", self._position, end)
        self._position = end + len("*/")

    def _close(self, mode: _Code, text: str) -> bool:
        """Take a closing brace; True when it ended the template sequence, and with it the mode."""
        if mode.in_template and mode.depth == 0:
            self._add(END_SEQUENCE, text[:-1])
            self._modes.pop()
            return True
        if text != "}":
            raise HclSyntaxError(self._line, "found '~}' outside an interpolation or directive")
        mode.depth -= 1
        self._add("}")
        return False

    def _open_template(self, found: re.Match[str]) -> None:
        """Enter a quoted string or a heredoc."""
        if found["quote"]:
            self._add(QUOTE)
            self._modes.append(_Quoted())
        else:
            self._add(HEREDOC, found["indented"])
            self._modes.append(_Unquoted(found["marker"]))
            self._line += 1

    def _read_quoted(self) -> None:
        """Read one piece of a quoted template."""
        found = _QUOTED.match(self._text, self._position)
        if found is None:
            if self._text[self._position] == "\\" and self._position + 1 == len(self._text):
                raise HclSyntaxError(self._line, "the text ends inside a quoted string")
            raise HclSyntaxError(self._line, "expected a closing quote, found the end of the line")
        self._position = found.end()
        if found["text"]:
            self._add(TEXT, _unescape(found[0], self._line))
        elif found["quote"]:
            self._add(END_QUOTE)
            self._modes.pop()
        else:
            self._add_dollar_or_percent(found)

    def _read_unquoted(self, mode: _Unquoted) -> None:
        """Read one piece of a heredoc or bare template; a line never spans two pieces of text."""
        if mode.at_line_start and mode.marker is not None:
            end = self._text.find("\n", self._position)
            if end >= 0 and self._text[self._position : end].strip(WHITE_SPACE) == mode.marker:
                self._position = end
                self._add(END_HEREDOC)
                self._modes.pop()
                return
        found = _UNQUOTED.match(self._text, self._position)
        assert found is not None, "the alternatives cover every character"
        self._position = found.end()
        mode.at_line_start = found[0].endswith("\n")
        if found["text"]:
            self._add(TEXT, found[0])
            self._line += mode.at_line_start
        else:
            self._add_dollar_or_percent(found)

    def _add_dollar_or_percent(self, found: re.Match[str]) -> None:
        """Take `$${` and `%%{` as text, and enter `${` and `%{`."""
        if found["escaped"]:
            self._add(TEXT, found[0][1:])
            return
        self._add(INTERPOLATION if found[0][0] == "$" else DIRECTIVE, found[0][2:])
        self._modes.append(_Code(in_template=True))
