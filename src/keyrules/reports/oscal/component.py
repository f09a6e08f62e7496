"""The component definition: what the rules check of which control, as compliance-trestle reads rules and parameters.

keyrules implements no control: it says whether somebody does. So a statement says what the rules check, and its status
is `partial` at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from keyrules.model import Plane, Rule
from keyrules.pack.parameters import show_value
from keyrules.reports.oscal.catalogs import Control, Edition, Part, relations, statement_id
from keyrules.reports.oscal.parts import (
    TRESTLE,
    Heading,
    derived_uuid,
    line,
    paragraphs,
    parameter_id,
    prop,
    props,
    some,
)

_RELATIONS = {
    "implements": "decides the whole control",
    "partial": "decides a part of it",
    "supports": "is evidence for it and decides nothing",
}
_WHERE = {
    frozenset(Plane): "in code and in accounts",
    frozenset({Plane.CODE}): "in code",
    frozenset({Plane.LIVE}): "in accounts",
}


def component_definition(
    editions: Sequence[Edition], rules: Iterable[Rule], heading: Heading, sources: Mapping[str, str]
) -> dict[str, Any]:
    """What the rules check of these editions. `sources` has the address of the profile or catalog of each, by key."""
    known = {rule.id: rule for rule in rules}
    named = sorted({part.rule for edition in editions for part in _parts(edition) if part.rule in known})
    sets = [_rule_set(known[rule], f"rule_set_{index:02}") for index, rule in enumerate(named)]
    implementations = [
        found for edition in editions if (found := _implementation(edition, known, sources[edition.key])) is not None
    ]
    seed = derived_uuid("component-definition", heading.stamp.sha256, implementations, heading.version)
    return {
        "component-definition": {
            "uuid": derived_uuid(seed, heading.moment),
            "metadata": heading.metadata("keyrules: what the rules check"),
            "components": [
                {
                    "uuid": derived_uuid("component", "service"),
                    "type": "service",
                    "title": "AWS IAM",
                    "description": "The IAM users of an account, their credentials and the root user.",
                    **some(props=[each for found in sets for each in found], control_implementations=implementations),
                },
                {
                    "uuid": derived_uuid("component", "validation"),
                    "type": "validation",
                    "title": "keyrules",
                    "description": "Policy as code for long-lived AWS credentials, on code and on live accounts.",
                    **some(props=[each for found in sets for each in found if each["name"] in _OF_CHECKS]),
                },
            ],
        }
    }


_OF_CHECKS = ("Rule_Id", "Check_Id", "Check_Description")


def _rule_set(rule: Rule, name: str) -> list[dict[str, str]]:
    """A rule as compliance-trestle has it: properties that share a remark."""
    values = [
        ("Rule_Id", rule.id),
        ("Rule_Description", rule.name),
        ("Check_Id", rule.id),
        ("Check_Description", f"keyrules checks {_WHERE[rule.planes]}: {rule.name}"),
    ]
    for index, parameter in enumerate(rule.parameters.values()):
        # trestle numbers the parameters of a rule from the second one on.
        suffix = f"_{index}" if index else ""
        values += [
            (f"Parameter_Id{suffix}", parameter_id(rule.id, parameter.name)),
            (f"Parameter_Description{suffix}", f"{parameter.name.replace('_', ' ')} of {rule.id}, in {parameter.unit}"),
            (f"Parameter_Value_Default{suffix}", show_value(parameter.default)),
        ]
    return [prop(key, value, TRESTLE, remarks=name) for key, value in values]


def _parts(edition: Edition) -> Iterable[Part]:
    return (part for control in edition.controls for part in control.parts if part.runs)


def _implementation(edition: Edition, rules: Mapping[str, Rule], source: str) -> dict[str, Any] | None:
    requirements = [each for control in edition.controls if (each := _requirement(edition, control, rules)) is not None]
    if not requirements:
        return None
    parameters = [
        {"param-id": parameter_id(rule, name), "values": [value]}
        for (rule, name), value in edition.values.items()
        if rule in edition.rules
    ]
    return {
        "uuid": derived_uuid("implementation", edition.key, source),
        "source": source,
        "description": f"What keyrules checks of {line(edition.name)}.",
        "props": props(framework=edition.key),
        **some(set_parameters=parameters),
        "implemented-requirements": requirements,
    }


def _requirement(edition: Edition, control: Control, rules: Mapping[str, Rule]) -> dict[str, Any] | None:
    """One control; None where no rule touches it."""
    parts = [part for part in control.parts if part.runs and part.rule in rules]
    if not parts:
        return None
    about: dict[str, list[Part]] = {}
    for part in parts:
        about.setdefault(statement_id(edition.key, control.id, part.statement), []).append(part)
    uuid = derived_uuid("requirement", edition.key, control.id)
    reasons = [f"{part.rule or 'Not covered'}: {part.why}" for part in control.parts if part.why]
    return {
        "uuid": uuid,
        "control-id": edition.control_id(control.id),
        "description": _checked(parts, rules),
        "props": [*props(control=control.id), *relations(parts), *_joined(parts)],
        "statements": [
            {
                "statement-id": statement,
                "uuid": derived_uuid(uuid, statement),
                "description": _checked(found, rules),
                "props": _joined(found),
            }
            for statement, found in about.items()
        ],
        **some(remarks=paragraphs(reasons)),
    }


def _checked(parts: Iterable[Part], rules: Mapping[str, Rule]) -> str:
    """What the rules do for a control, in a sentence for each."""
    return paragraphs(
        f"{part.rule} {_RELATIONS[part.relation]}: keyrules checks {_WHERE[rules[part.rule].planes]} whether this "
        f"holds: {rules[part.rule].name}. It reports what does not, and changes nothing."
        for part in parts
    )


def _joined(parts: Iterable[Part]) -> list[dict[str, str]]:
    found = [prop("Rule_Id", rule, TRESTLE) for rule in dict.fromkeys(part.rule for part in parts)]
    remark = "keyrules checks; who implements is the organization."
    return [*found, prop("implementation-status", "partial", TRESTLE, remarks=remark)]
