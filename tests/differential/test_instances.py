"""Which instances `count` and `for_each` make, measured by Terraform on twins made of terraform_data."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from terraform_cases import root_scope, write
from terraform_expressions import FILES, WORLD, Maker, pool
from terraform_oracle import TERRAFORM, instances

from keyrules.code.terraform.evaluate import instance_keys

pytestmark = pytest.mark.skipif(TERRAFORM is None, reason="terraform is not on PATH, and nothing else is the measure")

SEED = int(os.environ.get("KEYRULES_DIFFERENTIAL_SEED", "20261128"))
COUNT = int(os.environ.get("KEYRULES_DIFFERENTIAL_COUNT", "2500")) // 20


def blocks() -> Iterator[tuple[str, str]]:
    maker = Maker(random.Random(SEED))
    for number, expression in enumerate(
        [*pool("count"), *(f"length([try({maker.expression(2)}, 1)])" for _ in range(COUNT))]
    ):
        yield f"c{number}", f"count = {expression}"
    made = (f'{{ for x in [try({maker.expression(1)}, 1)] : try(tostring(x), "none") => 1 }}' for _ in range(COUNT))
    for number, expression in enumerate([*pool("for_each"), *made]):
        yield f"e{number}", f"for_each = {expression}"


def test_blocks_have_the_instances_that_terraform_makes_or_are_open(tmp_path: Path) -> None:
    made = dict(blocks())
    write(tmp_path, FILES)
    wanted = instances(tmp_path, WORLD, made)
    scope = root_scope(tmp_path)
    named = [f'resource "terraform_data" "{name}" {{\n  {body}\n}}\n' for name, body in made.items()]
    write(tmp_path, {"main.tf": WORLD + "".join(named)})
    scope = root_scope(tmp_path)
    different: list[str] = []
    decided = 0
    for name, body in made.items():
        keys = instance_keys(scope.module.resources[f"terraform_data.{name}"], scope)
        expected = wanted[name]
        if keys is not None:
            decided += 1
            if expected is None or list(keys) != expected:
                different.append(f"{body}\n  here: {keys}\n  Terraform: {expected}")
    assert not different, "\n".join(different[:20])
    # What Terraform refuses cannot be applied and is open here.
    assert decided >= 0.95 * sum(expected is not None for expected in wanted.values())
