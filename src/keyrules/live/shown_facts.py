"""The facts of a finding as reports show them: those that rules ask for, dates, and the thresholds in force."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from operator import attrgetter
from typing import TypeAlias

from keyrules.live.credential_report import Row
from keyrules.live.fact_readers import READ, Read, SubjectKind
from keyrules.live.instants import Instant, to_iso
from keyrules.live.key_history import CREATED, LAST_USED, NO_PLACE
from keyrules.model import FactValue

Facts: TypeAlias = Callable[[Row, datetime], dict[str, FactValue]]
"""Takes a row and the moment of evaluation, and gives the facts by name."""


def facts_of(subject: SubjectKind, limits: Mapping[str, FactValue]) -> Facts:
    """What gives the facts of a subject where these are the thresholds."""
    read = [*READ[subject].items(), ("created_at", _date(CREATED[subject]))]
    if subject.kind != "signing_certificate":
        read.append(("last_used_at", _date(LAST_USED[subject])))
    if subject.kind == "console_password":
        read.append(("changed_at", _date(attrgetter("password_changed"))))
    if subject.kind == "access_key":
        for name in ("service", "region"):
            read.append((f"last_used_{name}", _place(Row._fields.index(f"key_{subject.slot}_{name}"))))
    # Reports sort the names, which takes half as long where they are sorted.
    template = {name: limits.get(name) for name in sorted({*limits, *(name for name, _ in read)})}
    read = [(name, each) for name, each in read if name not in limits]

    def facts(row: Row, as_of: datetime) -> dict[str, FactValue]:
        found = template.copy()
        for name, value in read:
            found[name] = value(row, as_of)
        return found

    return facts


def _date(of: Callable[[Row], Instant]) -> Read:
    return lambda row, as_of: to_iso(date) if (date := of(row)) else None


def _place(index: int) -> Read:
    return lambda row, as_of: None if row[index] in NO_PLACE else row[index]
