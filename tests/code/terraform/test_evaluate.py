"""What expressions are worth: Terraform's arithmetic, functions and references; UNKNOWN where it is left open."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from terraform_cases import module

from keyrules.code.terraform.evaluate import UNKNOWN, evaluate, number, truth, variable
from keyrules.code.terraform.scope import Frame, Scope

WORLD = """
variable "unset" {}
variable "days" { default = 30 }
variable "text" { default = "45" }
variable "off" { default = false }
variable "nothing" { default = null }
variable "settings" {
  type = object({
    days  = optional(number, 60)
    name  = optional(string)
    inner = optional(object({ hours = optional(number, 12) }), {})
  })
  default = { name = "n" }
}
variable "users" {
  type    = map(object({ days = optional(number, 15), team = string }))
  default = { a = { team = "x" }, b = { team = "y", days = "20" } }
}
variable "number_text" {
  type    = string
  default = 7
}
locals {
  list  = [1, 2, 3]
  table = { a = 1, b = 2 }
  loop  = local.other
  other = local.loop
  part  = { known = 5, open = var.unset }
}
resource "aws_iam_user" "one" { name = "one" }
resource "aws_iam_user" "each" {
  for_each = { a = "A", b = "B" }
  name     = each.value
}
resource "aws_iam_user" "counted" {
  count = 2
  name  = "user-${count.index}"
}
data "aws_iam_user" "d" { user_name = "existing" }
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Scope:
    return module(tmp_path_factory.mktemp("world"), WORLD)


def worth(folder: Path, expression: str, more: str = "") -> Any:
    scope = module(folder, f"{WORLD}{more}\nlocals {{\n  answer = {expression}\n}}\n")
    return evaluate(scope.module.locals["answer"].value("value"), Frame(scope))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("7 / 2", 3.5),
        ("-7 % 3", -1),
        ("7 % -3", 1),
        ('"5" + 1', 6),
        ("1 / 0", UNKNOWN),
        ("1 % 0", 1),
        ("true + 1", UNKNOWN),
        ("1e30 * 1e30", 10**60),
        ("-var.days", -30),
        ("!var.off", True),
        ('!"false"', True),
        ("var.unset + 1", UNKNOWN),
        ("var.text * 2", 90),
        ("1 < 2 && 2 < 3", True),
        ("var.unset && false", False),
        ("var.unset || true", True),
        ("var.unset || false", UNKNOWN),
        ('1 == "1"', False),
        ("true == 1", False),
        ("1 == 1.0", True),
        ("var.nothing == null", True),
        ("var.unset == null", UNKNOWN),
        ("[var.unset] == [var.unset]", UNKNOWN),
        ("[1, 2] == [1, 2]", True),
        ("var.off ? 1 : 2", 2),
        ("var.unset ? 1 : 2", UNKNOWN),
        ("var.unset ? 4 : 4", 4),
        ("local.list[1]", 2),
        ("local.list[3]", UNKNOWN),
        ("local.list[-1]", UNKNOWN),
        ('local.table["b"]', 2),
        ("local.table.c", UNKNOWN),
        ("local.loop", UNKNOWN),
        ("local.missing", UNKNOWN),
        ('"a-${var.days}"', "a-30"),
        ('"${var.days}"', 30),
        ('"${true}-${1.0}-${1.5}"', "true-1-1.5"),
        ('"x${var.unset}"', UNKNOWN),
        ("[for n in local.list : n * 2 if n > 1]", [4, 6]),
        ("{ for k, v in local.table : v => k }", {"1": "a", "2": "b"}),
        ("{ for n in [1, 2, 3] : n % 2 => n... }", {"1": [1, 3], "0": [2]}),
        ("[for n in var.unset : n]", UNKNOWN),
        ("[for n in local.list : n if var.unset]", UNKNOWN),
        ("path.module", "."),
    ],
)
def test_operators_and_references(tmp_path: Path, expression: str, expected: Any) -> None:
    assert worth(tmp_path, expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("min(3, 1, 2)", 1),
        ("max(local.list...)", 3),
        ("concat([[1], [2]]...)", [1, 2]),
        ("merge([{ a = 1 }, { b = 2 }]...)", {"a": 1, "b": 2}),
        ("ceil(1.2)", 2),
        ("floor(-1.2)", -2),
        ("abs(-3)", 3),
        ("signum(-3)", -1),
        ("pow(2, 10)", 1024),
        ("pow(10, 1e9)", UNKNOWN),
        ("sum([1, 2.5])", 3.5),
        ("range(3)", [0, 1, 2]),
        ("range(3, 1)", [3, 2]),
        ("range(1, 8, 3)", [1, 4, 7]),
        ("range(1e12)", UNKNOWN),
        ("range(0, 1, 1e-9)", UNKNOWN),
        ("range(0, 5, 0)", UNKNOWN),
        ('parseint("ff", 16)', 255),
        ('tonumber("12")', 12),
        ('tonumber("1_000")', UNKNOWN),
        ('tonumber(" 1")', UNKNOWN),
        ('tobool("yes")', UNKNOWN),
        ("tostring(30)", "30"),
        ('toset(["b", "a", "b"])', ["a", "b"]),
        ("length(local.table)", 2),
        ("length([var.unset])", 1),
        ("contains([var.unset, 1], 2)", UNKNOWN),
        ("distinct([1, 2, 1])", [1, 2]),
        ('compact(["", "a", null])', ["a"]),
        ("compact([var.unset])", UNKNOWN),
        ("keys({ b = 1, a = var.unset })", ["a", "b"]),
        ("values({ b = 1, a = 2 })", [2, 1]),
        ('lookup(local.table, "c", 9)', 9),
        ('lookup(local.table, "c")', UNKNOWN),
        ("element([1, 2, 3], 4)", 2),
        ("element([], 0)", UNKNOWN),
        ("flatten([[1, [2]], 3])", [1, 2, 3]),
        ('zipmap(["a"], [1])', {"a": 1}),
        ('format("%s-%d%%", "a", 3)', "a-3%"),
        ('format("%05d", 3)', "00003"),
        ('format("%05.1f", 3)', UNKNOWN),
        ('replace("a-b", "-", "_")', "a_b"),
        ('replace("a-b", "/[a-z]/", "_")', "_-_"),
        ('replace("aab", "/(a+)+b/", "_")', UNKNOWN),
        ('substr("abcdef", 1, 3)', "bcd"),
        ('substr("abcdef", -2, -1)', "ef"),
        ('join("-", ["a", 1])', "a-1"),
        ('split(",", "a,b")', ["a", "b"]),
        ("one([])", None),
        ("one([1])", 1),
        ("one([1, 2])", UNKNOWN),
        ('coalesce(null, "", "a")', "a"),
        ("coalesce(var.unset, 1)", UNKNOWN),
        ("try(local.table.c, 9)", 9),
        ("try(local.table.a, 9)", 1),
        ("try(var.unset.c, 9)", UNKNOWN),
        ("try(var.nothing.c, 9)", 9),
        ("try(local.part.open, 9)", UNKNOWN),
        ("try(aws_iam_user.one.arn, 9)", UNKNOWN),
        ("nonsensitive(sensitive(3))", 3),
        ('file("x")', UNKNOWN),
        ("length(aws_iam_user.one)", UNKNOWN),
    ],
)
def test_functions(tmp_path: Path, expression: str, expected: Any) -> None:
    assert worth(tmp_path, expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("var.settings.days", 60),
        ("var.settings.name", "n"),
        ("var.settings.inner.hours", 12),
        ('var.users["a"].days', 15),
        ('var.users["b"].days', 20),
        ("var.number_text", "7"),
        ("aws_iam_user.one.name", "one"),
        ("aws_iam_user.one.id", "one"),
        ("aws_iam_user.one.arn", UNKNOWN),
        ('aws_iam_user.each["a"].name', "A"),
        ("aws_iam_user.counted[1].name", "user-1"),
        ("aws_iam_user.counted[*].name", ["user-0", "user-1"]),
        ("aws_iam_user.one[*].name", ["one"]),
        ("[for k, u in aws_iam_user.each : u.name]", ["A", "B"]),
        ("keys(aws_iam_user.each)", ["a", "b"]),
        ("data.aws_iam_user.d.user_name", "existing"),
        ("data.aws_iam_user.d.arn", UNKNOWN),
        ("aws_iam_user.missing.name", UNKNOWN),
    ],
)
def test_declarations(tmp_path: Path, expression: str, expected: Any) -> None:
    assert worth(tmp_path, expression) == expected


def test_numbers_and_truth_are_converted_as_terraform_does() -> None:
    good = {"1": 1, "-1.5": -1.5, "1e3": 1000, ".5": 0.5}
    assert {shown: number(shown) for shown in good} == good
    bad = ("1_0", "0x1", "nan", "inf", " 1", "", "1e999", True, None, [1], 10**400)
    assert [number(value) for value in bad] == [None] * len(bad)
    assert [truth(v) for v in (True, "true", "false", "True", 1, None)] == [True, True, False, None, None, None]


class Term:
    """An expression with what it is worth, worked out by Python itself."""

    def __init__(self, text: str, value: float) -> None:
        self.text = text
        self.value = value

    def __repr__(self) -> str:
        return f"{self.text} = {self.value}"


def binary(pair: tuple[str, Term, Term]) -> Term:
    op, a, b = pair
    if op in ("/", "%") and b.value == 0:
        return a
    results = {
        "+": lambda: a.value + b.value,
        "-": lambda: a.value - b.value,
        "*": lambda: a.value * b.value,
        "/": lambda: a.value / b.value,
        "%": lambda: math.fmod(a.value, b.value),
        "min": lambda: min(a.value, b.value),
        "max": lambda: max(a.value, b.value),
    }
    text = f"{op}({a.text}, {b.text})" if op in ("min", "max") else f"({a.text} {op} {b.text})"
    return Term(text, results[op]())


def single(pair: tuple[str, Term]) -> Term:
    op, a = pair
    if op == "-":
        return Term(f"(-({a.text}))", -a.value)
    return Term(f"{op}({a.text})", getattr(math, op)(a.value))


LEAVES = st.one_of(
    st.integers(-50, 400).map(lambda n: Term(f"({n})", n)),
    st.integers(0, 9).map(lambda n: Term(f"var.v{n}", n * 7)),
    st.integers(0, 9).map(lambda n: Term(f"local.l{n}", n * 7 + 1)),
)
TERMS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["+", "-", "*", "/", "%", "min", "max"]), inner, inner).map(binary),
        st.tuples(st.sampled_from(["-", "ceil", "floor"]), inner).map(single),
    ),
    max_leaves=8,
)


@settings(deadline=None, max_examples=150)
@given(term=TERMS)
def test_arithmetic_through_variables_locals_and_modules_is_pythons(
    tmp_path_factory: pytest.TempPathFactory, term: Term
) -> None:
    assume(abs(term.value) < 1e12)
    inputs = "".join(f'variable "v{n}" {{\n  default = {n * 7}\n}}\n' for n in range(10))
    named = "locals {\n" + "".join(f"  l{n} = var.v{n} + 1\n" for n in range(10)) + "}\n"
    call = f'module "m" {{\n  source = "./m"\n  given  = {term.text}\n}}\n'
    child = 'variable "given" {}\noutput "given" {\n  value = var.given\n}\n'
    answer = "locals {\n  answer = module.m.given\n}\n"
    root = module(tmp_path_factory.mktemp("sum"), inputs + named + call + answer, m__main=child)
    found = evaluate(root.module.locals["answer"].value("value"), Frame(root))
    assert found == pytest.approx(term.value, rel=1e-9, abs=1e-9)
    inner = root.child("m")
    assert inner is not None
    assert variable("given", inner) == found


HOSTILE = {
    "locals in a circle": ("local.a", "  a = local.b\n  b = [local.a]\n"),
    "doubling lists": ("local.l59 == local.m59", "".join(
        f"  {x}{n} = [local.{x}{n - 1}, local.{x}{n - 1}]\n" for x in "lm" for n in range(1, 60))
        + "  l0 = 1\n  m0 = 1\n"),
    "flattened doubling lists": ("length(flatten(local.l59))", "  l0 = [1]\n" + "".join(
        f"  l{n} = [local.l{n - 1}, local.l{n - 1}]\n" for n in range(1, 60))),
    "doubling strings": ("local.s59", '  s0 = "xxxxxxxx"\n' + "".join(
        f'  s{n} = "${{local.s{n - 1}}}${{local.s{n - 1}}}"\n' for n in range(1, 60))),
    "loops in loops": ("[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : a]]]", ""),
    "joined texts": ('join("", [for n in range(1000) : join("", [for m in range(1000) : "xxxx"])])', ""),
    "a long chain": ("local.l999", "  l0 = 1\n" + "".join(f"  l{n} = local.l{n - 1} + 1\n" for n in range(1, 1000))),
    "a deep expression": ("(" * 90 + "1" + ")" * 90 + " + 1" * 90, ""),
    "a power of powers": ("pow(pow(10, 60), 60)", ""),
    "a long list": ("length([" + "1, " * 5000 + "1])", ""),
}  # fmt: skip


@pytest.mark.parametrize(("expression", "inside"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_expressions_end(tmp_path: Path, expression: str, inside: str) -> None:
    found = worth(tmp_path, expression, f"locals {{\n{inside}}}\n" if inside else "")
    assert found is UNKNOWN or (len(found) <= 1024 if isinstance(found, list) else isinstance(found, (int, bool)))


def test_a_module_that_passes_its_own_output_in_ends(tmp_path: Path) -> None:
    call = 'module "m" {\n  source = "./m"\n  given  = module.m.given\n}\nlocals {\n  answer = module.m.given\n}\n'
    child = 'variable "given" {}\noutput "given" {\n  value = var.given\n}\n'
    root = module(tmp_path, call, m__main=child)
    assert evaluate(root.module.locals["answer"].value("value"), Frame(root)) is UNKNOWN
