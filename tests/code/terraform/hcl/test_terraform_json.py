"""Terraform's JSON syntax gives the same tree as the native syntax, with the lines of the JSON text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyrules.code.terraform.hcl.ast import (
    Access,
    Attr,
    Attribute,
    Block,
    Body,
    Call,
    Expr,
    HclSyntaxError,
    Index,
    ListExpr,
    Literal,
    Name,
    ObjectExpr,
    Template,
)
from keyrules.code.terraform.hcl.syntax import parse_hcl
from keyrules.code.terraform.hcl.terraform_json import parse_terraform_json


def without_lines(body: Body) -> Any:
    """A body as plain values, to compare the two syntaxes."""
    return (
        {name: attribute.value for name, attribute in body.attributes.items()},
        [(block.type, block.labels, without_lines(block.body)) for block in body.blocks],
    )


def only(content: Any) -> Block:
    """The one block of a file."""
    [block] = parse_terraform_json(json.dumps(content)).blocks
    return block


def argument(block_type: str, name: str, content: Any) -> Expr:
    """The value of an argument of a top-level block that has no label, or one or two."""
    labels = {"resource": ["t", "n"], "data": ["t", "n"], "locals": [], "moved": [], "import": [], "removed": []}
    body: Any = {name: content}
    for label in reversed(labels.get(block_type, ["n"])):
        body = {label: body}
    return only({block_type: body}).body.attributes[name].value


KEY_SECRET = Access(Name("aws_iam_access_key"), (Attr("k"), Attr("secret")))

NATIVE = """
terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
  backend "s3" { bucket = "b" }
}
provider "aws" {
  region = var.region
}
variable "region" {
  type    = list(string)
  default = "eu"
  validation {
    condition     = length(var.region) > 0
    error_message = "m"
  }
}
locals {
  n = 1
}
resource "aws_iam_access_key" "k" {
  user       = aws_iam_user.u.name
  depends_on = [aws_iam_user.u]
  provider   = aws.west
  dynamic "x" {
    for_each = var.xs
    iterator = it
    content {
      a = it.value
      dynamic "y" {
        for_each = it.ys
        content {}
      }
    }
  }
  lifecycle {
    create_before_destroy = true
    ignore_changes        = all
    replace_triggered_by  = [terraform_data.r["a"]]
    precondition { condition = var.on }
  }
  provisioner "local-exec" {
    command = "echo ${self.id}"
    when    = destroy
    connection { host = self.ip }
  }
}
module "m" {
  source    = "./m"
  providers = { "aws.a" = aws.b }
}
output "o" {
  value     = aws_iam_access_key.k.secret
  sensitive = true
}
moved {
  from = a.b
  to   = a.c
}
check "c" {
  data "http" "d" {
    url = "u"
  }
  assert {
    condition = data.http.d.ok
  }
}
"""

JSON = {
    "//": "a comment",
    "terraform": {
        "required_version": ">= 1.5",
        "required_providers": {"aws": {"source": "hashicorp/aws"}},
        "backend": {"s3": {"bucket": "b"}},
    },
    "provider": {"aws": {"region": "${var.region}"}},
    "variable": {
        "region": {
            "type": "list(string)",
            "default": "eu",
            "validation": {"condition": "${length(var.region) > 0}", "error_message": "m"},
        }
    },
    "locals": {"n": 1},
    "resource": {
        "//": "a comment",
        "aws_iam_access_key": {
            "k": {
                "//": {"any": "thing"},
                "user": "${aws_iam_user.u.name}",
                "depends_on": ["aws_iam_user.u"],
                "provider": "aws.west",
                "dynamic": {
                    "x": {
                        "for_each": "${var.xs}",
                        "iterator": "it",
                        "content": {"a": "${it.value}", "dynamic": {"y": {"for_each": "${it.ys}", "content": {}}}},
                    }
                },
                "lifecycle": {
                    "create_before_destroy": True,
                    "ignore_changes": "all",
                    "replace_triggered_by": ['terraform_data.r["a"]'],
                    "precondition": [{"condition": "${var.on}"}],
                },
                "provisioner": [
                    {
                        "local-exec": {
                            "command": "echo ${self.id}",
                            "when": "destroy",
                            "connection": {"host": "${self.ip}"},
                        }
                    }
                ],
            }
        },
    },
    "module": {"m": {"source": "./m", "providers": {"aws.a": "aws.b"}}},
    "output": {"o": {"value": "${aws_iam_access_key.k.secret}", "sensitive": True}},
    "moved": [{"from": "a.b", "to": "a.c"}],
    "check": {"c": {"data": {"http": {"d": {"url": "u"}}}, "assert": {"condition": "${data.http.d.ok}"}}},
}


def unwrapped(value: Any) -> Any:
    """The native tree with `"${x}"` taken for x: in JSON every expression is an interpolation."""
    if isinstance(value, Template) and len(value.parts) == 1:
        return value.parts[0]
    if isinstance(value, dict):
        return {key: unwrapped(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(unwrapped(item) for item in value)
    return value


def test_both_syntaxes_give_the_same_tree() -> None:
    assert unwrapped(without_lines(parse_terraform_json(json.dumps(JSON)))) == without_lines(parse_hcl(NATIVE))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("text", Literal("text")),
        ("${aws_iam_access_key.k.secret}", Template((KEY_SECRET,))),
        ("a ${x} \n\\n", Template((Literal("a "), Name("x"), Literal(" \n\\n")))),
        ("$${x}", Literal("${x}")),
        (-5, Literal(-5)),
        (1.5, Literal(1.5)),
        (True, Literal(True)),
        (None, Literal(None)),
        (["${x}", 1], ListExpr((Template((Name("x"),)), Literal(1)))),
        ({"a": "b", "${x}": []}, ObjectExpr(((Literal("a"), Literal("b")), (Template((Name("x"),)), ListExpr(()))))),
        ({"//": "kept"}, ObjectExpr(((Literal("//"), Literal("kept")),))),
    ],
)
def test_argument_values(content: Any, expected: Expr) -> None:
    assert argument("locals", "a", content) == expected


@pytest.mark.parametrize(
    ("block_type", "name", "content", "expected"),
    [
        ("variable", "default", "${x}", Literal("${x}")),
        ("variable", "default", {"${x}": ["%{"]}, ObjectExpr(((Literal("${x}"), ListExpr((Literal("%{"),))),))),
        ("variable", "type", "map(string)", Call("map", (Name("string"),))),
        ("resource", "depends_on", ["a.b"], ListExpr((Access(Name("a"), (Attr("b"),)),))),
        ("resource", "tags", {"depends_on": "a.b"}, ObjectExpr(((Literal("depends_on"), Literal("a.b")),))),
        ("data", "provider", "aws.west", Access(Name("aws"), (Attr("west"),))),
        ("output", "depends_on", ["a.b"], ListExpr((Access(Name("a"), (Attr("b"),)),))),
        ("module", "providers", {"aws": "aws.b"}, ObjectExpr(((Literal("aws"), Access(Name("aws"), (Attr("b"),))),))),
        ("import", "to", 'a.b["k"]', Access(Name("a"), (Attr("b"), Index(Literal("k"))))),
        ("import", "id", "a.b", Literal("a.b")),
        ("removed", "from", "a.b", Access(Name("a"), (Attr("b"),))),
    ],
)
def test_strings_are_templates_references_or_plain_by_place(
    block_type: str, name: str, content: Any, expected: Expr
) -> None:
    assert argument(block_type, name, content) == expected


def test_lines_are_those_of_the_text() -> None:
    text = (
        "\ufeff{\r\n"
        '  "resource": {\r\n'
        '    "t": {\r\n'
        '      "a": {\r\n'
        '        "x": [\r\n'
        "          1\r\n"
        "        ],\r\n"
        '        "lifecycle": {\r\n'
        "        }\r\n"
        "      },\r\n"
        '      "b": [\r\n'
        '        {"y": "z"},\r\n'
        "        {\r\n"
        "        }\r\n"
        "      ]\r\n"
        "    }\r\n"
        "  },\r\n"
        '  "locals": {}\r\n'
        "}\r\n"
    )
    x = Attribute("x", ListExpr((Literal(1),)), 5, 7)
    y = Attribute("y", Literal("z"), 12, 12)
    assert parse_terraform_json(text).blocks == (
        Block("resource", ("t", "a"), Body({"x": x}, (Block("lifecycle", (), Body({}, ()), 8, 9),)), 4, 10),
        Block("resource", ("t", "b"), Body({"y": y}, ()), 12, 12),
        Block("resource", ("t", "b"), Body({}, ()), 13, 14),
        Block("locals", (), Body({}, ()), 18, 18),
    )


@pytest.mark.parametrize(
    "content",
    [
        {"resource": {"t": {"a": {"v": 1}, "b": {"v": 2}}}},
        {"resource": [{"t": {"a": {"v": 1}}}, {"t": {"b": {"v": 2}}}]},
        {"resource": {"t": [{"a": [{"v": 1}]}, {"b": {"v": 2}}]}},
        [{"resource": {"t": {"a": {"v": 1}}}}, {"resource": {"t": {"b": {"v": 2}}}}],
        {"resource": [{"t": {"a": {"v": 1}, "b": [{"v": 2}, None]}}, None]},
    ],
)
def test_labels_may_nest_in_objects_or_arrays(content: Any) -> None:
    assert without_lines(parse_terraform_json(json.dumps(content))) == (
        {},
        [("resource", ("t", "a"), ({"v": Literal(1)}, [])), ("resource", ("t", "b"), ({"v": Literal(2)}, []))],
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("{", 1),
        ("{}\n{}", 2),
        ('{"locals": {"a": 1,}}', 1),
        ('{"locals": {"a": [1,]}}', 1),
        ('{"locals": {"a" 1}}', 1),
        ('{"locals": {a: 1}}', 1),
        ('{"locals": {"a": 01}}', 1),
        ('{"locals": {"a": NaN}}', 1),
        ('{"locals": {"a": 1e9999}}', 1),
        ('{"locals": {"a": "\\q"}}', 1),
        ('{"locals": {"a": "\n"}}', 1),
        ('{"locals": {"a": "open}}', 1),
        ('{"locals":\n {"a": 1,\n "a": 2}}', 3),
        ('{"locals": {},\n "locals": {}}', 2),
        ('{"resource": {"t": {\n"n": {}, \n"n": {}}}}', 3),
        ('{"locals": {"a":\n {"b": 1, "b": 2}}}', 2),
        ('{"locals":\n 1}', 2),
        ('{"resource": {"t":\n "n"}}', 2),
        ('{"resource": {"t": {"n":\n [[]]}}}', 2),
        ("[\n1]", 2),
        ('{"locals": {},\n "resources": {}}', 2),
        ('{"locals": {"a":\n "${x y}"}}', 2),
        ('{"locals": {"a":\n "\\n\\n${"}}', 2),
        ('{"resource": {"t": {"n": {"depends_on": [\n"${a.b}"]}}}}', 2),
    ],
)
def test_what_is_not_terraform_json_is_refused_on_its_line(text: str, line: int) -> None:
    with pytest.raises(HclSyntaxError) as caught:
        parse_terraform_json(text)
    assert caught.value.line == line


SECRET = "wJalrXUtnFEMI"


@pytest.mark.parametrize(
    "text",
    [
        '{"locals": {"a": "S" "S"}}',
        '{"locals": {"S": 1, "S": 1}}',
        '{"locals": {"a": "${S S}"}}',
        '{"S": {}}',
        '{"locals": "S"}',
        '{"locals": {"a": S}}',
        '{"locals": {"a": "S',
    ],
)
def test_messages_never_quote_the_text(text: str) -> None:
    with pytest.raises(HclSyntaxError) as caught:
        parse_terraform_json(text.replace("S", SECRET))
    assert SECRET not in str(caught.value)


def test_several_comments_in_one_object_are_no_duplicates() -> None:
    assert parse_terraform_json('{"//": 1, "//": 2, "locals": {"//": 1, "//": 2}}').blocks[0].body == Body({}, ())


def test_nesting_is_bounded() -> None:
    nested = '{"locals": {"a": %s1%s}}'
    assert parse_terraform_json(nested % ("[" * 150, "]" * 150))
    for text in [
        nested % ("[" * 201, "]" * 201),
        nested % ("[" * 100_000, ""),
        nested % ("[" * 120 + '"${' + "[" * 120, "]" * 120 + '}"' + "]" * 120),
        '{"resource": ' * 100_000,
    ]:
        with pytest.raises(HclSyntaxError, match="nested deeper"):
            parse_terraform_json(text)


def test_half_a_surrogate_pair_becomes_the_replacement_character() -> None:
    assert argument("locals", "a", "\U0001f600\ud800") == Literal("\U0001f600\ufffd")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(-(2.0**53), 2.0**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


def plain(expr: Expr) -> Any:
    """The JSON value that an expression of literals stands for."""
    if isinstance(expr, ListExpr):
        return [plain(item) for item in expr.items]
    if isinstance(expr, ObjectExpr):
        return {plain(key): plain(item) for key, item in expr.items}
    assert isinstance(expr, Literal)
    return expr.value


@given(json_values, st.sampled_from([None, 1]), st.booleans())
def test_plain_values_survive_a_round_trip(content: Any, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps({"variable": {"v": {"default": content}}}, indent=indent, ensure_ascii=ascii_only)
    [block] = parse_terraform_json(text).blocks
    assert plain(block.body.attributes["default"].value) == content
    assert block.end_line == text.count("\n") + 1 - (2 if indent else 0)


@given(st.text(alphabet='{}[]",:/\\ \n1-.etrufalsn${}', max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse_terraform_json(text)
    except HclSyntaxError as error:
        assert 1 <= error.line <= text.count("\n") + 1
