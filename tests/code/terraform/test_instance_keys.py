"""The instances of blocks with count and for_each: by Terraform's types, and open where Terraform would refuse them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from terraform_cases import root_scope, write

from keyrules.code.terraform.evaluate import UNKNOWN, evaluate, instance_keys
from keyrules.code.terraform.scope import Frame

WORLD = """
variable "unset" {}
variable "names" {
  type    = set(string)
  default = ["b", "a", "b"]
}
variable "given" { type = list(string) }
variable "none" {
  type    = list(string)
  default = null
}
variable "switch" {
  type    = bool
  default = true
}
"""


def keys_of(folder: Path, argument: str, **files: str) -> Any:
    write(folder, {name.replace("__", "."): text for name, text in files.items()})
    write(folder, {"main.tf": f'{WORLD}resource "terraform_data" "t" {{\n  {argument}\n}}\n'})
    scope = root_scope(folder)
    return instance_keys(scope.module.resources["terraform_data.t"], scope)


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("", (None,)),
        ("count = 0", ()),
        ('count = "2"', (0, 1)),
        ("count = 2.0", (0, 1)),
        ("count = -0", ()),
        ("count = 0.1 + 0.2 == 0.3 ? 1 : 0", (0,)),
        ('count = toset(["a"]) == ["a"] ? 1 : 0', ()),
        ("count = contains([true], 1) ? 1 : 0", ()),
        ('count = length(distinct([1, "1"]))', (0,)),
        ("count = var.switch ? 1 : var.unset", (0,)),
        ("count = var.switch ? 0 : var.unset", ()),
        ("count = length(var.none == null ? [] : var.none)", ()),
        ('count = length(var.none != null ? var.none : ["a"])', (0,)),
        ("for_each = var.names", ("a", "b")),
        ('for_each = toset(["b", "a", "b"])', ("a", "b")),
        ("for_each = toset([])", ()),
        ("for_each = {}", ()),
        ('for_each = { b = 1, a = var.unset }', ("a", "b")),
        ('for_each = var.switch ? toset(["a"]) : []', ("a",)),
        ('for_each = var.switch ? toset([]) : toset(var.given)', ()),
        ('for_each = toset(["e\\u0301", "é"])', ("é",)),
    ],
)  # fmt: skip
def test_instances_are_those_that_terraform_makes(tmp_path: Path, argument: str, expected: Any) -> None:
    assert keys_of(tmp_path, argument) == expected


@pytest.mark.parametrize(
    "argument",
    [
        "count = null",
        'count = ""',
        "count = -1",
        "count = 1.5",
        "count = true",
        "count = 1e9",
        "count = var.unset",
        'count = timestamp() == "" ? 0 : 1',
        "for_each = null",
        'for_each = "a"',
        'for_each = ["a", "b"]',
        "for_each = []",
        "for_each = toset([true])",
        'for_each = toset(["a", null])',
        "for_each = toset(var.given)",
        'for_each = toset([var.unset, "a"])',
        "for_each = { (var.unset) = 1 }",
        'for_each = { for x in ["a", "a"] : x => x }',
    ],
)
def test_what_terraform_refuses_or_nobody_knows_is_open(tmp_path: Path, argument: str) -> None:
    assert keys_of(tmp_path, argument) is None


def test_users_of_a_file_are_told_apart(tmp_path: Path) -> None:
    write(tmp_path, {"users.json": '[{"id": "1", "name": "ann"}, {"id": "2", "name": "ann"}]'})
    block = """
        resource "aws_iam_access_key" "k" {
          for_each = { for u in jsondecode(file("${path.module}/users.json")) : u.id => u.name }
          user     = each.value
        }
        """
    write(tmp_path, {"main.tf": block})
    scope = root_scope(tmp_path)
    declared = scope.module.resources["aws_iam_access_key.k"]
    assert instance_keys(declared, scope) == ("1", "2")
    users = [evaluate(declared.value("user"), Frame(scope, key, declared)) for key in ("1", "2")]
    assert users == ["ann", "ann"]


# What try() makes of what there is no instance of, as Terraform 1.11.4 says it; open where an input decides.
OTHERS = """
resource "terraform_data" "off" {
  count = 0
  input = 0
}
resource "terraform_data" "one" {
  count = 1
  input = 0
}
resource "terraform_data" "each" {
  for_each = { a = 0 }
  input    = each.value
}
resource "terraform_data" "open" {
  count = var.unset
  input = 0
}
module "off" {
  source = "./m"
  count  = 0
}
module "each" {
  source   = "./m"
  for_each = toset(["a"])
}
"""


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("try(terraform_data.off[0].input, 1)", 1),
        ("try(terraform_data.one[0].input, 1)", 0),
        ('try(terraform_data.one["0"].input, 1)', 0),
        ("try(terraform_data.one[1].input, 1)", 1),
        ('try(terraform_data.each["a"].input, 1)', 0),
        ('try(terraform_data.each["b"].input, 1)', 1),
        ("try(terraform_data.off[0], 1)", 1),
        ("try(module.off[0].out, 1)", 1),
        ('try(module.each["a"].out, 1)', 0),
        ('try(module.each["b"].out, 1)', 1),
        ("can(terraform_data.off[0].input)", False),
        ("can(terraform_data.one[0].input)", True),
        ("try(terraform_data.open[0].input, 1)", UNKNOWN),
        ("try([terraform_data.open[0].input], 1)", UNKNOWN),
        ("can(terraform_data.open[0].input)", UNKNOWN),
        ("try(terraform_data.one[var.unset].input, 1)", UNKNOWN),
        ("try(terraform_data.one[*].input, 1)", [0]),
        # Outside of try() it is refused where there is none, so that it is worth this wherever it is worth anything.
        ("terraform_data.open[0].input", 0),
        ("terraform_data.off[0].input", UNKNOWN),
    ],
)
def test_an_instance_that_is_not_there_is_worth_nothing(tmp_path: Path, expression: str, expected: Any) -> None:
    write(tmp_path, {"m/main.tf": 'output "out" {\n  value = 0\n}\n'})
    write(tmp_path, {"main.tf": f"{WORLD}{OTHERS}locals {{\n  it = {expression}\n}}\n"})
    scope = root_scope(tmp_path)
    assert evaluate(scope.module.locals["it"].value("value"), Frame(scope)) == expected


def test_instances_that_rest_on_each_other_end(tmp_path: Path) -> None:
    """Each block asks twice for the instances of the one before it."""
    block = 'resource "terraform_data" "t%d" {\n  count = %s\n  input = 1\n}\n'
    twice = "terraform_data.t%d[0].input * terraform_data.t%d[0].input"
    chain = "".join(block % (n, twice % (n - 1, n - 1)) for n in range(1, 41))
    write(tmp_path, {"main.tf": block % (0, "1") + chain + block % (99, "terraform_data.t99[0].input")})
    scope = root_scope(tmp_path)
    assert instance_keys(scope.module.resources["terraform_data.t40"], scope) in ((0,), None)
    assert instance_keys(scope.module.resources["terraform_data.t99"], scope) in ((0,), None)
