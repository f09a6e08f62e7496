"""Whatever an expression asks for, the answer is there at once: too much work is open."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from terraform_cases import module

from keyrules.code.terraform.evaluate import UNKNOWN, evaluate
from keyrules.code.terraform.scope import Frame

LONG = 'join("", [for n in range(1000) : "aaaaaaaaaa"])'
HOSTILE = (
    "pow(10, 1e9)",
    "pow(9, 9e9)",
    "1e4000",
    "1e1300 * 1e1300",
    "1e-900 * 1e-900",
    'format("%1000000000d", 1)',
    'format("%-999999999s", "a")',
    "range(1000000000)",
    "range(0, 1, 1e-9)",
    "setproduct(range(1000), range(1000), range(1000), range(1000))",
    'indent(1000000000, "a\\nb")',
    f'replace({LONG}, "/(a+)+$/", "x")',
    f'regex("(a|aa)+$", {LONG})',
    f'regex("a*a*a*a*a*b", {LONG})',
    f'replace({LONG}, "a", {LONG})',
    f'join({LONG}, range(1000))',
    f'split("a", {LONG})',
    'jsondecode(join("", [for n in range(1000) : "["]))',
    'yamldecode(join("", [for n in range(1000) : "["]))',
    'cidrsubnets("10.0.0.0/8", [for n in range(2000) : 8]...)',
    'parseint(join("", [for n in range(1000) : "9"]), 10)',
    'tonumber(join("", [for n in range(1000) : "9"]))',
    'timeadd("2024-01-01T00:00:00Z", "999999999h")',
    "timestamp()",
    "uuid()",
    'bcrypt("x")',
    "plantimestamp()",
    "provider::time::rfc3339_parse(\"x\")",
)  # fmt: skip


@pytest.mark.parametrize("expression", HOSTILE)
def test_too_much_is_open_at_once(tmp_path: Path, expression: str) -> None:
    text = f'tonumber("{expression}")' if expression.isalnum() else f"try({expression}, {expression})"
    scope = module(tmp_path, f"locals {{\n  answer = {text}\n}}\n")
    started = time.process_time()
    found = evaluate(scope.module.locals["answer"].value("value"), Frame(scope))
    assert time.process_time() - started < 2
    assert found is UNKNOWN
