"""What the rules on plans share: their verdicts, and what a plan shows of a key's state and owner."""

from __future__ import annotations

from collections.abc import Mapping

from keyrules.code.plan.references import iterates, leading, parse_reference
from keyrules.code.plan.view import Plan, Planned, module_path, parent_module
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


def is_inactive(key: Planned) -> bool:
    """Whether the key is planned to be Inactive; anything else, what is not known yet too, is active."""
    return key.known("status") == "Inactive"


def owner_of(plan: Plan, item: Planned) -> tuple[str, str]:
    """Who a key or login profile belongs to: ("name", the user's name) or ("reference", what stands for it).

    Two resources have the same owner exactly when these are equal.
    """
    name = item.known("user")
    if isinstance(name, str) and name:
        return "name", name
    block = plan.configuration.at(item.path) if plan.configuration else None
    config = block.blocks.get(item.block) if block else None
    found = _owner(plan, config.references("user") if config else (), item.module, item.index)
    return found or ("reference", item.address)


def _owner(plan: Plan, references: tuple[str, ...], module: str, index: int | str | None) -> tuple[str, str] | None:
    """Follows references to the user: through inputs to the caller, and to the planned user where there is one."""
    named = [parse_reference(text) for text in leading(references)]
    repeated = any(iterates(reference) for reference in named)
    targets = [reference for reference in named if not iterates(reference)]
    if not named:
        return None
    if len(targets) == 1 and targets[0].root == "var" and module and plan.configuration:
        caller, key = parent_module(module)
        call_path = module_path(module)
        calling = plan.configuration.at(call_path[:-1])
        call = calling.calls.get(call_path[-1]) if calling else None
        given = call.block.references(targets[0].name) if call else ()
        if given:
            return _owner(plan, given, caller, key)
    if len(targets) == 1 and targets[0].root == "aws_iam_user":
        wanted = targets[0].index if targets[0].index is not None else (index if repeated else None)
        users = plan.instances(module_path(module), targets[0].block)
        for user in users:
            name = user.known("name")
            if user.module == module and user.index == wanted and isinstance(name, str):
                return "name", name
    shown = " ".join(sorted(reference.text for reference in targets))
    return "reference", f"{module} {shown} {index if repeated or not targets else ''}".strip()
