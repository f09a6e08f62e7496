"""Planned values as plain values, with a HOLE for what is known only after the plan is applied, and what stands there.

A plan tells of an unknown value which resources its expression names; of these it has the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from keyrules.code.plan.addresses import module_path, parent_module
from keyrules.code.plan.marks import marked, part
from keyrules.code.plan.references import PlanReference, iterates, leading, parse_reference
from keyrules.code.plan.view import Plan, Planned
from keyrules.code.policy_blocks import DOCUMENT_ARGUMENTS, joined_document
from keyrules.policies.patterns import HOLE
from keyrules.records import dataclass

OPEN = "is known only after the plan is applied; scan the Terraform source as well"
"""Why a plan leaves something open, and what to do."""

Holder: TypeAlias = tuple[str, str]
"""A user or group: ("name", its name) or ("reference", what stands for it)."""


def plain_value(plan: Plan, item: Planned, name: str) -> Any:
    """One argument. What a block does not set and only its provider fills in is None."""
    unknown = part(item.unknown, name)
    if unknown is True:
        block = plan.config_block(item)
        return HOLE if block is None or any(leaf.path[0] == name for leaf in block.leaves) else None
    return _filled(item.known(name), unknown)


def _filled(value: Any, unknown: object) -> Any:
    if unknown is True:
        return HOLE
    if not marked(unknown):
        return value
    if isinstance(unknown, Mapping):
        known = value if isinstance(value, dict) else {}
        names = dict.fromkeys([*known, *unknown])
        return {name: _filled(known.get(name), part(unknown, name)) for name in names}
    items = value if isinstance(value, list) else []
    marks = unknown if isinstance(unknown, list) else []
    size = max(len(items), len(marks))
    return [
        _filled(items[at] if at < len(items) else None, marks[at] if at < len(marks) else None) for at in range(size)
    ]


@dataclass(frozen=True)
class _Origin:
    """Where some references lead to, followed through inputs to the caller: the module, and the key of the instance."""

    targets: Sequence[PlanReference]
    repeated: bool
    module: str
    index: int | str | None


def _origin(plan: Plan, references: Sequence[str], module: str, index: int | str | None) -> _Origin:
    named = [parse_reference(text) for text in leading(references)]
    targets = [reference for reference in named if not iterates(reference)]
    if len(targets) == 1 and targets[0].root == "var" and module and plan.configuration:
        caller, key = parent_module(module)
        call_path = module_path(module)
        calling = plan.configuration.at(call_path[:-1])
        call = calling.calls.get(call_path[-1]) if calling else None
        given = call.block.references(targets[0].name) if call else ()
        if given:
            return _origin(plan, given, caller, key)
    return _Origin(targets, len(named) > len(targets), module, index)


def target(plan: Plan, item: Planned, references: Sequence[str], root: str) -> Planned | None:
    """The planned instance of a type that references of an argument lead to."""
    return _target(plan, _origin(plan, references, item.module, item.index), root)


def _target(plan: Plan, origin: _Origin, root: str) -> Planned | None:
    blocks = [reference for reference in origin.targets if reference.block.startswith(f"{root}.")]
    if len(blocks) != 1 or len(origin.targets) != 1:
        return None
    wanted = blocks[0].index if blocks[0].index is not None else (origin.index if origin.repeated else None)
    found = plan.instances(module_path(origin.module), blocks[0].block)
    return next((one for one in found if one.module == origin.module and one.index == wanted), None)


def holder(plan: Plan, item: Planned, references: Sequence[str], root: str) -> Holder | None:
    """The user or group that references of an argument lead to; None without references."""
    if not references:
        return None
    origin = _origin(plan, references, item.module, item.index)
    found = _target(plan, origin, root)
    name = found.known("name") if found is not None else None
    if isinstance(name, str):
        return "name", name
    shown = " ".join(sorted(reference.text for reference in origin.targets))
    index = origin.index if origin.repeated or not origin.targets else ""
    return "reference", f"{origin.module} {shown} {index}".strip()


def document(plan: Plan, item: Planned, name: str = "policy") -> Any:
    """A policy document: the planned text, else what the data source says that it comes from."""
    value = plain_value(plan, item, name)
    if value != HOLE:
        return value
    config = plan.config_block(item)
    found = target(plan, item, config.references(name) if config else (), "data.aws_iam_policy_document")
    if found is None:
        return HOLE
    return joined_document({argument: plain_value(plan, found, argument) for argument in DOCUMENT_ARGUMENTS})
