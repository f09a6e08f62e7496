"""Expressions of Terraform's language made at random from a seed, over a small world of inputs, locals and files."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence

from keyrules.code.terraform.functions.calls import _EVERYDAY, _rare
from keyrules.code.terraform.functions.signature import Function

WORLD = r"""
variable "strings" {
  type    = list(string)
  default = ["b", "a", "b", ""]
}
variable "names" {
  type    = set(string)
  default = ["b", "a", "c"]
}
variable "numbers" {
  type    = list(number)
  default = [3, 1, 2.5]
}
variable "amounts" {
  type    = map(number)
  default = { b = 2, a = "1" }
}
variable "user" {
  type    = object({ name = string, age = optional(number, 3), tags = optional(list(string)) })
  default = { name = "ann", extra = true }
}
variable "no_text" {
  type    = string
  default = null
}
variable "no_number" {
  type    = number
  default = null
}
variable "nothing" { default = null }
variable "text" {
  type    = string
  default = 7
}
variable "mixed" { default = [1, "1", true, null] }
variable "empty" {
  type    = list(string)
  default = []
}
locals {
  records = [{ id = "1", name = "ann" }, { id = "2", name = "bob" }]
  table   = { b = 2, a = 1 }
  pair    = ["x", 1]
  users   = jsondecode(file("${path.module}/users.json"))
}
"""

FILES: Mapping[str, str] = {
    "users.json": '[{"id": "1", "name": "ann", "tags": []}, {"id": "2", "name": "ann", "tags": ["x", 1.50]}]',
    "team.yaml": 'users:\n  - name: ann\n    admin: true\n    age: 30\n  - name: "bob"\n    age: 1.5\n  - {name: cy}\n',
    "users.csv": 'id,name\n1,ann\n2,"bob, jr"\n',
    "hello.tftpl": 'Hello ${name}!\n%{ for n in list ~}\n- ${n}\n%{ endfor ~}\n%{ if name == "ann" }x%{ else }y%{ endif }',
    "conf/a.txt": "a\n",
    "conf/deep/b.txt": "b",
    "conf/c.json": "{}",
}

_STRINGS = (
    '""', '"a"', '"b"', '"1"', '"01"', '"1.50"', '"-0"', '"1e3"', '"true"', '"false"', '"null"', '"ann"', '"a,b"', '","',
    '"e\\u0301x"', '"ß"', '"ǆ"', '"É"', '"\\u001c x \\u00a0"', '"  x\\t"', '"A-b_c d"', '"日本"', '"a\\r\\nb\\n"', '"%s"',
    '"x-%d"', '"a.b.c"', '"10.0.0.0/16"', '"2024-02-28T23:59:59Z"', '"1h30m"', '"sha-256"', '"<&>"', '"[1, \\"a\\"]"',
    "var.text", "var.no_text", "var.user.name", 'local.records[0].name', "upper(var.user.name)", '"${1 + 1}"', '"${true}"',
    '"a${var.text}b"', '"%{ if true }y%{ endif }"', '"%{ for s in var.strings ~} ${s} %{ endfor }"',
)  # fmt: skip
_NUMBERS = (
    "0", "1", "2", "3", "5", "-1", "0.1", "0.2", "0.3", "1.5", "2.50", "1e3", "1e20", "(10 / 3)", "(1 / 3)", "-2.5", "100",
    "123456789012345678901234567890", "0.30000000000000004", "length(var.strings)", "var.no_number", "var.user.age",
    'parseint("ff", 16)', "pow(2, 10)", "local.table.a", 'tonumber("1.0")',
)  # fmt: skip
_BOOLS = ("true", "false", "(1 == 1)", '("a" == "b")', 'tobool("true")', "!false", "(0.1 + 0.2 == 0.3)")
_LISTS = (
    "[]", "[1]", '["a"]', '[1, "1"]', '["b", "a", "b"]', "[true, false]", '["a", null]', "[[1], [2, 3]]", "var.strings",
    "var.numbers", "local.pair", "local.records", "var.empty", "var.mixed", 'tolist(["b", "a"])', "range(3)", 'split(",", "b,a")',
    "[null]", "local.users", "[3, 1, 2]", '["a", "b"]', "[0.1, 0.2]", "keys(local.table)", "values(var.amounts)", "[for x in [1, 2] : x * 2]",
)  # fmt: skip
_SETS = (
    'toset(["b", "a"])',
    "var.names",
    "toset([])",
    "toset([3, 1, 2])",
    'toset([1, "1"])',
    "toset([true])",
    "toset([[1], [2]])",
)
_MAPS = (
    "{}", "{ a = 1 }", '{ b = "x", a = 1 }', "var.amounts", "local.table", "var.user", "tomap({ a = 1, b = \"2\" })",
    "{ for r in local.records : r.id => r.name }", "{ for x in [1, 2, 3] : x % 2 => x... }", "{ a = null }", "{ a = { b = [1] } }",
    'tomap({ x = ["a"] })', "local.records[1]", 'merge({ a = 1 }, { a = "z" })', "{ (var.text) = true }",
)  # fmt: skip
_SPECIAL: Mapping[str, Sequence[str]] = {
    "base64decode": ('base64encode("é a")', '"YQ=="', '"YQ"', '"%%"'),
    "cidrhost": ('"10.0.0.0/8", 5', '"10.0.0.0/8", -1', '"fd00::/64", 10', '"10.0.0.0/30", 4', '"10.1.2.3/24", 0'),
    "cidrnetmask": ('"10.0.0.0/12"', '"fd00::/64"'),
    "cidrsubnet": ('"10.0.0.0/16", 8, 3', '"fd00::/48", 16, 162', '"10.0.0.0/30", 4, 0', '"10.0.0.0/16", 4, 16'),
    "cidrsubnets": ('"10.0.0.0/16", 4, 4, 8, 4', '"10.0.0.0/30", 1, 1, 1', '"fd00::/56", 8'),
    "csvdecode": ('"a,b\\n1,2\\n3,4\\n"', 'file("users.csv")', '"a\\n"', '""', '"a,b\\n1"'),
    "formatdate": ('"YYYY-MM-DD\'T\'hh:mm:ssZ", "2024-02-29T23:05:09Z"', '"EEEE, D MMM YY H:m aa", "2024-01-05T00:07:09+02:00"',
                   '"ZZZ ZZZZ ZZZZZ", "2024-01-05T00:07:09-05:30"', '"Q", "2024-01-05T00:07:09Z"', '"hh", "yesterday"'),
    "jsondecode": ('"[1, 2.50, \\"a\\", null, true]"', '"{\\"b\\": 1, \\"a\\": [{}]}"', '"{"', 'file("users.json")', '"1e2"', '"\\"x\\""'),
    "yamldecode": ('file("team.yaml")', '"a: 1\\nb: [x, y]"', '"- a\\n- b"', '"yes"', '"a: 0x1F"', '"x"', '"a: ~"', '"a: 1.0"'),
    "regex": ('"[a-z]+", "12ab3"', '"(\\\\d+)-(\\\\d+)", "a 10-20"', '"(?P<x>a)(?P<y>b)?", "ab"', '"z", "a"', '"^a.c$", "abc"',
              '"a|ab", "ab"', '"[^,]+", "x,y"', '"\\\\s", "a\\u000bb c"'),
    "regexall": ('"[a-z]", "a1b2"', '"(a)(b)", "abab"', '"z", "a"', '"\\\\d+", "1 22 333"', '"a*", "baa"'),
    "replace": ('"a-b-c", "-", "_"', '"a1b22", "/[0-9]+/", "<$0>"', '"ab", "/(a)(b)/", "$2$1"', '"ab", "/(a)(b)/", "${2}x$1y"',
                '"aaa", "", "-"', '"a.b", ".", "/"', '"ab", "/(?P<n>a)/", "$n-"'),
    "templatefile": ('"hello.tftpl", { name = "ann", list = ["a", 1] }', '"hello.tftpl", { name = "bob" }', '"none.tftpl", {}'),
    "timeadd": ('"2024-02-28T23:59:59Z", "1h30m"', '"2024-01-01T00:00:00Z", "-10m"', '"2024-01-01T00:00:00+02:00", "24h"'),
    "timecmp": ('"2024-01-01T00:00:00Z", "2024-01-01T02:00:00+02:00"', '"2024-01-01T00:00:00Z", "2023-01-01T00:00:00Z"'),
    "textencodebase64": ('"aé", "UTF-16LE"', '"a", "UTF-8"'),
    "textdecodebase64": ('"YQBi", "UTF-8"', 'textencodebase64("aé", "UTF-16LE"), "UTF-16LE"'),
    "uuidv5": ('"dns", "example.com"', '"6ba7b810-9dad-11d1-80b4-00c04fd430c8", "x"'),
    "format": ('"%s-%d%%", "a", 3', '"%05d|%-5s|%5s|%v", 3, "a", "b", [1, null]', '"%s"', '"%q %t %x %X %b %o", "a\\"b", true, 255, 255, 5, 8',
               '"%v %v", 1.5, {a = "b"}', '"%d", 1.5', '"%s", null', '"%v", null', '"a", 1', '"%+d", 5', '"%s %s", "a", 0.1', '"%s", [1]'),
    "formatlist": ('"%s@x", ["a", "b"]', '"%s-%s", ["a", "b"], "c"', '"%s-%s", ["a", "b"], ["c"]', '"x"', '"%s", toset(["b", "a"])', '"%s", []'),
    "file": ('"users.json"', '"${path.module}/conf/a.txt"', '"none"'),
    "fileexists": ('"users.json"', '"none"', '"conf/../users.json"'),
    "fileset": ('path.module, "conf/*.txt"', '".", "**/*.txt"', '"conf", "**"', '"conf", "*"', '"none", "*"', '"conf", "?.json"'),
    "filemd5": ('"users.json"',),
    "filesha1": ('"users.json"',),
    "filesha256": ('"conf/a.txt"',),
    "filesha512": ('"conf/a.txt"',),
    "filebase64": ('"conf/a.txt"',),
    "filebase64sha256": ('"conf/a.txt"',),
    "parseint": ('"ff", 16', '"-12", 10', '"z", 36', '"8", 8', '"1_0", 10', '10, 10', '"", 10', '"0x1", 16', '"+7", 10'),
    "substr": ('"hello", 1, 3', '"héllo", -2, -1', '"e\\u0301x", 0, 1', '"abc", 5, 1', '"abc", 0, 10', '"abc", -9, 2', '"abc", 1, 0'),
    "range": ("3", "1, 8, 3", "3, 1", "0, 1, 0.25", "0", "1, 1", "5, 0, -2", "0, 5, -1", "0, 5, 0", "2000", "1.5", "-2"),
    "setproduct": ('["a", "b"], [1, 2]', 'toset(["a"]), toset(["b", "c"])', '[], ["a"]', '["a"], [true, "x"]', 'var.strings, var.numbers', '["a"]'),
    "element": ('["a", "b"], 3', '[], 0', 'var.strings, 1', '["a"], -1', '["a", 1], 1.5', 'toset(["a"]), 0'),
    "lookup": ('{ a = 1 }, "a", 2', '{ a = 1 }, "b", "x"', 'var.amounts, "z", "5"', 'var.amounts, "z", "x"', 'var.amounts, "a"', '{ a = 1 }, "b"', 'var.amounts, "z", null'),
    "zipmap": ('["a", "b"], [1, 2]', '["b", "a"], tolist([1, 2])', '["a"], [1, 2]', '["a", "a"], [1, 2]', '[1], ["x"]'),
    "transpose": ('{ a = ["x", "y"], b = ["x"] }', "{}", "{ a = [1] }"),
    "matchkeys": ('["a", "b", "c"], ["x", "y", "x"], ["x"]', "[1, 2], [1], [1]", '[1, 2], ["a", "b"], []'),
    "chunklist": ('["a", "b", "c"], 2', "[1, 2], 0", "[], 2", "[1], -1", "[1, 2], 5", "toset([2, 1]), 1"),
    "indent": ('2, "a\\nb"', '0, "a\\n"', '-1, "a"'),
    "pow": ("2, 10", "2, 0", "10, 3", "-2, 3", "0, 0"),
    "log": ("1, 10", "8, 2"),
    "split": ('",", "a,b,"', '"", "abc"', '"x", ""', '",", ""'),
    "trim": ('"?!hello?!", "!?"', '"abc", ""', '"aab", "a"'),
    "title": ('"hello world"', '"a-b c_d 1e"', '"o\'neil"'),
    "dirname": ('"a/b/c"', '"/a"', '"a"', '"a//b/"', '"../x/y"'),
    "basename": ('"a/b/c"', '"/"', '"a/"', '""'),
    "urlencode": ('"a b&c/é~_-.*"',),
    "jsonencode": ('{ b = 1, a = [true, null, 1.50, "<&>\\u2028é"] }', "var.names", '"\\r\\n\\t\\""', "0.1 + 0.2", "null", "1e20"),
    "coalesce": ('null, "", "a"', '1, "a"', "null, 2", '"", 0', "null", '[], ["a"]', "var.no_text, var.text", 'true, "x"', "{}, { a = 1 }"),
    "coalescelist": ('[], ["a"]', "null, [1]", "var.empty, var.strings", "[]", "toset([1])"),
    "merge": ("{ a = 1 }, { b = 2 }", 'var.amounts, { c = "x" }', "var.amounts, var.amounts", "null, { a = 1 }", "", "{}, {}", 'tomap({ a = 1 }), tomap({ b = "x" })'),
    "contains": ("[true], 1", '["a"], "a"', '[1, "1"], "1"', "var.names, \"a\"", "[], 1", "[null], null", "{ a = 1 }, 1", 'var.numbers, "1"'),
    "distinct": ('[1, "1"]', "[[1], [1]]", "[null, null]", "[true, 1]", 'var.strings', "[0.1 + 0.2, 0.3]"),
    "index": ('["a", "b"], "b"', '["a"], "z"', '[1, 2], "1"'),
    "flatten": ('[[1], [2, [3]]]', '["a", toset(["c", "b"])]', "[null, []]", "var.strings", "[[{ a = 1 }], 2]"),
    "sum": ("[1, 2.5]", '["1", 2]', "[]", "var.numbers", "[0.1, 0.2]", "toset([1, 2])", "[null]"),
    "sort": ('["b", "a", "É", "e", "B"]', "[10, 9]", "[null]"),
    "tonumber": ('"1.50"', '"1_0"', '"0x1"', '" 1"', '"1e3"', "true", '".5"', '"5."', '"+5"', '"-.5e-1"', '"inf"', '"1p3"', "null"),
    "tobool": ('"true"', '"True"', '"1"', "1", "null"),
    "tostring": ("1.50", "1e21", "10 / 3", "true", "[]", "null", "0.1 + 0.2", "-0", "1e-7", "123456789012345678901234567890.5"),
    "one": ("[]", '["a"]', "[1, 2]", "toset([5])", "var.empty", "null"),
    "ceil": ("1.2", "-1.2", "3", "10 / 3"),
    "floor": ("1.8", "-1.2", '"2.5"'),
    "setintersection": ('["a", "b"], ["b", "c"]', 'toset([1]), toset(["1"])', '["a"]', '["b", "a"], var.names, ["a"]'),
    "setsubtract": ('["a", "b"], ["b"]', "var.names, [\"a\"]", "[1, 2], [\"1\"]"),
    "setunion": ('["b"], ["a"]', '["b"]', "[1], [\"x\"]", "[[1]], [[1], [2]]"),
    "templatestring": ("var.text, {}",),
    "max": ("1, 2", '"5", 3', "0.1 + 0.2, 0.3"),
    "min": ("3, 1, 2",),
    "compact": ('["", "a", null]', "[0, \"\"]"),
    "alltrue": ("[]", '["true", true]', "[null]", "[false]", '["x"]'),
    "anytrue": ("[]", '["true"]', "[null, true]"),
}  # fmt: skip
EDGES = (
    "0.1 + 0.2 == 0.3", "1 / 3 * 3 == 1", "1 / 3", "length(var.strings) / 3", "length(var.strings) / length(var.numbers)",
    'toset(["a"]) == ["a"]', 'tolist(["a"]) == ["a"]', "[1] == [1]", "[1] == [\"1\"]", "{ a = 1 } == { a = 1 }",
    "tomap({ a = 1 }) == { a = 1 }", 'null == null', "var.no_text == null", "var.no_text == var.no_number", '1 == "1"', "true == 1",
    "[] == []", "tolist([]) == tolist([])", "[null] == [null]", "[var.no_text] == [null]", "5 % 0", "5 / 0", "-7 % 3", "7 % -3", "5.5 % 2",
    "1e300 * 1e300", "0.1 * 3", "1 - 0.9", "0.1 + 0.7", "(0.1 + 0.2) > 0.3", "true && null", 'true && "true"', "true && 1", "!null",
    'true ? 1 : "a"', "true ? 1 : true", 'true ? ["a"] : ["b", "c"]', "true ? [1] : [\"b\"]", "true ? { a = 1 } : { b = 2 }",
    "true ? { a = 1 } : {}", "true ? null : 1", "false ? null : 1", 'true ? var.no_text : 1', "false ? var.no_text : 1", "true ? [] : var.strings",
    "true ? toset([\"a\"]) : [\"a\", \"b\"]", "true ? var.names : var.strings", "false ? var.names : var.strings", "true ? {} : var.amounts",
    "true ? var.strings : [1]", "false ? var.strings : [1]", "true ? [1, [2]] : [[3]]", "true ? 1 : tonumber(\"x\")", "true ? true : (1 / 0)",
    "true ? [null] : [1]", "true ? [1] : [null]", 'true ? { a = null } : { a = 1 }', "true ? {a = 1, b = \"x\"} : {a = \"y\", b = 2}",
    "true ? toset([1]) : toset([\"a\"])", "true ? toset([]) : var.names", "false ? toset([]) : [\"b\", \"a\", \"b\"]", "true ? [] : toset([\"a\"])",
    "true ? {} : { a = 1 }", "true ? [] : [1, 2]", "true ? [1, 2] : []", 'true ? [1, "a"] : []', "true ? tolist([1]) : tolist([\"a\"])",
    'try(tonumber("x"), "fallback")', "try(local.table.z, 9)", "try(var.user.tags[0], 9)", "try(null.a, 1)", "can(local.table.a)", "can(1 / 0)", "can([][0])",
    "try(1 / 0)", "[for x in var.names : upper(x)]", "{ for k, v in local.table : v => k }", "[for i, x in var.strings : i]", "[for k, x in var.names : k]",
    "{ for x in [1, 1] : x => x }", "{ for x in var.strings : x => x... }", "[for x in null : x]", "[for x in \"ab\" : x]", "[for x in [1, 2] : x if null]",
    "local.records[*].name", "local.records.*.id", "var.nothing[*]", "var.user[*].name", "var.names[*]", "local.records.*.name[0]", "local.records[*].name[0]",
    "var.strings[*]", "[1, 2][*]", "toset([1])[*]", "var.empty[*]", 'var.strings["0"]', "var.strings[1.0]", "var.strings[0.5]", "var.strings[-1]",
    "local.table[\"a\"]", "local.table[1]", '{ "1" = "x" }[1]', "var.names[0]", "local.pair.0", "var.amounts.a", "var.amounts.z", "var.user.extra",
    '"${null}"', '"x${null}"', '"${[1]}"', '"x${[1]}"', '"${1}"', '"${1}${2}"', '"  ${~ 1 ~}  x"', '"%{ if true ~} a %{ else } b %{ endif ~} c"',
    "{ a = 1, a = 2 }", '{ "e\\u0301" = 1 }', '"e\\u0301" == "é"', "{ (null) = 1 }", "{ 1 = 2 }", "{ true = 1 }", "-\"5\"", "!\"true\"", '"5" + "6"', '"a" + 1',
    '"b" < "a"', '"10" < "9"', "1 < null", "max([1, 2, 3]...)", "concat([[1], [2]]...)", "max(toset([1, 2])...)", 'nonsensitive(sensitive("x"))', "issensitive(1)",
    "keys({ b = 1, a = 2 })", "keys(var.amounts)", "values({ b = 1, a = \"x\" })", "length({})", "length(\"e\\u0301\")", "length(\"a\\r\\nb\")", "length(null)", "length(5)",
    "concat(var.strings, var.empty)", "concat(var.strings, [1])", "concat([1], [\"a\"])", "concat(toset([1]), [2])", "concat(var.strings, var.numbers)", "concat()",
    "reverse(toset([\"a\", \"b\"]))", "reverse(var.strings)", "reverse([1, \"a\"])", "slice([1, \"a\", true], 1, 3)", "slice(var.strings, 0, 9)", "slice(var.strings, 1, 2)",
    'upper("ß")', 'lower("ΑΣ")', 'upper("ǆ")', 'trimspace("\\u001c x \\u0085\\u2003")', "tolist(toset([\"b\", \"a\"]))", "tolist(toset([[2], [1]]))", "toset([null, \"a\"])",
    "toset([\"b\", 1, true])", "tolist([1, \"a\", true])", "tolist([true, 1])", "tomap({ a = [1], b = [1, 2] })", "tomap({ a = 1, b = [1] })", "tolist([{ a = 1 }, { a = \"x\" }])",
    "tolist([{ a = 1 }, { b = 1 }])", "tolist([[1], [\"a\", \"b\"]])", "tolist([null, 1])", "tolist([null])", "toset([null])", "tomap({ a = null })", "tolist(null)", "tolist({})",
    "jsondecode(\"{\\\"a\\\": 1, \\\"a\\\": 2}\")", "jsonencode(jsondecode(\"1.10\"))", "yamldecode(\"- 1\\n- 1.10\\n- a b\\n- 'x'\\n\")", "local.users[1].tags[1]",
    "[for u in local.users : u.name]", "{ for u in local.users : u.id => u.name }", "toset([for u in local.users : u.name])", "path.module", "path.root",
    "var.text ? 1 : 2", "\"true\" ? 1 : 2", "null ? 1 : 2", "core::max(1, 2)", "false && (1 / 0 == 1)", "1e1000 == 1e1000", "1.0", "1.10", "1e2", "-0", "0 * -1", "-0.0 == 0",
    "var.mixed", "var.user", "var.text == 7", "var.text == \"7\"", "[for x in var.mixed : x]", "contains(var.mixed, null)", "{ for s in setproduct([\"a\", \"b\"], [\"x\"]) : \"${s[0]}-${s[1]}\" => s[1] }",
)  # fmt: skip


def functions() -> Mapping[str, Function]:
    """Every function that is worked out on values."""
    return {**_EVERYDAY, **_rare()}


def expressions(seed: int, count: int) -> list[str]:
    """The edges of the language, each function's own, then expressions made at random."""
    fixed = [*EDGES, *(f"{name}({arguments})" for name, each in _SPECIAL.items() for arguments in each)]
    made = _made(random.Random(seed))
    return [*fixed, *(next(made) for _ in range(count))]


def _made(source: random.Random) -> Iterator[str]:
    names = sorted(functions())
    maker = _Maker(source, names)
    while True:
        yield maker.expression(2)


class _Maker:
    def __init__(self, source: random.Random, names: list[str]) -> None:
        self._source = source
        self._names = names
        self._forms: list[Callable[[int], str]] = [
            self._call, self._call, self._call, self._arithmetic, self._comparison, self._conditional, self._loop, self._access,
            self._template, self._logic, self._present, self._object,
        ]  # fmt: skip

    def expression(self, depth: int) -> str:
        if depth <= 0:
            return self._atom("any")
        return self._source.choice(self._forms)(depth - 1)

    def _atom(self, kind: str) -> str:
        pools = {
            "string": _STRINGS, "number": _NUMBERS, "bool": _BOOLS, "list": (*_LISTS, *_SETS), "set": (*_SETS, *_LISTS),
            "strings": (*_LISTS, *_SETS), "bools": _LISTS, "map": _MAPS,
        }  # fmt: skip
        if kind not in pools or self._source.random() < 0.06:
            kind = self._source.choice(["string", "number", "bool", "list", "list", "map", "set"])
        return "null" if self._source.random() < 0.02 else self._source.choice(pools[kind])

    def _value(self, kind: str, depth: int) -> str:
        return self.expression(depth) if depth > 0 and self._source.random() < 0.4 else self._atom(kind)

    def _call(self, depth: int) -> str:
        name = self._source.choice(self._names)
        if name in _SPECIAL and self._source.random() < 0.5:
            return f"{name}({self._source.choice(_SPECIAL[name])})"
        params = list(functions()[name].params)
        if params and params[-1].startswith("*"):
            params[-1:] = [params[-1][1:]] * self._source.choice([1, 1, 2, 3])
        words = [param.rstrip("?") for param in params]
        return f"{name}({', '.join(self._value(word, depth) for word in words)})"

    def _arithmetic(self, depth: int) -> str:
        op = self._source.choice("+-*/%")
        return f"({self._value('number', depth)} {op} {self._value('number', depth)})"

    def _comparison(self, depth: int) -> str:
        op = self._source.choice(["==", "==", "!=", "<", ">="])
        kind = self._source.choice(["number", "string", "list", "map"]) if op in ("==", "!=") else "number"
        return f"({self._value(kind, depth)} {op} {self._value(kind, depth)})"

    def _logic(self, depth: int) -> str:
        op = self._source.choice(["&&", "||"])
        return f"({self._value('bool', depth)} {op} {self._value('bool', depth)})"

    def _conditional(self, depth: int) -> str:
        kind = self._source.choice(["string", "number", "list", "map", "any"])
        return f"({self._value('bool', depth)} ? {self._value(kind, depth)} : {self._value(kind, depth)})"

    def _loop(self, depth: int) -> str:
        items = self._value(self._source.choice(["list", "map"]), depth)
        value = self._source.choice(
            ["x", "k", "[k, x]", '"${k}-x"', "{ v = x }", "try(x.name, x)", "x == k", "upper(x)", "x * 2"]
        )
        test = self._source.choice(["", "", " if x != null", ' if k != "a"', " if can(x + 1)"])
        if self._source.random() < 0.6:
            return f"[for k, x in {items} : {value}{test}]"
        grouped = self._source.choice(["", "..."])
        return (
            f"{{ for k, x in {items} : {self._source.choice(['k', 'x', 'try(x.id, k)'])} => {value}{grouped}{test} }}"
        )

    def _access(self, depth: int) -> str:
        form = self._source.choice(["[0]", '["a"]', "[1]", ".a", "[*]", "[*].name", ".*.name", ".name", '["name"]'])
        return f"{self._value(self._source.choice(['list', 'map']), 0)}{form}".replace("]}[", "]}[")

    def _template(self, depth: int) -> str:
        inner = self._value(self._source.choice(["number", "string", "bool"]), depth)
        return (
            self._source.choice(['"${%s}"', '"a${%s}b"', '"  ${~ %s ~} c"', '"%%{ if can(%s) }x%%{ endif }"']) % inner
        )

    def _present(self, depth: int) -> str:
        if self._source.random() < 0.5:
            return f"can({self._value('any', depth)})"
        return f"try({self._value('any', depth)}, {self._atom('any')})"

    def _object(self, depth: int) -> str:
        if self._source.random() < 0.5:
            return f"[{self._value('any', depth)}, {self._value('any', depth)}]"
        return f"{{ a = {self._value('any', depth)}, b = {self._value('any', depth)} }}"
