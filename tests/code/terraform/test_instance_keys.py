"""The instances of blocks with count and for_each: by Terraform's types, and open where Terraform would refuse them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from terraform_cases import root_scope, write

from keyrules.code.terraform.evaluate import evaluate, instance_keys
from keyrules.code.terraform.scope import Frame

WORLD = """
variable "unset" {}
variable "names" {
  type    = set(string)
  default = ["b", "a", "b"]
}
variable "given" { type = list(string) }
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
