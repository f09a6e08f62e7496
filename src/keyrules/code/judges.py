"""Judges one unit (root module, template or plan): its keys by name, and every rule's verdicts on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import Any

from keyrules.code.judging import RULES
from keyrules.code.session import CheckSession
from keyrules.code.unit_results import Declared

_MODULES = {
    "terraform": "terraform.unit",
    "cloudformation": "cloudformation.unit",
    "plan": "plan.unit",
    "state": "state.unit",
    "text": "terraform.named",
}
"""By kind of unit, what judges it, below keyrules.code."""


def judge_unit(kind: str, path: str, session: CheckSession, callers: Sequence[str] = ()) -> Declared:
    """Judges one root module folder, template or plan; `callers` as a Unit has them. Raises OSError when the file
    itself cannot be read."""
    judge: Callable[[str, CheckSession, Sequence[str]], Declared] = _imported(_MODULES[kind]).judge
    return judge(path, session, callers)


def load(kinds: Iterable[str]) -> None:
    """Imports what judges units of these kinds: once here rather than in each process that is forked from this one."""
    for kind in kinds:
        _imported(_MODULES[kind])
        for rule in RULES.values():
            if kind in rule.on_whole:
                _imported(rule.on_whole[kind].module)


def _imported(module: str) -> Any:
    return import_module(f"keyrules.code.{module}")
