"""Judges one plan: its keys by name, and every rule's verdicts on it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from keyrules.code.judging import verdicts_on
from keyrules.code.plan.key_set import key_set
from keyrules.code.plan.view import Plan, PlanError, read_plan
from keyrules.code.plan.wrapping import unwrapped
from keyrules.code.session import CheckSession
from keyrules.code.unit_results import Declared, Place, Problem


def judge(path: str, session: CheckSession, callers: Sequence[str]) -> Declared:
    """Judges one plan, which has no `callers`."""
    data = Path(path).read_bytes()
    found = Declared(sha256=hashlib.sha256(data).hexdigest())
    try:
        plan, note = _read(data)
    except PlanError as error:
        found.problems.append(Problem(path, str(error)))
        return found
    if note:
        found.notes.append(Problem(path, note))
    found.problems += [Problem(path, gap) for gap in plan.gaps]
    keys = key_set(plan, path)
    found.keys = [Place(path, key.address, 1, 1) for key in keys.keys]
    found.verdicts = list(verdicts_on("plan", session, keys, plan, path))
    return found


def _read(data: bytes) -> tuple[Plan, str]:
    """A plan, and what was passed over around it. Raises PlanError."""
    try:
        return read_plan(data), ""
    except PlanError:
        inner, note = unwrapped(data)
        if inner == data:
            raise
        return read_plan(inner), note
