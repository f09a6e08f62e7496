"""Judges one state: the rights of the users that it holds, and what else rules ask of blocks that are no keys.

A state says what exists, with every value that a configuration leaves open. It is read as a plan that changes nothing,
one for each provider configuration, because a name is unique in one account only.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from keyrules.code.judging import verdicts_on
from keyrules.code.plan.json import Sealed
from keyrules.code.plan.key_set import key_set
from keyrules.code.plan.view import Plan, Planned
from keyrules.code.session import CheckSession
from keyrules.code.state.instances import Instance, check_layout, instances
from keyrules.code.unit_results import Declared, Problem
from keyrules.model import InputError

_UNREADABLE = "is no state that can be read, so what it holds is not judged; pull it again with `terraform state pull`"


def judge(path: str, session: CheckSession, callers: Sequence[str]) -> Declared:
    """Judges one state, which has no `callers`."""
    data = Path(path).read_bytes()
    found = Declared(sha256=hashlib.sha256(data).hexdigest())
    document: object = None
    with suppress(ValueError, RecursionError):
        document = json.loads(data.decode("utf-8-sig"))
    if not isinstance(document, dict):
        found.problems.append(Problem(path, _UNREADABLE))
        return found
    try:
        check_layout(document)
    except InputError as error:
        found.problems.append(Problem(path, f"{error}; nothing that it holds is judged"))
        return found
    held = [one for one in instances(document) if not one.deposed]
    for provider in sorted({instance.provider for instance in held}):
        items = tuple(_existing(instance) for instance in held if instance.provider == provider)
        found.verdicts += verdicts_on("state", session, key_set(_unchanged(items), path))
    return found


def _unchanged(items: tuple[Planned, ...]) -> Plan:
    return Plan("", items, {}, {}, {}, None, (), None, ())


def _existing(instance: Instance) -> Planned:
    module, _, own = instance.block.rpartition(f"{instance.kind}.")
    values = Sealed({name: value for each in reversed(instance.values) for name, value in _lists(each).items()})
    return Planned(
        address=instance.address,
        module=module.removesuffix("data.").rstrip("."),
        mode="data" if instance.data else "managed",
        type=instance.kind,
        name=own,
        index=None,
        values=values,
        before=values,
        unknown=None,
        sensitive=None,
        actions=("no-op",),
        action_reason="",
        replaced_for=(),
        prior=None,
    )


def _lists(values: Mapping[str, object]) -> dict[str, object]:
    """Version 3 writes the members of a list as `users.0` or `users.123`, and their number as `users.#`."""
    found = dict(values)
    for name, value in values.items():
        head, _, tail = name.partition(".")
        if tail and "." not in tail:
            members = found.setdefault(head, [])
            if tail != "#" and isinstance(members, list):
                members.append(value)
    return found
