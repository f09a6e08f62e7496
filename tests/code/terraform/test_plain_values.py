"""Expressions as plain values with holes, and the policy documents that data sources make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from terraform_cases import root_scope, write

from keyrules.code.terraform.plain_values import plain_value
from keyrules.code.terraform.scope import Frame
from keyrules.policies.patterns import HOLE

MAIN = """
variable "open" {}
variable "known" { default = "k" }
locals {
  text  = "a-${var.open}"
  list  = [var.open, "x"]
  of_for = { for n in ["a", "b"] : n => "arn:${n}:${var.open}" }
}
module "m" {
  source = "./m"
  given  = { name = var.open, kind = "fixed" }
}
resource "aws_iam_user" "ann" {
  name = "ann"
  path = "/team/"
}
resource "aws_iam_user" "any" { name = var.open }
resource "aws_iam_policy" "p" {
  for_each = { one = jsonencode({ Statement = [{ Action = var.open }] }) }
  name     = each.key
  policy   = each.value
}
data "aws_iam_policy_document" "base" {
  statement {
    sid       = "A"
    actions   = ["s3:*"]
    resources = ["arn:aws:s3:::${var.open}/*"]
  }
  dynamic "statement" {
    for_each = ["iam:*", "ec2:*"]
    content {
      effect    = "Deny"
      actions   = [statement.value]
      resources = ["arn:aws:iam::*:user/&{aws:username}"]
    }
  }
}
data "aws_iam_policy_document" "over" {
  source_policy_documents = [data.aws_iam_policy_document.base.json]
  statement {
    sid         = "A"
    not_actions = ["iam:*"]
    resources   = ["*"]
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = [var.open]
    }
  }
}
data "aws_iam_policy_document" "open_rounds" {
  dynamic "statement" {
    for_each = var.open
    content { actions = ["*"] }
  }
}
data "aws_iam_policy_document" "of_itself" {
  source_policy_documents = [data.aws_iam_policy_document.of_itself.json]
}
"""
MODULE = """
variable "given" {}
output "name" { value = "n-${var.given.name}" }
output "kind" { value = var.given.kind }
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    template = '{"Resource": "arn:aws:s3:::${bucket}/*"}'
    return write(tmp_path_factory.mktemp("values"), {"main.tf": MAIN, "m/main.tf": MODULE, "p.tpl": template})


def value(folder: Path, expression: str) -> Any:
    """What an expression in that root module is worth."""
    (folder / "probe.tf").write_text(f"locals {{\n  probe = {expression}\n}}\n")
    scope = root_scope(folder)
    return plain_value(scope.module.locals["probe"].value("value"), Frame(scope))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('"x"', "x"),
        ("null", None),
        ("var.known", "k"),
        ("var.open", HOLE),
        ("local.text", f"a-{HOLE}"),
        ("local.list", [HOLE, "x"]),
        ("[local.list, 1]", [[HOLE, "x"], 1]),
        ("concat(local.list, [var.known])", [HOLE, "x", "k"]),
        ("toset(local.list)", [HOLE, "x"]),
        ("jsonencode({ a = [var.open] })", {"a": [HOLE]}),
        ('"${jsonencode({ a = var.open })}"', {"a": HOLE}),
        ("{ (var.open) = 1 }", {HOLE: 1}),
        ('true ? "arn:${var.open}" : "x"', f"arn:{HOLE}"),
        ('var.open ? "a" : "b"', HOLE),
        ("module.m.name", f"n-{HOLE}"),
        ("module.m.kind", "fixed"),
        ('templatefile("p.tpl", { bucket = var.open })', f'{{"Resource": "arn:aws:s3:::{HOLE}/*"}}'),
        ('templatefile("missing.tpl", { bucket = var.open })', HOLE),
        ("aws_iam_user.ann.arn", f"arn:{HOLE}:iam::{HOLE}:user/team/ann"),
        ("aws_iam_user.any.arn", f"arn:{HOLE}:iam::{HOLE}:user/{HOLE}"),
        ("aws_iam_user.ann.unique_id", HOLE),
        ('aws_iam_policy.p["one"].policy', {"Statement": [{"Action": HOLE}]}),
        ("merge({ a = 1 }, { b = var.open })", {"a": 1, "b": HOLE}),
        ("data.aws_iam_policy_document.missing.json", HOLE),
    ],
)
def test_an_expression(folder: Path, expression: str, expected: object) -> None:
    assert value(folder, expression) == expected


class TestDocuments:
    def test_statements_with_their_defaults_and_the_rounds_of_dynamic_ones(self, folder: Path) -> None:
        found = value(folder, "data.aws_iam_policy_document.base.json")["Statement"]
        own = "arn:aws:iam::*:user/${aws:username}"
        assert [(one["Effect"], one["Action"], one["Resource"]) for one in found] == [
            ("Allow", ["s3:*"], [f"arn:aws:s3:::{HOLE}/*"]),
            ("Deny", ["iam:*"], [own]),
            ("Deny", ["ec2:*"], [own]),
        ]

    def test_a_statement_of_the_same_sid_takes_the_place_of_another(self, folder: Path) -> None:
        first, *rest = value(folder, "data.aws_iam_policy_document.over.minified_json")["Statement"]
        assert len(rest) == 2 and first["NotAction"] == ["iam:*"] and "Action" not in first
        assert first["Condition"] == {"Bool": {"aws:SecureTransport": HOLE}}

    def test_what_is_open_is_a_hole(self, folder: Path) -> None:
        assert value(folder, "data.aws_iam_policy_document.open_rounds.json") == {"Statement": [HOLE]}

    def test_one_that_is_made_of_itself_ends(self, folder: Path) -> None:
        assert value(folder, "data.aws_iam_policy_document.of_itself.json") == {"Statement": [HOLE]}


def test_what_is_put_together_of_itself_again_and_again_ends(tmp_path: Path) -> None:
    doubled = "\n".join(f"  l{n + 1} = [local.l{n}, local.l{n}]" for n in range(40))
    write(tmp_path, {"main.tf": f'variable "open" {{}}\nlocals {{\n  l0 = var.open\n{doubled}\n}}\n'})
    assert value(tmp_path, "local.l40") is not None
