"""What the reader of the native syntax refuses, and how: on the right line, without the text, however deep."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyrules.code.terraform.hcl.ast import (
    Expr,
    HclSyntaxError,
)
from keyrules.code.terraform.hcl.expression import MAX_NESTING
from keyrules.code.terraform.hcl.syntax import parse_expression, parse_hcl, parse_template


def value(text: str) -> Expr:
    """The value of the argument `a` that is the whole file."""
    return parse_hcl(f"a = {text}\n").attributes["a"].value


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1 b = 2", 1),
        ("a =\n1", 1),
        ("a = 1\n+ 2", 2),
        ("a = 1\na = 2", 2),
        ("x {\n  a = 1\n  a = 2\n}", 3),
        ("x {\n  a = 1 }", 2),
        ("x { a = 1, b = 2 }", 1),
        ("x { y {} }", 1),
        ("x {} y {}", 1),
        ("x\n{\n}", 1),
        ('x "${y}" {\n}', 1),
        ('"a" = 1', 1),
        ("a.b = 1", 1),
        ("x {\n  y {\n}\n", 4),
        ("}", 1),
        ("a = ", 1),
        ("a = [1 2]", 1),
        ("a = [1,,2]", 1),
        ("a = f(,)", 1),
        ("a = f(x..., y)", 1),
        ("a = x::y", 1),
        ("a = (1", 1),
        ("a = {\n x = 1 y = 2 }", 2),
        ("a = { x =\n1 }", 1),
        ("a = { for = 1 }", 1),
        ("a = [for v in x : v => v]", 1),
        ("a = {for v in x : v}", 1),
        ("a = [for v : v]", 1),
        ("a = x.0.1", 1),
        ("a = x.", 1),
        ("a = x[]", 1),
        ("a = 1.2.3", 1),
        ("a = 1e9999", 1),
        ("a = " + "9" * 301, 1),
        ("a = 'x'", 1),
        ("a = x & y", 1),
        ("a = x€", 1),
        ("a = ~}", 1),
        ("a = x ? y", 1),
        ('a = "x\ny"', 1),
        ('a = "x', 1),
        ('a = "\\', 1),
        ('a = "\\q"', 1),
        ('a = "\\u12"', 1),
        ('a = "\\ud800"', 1),
        ('a = "\\UFFFFFFFF"', 1),
        ('a = "${x"', 1),
        ('a = "${x y}"', 1),
        ('a = "${}"', 1),
        ('a = "%{ foo }"', 1),
        ('a = "%{ if x }"', 1),
        ('a = "%{ else }"', 1),
        ('a = "%{ endfor }"', 1),
        ('a = "%{ if x }%{ else }%{ else }%{ endif }"', 1),
        ('a = "%{ for v in x }%{ else }%{ endfor }"', 1),
        ('a = "%{ for v in x }%{ endif }"', 1),
        ("a = <<EOT\nx\nEOT", 3),
        ("a = <<EOT \nx\nEOT\n", 1),
        ("\n/* open", 2),
    ],
)
def test_what_terraform_refuses_is_refused_on_its_line(text: str, line: int) -> None:
    with pytest.raises(HclSyntaxError) as caught:
        parse_hcl(text)
    assert caught.value.line == line
    assert str(caught.value).startswith(f"line {line}: ")


SECRET = "wJalrXUtnFEMI"


@pytest.mark.parametrize(
    "text",
    [
        'a = "{s}\n',
        'a = "{s}" {s}',
        "a = {s} {s}",
        "{s} {s} = 1",
        "{s} = 1\n{s} = 2",
        "a = 1{s}.",
        'a = "%{{ {s} }}"',
        'a = "\\q{s}"',
        "a = <<{s}\n{s}",
        "a = {s}\u20ac",
        "a = <<EOT\n{s}",
        "a = {{ {s} {s} }}",
    ],
)
def test_messages_never_quote_the_text(text: str) -> None:
    with pytest.raises(HclSyntaxError) as caught:
        parse_hcl(text.format(s=SECRET))
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value)


@pytest.mark.parametrize(
    ("opener", "closer"),
    [
        ("(", ")"),
        ("[", "]"),
        ("{a=", "}"),
        ("f(", ")"),
        ("x[", "]"),
        ('"${', '}"'),
        ("[for v in x : ", "]"),
        ("x ? y : ", ""),
    ],
)
def test_nesting_is_bounded(opener: str, closer: str) -> None:
    half = MAX_NESTING // 2 - 2
    assert value(opener * half + "1" + closer * half)
    for levels in (MAX_NESTING + 1, 50_000):
        with pytest.raises(HclSyntaxError, match=f"nested deeper than {MAX_NESTING} levels"):
            value(opener * levels + "1" + closer * levels)


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "-" * 1000 + "1",
        "a = 1" + " + 1" * 1000,
        'a = "' + "%{if x}" * 1000 + "%{endif}" * 1000 + '"',
        "x {\n" * 1000 + "}\n" * 1000,
    ],
)
def test_trees_that_grow_deep_without_brackets_are_bounded_too(text: str) -> None:
    with pytest.raises(HclSyntaxError, match="nested deeper"):
        parse_hcl(text)


def test_a_nearly_full_stack_is_a_syntax_error() -> None:
    def at_depth(frames: int) -> Expr:
        return at_depth(frames - 1) if frames else value("[" * 150 + "]" * 150)

    depth = len_of_stack()
    with pytest.raises(HclSyntaxError, match="nested deeper"):
        at_depth(sys.getrecursionlimit() - depth - 100)


def len_of_stack() -> int:
    frame, depth = sys._getframe(), 0
    while frame.f_back is not None:
        frame, depth = frame.f_back, depth + 1
    return depth


@given(st.text(alphabet='ax1 \n\r"${}%~<>-=[]().,:?*/\\#!&|EOT\té', max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (parse_hcl, lambda t: parse_expression(t, 1), lambda t: parse_template(t, 1)):
        try:
            read(text)
        except HclSyntaxError as error:
            assert 1 <= error.line <= text.count("\n") + 1
