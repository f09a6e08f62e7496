"""What one run asks of every credential: the selected rules that look at live accounts, compiled for one moment."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from keyrules.live.conditions import Predicate, compile_condition, resolve
from keyrules.live.fact_readers import READERS, SubjectKind
from keyrules.live.limits import Limits
from keyrules.model import Rule, Selection
from keyrules.pack.logic import Node


class Group(NamedTuple):
    """Rules that ask about the same subjects: those for which `where` is not false.

    `members` pairs a rule's position in Plan.rules with its definition; `number` is the group's own position.
    """

    number: int
    where: Predicate
    members: tuple[tuple[int, Predicate], ...]


class Plan(NamedTuple):
    """The compiled rules, sorted by id, and the groups of each kind of subject. `size` is the number of groups."""

    rules: tuple[Rule, ...]
    groups: Mapping[SubjectKind, tuple[Group, ...]]
    size: int


_KINDS = frozenset(subject.kind for subject in READERS)


def reads_reports(rule: Rule) -> bool:
    """Whether a credential report is enough to judge a rule. What it says of keys that are joined with code is not."""
    return rule.runtime is not None and rule.runtime["subject"] in _KINDS


def make_plan(limits: Limits, as_of: datetime) -> Plan:
    """Compiles the selected rules that have a live plane, to judge at `as_of` (aware)."""
    rules = tuple(rule for rule in limits.selection.rules if reads_reports(rule))
    groups: dict[SubjectKind, tuple[Group, ...]] = {}
    size = 0
    for subject in READERS:
        groups[subject] = tuple(_groups(rules, limits, subject, as_of, first=size))
        size += len(groups[subject])
    return Plan(rules, groups, size)


def _groups(rules: Sequence[Rule], limits: Limits, subject: SubjectKind, as_of: datetime, first: int) -> list[Group]:
    """Each distinct `where` is asked once per subject, however many rules share it."""
    wheres: dict[str, Predicate] = {}
    members: dict[str, list[tuple[int, Predicate]]] = {}
    for index, rule in enumerate(rules):
        if rule.runtime is None or rule.runtime["subject"] != subject.kind:
            continue
        where = resolve(rule.runtime.get("where", True), rule, limits.selection, subject)
        if rule.id in limits.changed:
            key = rule.id
        elif where is False:
            continue
        else:
            key = json.dumps(where, sort_keys=True)
        if key not in wheres:
            wheres[key] = _condition(rule.runtime.get("where", True), rule, limits, subject, as_of)
        definition = _condition(rule.runtime["definition"], rule, limits, subject, as_of)
        members.setdefault(key, []).append((index, definition))
    return [Group(number, where, tuple(members[key])) for number, (key, where) in enumerate(wheres.items(), first)]


def _condition(node: Node, rule: Rule, limits: Limits, subject: SubjectKind, as_of: datetime) -> Predicate:
    def compiled(selection: Selection) -> Predicate:
        return compile_condition(resolve(node, rule, selection, subject), subject, as_of)

    return limits.for_each(compiled, rule.id)
