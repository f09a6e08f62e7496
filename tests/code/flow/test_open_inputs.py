"""What whoever runs a root may set decides nothing about where a secret goes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from secret_cases import KEY, by_address, sinks, write

from keyrules.model import Status

# What a module does with what its caller hands it; @ is what decides.
DECIDED_IN_A_MODULE = {
    "condition": '[for n, x in { a = var.secret, b = "x" } : x if n == @][0]',
    "index": '{ a = var.secret, b = "x" }[@]',
    "merge": 'merge({ b = var.secret }, { (@) = "x" }).b',
}


@pytest.mark.parametrize("case", DECIDED_IN_A_MODULE)
@pytest.mark.parametrize(
    ("chosen", "files", "status"),
    [
        ("var.chosen", {}, Status.FAIL),
        ("module.names.back", {}, Status.FAIL),
        ('"b"', {}, None),
        ("var.chosen", {"terraform.tfvars": 'chosen = "b"\n'}, None),
    ],
)
def test_only_inputs_that_a_root_leaves_open_are_open_in_its_modules(
    tmp_path: Path, case: str, chosen: str, files: Mapping[str, str], status: Status | None
) -> None:
    decided = DECIDED_IN_A_MODULE[case].replace("@", "var.chosen")
    main = f"""{KEY}variable "chosen" {{
  default = "b"
}}
module "names" {{
  source = "./echo"
  given  = var.chosen
}}
module "part" {{
  source = "./part"
  secret = aws_iam_access_key.k.secret
  chosen = {chosen}
}}
resource "aws_s3_object" "sink" {{
  content = module.part.back
}}
"""
    part = f'variable "secret" {{}}\nvariable "chosen" {{}}\noutput "back" {{\n  value = {decided}\n}}\n'
    echo = 'variable "given" {}\noutput "back" {\n  value = var.given\n}\n'
    folder = write(tmp_path, {"main.tf": main, "part/main.tf": part, "echo/main.tf": echo, **files})
    assert by_address(sinks(folder)).get("aws_s3_object.sink") is status
