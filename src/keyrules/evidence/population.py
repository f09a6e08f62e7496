"""Everybody whom the reports name: each user and credential, whether a rule asked of it and why not, each verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from keyrules.live.around.findings import ThingCase, finding_on_thing
from keyrules.live.around.judging import ThingVerdict
from keyrules.live.around.things import Thing
from keyrules.live.audit import Verdict
from keyrules.live.credential_report import ROOT_USER, Row
from keyrules.live.fact_readers import (
    CERTIFICATE_1,
    CERTIFICATE_2,
    KEY_1,
    KEY_2,
    PASSWORD,
    READERS,
    ROOT,
    SubjectKind,
    fact_values,
)
from keyrules.live.instants import to_iso
from keyrules.live.key_history import created_at, is_absent_root, last_used_at, name_of
from keyrules.live.limits import Limits
from keyrules.live.live_findings import NOT_ASKED, Kept, Known
from keyrules.live.shown_facts import Facts, facts_of
from keyrules.model import FactValue, Finding, ParameterValue, Plane, Rule, Selection, Status, Subject
from keyrules.pack.parameters import show_value
from keyrules.reports.measured import Measures

_HEAD: Final = ("account", "user", "arn", "credential", "created_at", "last_used_at", "measured", "in_scope", "why")
MEASURED: Final = "{} measured"
"""The column that says what a rule's verdict rests on, by the id of the rule."""
_WORDS: Final = {"is_true": "is true", "is_false": "is false", "within": "is one of", "not_within": "is none of"}


class Census(Kept):
    """What a run keeps of its verdicts, without those that pass; all those on the report under way are `verdicts`, by
    ARN and credential, each by the id of its rule; `things` are what is around the keys, with theirs."""

    def __init__(self) -> None:
        super().__init__()
        self.verdicts: dict[tuple[str, SubjectKind], dict[str, Status]] = {}
        self.things: dict[tuple[str, str, str, int], tuple[Thing, dict[str, Status]]] = {}
        self._absent: dict[tuple[str, SubjectKind], Row] = {}

    def begin(self, as_of: datetime) -> None:
        super().begin(as_of)
        self.verdicts, self.things, self._absent = {}, {}, {}

    def add(
        self, verdict: Verdict, rule: Rule, twin: int = 0, entry: int | None = None, known: Known = NOT_ASKED
    ) -> None:
        status = verdict.status if entry is None else Status.EXEMPT
        place = (verdict.row.arn, verdict.subject)
        self.verdicts.setdefault(place, {})[rule.id] = status
        if is_absent_root(verdict.subject, verdict.row):
            self._absent[place] = verdict.row
        if status is not Status.PASS:
            super().add(verdict, rule, twin, entry, known)

    def add_thing(self, verdict: ThingVerdict, rule: Rule, twin: int, entry: int | None) -> None:
        status = verdict.status if entry is None else Status.EXEMPT
        thing = verdict.thing
        self.things.setdefault((thing.arn, thing.kind, thing.name, twin), (thing, {}))[1][rule.id] = status
        if status is not Status.PASS:
            super().add_thing(verdict, rule, twin, entry)

    @property
    def absent(self) -> Iterable[Row]:
        """What stands for the root users that the report under way has no row for."""
        return self._absent.values()


class Annex:
    """The table of the population under the rules of a run."""

    def __init__(self, rules: Sequence[Rule], limits: Limits) -> None:
        self._rules = rules
        self._limits = limits
        self._measures = Measures(rules)
        self._facts: dict[tuple[int, str, SubjectKind], Facts] = {}
        self._asked: dict[tuple[str, ...], str] = {}

    @property
    def head(self) -> Sequence[str]:
        """The names of the columns."""
        ids = [rule.id for rule in self._rules]
        return (*_HEAD, *ids, *map(MEASURED.format, ids))

    def rows(self, rows: Iterable[Row], census: Census, as_of: datetime) -> Iterator[Sequence[str]]:
        """A line for each credential, and one for a user who has none. `census` has the verdicts on these very rows."""
        for row in rows:
            held = credentials(row)
            for subject in held:
                yield self._line(row, subject, census, as_of)
            if not held:
                name = "none"
                yield (row.account, row.user, row.arn, name, _iso(row.user_created), "", "", "no", _NOBODY, *self._none)
        for row in census.absent:
            yield self._line(row, ROOT, census, as_of)
        for thing, verdicts in census.things.values():
            yield self._of_thing(thing, verdicts, as_of)

    @property
    def _none(self) -> Sequence[str]:
        return [""] * (2 * len(self._rules))

    def _line(self, row: Row, subject: SubjectKind, census: Census, as_of: datetime) -> Sequence[str]:
        verdicts = census.verdicts.get((row.arn, subject), {})
        absent = is_absent_root(subject, row)
        measured = "" if absent else _measured(fact_values(subject, row, as_of))
        why = "The report has no row for the root user." if absent else self._why(subject, verdicts)
        return (
            row.account,
            row.user,
            row.arn,
            name_of(subject, row),
            "" if absent else _iso(created_at(subject, row)),
            "" if absent else _iso(last_used_at(subject, row)),
            measured,
            "yes" if verdicts else "no",
            why,
            *self._verdicts(
                verdicts, lambda rule, status: "" if absent else self._rests_on(rule, subject, row, status, as_of)
            ),
        )

    def _verdicts(self, verdicts: Mapping[str, Status], rests_on: Callable[[Rule, Status], str]) -> Iterator[str]:
        """The verdict of each rule, then what each of them rests on."""
        for rule in self._rules:
            yield verdicts[rule.id].value if rule.id in verdicts else ""
        for rule in self._rules:
            yield rests_on(rule, verdicts[rule.id]) if rule.id in verdicts else ""

    def _rests_on(self, rule: Rule, subject: SubjectKind, row: Row, status: Status, as_of: datetime) -> str:
        selection = self._limits.of(row)
        read = self._facts.get((id(selection), rule.id, subject))
        if read is None:
            values = {name: _fact(value) for name, value in _values(selection, rule).items()}
            read = self._facts[id(selection), rule.id, subject] = facts_of(subject, values)
        about = Subject(kind=subject.kind, name=name_of(subject, row))
        facts = read(row, as_of)
        return self._measures.beyond_message(
            Finding(rule.id, rule.severity, status, Plane.LIVE, "", "", "", subject=about, facts=facts)
        )

    def _rests_on_thing(self, rule: Rule, thing: Thing, status: Status, as_of: datetime) -> str:
        case = ThingCase(rule, thing, as_of, _values(self._limits.of(thing), rule), contradicted=False)
        judged = Status.FAIL if status is Status.EXEMPT else status
        return self._measures.beyond_message(finding_on_thing(case, judged, {}, 0, None))

    def _of_thing(self, thing: Thing, verdicts: Mapping[str, Status], as_of: datetime) -> Sequence[str]:
        """What is around the keys of an account, such as its password policy."""
        subject, shown = SubjectKind(thing.kind, None), dict(thing.shown)
        if not thing.problem:
            # Its conditions read a thing as they read a row.
            as_row: Any = thing
            shown |= fact_values(subject, as_row, as_of)
        return (
            thing.account,
            thing.user,
            thing.arn,
            thing.name,
            _iso(thing.created),
            "",
            _measured(shown),
            "yes",
            thing.problem or self._why(subject, verdicts),
            *self._verdicts(verdicts, lambda rule, status: self._rests_on_thing(rule, thing, status, as_of)),
        )

    def _why(self, subject: SubjectKind, verdicts: Mapping[str, Status]) -> str:
        """Which rules on such a credential did not ask of this one, each with what it asks of."""
        about = [rule for rule in self._rules if rule.runtime is not None and rule.runtime["subject"] == subject.kind]
        if not about:
            return f"No rule of this run is about a {subject.kind.replace('_', ' ')}."
        return " ".join(self._condition(rule) for rule in about if rule.id not in verdicts)

    def _condition(self, rule: Rule) -> str:
        if (rule.id,) not in self._asked:
            where = (rule.runtime or {}).get("where", True)
            self._asked[rule.id,] = f"{rule.id} asks only where {_said(where, rule, self._limits)}."
        return self._asked[rule.id,]


_NOBODY: Final = "The user has no credential that the report tells of."


def credentials(row: Row) -> list[SubjectKind]:
    """The credentials that a row says there are, as keyrules.live.audit counts them."""
    if row.user == ROOT_USER:
        return [ROOT]
    there = {
        KEY_1: row.key_1_created or row.key_1_active,
        KEY_2: row.key_2_created or row.key_2_active,
        PASSWORD: row.password_enabled,
        CERTIFICATE_1: row.certificate_1_created or row.certificate_1_active,
        CERTIFICATE_2: row.certificate_2_created or row.certificate_2_active,
    }
    return [subject for subject in READERS if there.get(subject)]


def _values(selection: Selection, rule: Rule) -> dict[str, ParameterValue]:
    return {name: selection.value(rule, name) for name in rule.parameters}


def _fact(value: ParameterValue) -> FactValue:
    return value if isinstance(value, int) else show_value(value)


def _measured(facts: Mapping[str, FactValue]) -> str:
    """What the report says of a credential, durations to a tenth."""
    return "; ".join(f"{name}={_number(value)}" for name, value in sorted(facts.items()))


def _number(value: FactValue) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def _said(node: Any, rule: Rule, limits: Limits) -> str:
    """A condition in words."""
    if isinstance(node, bool):
        return "it exists"
    for junction in ("and", "or"):
        if junction in node:
            return f" {junction} ".join(_said(part, rule, limits) for part in node[junction])
    if "not" in node:
        return f"not ({_said(node['not'], rule, limits)})"
    value = node.get("value")
    if isinstance(value, Mapping):
        value = limits.selection.value(rule, value["parameter"])
    shown = ", ".join(map(str, value)) if isinstance(value, list | tuple) else "" if value is None else str(value)
    operator = _WORDS.get(node["operator"], str(node["operator"]).replace("_", " "))
    return " ".join(filter(None, (node["attribute"], operator, shown)))


def _iso(instant: str) -> str:
    return to_iso(instant) if instant else ""
