"""Compiles the `runtime` block of a rule into predicates over rows of a credential report.

keyrules.live.facts lists the operators; keyrules.pack.logic says what they and three-valued logic mean.

Ages are compared exactly: "age > 90 days" asks whether the date lies before `as_of` less 90 days, to the microsecond.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

from keyrules.live.credential_report import Row
from keyrules.live.fact_readers import (
    READERS,
    Age,
    AgeColumns,
    Fixed,
    Flag,
    FlagColumn,
    Gap,
    Number,
    Reader,
    SubjectKind,
    gap,
)
from keyrules.live.facts import FACTS
from keyrules.live.instants import CLOCK_TOLERANCE, UNITS, Instant, from_datetime
from keyrules.model import Rule, Selection
from keyrules.pack.logic import COMPARISONS, UNKNOWN, Node, Truth, compile_tree, negation

Predicate: TypeAlias = Callable[[Any], Truth]
"""Of a row, or of what a document of an account tells of: the readers of its kind know how to read it."""

_RESOLUTION: Final = timedelta(microseconds=1)


def resolve(node: Node, rule: Rule, selection: Selection, subject: SubjectKind) -> Node:
    """The condition with the parameter values in force, and without the facts that the kind of subject settles.

    What is left of two rules that ask the same is equal.
    """
    if isinstance(node, bool):
        return node
    if "not" in node:
        inner = resolve(node["not"], rule, selection, subject)
        return not inner if isinstance(inner, bool) else {"not": inner}
    for junction, decisive in (("and", False), ("or", True)):
        if junction in node:
            parts = [resolve(part, rule, selection, subject) for part in node[junction]]
            open_parts = [part for part in parts if not isinstance(part, bool)]
            if decisive in [part for part in parts if isinstance(part, bool)]:
                return decisive
            if not open_parts:
                return not decisive
            return open_parts[0] if len(open_parts) == 1 else {junction: open_parts}
    value = node.get("value")
    if isinstance(value, Mapping):
        value = selection.value(rule, value["parameter"])
    reader = READERS[subject][node["attribute"]]
    if isinstance(reader, Fixed):
        return COMPARISONS[node["operator"]](reader.value, value)
    return {"attribute": node["attribute"], "operator": node["operator"], "value": value}


def attributes(node: Mapping[str, Any]) -> set[str]:
    """The facts that a runtime block or a condition in it names."""
    parts = [
        *node.get("and", ()),
        *node.get("or", ()),
        *(node[key] for key in ("not", "where", "definition") if key in node),
    ]
    found = {attribute for part in parts for attribute in attributes(part)}
    return found | {node["attribute"]} if "attribute" in node else found


def compile_condition(node: Node, subject: SubjectKind, as_of: datetime) -> Predicate:
    """A resolved condition as a predicate that judges rows at `as_of` (aware)."""
    for junction, decisive in (("and", False), ("or", True)):
        if not isinstance(node, bool) and junction in node:
            first, *others = node[junction]
            reader = READERS[subject][first["attribute"]] if "attribute" in first else None
            if isinstance(reader, FlagColumn):
                rest = compile_condition({junction: others} if len(others) > 1 else others[0], subject, as_of)
                holds_something = (first["operator"] == "is_true") is not reader.empty
                return _guarded(Row._fields.index(reader.field), holds_something is decisive, decisive, rest)

    def leaf(node: Mapping[str, Any]) -> Predicate:
        reader = READERS[subject][node["attribute"]]
        unit = UNITS.get(FACTS[subject.kind][node["attribute"]].unit, timedelta(0))
        return _comparison(reader, node["operator"], node["value"], unit, as_of)

    return compile_tree(node, leaf)


def _guarded(index: int, when_filled: bool, decisive: bool, rest: Predicate) -> Predicate:
    """A junction that a field decides where it is filled, or where it is empty, because nearly every key asks that."""
    if when_filled:
        return lambda row: decisive if row[index] != "" else rest(row)
    return lambda row: decisive if row[index] == "" else rest(row)


def _comparison(reader: Reader, name: str, value: Any, unit: timedelta, as_of: datetime) -> Predicate:
    if isinstance(reader, FlagColumn):
        return _flag_column(Row._fields.index(reader.field), expected=(name == "is_true") is not reader.empty)
    if isinstance(reader, Flag):
        return _flag(reader.read, expected=name == "is_true")
    if isinstance(reader, AgeColumns | Age):
        return _age(reader, name, _before(as_of, value * unit), as_of)
    if isinstance(reader, Gap):
        return _measured(lambda row: gap(reader, row), name, value * unit)
    if isinstance(reader, Number):
        return _measured(reader.read, name, value)
    raise TypeError(f"{type(reader).__name__} is settled before compilation")


def _flag_column(index: int, expected: bool) -> Predicate:
    if expected:
        return lambda row: row[index] != ""
    return lambda row: row[index] == ""


def _flag(read: Callable[[Row], bool | None], expected: bool) -> Predicate:
    if expected:
        return read
    return negation(read)


def _measured(read: Callable[[Row], Any], name: str, limit: Any) -> Predicate:
    compare = COMPARISONS[name]

    def predicate(row: Row) -> Truth:
        measured = read(row)
        return UNKNOWN if measured is None else compare(measured, limit)

    return predicate


def _before(as_of: datetime, age: timedelta) -> datetime:
    """The moment that is `age` old, or the earliest there is where the calendar does not reach that far back."""
    try:
        return as_of - age
    except OverflowError:
        return datetime.min.replace(tzinfo=as_of.tzinfo)


def _age(reader: AgeColumns | Age, name: str, moment: datetime, as_of: datetime) -> Predicate:
    """`age > limit` is `date < moment`; with the resolution of a date all four orders are that, or its negation."""
    inclusive = name in {"greater_than_or_equal", "less_than"}
    if inclusive and moment == as_of:
        # What clocks that differ make a little later is of age zero, too.
        moment += CLOCK_TOLERANCE
    bound = from_datetime(moment + _RESOLUTION if inclusive else moment)
    older = name in {"greater_than", "greater_than_or_equal"}
    if isinstance(reader, Age):
        return _age_of(reader.since, bound, older)
    return _age_in_columns([Row._fields.index(field) for field in reader.fields], bound, older)


def _age_of(since: Callable[[Row], Instant], bound: Instant, older: bool) -> Predicate:
    def predicate(row: Row) -> Truth:
        date = since(row)
        return (date < bound) is older if date else UNKNOWN

    return predicate


def _age_in_columns(indexes: Sequence[int], bound: Instant, older: bool) -> Predicate:
    """The first column with a date decides; there are at most three. Written out, because every key asks this."""
    first, second, third = (*indexes, indexes[-1], indexes[-1])[:3]
    if older:

        def is_older(row: Row) -> Truth:
            date = row[first] or row[second] or row[third]
            return date < bound if date else UNKNOWN

        return is_older

    def is_no_older(row: Row) -> Truth:
        date = row[first] or row[second] or row[third]
        return date >= bound if date else UNKNOWN

    return is_no_older
