"""The syntax tree of Terraform's language, as far as credential rules need it.

Both syntaxes (`.tf` and `.tf.json`) are read into these shapes; lines are 1-based and inclusive.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from keyrules.records import dataclass, field


@dataclass(frozen=True)
class Literal:
    """A number, boolean, null or plain string. Template text keeps its newlines and is already unescaped."""

    value: str | int | float | bool | None


@dataclass(frozen=True)
class Template:
    """A quoted or heredoc template with at least one interpolation or directive; text parts are Literals.

    A single interpolation keeps its type, unless `is_text` says that it stands inside of a directive.
    """

    parts: tuple[Expr, ...]
    is_text: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Name:
    """The root of a traversal: `var`, `local`, `each`, a resource type, a for-variable …"""

    ident: str


@dataclass(frozen=True)
class Attr:
    """`.name`, and legacy `.0` as the name "0"."""

    name: str


@dataclass(frozen=True)
class Index:
    """`[key]`."""

    key: Expr


@dataclass(frozen=True)
class Splat:
    """`[*]` or `.*`; of the latter (`attributes_only`) an index takes a member of the result, not of each item."""

    attributes_only: bool = field(default=False, compare=False)


Step: TypeAlias = Attr | Index | Splat


@dataclass(frozen=True)
class Access:
    """A base with at least one step: `aws_iam_access_key.k["a"].secret`, `f(x)[0].y`."""

    base: Expr
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Call:
    """A function call; `name` keeps a provider prefix (`provider::time::rfc3339_parse`).

    `expand` says that the last argument ends in `...`: its members are the arguments.
    """

    name: str
    args: tuple[Expr, ...]
    expand: bool = False


@dataclass(frozen=True)
class Conditional:
    """`test ? then : otherwise`; also a template's `%{ if }`."""

    test: Expr
    then: Expr
    otherwise: Expr


@dataclass(frozen=True)
class Binary:
    """`left op right` with op one of `+ - * / % == != < > <= >= && ||`."""

    op: str
    left: Expr
    right: Expr


@dataclass(frozen=True)
class Unary:
    """`-x` or `!x`."""

    op: str
    operand: Expr


@dataclass(frozen=True)
class ListExpr:
    """`[a, b]`."""

    items: tuple[Expr, ...]


@dataclass(frozen=True)
class ObjectExpr:
    """`{ k = v }`; a bare identifier key is a Literal string, `(expr)` and quoted keys are their expression."""

    items: tuple[tuple[Expr, Expr], ...]


@dataclass(frozen=True)
class ForExpr:
    """`[for k, v in collection : value if condition]`, the object form with `key`, and a template's `%{ for }`.

    `group` says that the value ends in `...`: each key has the list of its values. `joined` is True of a template's:
    its values are put together.
    """

    key_name: str | None
    value_name: str
    collection: Expr
    key: Expr | None
    value: Expr
    condition: Expr | None
    group: bool = False
    joined: bool = field(default=False, compare=False)


Expr: TypeAlias = (
    Literal | Template | Name | Access | Call | Conditional | Binary | Unary | ListExpr | ObjectExpr | ForExpr
)


@dataclass(frozen=True)
class Attribute:
    """`name = value` in a body."""

    name: str
    value: Expr
    start_line: int
    end_line: int


@dataclass(frozen=True)
class Body:
    """What stands between a block's braces, or in a whole file."""

    attributes: Mapping[str, Attribute]
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Block:
    """`type "label" … { body }`; the lines span from the type word to the closing brace."""

    type: str
    labels: tuple[str, ...]
    body: Body
    start_line: int
    end_line: int


class HclSyntaxError(ValueError):
    """Text that is not this language. `line` is where reading stopped; the message never quotes the text."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line
        self.message = message
