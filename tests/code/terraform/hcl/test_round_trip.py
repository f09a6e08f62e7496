"""Expressions and bodies that are written out and read back; and how expressions are shown in messages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyrules.code.terraform.hcl.ast import (
    Access,
    Attr,
    Attribute,
    Binary,
    Block,
    Body,
    Call,
    Conditional,
    Expr,
    ForExpr,
    Index,
    ListExpr,
    Literal,
    Name,
    ObjectExpr,
    Splat,
    Template,
    Unary,
)
from keyrules.code.terraform.hcl.render import render
from keyrules.code.terraform.hcl.syntax import parse_expression, parse_hcl
from keyrules.code.terraform.hcl.walk import children, nests_deeper_than


def value(text: str) -> Expr:
    """The value of the argument `a` that is the whole file."""
    return parse_hcl(f"a = {text}\n").attributes["a"].value


# Round trips: an expression is written in full by the printer below, and must be read back equal.

names = st.sampled_from(["x", "var", "été", "a-b", "_u", "in", "if"])
texts = st.text(st.characters(codec="utf-8"), max_size=6)


def quote(text: str) -> str:
    """A quoted string. HCL has no surrogate escapes, nor those of JSON for backspace and form feed."""
    escaped = "".join(c if ord(c) >= 0x7F or c in "\b\f" else json.dumps(c)[1:-1] for c in text)
    return '"' + escaped.replace("${", "$${").replace("%{", "%%{") + '"'


def write(expr: Expr) -> str:
    match expr:
        case Literal(str(text)):
            return quote(text)
        case Literal(constant):
            return json.dumps(constant)
        case Template(parts):
            inside = (
                quote(p.value)[1:-1] if isinstance(p, Literal) and isinstance(p.value, str) else f"${{{write(p)}}}"
                for p in parts
            )
            return f'"{"".join(inside)}"'
        case Name(ident):
            return ident
        case Access(base, steps):
            return f"({write(base)})" + "".join(write_step(step) for step in steps)
        case Call(name, args):
            return f"{name}({', '.join(map(write, args))})"
        case Conditional(test, then, otherwise):
            return f"(({write(test)}) ? ({write(then)}) : ({write(otherwise)}))"
        case Binary(op, left, right):
            return f"(({write(left)}) {op} ({write(right)}))"
        case Unary(op, operand):
            return f"({op}({write(operand)}))"
        case ListExpr(items):
            return f"[{', '.join(map(write, items))}]"
        case ObjectExpr(items):
            return "{" + "\n".join(f"({write(k)}) = {write(v)}" for k, v in items) + "}"
        case ForExpr(key_name, value_name, collection, key, result, condition):
            head = f"for {f'{key_name}, ' if key_name else ''}{value_name} in {write(collection)} : "
            tail = "" if condition is None else f" if {write(condition)}"
            return (
                f"[{head}{write(result)}{tail}]" if key is None else f"{{{head}{write(key)} => {write(result)}{tail}}}"
            )


def write_step(step: Attr | Index | Splat) -> str:
    if isinstance(step, Attr):
        return f".{step.name}"
    return "[*]" if isinstance(step, Splat) else f"[{write(step.key)}]"


def is_text(expr: Expr) -> bool:
    return isinstance(expr, Literal) and isinstance(expr.value, str)


def template(parts: Sequence[Expr]) -> Expr:
    """Parts in the form in which they are read: text is not empty and never beside text."""
    kept: list[Expr] = []
    for part in parts:
        if not is_text(part):
            kept.append(part)
        elif part != Literal("") and not (kept and is_text(kept[-1])):
            # "$" before "${" would read as an escape.
            kept.append(Literal(f"{part.value}.") if isinstance(part, Literal) else part)
    return Template(tuple(kept)) if any(not is_text(part) for part in kept) else Literal("")


leaves = st.one_of(
    st.builds(Literal, st.one_of(texts, st.none(), st.booleans(), st.integers(0, 10**20), st.floats(0, 2.0**53))),
    st.builds(Name, names),
)


def compound(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    several = st.lists(inner, max_size=3).map(tuple)
    steps = st.lists(
        st.one_of(st.builds(Attr, names), st.builds(Index, inner), st.just(Splat())),
        min_size=1,
        max_size=3,
    ).map(tuple)
    maybe = st.one_of(st.none(), inner)
    return st.one_of(
        st.lists(inner, max_size=4).map(template),
        st.builds(Access, inner.filter(lambda e: not isinstance(e, Access)), steps),
        st.builds(Call, st.sampled_from(["f", "provider::time::f"]), several),
        st.builds(Conditional, inner, inner, inner),
        st.builds(Binary, st.sampled_from(["+", "-", "*", "/", "%", "==", "<", ">=", "&&", "||"]), inner, inner),
        st.builds(Unary, st.sampled_from(["-", "!"]), inner),
        st.builds(ListExpr, several),
        st.builds(ObjectExpr, st.lists(st.tuples(inner, inner), max_size=3).map(tuple)),
        st.builds(ForExpr, st.one_of(st.none(), names), names, inner, maybe, inner, maybe),
    )


expressions = st.recursive(leaves, compound, max_leaves=12)


@given(expressions)
def test_expressions_survive_a_round_trip(expr: Expr) -> None:
    assert value(write(expr)) == expr
    assert parse_expression(write(expr), 1) == expr


@given(expressions)
def test_levels_are_counted(expr: Expr) -> None:
    def levels(node: Expr) -> int:
        return 1 + max(map(levels, children(node)), default=0)

    assert not nests_deeper_than(expr, levels(expr))
    assert nests_deeper_than(expr, levels(expr) - 1)


bodies: st.SearchStrategy[Any] = st.recursive(
    st.tuples(st.dictionaries(names, leaves, max_size=3), st.just([])),
    lambda inner: st.tuples(
        st.dictionaries(names, leaves, max_size=3),
        st.lists(st.tuples(names, st.lists(texts, max_size=2).map(tuple), inner), max_size=3),
    ),
    max_leaves=6,
)


def write_body(content: Any, lines: list[str]) -> Body:
    """Append the lines of a body, and give the body that they must be read as."""
    attributes: dict[str, Attribute] = {}
    blocks: list[Block] = []
    for name, expr in content[0].items():
        lines.append(f"{name} = {write(expr)}")
        attributes[name] = Attribute(name, expr, len(lines), len(lines))
    for kind, labels, inner in content[1]:
        lines.append(" ".join([kind, *map(quote, labels), "{"]))
        start = len(lines)
        body = write_body(inner, lines)
        lines.append("}")
        blocks.append(Block(kind, labels, body, start, len(lines)))
    return Body(attributes, tuple(blocks))


@given(bodies)
def test_bodies_survive_a_round_trip_with_their_lines(content: Any) -> None:
    lines: list[str] = []
    expected = write_body(content, lines)
    assert parse_hcl("\n".join(lines)) == expected
    assert parse_hcl("\r\n".join(lines)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('aws_iam_access_key.k["a"].secret', 'aws_iam_access_key.k["a"].secret'),
        ("x.*.y[0][y]", "x[*].y[0][y]"),
        ("var.days + 30", "var.days + 30"),
        ("(1 + 2) * -x", "(1 + 2) * (-x)"),
        ("x == 1 ? y : null", "(x == 1) ? y : null"),
        ("1.5", "1.5"),
        ("90e0", "90"),
        ("!true", "!true"),
        ('f("s", "", [1, "s"])', 'f("…", "", [1, "…"])'),
        ('"s${x}s"', '"…${x}…"'),
        ('x["${y}s"]', 'x["${y}…"]'),
        (r'x["q\"\n"]', r'x["q\"\n"]'),
        ("{ s = 1 }", "{…}"),
        ("{}", "{}"),
        ("[for k, v in x : v if k]", "[for k, v in x : v if k]"),
        ('{for v in x : v => "s"}', '{for v in x : v => "…"}'),
    ],
)
def test_rendering_shows_references_and_hides_text(text: str, expected: str) -> None:
    assert render(value(text)) == expected


secretive = st.recursive(st.one_of(st.just(Literal("SECRET")), st.builds(Name, names)), compound, max_leaves=12)


@given(secretive)
def test_rendering_never_shows_text_that_is_not_an_index(expr: Expr) -> None:
    assert "SECRET" not in render(expr).replace('["SECRET"]', "")
