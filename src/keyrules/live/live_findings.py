"""Keeps verdicts on rows, worst first, and makes a finding of one when it is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Final, NamedTuple

from keyrules.findings import Group, Listing, Tally
from keyrules.live.around.findings import ThingCase, finding_on_thing
from keyrules.live.around.judging import ThingVerdict
from keyrules.live.around.things import Thing
from keyrules.live.audit import Verdict
from keyrules.live.carried import Carried
from keyrules.live.credential_report import ROOT_USER, Row
from keyrules.live.explanations import Case, explain
from keyrules.live.fact_readers import PASSWORD, READERS, ROOT, SubjectKind
from keyrules.live.facts import ACCOUNT_KINDS
from keyrules.live.instants import ABSENT, Instant, to_datetime, to_iso
from keyrules.live.key_history import CREATED, created_at, is_absent_root, keys_of, last_used_at, name_of
from keyrules.live.limits import Limits, Named
from keyrules.live.plan import Plan
from keyrules.live.remediation import KeyIds, next_step
from keyrules.live.shown_facts import Facts, facts_of
from keyrules.live.sorted_runs import Record, SortedRuns
from keyrules.model import (
    Exemption,
    FactValue,
    Finding,
    ParameterValue,
    Plane,
    Rule,
    Selection,
    Severity,
    Status,
    Subject,
)

_NOTHING: Final[KeyIds] = {}
_IDLE_KEYS_RULE: Final = "KEY_AWS_002"
# For the advice of runs without that rule: no caller in a whole quarter.
_IDLE_DAYS: Final = 90
STATUSES: Final = (Status.FAIL, Status.UNKNOWN, Status.EXEMPT, Status.PASS)
_ORDER: Final = {status: number for number, status in enumerate(STATUSES)}
_FAIL: Final = _ORDER[Status.FAIL]
_EXEMPT: Final = _ORDER[Status.EXEMPT]
_TO_MEND: Final = (_FAIL, _ORDER[Status.UNKNOWN])
_SUBJECTS: Final = tuple(READERS)
_PLACES: Final = {subject: place for place, subject in enumerate(_SUBJECTS)}
_CREDENTIALS: Final = tuple((subject, _PLACES[subject]) for subject in CREATED)
_NO_DATE: Final = "~"
"""Sorts behind every instant."""


class Known(NamedTuple):
    """What is known of a user only after asking the account: key ids by slot, and the owner."""

    key_ids: KeyIds = _NOTHING
    owner: str | None = None


NOT_ASKED: Final = Known()


class _Numbers(NamedTuple):
    """How many records there are by position of the rule and order of the status; and what each owner has to mend."""

    records: Counter[tuple[int, int]]
    owners: Counter[str]


class Kept:
    """What a run keeps of its verdicts: a record of each, worst first. Those of a report count when it is finished."""

    def __init__(self) -> None:
        self._records = SortedRuns()
        self._numbers = _Numbers(Counter(), Counter())
        self._before: _Numbers | None = None
        self._undone: set[int] = set()
        self.moments: list[datetime] = []
        """Those at which the reports were judged."""
        self.names_no_key_id = False
        """Whether steps ask for a key id that is not known."""

    def begin(self, as_of: datetime) -> None:
        """Begins a report; what was added of one that is not finished is forgotten."""
        self._forget()
        self._before = _Numbers(self._numbers.records.copy(), self._numbers.owners.copy())
        self.moments.append(as_of)

    def finish(self) -> None:
        """Ends a report."""
        self._before = None

    def _forget(self) -> None:
        if self._before is not None:
            self._numbers, self._before = self._before, None
            self._undone.add(len(self.moments) - 1)

    def tally(self, rules: Sequence[Rule]) -> Tally:
        """How many records there are; `rules` are those of the plan."""
        self._forget()
        return {
            (rules[place].id, rules[place].severity, STATUSES[order]): number
            for (place, order), number in self._numbers.records.items()
        }

    @property
    def owners(self) -> Mapping[str, int]:
        """How many that fail or are UNKNOWN each owner has."""
        self._forget()
        return self._numbers.owners

    def __iter__(self) -> Iterator[Record]:
        self._forget()
        if not self._undone:
            return iter(self._records)
        return (record for record in self._records if record[_MOMENT_AT] not in self._undone)

    def add(
        self, verdict: Verdict, rule: Rule, twin: int = 0, entry: int | None = None, known: Known = NOT_ASKED
    ) -> None:
        """Takes a verdict that was judged at the last of the moments.

        `entry` is the number of the exception that covers it.
        """
        position, status, subject, row, contradicted = verdict
        judged = _FAIL if status is Status.FAIL else _ORDER[status]
        order = judged if entry is None else _EXEMPT
        key_ids, owner = known
        self._numbers.records[position, order] += 1
        if owner is not None and order in _TO_MEND:
            self._numbers.owners[owner] += 1
        if order == _FAIL and subject.kind == "access_key" and subject.slot not in key_ids:
            self.names_no_key_id = True
        self._records.add(
            [
                -rule.severity,
                order,
                position,
                _standing_since(subject, row),
                row.account,
                row.arn,
                created_at(subject, row),
                subject.slot or 0,
                len(self._records),
                judged,
                _PLACES[subject],
                contradicted,
                twin,
                entry,
                len(self.moments) - 1,
                key_ids.get(1),
                key_ids.get(2),
                owner,
                *row,
            ]
        )

    def add_thing(self, verdict: ThingVerdict, rule: Rule, twin: int, entry: int | None) -> None:
        """The same for a thing that is in no report."""
        thing, judged = verdict.thing, _ORDER[verdict.status]
        order = judged if entry is None else _EXEMPT
        self._numbers.records[verdict.rule, order] += 1
        # fmt: off
        self._records.add(
            [-rule.severity, order, verdict.rule, thing.created or _NO_DATE, thing.account, thing.arn, thing.created, 0,
             len(self._records), judged, _PLACES[verdict.subject], verdict.contradicted, twin, entry,
             len(self.moments) - 1, None, None, None, *thing]
        )
        # fmt: on


_STATUS_AT: Final = 1
_RULE_AT: Final = 2
_ACCOUNT_AT: Final = 4
_KEY_LENGTH: Final = 9
_MOMENT_AT: Final = 14
_OWNER_AT: Final = 17
_ROW_AT: Final = 18


def _standing_since(subject: SubjectKind, row: Row) -> Instant:
    """Since when a credential is as it is: its creation, its last change, or its last use where that decides."""
    if subject == ROOT:
        return last_used_at(subject, row) or row.user_created or _NO_DATE
    if subject == PASSWORD:
        used = row.password_used or row.password_changed or row.user_created
        return min(used, row.password_changed or used)
    return created_at(subject, row) or last_used_at(subject, row) or _NO_DATE


class _InForce(NamedTuple):
    """The thresholds for some users by the position of the rule, what gives the facts beside them by the positions of
    rule and subject, and when their keys are idle."""

    values: list[dict[str, ParameterValue]]
    facts: dict[tuple[int, int], Facts]
    idle_days: int


class LiveFindings(Listing):
    """The findings of what a run kept. `exemptions` are the exceptions of the run by their number."""

    def __init__(
        self, kept: Kept, plan: Plan, limits: Limits, exemptions: Mapping[int, Exemption], carried: Carried
    ) -> None:
        self._kept = kept
        self._carried = carried
        self._rules = plan.rules
        self._limits = limits
        self._in_force: dict[int, _InForce] = {}
        self._exemptions = exemptions

    @property
    def tally(self) -> Tally:
        return self._kept.tally(self._rules)

    @property
    def owners(self) -> Mapping[str, int]:
        return self._kept.owners

    def only(self, statuses: Iterable[Status], rule: str | None = None) -> Iterator[Finding]:
        rules = {place for place, each in enumerate(self._rules) if rule in (None, each.id)}
        return (self._made(record) for record in self._with(statuses) if record[_RULE_AT] in rules)

    def grouped(self, by: str, statuses: Iterable[Status]) -> Iterator[Group]:
        records = self._with(statuses)
        if by != "rule":
            for name, account, numbers, own in _groups(records, by):
                yield Group(name, account, numbers, map(self._made, own))
            return
        for (place, order), of_rule in groupby(records, key=itemgetter(_RULE_AT, _STATUS_AT)):
            rule, status = self._rules[place], STATUSES[order]
            number = self.tally[rule.id, rule.severity, status]
            yield Group(rule.id, "", {(rule.severity, status): number}, map(self._made, of_rule))

    def _with(self, statuses: Iterable[Status]) -> Iterator[Record]:
        orders = {_ORDER[status] for status in statuses}
        return (record for record in self._kept if record[_STATUS_AT] in orders)

    def __iter__(self) -> Iterator[Finding]:
        return map(self._made, self._kept)

    def _made(self, record: Record) -> Finding:
        order, position = record[_STATUS_AT], record[_RULE_AT]
        judged, place, contradicted, twin, entry, moment, one, two, owner = record[_KEY_LENGTH:_ROW_AT]
        rule, subject, status = self._rules[position], _SUBJECTS[place], STATUSES[judged]
        if subject.kind in ACCOUNT_KINDS:
            return self._made_of_thing(record)
        row: Row = tuple.__new__(Row, record[_ROW_AT:])
        limits = self._limits_of(row)
        name, keys = name_of(subject, row), keys_of(row) if subject.kind == "access_key" else ()
        as_of = self._kept.moments[moment]
        case = Case(rule, subject, row, as_of, limits.values[position], limits.idle_days, name, keys)
        key_ids = _NOTHING
        if one is not None or two is not None:
            key_ids = {slot: key_id for slot, key_id in ((1, one), (2, two)) if key_id is not None}
        explanation = explain(case, status, contradicted)
        exemption = self._exemptions[entry] if entry is not None else None
        about = _subject(subject, row, name, key_ids, owner, twin)
        return Finding(
            rule=rule.id,
            severity=rule.severity,
            status=STATUSES[order],
            plane=Plane.LIVE,
            message=explanation.message,
            reason=explanation.reason,
            remediation=next_step(case, status, key_ids),
            subject=about,
            facts={} if is_absent_root(subject, row) else self._facts(case, limits.facts[position, place], about),
            declared=self._carried.of(about),
            exemption=exemption.reason if exemption is not None else None,
            exception=exemption,
        )

    def _made_of_thing(self, record: Record) -> Finding:
        position, thing = record[_RULE_AT], Thing(*record[_ROW_AT:])
        judged, _, contradicted, twin, entry, moment = record[_KEY_LENGTH : _KEY_LENGTH + 6]
        limits = self._limits_of(thing)
        case = ThingCase(
            self._rules[position], thing, self._kept.moments[moment], limits.values[position], bool(contradicted)
        )
        exemption = self._exemptions[entry] if entry is not None else None
        return finding_on_thing(case, STATUSES[judged], self._override(case.rule.id, thing), twin, exemption)

    def _limits_of(self, row: Named) -> _InForce:
        selection = self._limits.of(row)
        known = self._in_force.get(id(selection))
        if known is None:
            values = [{name: selection.value(rule, name) for name in rule.parameters} for rule in self._rules]
            facts = {
                (position, place): facts_of(subject, {name: _printable(value) for name, value in limits.items()})
                for position, limits in enumerate(values)
                for subject, place in _CREDENTIALS
            }
            known = self._in_force[id(selection)] = _InForce(values, facts, _idle_days(selection))
        return known

    def _facts(self, case: Case, read: Facts, about: Subject) -> dict[str, FactValue]:
        facts = read(case.row, case.as_of)
        facts.update(self._carried.facts(about))
        facts.update(self._override(case.rule.id, case.row))
        return facts

    def _override(self, rule: str, row: Named) -> dict[str, FactValue]:
        """Which overrides hold for the user of a row."""
        if rule not in self._limits.changed:
            return {}
        notes = [entry.note for _, entry in self._limits.entries(row) if entry.sets(rule)]
        return {"override": "; ".join(notes)} if notes else {}


def _groups(
    records: Iterable[Record], by: str
) -> Iterator[tuple[str, str, Counter[tuple[Severity, Status]], Iterator[Record]]]:
    """The records by user, account or owner: name, account, numbers and members of each group, the worst group first.

    Sorted twice, so that no group has to be held: to count each one, and to put it where its worst record stands.
    """
    by_name, by_worst = SortedRuns(), SortedRuns()
    for record in records:
        by_name.add([*_group_of(record, by), *record])
    for name, own in groupby(by_name, key=itemgetter(0, 1)):
        numbers: Counter[tuple[int, int]] = Counter()
        worst: Record = []
        for _, _, *record in own:
            worst = worst or record[:_KEY_LENGTH]
            numbers[-record[0], record[_STATUS_AT]] += 1
            by_worst.add([*worst, 1, *record])
        by_worst.add([*worst, 0, *name, [[*which, number] for which, number in sorted(numbers.items())]])
    for _, of_group in groupby(by_worst, key=itemgetter(_KEY_LENGTH - 1)):
        own = iter(of_group)
        *_, title, account, counted = next(own)
        tally = Counter({(Severity(severity), STATUSES[order]): number for severity, order, number in counted})
        yield title, account, tally, (record[_KEY_LENGTH + 1 :] for record in own)


def _group_of(record: Record, by: str) -> tuple[str, str]:
    if by == "user":
        return record[_ROW_AT], record[_ACCOUNT_AT]
    return (record[_ACCOUNT_AT] if by == "account" else record[_OWNER_AT] or ""), ""


def _idle_days(selection: Selection) -> int:
    """What the rule on idle keys says, so that two findings on one key do not advise differently."""
    rule = selection.rule(_IDLE_KEYS_RULE)
    days = selection.value(rule, "max_idle_days") if rule is not None else _IDLE_DAYS
    return days if isinstance(days, int) else _IDLE_DAYS


def make_subject(subject: SubjectKind, row: Row) -> Subject:
    """The credential as reports name it. Its identity is the ARN and the time of creation, never the slot."""
    return _subject(subject, row, name_of(subject, row), _NOTHING, None, 0)


def _subject(subject: SubjectKind, row: Row, name: str, key_ids: KeyIds, owner: str | None, twin: int) -> Subject:
    created = created_at(subject, row)
    return Subject(
        kind=subject.kind,
        name=name,
        account=row.account,
        arn=row.arn,
        user=row.user,
        slot=subject.slot,
        key_id=key_ids.get(subject.slot or 0) if subject.kind == "access_key" else None,
        owner=owner,
        created_at=to_datetime(created) if created else None,
        twin=twin,
        created_text=to_iso(created) if created else "",
    )


def absent_root_row(account_prefix: str) -> Row:
    """What stands for the row of the root user that a report does not have."""
    nothing = dict.fromkeys(Row._fields, ABSENT)
    return Row(**nothing | {"user": ROOT_USER, "arn": f"{account_prefix}root", "account_prefix": account_prefix})


def _printable(value: ParameterValue) -> FactValue:
    return value if isinstance(value, int) else ",".join(str(item) for item in value)
