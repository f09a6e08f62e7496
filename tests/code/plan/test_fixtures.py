"""Each plan fixture names its subjects by the verdict that its rule must give."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from plan_context import FIXTURES, RULES, judge_plan

from keyrules.code.plan.addresses import static_address
from keyrules.code.plan.view import Plan, read_plan

CASES = [(rule, path) for rule in sorted(RULES) for path in sorted(FIXTURES.glob(f"{rule}/terraform_plan/*.json"))]
WANTED = re.compile(r"(pass|fail|unknown)_\w+")


def subjects(plan: Plan) -> set[str]:
    """The addresses, without instance keys, of everything that a fixture may name by its verdict."""
    found = {static_address(item.path, item.block) for item in plan.planned} | {
        f"var.{name}" for name in plan.variables
    }
    for path, module in plan.configuration.walk() if plan.configuration else ():
        found |= {static_address(path, f"output.{name}") for name in module.outputs}
    return found


@pytest.mark.parametrize(("rule", "path"), CASES, ids=lambda value: value if isinstance(value, str) else value.stem)
def test_each_subject_gets_the_verdict_in_its_name(rule: str, path: Path) -> None:
    plan = read_plan(path.read_bytes())
    verdicts = judge_plan(rule, plan)
    assert len({verdict.address for verdict in verdicts}) == len(verdicts)
    found = {re.sub(r"\[[^\]]*\]", "", verdict.address): verdict for verdict in verdicts}
    named = {address: match[1] for address in subjects(plan) if (match := WANTED.fullmatch(address.rsplit(".", 1)[-1]))}
    silent = {address for address, wanted in named.items() if wanted == "pass" and address not in found}
    given = {address: found[address].status.value.lower() for address in named.keys() & found.keys()}
    assert {**given, **dict.fromkeys(silent, "pass")} == named


def test_every_rule_has_plans_that_pass_and_plans_that_fail() -> None:
    assert {rule for rule, _ in CASES} == set(RULES)
