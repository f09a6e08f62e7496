"""What a verdict on a thing says: why, what to do, what was measured. All of it comes from facts and from the rule.

A condition that does not hold is explained by the facts that it rests on (Fact.failing), so a new rule needs no words
of its own here.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from keyrules.live.around.things import Thing
from keyrules.live.conditions import attributes, compile_condition
from keyrules.live.explanations import Explanation
from keyrules.live.fact_readers import READERS, Age, SubjectKind, fact_values
from keyrules.live.facts import FACTS
from keyrules.live.instants import to_datetime, to_iso
from keyrules.model import Exemption, FactValue, Finding, ParameterValue, Plane, Rule, Status, Subject
from keyrules.pack.logic import Node
from keyrules.reports.text_style import advice_for, count_of, duration_beyond, human_duration

_SINGULAR: Final = {"policies": "policy"}
_WORD: Final = re.compile(r"\b[A-Z][A-Z_]{3,}\b")
_NUMBER: Final = re.compile(r"(?:^|(?<= ))[1-9]\. ")
_READ_ANEW: Final = (
    "Give what the message says is missing: live, the permission that it names; offline, the answer of the command "
    "that it names, in the folder of the credential report. Then run again."
)


class ThingCase(NamedTuple):
    """A verdict to explain; `limits` are the rule's parameter values in force."""

    rule: Rule
    thing: Thing
    as_of: datetime
    limits: Mapping[str, ParameterValue]
    contradicted: bool

    @property
    def subject(self) -> SubjectKind:
        """The kind of the thing."""
        return SubjectKind(self.thing.kind, None)


def finding_on_thing(
    case: ThingCase, status: Status, override: Mapping[str, FactValue], twin: int, exemption: Exemption | None
) -> Finding:
    """The finding of a verdict, which an exception may cover; `override` says which overrides hold."""
    explanation = explain_thing(case, status)
    return Finding(
        rule=case.rule.id,
        severity=case.rule.severity,
        status=status if exemption is None else Status.EXEMPT,
        plane=Plane.LIVE,
        message=explanation.message,
        reason=explanation.reason,
        remediation=thing_step(case, status),
        subject=subject_of(case.thing, twin),
        facts={**_facts(case), **override},
        exemption=exemption.reason if exemption is not None else None,
        exception=exemption,
    )


def subject_of(thing: Thing, twin: int = 0) -> Subject:
    """The thing as reports name it."""
    return Subject(
        kind=thing.kind,
        name=thing.name,
        account=thing.account,
        arn=thing.arn,
        user=thing.user or None,
        key_id=thing.id or None,
        created_at=to_datetime(thing.created) if thing.created else None,
        twin=twin,
    )


def explain_thing(case: ThingCase, status: Status) -> Explanation:
    """Why a thing got its verdict."""
    name = f"{case.thing.name[0].upper()}{case.thing.name[1:]}"
    if status is Status.PASS:
        return _passing(case, name)
    if case.thing.problem:
        return Explanation("not_given", f"{name} could not be judged: {case.thing.problem}.")
    if status is Status.UNKNOWN:
        return _unknown(case, name)
    said = [each for each in _failing(case, (case.rule.runtime or {})["definition"]) if each[1]]
    if not said:
        return Explanation("condition_not_met", f"{name} does not meet: {case.rule.name}.")
    return Explanation(said[0][0], f"{name} {', and '.join(phrase for _, phrase in said)}.")


_LIMITED: Final = {"administrator": "administrator_limited", "rotation_denied": "rotation_denied_conditionally"}
"""The reason where something would fail a rule if it were not limited."""


def _passing(case: ThingCase, name: str) -> Explanation:
    for fact in sorted(attributes(case.rule.runtime or {}) & _LIMITED.keys()):
        because = case.thing.shown.get(f"{fact}_because")
        if because:
            return Explanation(_LIMITED[fact], f"{name} comply with the rule: {case.rule.name}; {because}.")
    return Explanation(
        "compliant", f"{name} {_COMPLY.get(case.thing.kind, 'complies')} with the rule: {case.rule.name}."
    )


_COMPLY: Final = {"user_permissions": "comply"}


def _unknown(case: ThingCase, name: str) -> Explanation:
    if case.contradicted:
        return Explanation(
            "later_than_as_of",
            f"{name} could not be judged: it was created at {to_iso(case.thing.created)}, after the moment of "
            "evaluation.",
        )
    asked = attributes(case.rule.runtime or {})
    missing = sorted(fact for fact in asked if case.thing.known.get(fact) is None)
    why = next((case.thing.shown[f"{fact}_because"] for fact in missing if f"{fact}_because" in case.thing.shown), None)
    return Explanation(
        "not_in_documents",
        f"{name} could not be judged: {why or 'what was given does not say ' + ' or '.join(missing)}.",
    )


def _failing(case: ThingCase, node: Node) -> Iterator[tuple[str, str]]:
    """The reason and the phrase of each fact for which a condition does not hold."""
    if isinstance(node, bool) or "not" in node:
        yield "condition_not_met", ""
        return
    for junction in ("and", "or"):
        for part in node.get(junction, ()):
            predicate = compile_condition(_resolved(case, part), case.subject, case.as_of)
            if predicate(case.thing) is False:
                yield from _failing(case, part)
                if junction == "and":
                    return
    if "attribute" in node:
        fact = FACTS[case.thing.kind][node["attribute"]]
        reason, phrase = fact.failing or ("condition_not_met", "")
        value = node.get("value")
        limit = case.limits[value["parameter"]] if isinstance(value, Mapping) else value
        measured = case.thing.known.get(fact.name)
        words = {
            "measured": _measured(case, fact.name, measured, limit),
            "limit": _amount(limit, fact.unit),
            "because": case.thing.shown.get(f"{fact.name}_because", ""),
        }
        yield reason, phrase.format(**words)


def _resolved(case: ThingCase, node: Node) -> Node:
    """The condition with the values in force."""
    if isinstance(node, bool):
        return node
    inner = {key: [_resolved(case, part) for part in node[key]] for key in ("and", "or") if key in node}
    if "not" in node:
        return {"not": _resolved(case, node["not"])}
    value = node.get("value")
    value = case.limits[value["parameter"]] if isinstance(value, Mapping) else value
    return inner or {**node, "value": value}


def _measured(case: ThingCase, name: str, value: Any, limit: Any) -> str:
    if isinstance(READERS[case.subject][name], Age) and value:
        age = case.as_of - to_datetime(value)
        return duration_beyond(age, limit) if isinstance(limit, int) and limit else human_duration(age)
    return _amount(value, FACTS[case.thing.kind][name].unit)


def _amount(value: Any, unit: str) -> str:
    if not isinstance(value, int) or not unit:
        return str(value)
    return count_of(value, _SINGULAR.get(unit, unit.removesuffix("s")), unit)


def thing_step(case: ThingCase, status: Status) -> str:
    """What to do about a finding, with the names of the thing in the commands; empty for one that passes."""
    if status is Status.PASS:
        return ""
    if status is Status.UNKNOWN:
        return _READ_ANEW

    def filled(match: re.Match[str]) -> str:
        return shlex.quote(case.thing.words[match[0]]) if match[0] in case.thing.words else match[0]

    return _WORD.sub(filled, _NUMBER.sub("", advice_for(Plane.LIVE, case.rule.remediation)))


def _facts(case: ThingCase) -> dict[str, FactValue]:
    """What was measured, ages in days; what is shown beside it, and the thresholds."""
    thing: Any = case.thing
    limits: dict[str, FactValue] = {
        name: value if isinstance(value, int) else ",".join(map(str, value)) for name, value in case.limits.items()
    }
    if thing.problem:
        return limits
    created = to_iso(thing.created) if thing.created else None
    return {**fact_values(case.subject, thing, case.as_of), "created_at": created, **thing.shown, **limits}
