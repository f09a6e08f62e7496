"""What the rules on plans share: the form of their verdicts."""

from __future__ import annotations

from collections.abc import Mapping

from keyrules.code.verdict import Context, Verdict
from keyrules.model import FactValue, Status, TraceStep

SCAN_THE_SOURCE = "scan the Terraform source as well"


def plan_verdict(
    context: Context,
    path: str,
    address: str,
    status: Status,
    reason: str,
    message: str,
    facts: Mapping[str, FactValue] | None = None,
    trace: tuple[TraceStep, ...] = (),
) -> Verdict:
    """A verdict of the context's rule. A plan's lines mean nothing to people, so every verdict is on its first."""
    return Verdict(context.rule.id, status, path, address, 1, 1, reason, message, facts or {}, trace)
