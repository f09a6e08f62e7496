"""What expressions are worth, measured by Terraform itself: the edges of the language, then thousands at random.

KEYRULES_DIFFERENTIAL_SEED and KEYRULES_DIFFERENTIAL_COUNT make another run; a failure names the expression.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
from terraform_cases import root_scope, write
from terraform_comparison import compared
from terraform_expressions import FILES, WORLD, expressions
from terraform_oracle import TERRAFORM, answers

pytestmark = pytest.mark.skipif(TERRAFORM is None, reason="terraform is not on PATH, and nothing else is the measure")

SEED = int(os.environ.get("KEYRULES_DIFFERENTIAL_SEED", "20261128"))
COUNT = int(os.environ.get("KEYRULES_DIFFERENTIAL_COUNT", "2500"))
BATCH = 400
LEAST_DECIDED = 0.9


def test_an_expression_is_worth_what_terraform_says_or_open(tmp_path: Path) -> None:
    made = expressions(SEED, COUNT)
    write(tmp_path, FILES)
    found = [answer for at in range(0, len(made), BATCH) for answer in answers(tmp_path, WORLD, made[at : at + BATCH])]
    write(tmp_path, {"main.tf": WORLD})
    scope = root_scope(tmp_path)
    counts: Counter[str] = Counter()
    different: list[str] = []
    for expression, answer in zip(made, found, strict=True):
        verdict, shown = compared(expression, answer, scope)
        counts[verdict] += 1
        if verdict == "different":
            different.append(f"{expression}\n  here: {shown}\n  Terraform: {answer}")
    assert not different, "\n".join(different[:20])
    # What is open for everything is never different.
    assert counts["same"] >= LEAST_DECIDED * len(made), counts
