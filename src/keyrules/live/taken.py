"""Takes the verdicts of one report as they fall, applies the exceptions, and keeps what the run is to list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from keyrules.live.around.findings import subject_of
from keyrules.live.around.judging import ThingVerdict
from keyrules.live.audit import Verdict
from keyrules.live.credential_report import RowProblem
from keyrules.live.fact_readers import KEY_1, KEY_2
from keyrules.live.instants import ABSENT
from keyrules.live.key_history import created_at, last_used_at
from keyrules.live.live_findings import NOT_ASKED, STATUSES, Kept, Known, make_subject
from keyrules.live.plan import Plan
from keyrules.model import Status, Subject
from keyrules.run.exceptions.file import utc_day
from keyrules.run.exceptions.match import ExceptionUse


class Taken:
    """Takes the verdicts of one report, those on a row one after the other. Without `listing` they are only held
    against the exceptions.

    `moves` counts what became exempt.
    """

    def __init__(self, plan: Plan, kept: Kept, listing: bool, exceptions: ExceptionUse | None, as_of: datetime) -> None:
        self._rules = plan.rules
        self._kept = kept
        self._listing = listing
        self._exceptions = exceptions
        self._day = utc_day(as_of)
        self._of_row: list[Verdict] = []
        self._repeated: Counter[str] = Counter()
        self.moves: Counter[tuple[str, Status]] = Counter()
        kept.begin(as_of)

    def problem(self, found: RowProblem) -> None:
        """Notes a user that a report has again."""
        if found.arn:
            self.settle()
            self._repeated[found.arn] += 1

    def take(self, verdict: Verdict) -> None:
        """Takes a verdict as the report has it."""
        if self._of_row and self._of_row[0].row is not verdict.row:
            self.settle()
        self._of_row.append(verdict)

    def settle(self) -> None:
        """Keeps the verdicts on the row that was last."""
        verdicts, self._of_row = self._of_row, []
        if verdicts:
            # A user that a report has again has the same identities again, two of each at most.
            self.keep(verdicts, first_twin=2 * self._repeated[verdicts[0].row.arn] if self._repeated else 0)

    def keep(self, verdicts: Sequence[Verdict], known: Known = NOT_ASKED, first_twin: int = 0) -> None:
        """Keeps the verdicts on a user; `known` is what the account says of that one."""
        for verdict, twin in zip(verdicts, twins_among(verdicts), strict=True):
            rule = self._rules[verdict.rule]
            entry = self._exception(partial(make_subject, verdict.subject, verdict.row), rule.id, verdict.status)
            if self._listing:
                self._kept.add(verdict, rule, first_twin + twin, entry, known)

    def keep_things(self, verdicts: Sequence[ThingVerdict], passing: bool) -> None:
        """Keeps the verdicts on what is around the keys of an account, those that pass only with `passing`."""
        twins: Counter[tuple[object, ...]] = Counter()
        for verdict in verdicts:
            rule, thing = self._rules[verdict.rule], verdict.thing
            identity = (rule.id, thing.kind, thing.arn, thing.created)
            entry = self._exception(partial(subject_of, thing), rule.id, verdict.status)
            if self._listing and (passing or verdict.status is not Status.PASS):
                self._kept.add_thing(verdict, rule, twins[identity], entry)
            twins[identity] += 1

    def _exception(self, subject: Callable[[], Subject], rule: str, status: Status) -> int | None:
        """The number of the exception that covers a verdict, which is counted as exempt."""
        exceptions = self._exceptions
        if exceptions is None or status is Status.PASS or not exceptions.concerns(rule):
            return None
        entry = exceptions.covering(rule, subject(), self._day)
        if entry is None:
            return None
        self.moves[rule, status] += 1
        return entry.number


def twins_among(verdicts: Sequence[Verdict]) -> list[int]:
    """A number for each of the verdicts on one user: 0 but for those that nothing tells from an earlier one.

    Two keys of one user may have been created in the same second, and the report has no other identity for them. The
    number makes their fingerprints differ, so that no tool that removes duplicates loses one. It follows status and
    last use, because slots change.
    """
    numbers = [0] * len(verdicts)
    if len({each.rule for each in verdicts}) == len(verdicts):
        return numbers
    identities = [(each.rule, each.subject.kind, created_at(each.subject, each.row)) for each in verdicts]
    if len(set(identities)) == len(identities):
        return numbers
    seen: Counter[Any] = Counter()
    for index in sorted(range(len(verdicts)), key=lambda index: _twin_order(verdicts[index])):
        numbers[index] = seen[identities[index]]
        seen[identities[index]] += 1
    return numbers


def _twin_order(verdict: Verdict) -> tuple[int, str, bool, int]:
    row, subject = verdict.row, verdict.subject
    active = bool(row.key_1_active if subject == KEY_1 else row.key_2_active if subject == KEY_2 else ABSENT)
    return (STATUSES.index(verdict.status), last_used_at(subject, row) or "~", active, subject.slot or 0)
