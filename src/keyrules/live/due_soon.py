"""Credentials that pass now and will fail within a time that the caller names: notes, never findings.

A condition can only change when the age of a credential crosses a limit, so those moments are the ones to try.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from keyrules.live.around.judging import ThingVerdict
from keyrules.live.around.things import Thing
from keyrules.live.audit import Verdict
from keyrules.live.conditions import compile_condition, resolve
from keyrules.live.fact_readers import READERS, Age, AgeColumns, SubjectKind, first_of
from keyrules.live.facts import FACTS
from keyrules.live.instants import UNITS, to_datetime
from keyrules.live.key_history import name_of
from keyrules.live.plan import Plan
from keyrules.model import Selection, Status
from keyrules.pack.logic import Node
from keyrules.reports.text_style import iso_utc, printable, relative_date

_SETTLED = timedelta(microseconds=1)


class Due(NamedTuple):
    """`at` is the first moment at which the credential fails the rule, to the second or better."""

    at: datetime
    account: str
    name: str
    rule: str

    def note(self, as_of: datetime) -> str:
        """One sentence for people."""
        return (
            f"Due {relative_date(self.at, as_of)}, at {iso_utc(self.at.replace(microsecond=0))}: "
            f"{printable(self.name)} in account {self.account} will fail {self.rule}."
        )


def due_within(
    verdict: Verdict | ThingVerdict, plan: Plan, selection: Selection, as_of: datetime, within: timedelta
) -> Due | None:
    """When a credential that passes at `as_of` fails first, if that is within `within` and nothing else changes."""
    rule, subject, row = plan.rules[verdict.rule], verdict.subject, verdict.row
    if verdict.status is not Status.PASS or rule.runtime is None or subject.kind == "root":
        return None
    definition = resolve(rule.runtime["definition"], rule, selection, subject)
    # A limit may count as crossed when it is reached or only afterwards; both moments are tried.
    crossings = sorted(
        moment + delay
        for moment in _crossings(definition, subject, row)
        for delay in (timedelta(0), _SETTLED)
        if as_of < moment + delay <= as_of + within
    )
    for moment in crossings:
        if compile_condition(definition, subject, moment)(row) is False:
            name = row.name if isinstance(row, Thing) else name_of(subject, row)
            return Due(moment, row.account, name, rule.id)
    return None


def _crossings(node: Node, subject: SubjectKind, row: Any) -> Iterator[datetime]:
    """The moments at which an age that the condition asks about reaches its limit."""
    if isinstance(node, bool):
        return
    for junction in ("and", "or"):
        for part in node.get(junction, ()):
            yield from _crossings(part, subject, row)
    if "not" in node:
        yield from _crossings(node["not"], subject, row)
    if "attribute" in node:
        reader = READERS[subject][node["attribute"]]
        if isinstance(reader, AgeColumns | Age):
            since = (first_of(reader.fields) if isinstance(reader, AgeColumns) else reader.since)(row)
            # A limit that no calendar reaches is never crossed.
            with suppress(OverflowError):
                if since:
                    yield to_datetime(since) + node["value"] * UNITS[FACTS[subject.kind][node["attribute"]].unit]
