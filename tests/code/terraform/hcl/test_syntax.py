"""The reader of Terraform's native syntax: every construct, with its lines."""

from __future__ import annotations

import pytest

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
    HclSyntaxError,
    Index,
    ListExpr,
    Literal,
    Name,
    ObjectExpr,
    Splat,
    Template,
    Unary,
)
from keyrules.code.terraform.hcl.syntax import parse_expression, parse_hcl, parse_template

X, Y, Z = Name("x"), Name("y"), Name("z")
ONE, TWO = Literal(1), Literal(2)


def value(text: str) -> Expr:
    """The value of the argument `a` that is the whole file."""
    return parse_hcl(f"a = {text}\n").attributes["a"].value


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("resource.a_b.c.d", "a_b.c.d"),
        ("resource.a_b.c[0].d", "a_b.c[0].d"),
        ('"${resource.a_b.c}"', '"${a_b.c}"'),
        ("[for x in resource.a_b.c : resource.a_b.d]", "[for x in a_b.c : a_b.d]"),
        ("[for resource in resource.a_b.c : 1]", "[for resource in a_b.c : 1]"),
        ('"%{ for resource in x }%{ endfor }${resource.a_b.c}"', '"%{ for resource in x }%{ endfor }${a_b.c}"'),
    ],
)
def test_the_reserved_root_is_left_out(text: str, same: str) -> None:
    assert value(text) == value(same)


@pytest.mark.parametrize(
    "text",
    [
        "resource.value.name",
        "resource.name",
        "[for resource in x : resource.a_b.c][0]",
        "{ for resource, y in x : resource.a_b.c => 1 }",
        '"%{ for resource in x }${resource.a_b.c}%{ endfor }"',
    ],
)
def test_other_names_of_that_kind_stay(text: str) -> None:
    assert "Name(ident='resource'), steps" in repr(value(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", ONE),
        ("01", ONE),
        ("1.5", Literal(1.5)),
        ("1e10", Literal(1e10)),
        ("25E-1", Literal(2.5)),
        ("true", Literal(True)),
        ("false", Literal(False)),
        ("null", Literal(None)),
        ("truex", Name("truex")),
        ("x", X),
        ("été-1", Name("été-1")),
        ("_x", Name("_x")),
        ("for", Name("for")),
        ("-1", Unary("-", ONE)),
        ("!!x", Unary("!", Unary("!", X))),
        ("-!x", Unary("-", Unary("!", X))),
        ("-x.y + z", Binary("+", Unary("-", Access(X, (Attr("y"),))), Z)),
        ("(x)", X),
        ("(\n  x # comment\n  + y\n)", Binary("+", X, Y)),
        ("x /* inside\n two lines */ + y", Binary("+", X, Y)),
        ("x-y", Name("x-y")),
        ("x -y", Binary("-", X, Y)),
    ],
)
def test_terms(text: str, expected: Expr) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "grouped"),
    [
        ("x - y - z", "(x - y) - z"),
        ("x / y * z", "(x / y) * z"),
        ("x + y * z", "x + (y * z)"),
        ("x % y - z", "(x % y) - z"),
        ("x < y + z", "x < (y + z)"),
        ("x == y >= z", "x == (y >= z)"),
        ("x != y == z", "(x != y) == z"),
        ("x && y != z", "x && (y != z)"),
        ("x || y && z", "x || (y && z)"),
        ("x && y || z", "(x && y) || z"),
        ("1 + 2 * 3 - 4 <= 5 || !x && y", "(((1 + (2 * 3)) - 4) <= 5) || ((!x) && y)"),
        ("x ? y : z ? 1 : 2", "x ? y : (z ? 1 : 2)"),
        ("x ? y ? 1 : 2 : z", "x ? (y ? 1 : 2) : z"),
        ("x || y ? 1 : 2 + z", "(x || y) ? 1 : (2 + z)"),
    ],
)
def test_operators_bind_as_in_terraform(text: str, grouped: str) -> None:
    assert value(text) == value(grouped)
    assert value(text) != value("x")


def test_every_binary_operator_and_the_conditional_have_their_node() -> None:
    for op in ["+", "-", "*", "/", "%", "==", "!=", "<", ">", "<=", ">=", "&&", "||"]:
        assert value(f"x {op} y") == Binary(op, X, Y)
    assert value("x ? y : z") == Conditional(X, Y, Z)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x.y.z", Access(X, (Attr("y"), Attr("z")))),
        ("x.for.if.in", Access(X, (Attr("for"), Attr("if"), Attr("in")))),
        ("x.0.y", Access(X, (Attr("0"), Attr("y")))),
        ('x["k"]', Access(X, (Index(Literal("k")),))),
        ('x["${y}"]', Access(X, (Index(Template((Y,))),))),
        ("x[\n1\n]", Access(X, (Index(ONE),))),
        ("x[*].y", Access(X, (Splat(), Attr("y")))),
        ("x.*.y", Access(X, (Splat(), Attr("y")))),
        ("f(x)[0].y", Access(Call("f", (X,)), (Index(Literal(0)), Attr("y")))),
        ("(x ? y : z).y", Access(Conditional(X, Y, Z), (Attr("y"),))),
        ("[x][0]", Access(ListExpr((X,)), (Index(Literal(0)),))),
        ("{ y = 1 }.y", Access(ObjectExpr(((Literal("y"), ONE),)), (Attr("y"),))),
        ('"s".y', Access(Literal("s"), (Attr("y"),))),
    ],
)
def test_traversals(text: str, expected: Expr) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f()", Call("f", ())),
        ("f(\n)", Call("f", ())),
        ("f (x, y,)", Call("f", (X, Y))),
        ("f(x, y...)", Call("f", (X, Y), True)),
        ("f(x\n...\n)", Call("f", (X,), True)),
        ("provider::time::rfc3339_parse(x)", Call("provider::time::rfc3339_parse", (X,))),
        ("f(<<A\nt\nA\n, x)", Call("f", (Literal("t\n"), X))),
        ("[]", ListExpr(())),
        ("[\n  # c\n  x, // d\n  y /* e */,\n]", ListExpr((X, Y))),
        ("[format]", ListExpr((Name("format"),))),
        ("{}", ObjectExpr(())),
        ("{ x = 1, y : 2 }", ObjectExpr(((Literal("x"), ONE), (Literal("y"), TWO)))),
        ("{\n x = 1 # c\n\n y = 2,\n}", ObjectExpr(((Literal("x"), ONE), (Literal("y"), TWO)))),
        ("{ in = 1, true = 2 }", ObjectExpr(((Literal("in"), ONE), (Literal("true"), TWO)))),
        ('{ "for" = 1, (x) = 2 }', ObjectExpr(((Literal("for"), ONE), (X, TWO)))),
        ('{ "${x}" = 1, 2 = y }', ObjectExpr(((Template((X,)), ONE), (TWO, Y)))),
        ("{ x = <<A\nt\nA\n y = 1 }", ObjectExpr(((Literal("x"), Literal("t\n")), (Literal("y"), ONE)))),
        ("{ x = [\n1\n,\n2] \n y = 1 }", ObjectExpr(((Literal("x"), ListExpr((ONE, TWO))), (Literal("y"), ONE)))),
    ],
)
def test_calls_and_collections(text: str, expected: Expr) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[for v in x : v]", ForExpr(None, "v", X, None, Name("v"), None)),
        ("[for k, v in x : v if y]", ForExpr("k", "v", X, None, Name("v"), Y)),
        ("{for k, v in x : k => v}", ForExpr("k", "v", X, Name("k"), Name("v"), None)),
        ("{\nfor v\nin x : # c\nv => /* d */ y...\nif z\n}", ForExpr(None, "v", X, Name("v"), Y, Z, True)),
        ("[for for in in : for]", ForExpr(None, "for", Name("in"), None, Name("for"), None)),
    ],
)
def test_for_expressions(text: str, expected: Expr) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('""', Literal("")),
        ('"s"', Literal("s")),
        (r'"\n\r\t\"\\"', Literal('\n\r\t"\\')),
        (r'"\u00e9\U0001F600"', Literal("é😀")),
        ('"$${x} %%{if} $$${x} 100% $5 $"', Literal("${x} %{if} $${x} 100% $5 $")),
        (r'"\\${x}"', Template((Literal("\\"), X))),
        ('"${x}"', Template((X,))),
        ('"${\n x\n}"', Template((X,))),
        ('"a${x}b${y}"', Template((Literal("a"), X, Literal("b"), Y))),
        ('"${x["k"]}"', Template((Access(X, (Index(Literal("k")),)),))),
        ('"${"${"${x}"}"}"', Template((Template((Template((X,)),)),))),
        ('"${ { y = "}" }.y }"', Template((Access(ObjectExpr(((Literal("y"), Literal("}")),)), (Attr("y"),)),))),
        ('"${"s"}"', Literal("s")),
        ('"a ${~ x ~} b"', Template((Literal("a"), X, Literal("b")))),
        (r'"a \n${~ x ~}\n\n b"', Template((Literal("a"), X, Literal("b")))),
        ('"a ${ x ~} ${~ y } b"', Template((Literal("a "), X, Y, Literal(" b")))),
    ],
)
def test_quoted_templates(text: str, expected: Expr) -> None:
    assert value(text) == expected


NOT_EMPTY = Binary("!=", X, Literal(""))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"%{ if x != "" }a%{ endif }"', Template((Conditional(NOT_EMPTY, Literal("a"), Literal("")),))),
        ('"%{ if x != "" }a%{ else }b%{ endif }"', Template((Conditional(NOT_EMPTY, Literal("a"), Literal("b")),))),
        ('"%{if x}%{else}${y}z%{endif}"', Template((Conditional(X, Literal(""), Template((Y, Literal("z")))),))),
        (
            '"1 %{~ if x ~} a %{~ endif ~} 2"',
            Template((Literal("1"), Conditional(X, Literal("a"), Literal("")), Literal("2"))),
        ),
        (
            '"%{ for v in x }${v},%{ endfor }"',
            Template((ForExpr(None, "v", X, None, Template((Name("v"), Literal(","))), None),)),
        ),
        ('"%{ for k, v in x }%{ endfor }"', Template((ForExpr("k", "v", X, None, Literal(""), None),))),
        (
            '"%{ if x }%{ for v in y }%{ if v }a%{ endif }%{ endfor }%{ endif }"',
            Template(
                (
                    Conditional(
                        X,
                        Template(
                            (
                                ForExpr(
                                    None,
                                    "v",
                                    Y,
                                    None,
                                    Template((Conditional(Name("v"), Literal("a"), Literal("")),)),
                                    None,
                                ),
                            )
                        ),
                        Literal(""),
                    ),
                )
            ),
        ),
    ],
)
def test_template_directives(text: str, expected: Expr) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<<EOT\nEOT", Literal("")),
        ("<<EOT\n  s\n\n  EOT", Literal("  s\n\n")),
        ("<<E-O_T\ns\nE-O_T", Literal("s\n")),
        ("<<EOT\nEOT s\n EOTX\nEOT", Literal("EOT s\n EOTX\n")),
        ('<<EOT\n"\\n" $${x} %%{y} $ %\nEOT', Literal('"\\n" ${x} %{y} $ %\n')),
        ("<<EOT\na ${x}\nEOT", Template((Literal("a "), X, Literal("\n")))),
        ("<<EOT\n${<<IN\n${x}\nIN\n}\nEOT", Template((Template((X, Literal("\n"))), Literal("\n")))),
        ("<<-EOT\n    a\n      b\n\n    c\n  EOT", Literal("a\n  b\n\nc\n")),
        ("<<-EOT\n    a\n  ${x}\n  EOT", Template((Literal("  a\n"), X, Literal("\n")))),
        ("<<-EOT\n    a\n${x}\n  EOT", Template((Literal("    a\n"), X, Literal("\n")))),
        ("<<-EOT\n  EOT", Literal("")),
        (
            "<<EOT\n%{ for v in x ~}\n  ${v}\n%{ endfor ~}\nend\nEOT",
            Template(
                (
                    ForExpr(None, "v", X, None, Template((Literal("  "), Name("v"), Literal("\n"))), None),
                    Literal("end\n"),
                )
            ),
        ),
    ],
)
def test_heredocs(text: str, expected: Expr) -> None:
    assert value(text) == expected


def test_bodies_blocks_labels_and_lines() -> None:
    text = (
        "\ufeff# comment\r\n"
        'resource "aws_iam_user" u-1 { // comment\r\n'
        "  for = 1\r\n"
        "  if  = [\r\n"
        "    2,\r\n"
        "  ]\r\n"
        "  in = <<EOT\r\n"
        "text\r\n"
        "  EOT\r\n"
        "  nested { one = 1 }\r\n"
        "  empty {}\r\n"
        "  /* two\r\n"
        "  lines */ last {\r\n"
        "  }\r\n"
        "}\r\n"
        "x = 1 /* to\r\n"
        "the end */"
    )
    inner = {
        "for": Attribute("for", ONE, 3, 3),
        "if": Attribute("if", ListExpr((TWO,)), 4, 6),
        "in": Attribute("in", Literal("text\r\n"), 7, 9),
    }
    blocks = (
        Block("nested", (), Body({"one": Attribute("one", ONE, 10, 10)}, ()), 10, 10),
        Block("empty", (), Body({}, ()), 11, 11),
        Block("last", (), Body({}, ()), 13, 14),
    )
    assert parse_hcl(text) == Body(
        {"x": Attribute("x", ONE, 16, 16)},
        (Block("resource", ("aws_iam_user", "u-1"), Body(inner, blocks), 2, 15),),
    )


def test_an_empty_file_is_an_empty_body() -> None:
    for text in ["", "\ufeff", "\n\n", "# only a comment", "/* only\n a comment */"]:
        assert parse_hcl(text) == Body({}, ())


def test_expressions_and_bare_templates_on_their_own() -> None:
    assert parse_expression("x\n.y", 1) == Access(X, (Attr("y"),))
    assert parse_template("plain \\n text", 1) == Literal("plain \\n text")
    assert parse_template('a "${x}"\n', 1) == Template((Literal('a "'), X, Literal('"\n')))
    assert parse_template("$${x}", 1) == Literal("${x}")
    for read in (parse_expression, parse_template):
        with pytest.raises(HclSyntaxError) as caught:
            read("\n\n${x y}", 7)
        assert caught.value.line == 7
    with pytest.raises(HclSyntaxError):
        parse_expression("x = 1", 1)
