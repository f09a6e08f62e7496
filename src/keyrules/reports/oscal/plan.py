"""The assessment plan: which rule is run for which control, with which parameters, on what."""

from __future__ import annotations

from typing import Any

from keyrules.model import Evaluation, Plane, Rule
from keyrules.pack.parameters import show_value
from keyrules.reports.oscal.catalogs import Edition, statement_id
from keyrules.reports.oscal.observed import Observed, task_uuid
from keyrules.reports.oscal.parts import TOOL, TRESTLE, Heading, derived_uuid, line, parameter_id, prop, props, some
from keyrules.reports.oscal.risks import system_security_plan, tool
from keyrules.reports.parameters import provenance

NAME = "assessment-plan.json"


def plan(observed: Observed, edition: Edition, heading: Heading, facts: list[dict[str, str]]) -> dict[str, Any]:
    """The plan that a run of an edition follows; `facts` are those of the tool."""
    ssp = system_security_plan()
    rules = [rule for rule in observed.evaluation.rules if rule.id in edition.rules]
    return {
        "assessment-plan": {
            "uuid": derived_uuid(observed.seed, "plan", edition.key, heading.version, heading.moment),
            "metadata": heading.metadata(f"keyrules: assessment plan for {edition.name}"),
            "import-ssp": {"href": f"#{ssp['uuid']}"},
            **some(local_definitions=some(activities=[_activity(rule, edition) for rule in rules])),
            "reviewed-controls": {"control-selections": [selection(edition)]},
            "assessment-subjects": [subjects(observed.evaluation)],
            "assessment-assets": assets(observed, heading, facts),
            **some(tasks=[_task(rule, edition, observed.evaluation) for rule in rules]),
            "back-matter": {"resources": [ssp, profile_resource(edition)]},
        }
    }


def selection(edition: Edition) -> dict[str, Any]:
    """The controls of an edition with their statements."""
    chosen: dict[str, list[str]] = {}
    for control in edition.controls:
        chosen.setdefault(edition.control_id(control.id), []).extend(edition.statements(control))
    about = {"description": line(edition.name), "props": props(framework=edition.key)}
    if not chosen:
        return {**about, "include-all": {}}
    controls = [
        {"control-id": control, "statement-ids": list(dict.fromkeys(found))} for control, found in chosen.items()
    ]
    return {
        **about,
        "links": [{"href": f"#{profile_resource(edition)['uuid']}", "rel": "reference"}],
        "include-controls": controls,
    }


def profile_resource(edition: Edition) -> dict[str, Any]:
    """The resource that stands for the profile beside the documents."""
    return {
        "uuid": derived_uuid("resource", "profile", edition.key),
        "title": f"The profile of {line(edition.name)}",
        "rlinks": [{"href": "profile.json", "media-type": "application/oscal.profile+json"}],
    }


def subjects(evaluation: Evaluation) -> dict[str, Any]:
    """What is assessed, in words and whole."""
    live = "Every IAM user, the root user and their credentials, in every account of the run."
    code = "Every declaration of a credential in the code, the plans and the templates of the run."
    description = live if evaluation.plane is Plane.LIVE else code
    return {"type": "inventory-item", "description": description, "include-all": {}}


def assets(observed: Observed, heading: Heading, facts: list[dict[str, str]]) -> dict[str, Any]:
    """keyrules with the parameters in force, and where it ran."""
    evaluation = observed.evaluation
    ran = {rule.id for rule in evaluation.rules}
    in_force = [
        prop("parameter-in-force", f"{parameter_id(each.rule, each.name)}={show_value(each.value)}, {provenance(each)}")
        for each in evaluation.parameters
        if each.rule in ran
    ]
    return {
        "components": [tool(heading, [*facts, *in_force])],
        "assessment-platforms": [
            {
                "uuid": derived_uuid("platform"),
                "title": "Command line",
                "uses-components": [{"component-uuid": TOOL}],
            }
        ],
    }


def _activity(rule: Rule, edition: Edition) -> dict[str, Any]:
    about: dict[str, list[str]] = {}
    for control in edition.controls:
        for part in control.parts:
            if part.rule == rule.id:
                statement = statement_id(edition.key, control.id, part.statement)
                about.setdefault(edition.control_id(control.id), []).append(statement)
    controls = [{"control-id": each, "statement-ids": list(dict.fromkeys(found))} for each, found in about.items()]
    values = [
        prop(parameter_id(owner, name), value, TRESTLE, **{"class": "test-parameter"})
        for (owner, name), value in edition.values.items()
        if owner == rule.id
    ]
    return {
        "uuid": _activity_uuid(rule, edition),
        # Compliance-to-Policy finds the activity of a rule by this title.
        "title": rule.id,
        "description": line(rule.name),
        "props": [{"name": "method", "value": "TEST"}, *values],
        "related-controls": {"control-selections": [{"include-controls": controls}]},
    }


def _task(rule: Rule, edition: Edition, evaluation: Evaluation) -> dict[str, Any]:
    return {
        "uuid": task_uuid(rule.id),
        "type": "action",
        "title": f"Evaluate {rule.id}",
        "associated-activities": [{"activity-uuid": _activity_uuid(rule, edition), "subjects": [subjects(evaluation)]}],
    }


def _activity_uuid(rule: Rule, edition: Edition) -> str:
    return derived_uuid("activity", edition.key, rule.id)
