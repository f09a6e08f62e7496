"""Judges plans in tests as a run with default parameters would."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

from keyrules.code.judging import RULES as RULES
from keyrules.code.judging import verdicts_of
from keyrules.code.plan.key_set import key_set
from keyrules.code.plan.view import Plan, read_plan
from keyrules.code.verdict import TimedContext, Verdict
from keyrules.model import Selection
from keyrules.pack.catalog import load_pack

AS_OF = datetime(2026, 6, 1, tzinfo=timezone.utc)
"""The moment that the ages in the plan fixtures are counted to."""

FIXTURES = Path(__file__).parents[2] / "fixtures"
PATH = "/plans/plan.json"
_PACK = {rule.id: rule for rule in load_pack().rules}


def context(rule: str, as_of: datetime = AS_OF, **parameters: int) -> TimedContext:
    """The rule with its defaults, and some parameters set otherwise."""
    overrides = {(rule, name): value for name, value in parameters.items()}
    return TimedContext(_PACK[rule], Selection(tuple(_PACK.values()), overrides), as_of)


def judge_plan(rule: str, plan: Plan, as_of: datetime = AS_OF, **parameters: int) -> list[Verdict]:
    """The verdicts of one rule on a plan."""
    return list(verdicts_of(rule, "plan", context(rule, as_of, **parameters), key_set(plan, PATH), plan, PATH))


def judge(rule: str, data: bytes, as_of: datetime = AS_OF, **parameters: int) -> dict[str, Verdict]:
    """The verdicts of one rule on a plan, by address."""
    verdicts = judge_plan(rule, read_plan(data), as_of, **parameters)
    found = {verdict.address: verdict for verdict in verdicts}
    assert len(found) == len(verdicts)
    return found
