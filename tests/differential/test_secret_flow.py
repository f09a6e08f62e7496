"""What Terraform itself shows of a secret, the flow carries: expressions at random, with a marker as the secret.

KEYRULES_DIFFERENTIAL_SEED and KEYRULES_DIFFERENTIAL_COUNT make another run; a failure names the expressions.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Mapping
from pathlib import Path

import pytest
from secret_cases import KEY, by_address, outputs, write
from terraform_oracle import TERRAFORM, answers

from keyrules.model import Status

pytestmark = pytest.mark.skipif(TERRAFORM is None, reason="terraform is not on PATH, and nothing else is the measure")

SEED = int(os.environ.get("KEYRULES_DIFFERENTIAL_SEED", "20261128"))
COUNT = int(os.environ.get("KEYRULES_DIFFERENTIAL_COUNT", "600"))
MARKER = "MARKEROFTHESECRET"
INPUTS = """variable "b" { default = "b" }
variable "n" { default = 1 }
variable "m" { default = { a = "x" } }
variable "t" { default = true }
"""
_LONGEST = 1500

# By kind of result: what is written where @ is the secret, and T, O, L, G, C and K are a text, an object, a list, any
# of these, a condition and a name.
FORMS: Mapping[str, tuple[str, ...]] = {
    "T": (
        "@", '"x"', '"p-${T}"', "(C ? T : T)", "try(O.a, T)", "try(O[var.b], T)", "try(L[0], T)", "try(L[var.n], T)",
        "try(tostring(L[1]), T)", 'join(",", [for v in L : try(tostring(v), "z")])', 'try(lookup(O, "a", T), "q")',
        'try(lookup(O, var.b, T), "q")', "try(element(L, 3), T)", "try(element(L, var.n), T)", "jsonencode(O)",
        "jsonencode(L)", "try(keys(O)[0], T)", "try(values(O)[0], T)", "try(tostring(jsondecode(jsonencode(O)).b), T)",
        'replace(T, "x", "w")', 'coalesce(T, "d")', '"%{ for k, v in O }${k}%{ endfor }"',
        "try(tostring(one([for v in L : v if C])), T)",
    ),
    "O": (
        "{ K = G }", "{ K = G, K = G }", "{ K = G, K = G, K = G }", "merge(O, O)", "merge([O, O]...)",
        "try({ for k, v in O : k => v if C }, {})", 'try({ for k, v in O : k => v if k == "a" }, {})',
        "try({ for k, v in O : k => v if k != var.b }, {})", "try({ for k, v in O : k => v... }, {})",
        'try({ for k, v in O : "all" => v... }, {})', 'try({ for i, v in L : "${i}" => v }, {})',
        'try(zipmap([T, "b"], [G, G]), {})', "try(tomap({ a = T, b = T }), {})",
        'try({ for v in L : tostring(v) => "x"... }, {})', "(C ? { a = T } : { a = T })",
        "try(jsondecode(jsonencode(O)), {})",
    ),
    "L": (
        "[G]", "[G, G]", "[G, G, G]", "concat(L, L)", "try(concat([L, L]...), [])", "[for v in L : v]",
        "[for i, v in L : v if i == 0]", "[for i, v in L : v if i == var.n]", "[for k, v in O : k]",
        "[for k, v in O : v]", "values(O)", "keys(O)", "flatten([L, [L]])", "try(slice(L, 0, 1), [])",
        "reverse([T, T])", "[O, O][*]", "try([O, O][*].a, [])", "try(tolist(toset([T, T])), [])",
        'try([for k, v in toset([T, "x"]) : k], [])', 'try(setproduct([T], ["x", T])[0], [])',
    ),
    "C": ("var.t", "true", "false", 'var.b == "b"', "var.n == 1", 'var.b == "a"'),
    "K": ("a", "b", "c", '"a"', "(var.b)", "(T)"),
}  # fmt: skip
ENDS: Mapping[str, tuple[str, ...]] = {
    "T": ("@", '"x"', "var.b"),
    "O": ('{ a = @, b = "x" }', "{ b = @ }", "var.m", "{}"),
    "L": ('[@, "x"]', '["x", @]', "[]", '["x"]'),
    "C": FORMS["C"],
    "K": ("a", "(var.b)"),
}


def made(kind: str, source: random.Random, depth: int) -> str:
    """An expression of a kind, `depth` levels of it at most."""
    kind = source.choice("TTTOOL") if kind == "G" else kind
    form = source.choice((FORMS if depth > 0 else ENDS)[kind])
    # Names in lower case and strings hold none of the letters.
    return "".join(made(part, source, depth - 1) if part in "TOLGCK" else part for part in form)


def test_the_flow_carries_what_terraform_shows(tmp_path: Path) -> None:
    source = random.Random(SEED)
    found = [made("G", source, source.randint(1, 3)) for _ in range(COUNT)]
    found = [expression for expression in found if "@" in expression and len(expression) < _LONGEST]
    (tmp_path / "terraform").mkdir()
    said = answers(tmp_path / "terraform", INPUTS, [each.replace("@", f'"{MARKER}"') for each in found])
    here = "".join(
        f'output "e{number}" {{\n  value = {each.replace("@", "aws_iam_access_key.k.secret")}\n}}\n'
        for number, each in enumerate(found)
    )
    carried = by_address(outputs(write(tmp_path / "here", {"main.tf": f"{KEY}{INPUTS}{here}"})))
    shown = [
        (number, each)
        for number, (each, answer) in enumerate(zip(found, said, strict=True))
        if not answer.refused and not answer.unknown and MARKER in json.dumps(answer.value, default=str)
    ]
    missed = [each for number, each in shown if carried.get(f"output.e{number}") is not Status.FAIL]
    assert not missed, "\n".join(missed[:20])
    # Neither all of them show it nor none, or nothing is measured.
    assert len(found) / 4 < len(shown) < len(found)
