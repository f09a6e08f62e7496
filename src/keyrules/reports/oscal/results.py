"""The assessment results: what a run saw, and what follows from it for each statement of each control.

OSCAL knows two states of a statement, satisfied and not-satisfied, which is everything that is not completely satisfied
(https://github.com/usnistgov/OSCAL/blob/c527e40/src/metaschema/oscal_assessment-common_metaschema.xml). Only the
verdict `satisfied` is the first. `not satisfied` is the second with the reason `fail`; `satisfied with exceptions` and
`partly assessed`, which are neither a pass nor a fail, are the second with the reason `other`. What decides nothing
(evidence only, not assessed) has no finding: it is an observation, which says what was found and why that is no
decision.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from keyrules.controls.verdicts import describe
from keyrules.model import ControlResult, Evaluation, Outcome
from keyrules.reports.evidence import MAPPING_NOTE, population, results
from keyrules.reports.json import Members, laid_out
from keyrules.reports.oscal.catalogs import Edition, editions_of, statement_id
from keyrules.reports.oscal.observed import Observed, origin
from keyrules.reports.oscal.parts import Heading, derived_uuid, line, paragraphs, prop, props, resource, some
from keyrules.reports.oscal.plan import NAME as PLAN
from keyrules.reports.oscal.plan import assets, profile_resource, selection
from keyrules.reports.oscal.risks import risks
from keyrules.reports.text_style import ReportOptions, iso_utc

_STATES = {
    Outcome.SATISFIED: ("satisfied", "pass"),
    Outcome.WITH_EXCEPTIONS: ("not-satisfied", "other"),
    Outcome.NOT_SATISFIED: ("not-satisfied", "fail"),
    Outcome.PARTLY_ASSESSED: ("not-satisfied", "other"),
}
"""Of the verdicts that decide something."""


def render(evaluation: Evaluation, options: ReportOptions) -> Iterator[str]:
    """The results alone, as `--format oscal=FILE` has them; of `options` only the version of OSCAL counts."""
    observed = Observed(evaluation, {})
    heading = heading_of(evaluation, options.oscal_version)
    (name, document), *_ = assessment_results(observed, editions_of(evaluation), heading, []).items()
    return laid_out(Members([(name, Members(document.items()))]))


def heading_of(evaluation: Evaluation, version: str, assessor: str = "") -> Heading:
    """What the documents of a run say of themselves: they are as old as the end of the run, if that is known."""
    moment = evaluation.ran[1] if evaluation.ran is not None else evaluation.as_of
    return Heading(iso_utc(moment), evaluation.pack, version, assessor)


def assessment_results(
    observed: Observed, editions: Sequence[Edition], heading: Heading, facts: list[dict[str, str]]
) -> dict[str, Any]:
    """The results of a run for these editions. `facts` are those of the tool."""
    plan = resource("security-assessment-plan", "The assessment plan", PLAN, "application/json")
    keys = [edition.key for edition in editions]
    return {
        "assessment-results": {
            "uuid": derived_uuid(observed.seed, "results", keys, heading.version, heading.moment),
            "metadata": heading.metadata(f"keyrules evidence, {observed.evaluation.plane.value} plane"),
            "import-ap": {"href": f"#{plan['uuid']}"},
            "results": [_result(observed, editions, heading, facts)],
            "back-matter": {"resources": [plan, *map(profile_resource, editions), *observed.inputs()]},
        }
    }


def _result(
    observed: Observed, editions: Sequence[Edition], heading: Heading, facts: list[dict[str, str]]
) -> dict[str, Any]:
    evaluation, framework = observed.evaluation, observed.evaluation.framework
    judged = [
        (edition, each)
        for edition in editions
        for control in results(evaluation)
        if control.framework in (edition.key, "")
        for each in _by_statement(edition, control)
    ]
    start, end = _times(evaluation)
    notes = [
        *(framework.notes if framework is not None else ()),
        *evaluation.warnings,
        *evaluation.notes,
        *observed.left_out(),
        MAPPING_NOTE,
    ]
    return {
        "uuid": derived_uuid(observed.seed, "result", [edition.key for edition in editions], heading.moment),
        "title": line(", ".join(edition.name for edition in editions)),
        "description": f"Evaluated on the {evaluation.plane.value} plane: {describe(evaluation.counts)}.",
        "start": iso_utc(start),
        **({"end": iso_utc(end)} if end > start else {}),
        "props": [
            *props(as_of=observed.moment),
            *(prop(noun.replace(" ", "-"), str(number)) for number, noun in population(evaluation)),
        ],
        "local-definitions": some(
            components=observed.components(),
            inventory_items=observed.items(observed.groups),
            assessment_assets=assets(observed, heading, facts),
        ),
        "reviewed-controls": {"control-selections": [selection(edition) for edition in editions]},
        **some(
            observations=[*observed.observations(tasks=True), *_undecided(observed, judged)],
            risks=list(risks(observed)),
            findings=list(_findings(observed, judged)),
        ),
        "remarks": paragraphs(notes),
    }


def _times(evaluation: Evaluation) -> tuple[datetime, datetime]:
    """When the run began and ended; where nobody says, from when its oldest input was made to what it was judged at."""
    if evaluation.ran is not None:
        start, end = evaluation.ran
        # The clock has whole seconds: what ended in the one in which it began was over by the next.
        return start, max(end, start + timedelta(seconds=1))
    made = (item.generated_at for item in evaluation.inputs if item.generated_at is not None)
    return min([*made, evaluation.as_of]), evaluation.as_of


def _by_statement(edition: Edition, control: ControlResult) -> list[ControlResult]:
    """The verdict on a control, which is one on the statement that holds all others, and those on the others."""
    whole = statement_id(edition.key, control.control)
    parts = (each for each in control.statements if statement_id(edition.key, each.control, each.statement) != whole)
    return [control, *parts]


def _findings(observed: Observed, judged: Sequence[tuple[Edition, ControlResult]]) -> Iterator[dict[str, Any]]:
    for edition, control in judged:
        if control.outcome not in _STATES:
            continue
        state, reason = _STATES[control.outcome]
        target = statement_id(edition.key, control.control, control.statement)
        rules = {part.rule for part in control.parts}
        groups = [group for group in observed.groups if group.rule.id in rules]
        related = [observed.of_rule(rule) for rule in observed.evaluation.rules if rule.id in rules]
        related += map(observed.of_group, groups)
        yield {
            "uuid": derived_uuid(observed.seed, "finding", edition.key, target),
            "title": line(f"{control.statement or control.control} {control.title}: {control.outcome.value}"),
            "description": line(control.reason),
            "props": [
                *_verdict(edition, control),
                *props(exceptions=control.exceptions or None),
            ],
            "origins": [origin()],
            "target": {
                "type": "statement-id",
                "target-id": target,
                "status": {"state": state, "reason": reason, "remarks": line(control.outcome.value)},
            },
            **some(
                related_observations=[{"observation-uuid": each} for each in related],
                related_risks=[{"risk-uuid": risk} for group in groups if (risk := observed.risk_of(group))],
                remarks=paragraphs(control.rest),
            ),
        }


def _undecided(observed: Observed, judged: Sequence[tuple[Edition, ControlResult]]) -> Iterator[dict[str, Any]]:
    """What is said of the controls that nothing decides."""
    for edition, control in judged:
        if control.outcome in _STATES:
            continue
        looked = bool(control.parts)
        yield {
            "uuid": derived_uuid(observed.seed, "undecided", edition.key, control.control, control.statement),
            "title": line(f"{control.statement or control.control} {control.title}: {control.outcome.value}"),
            "description": line(control.reason),
            "props": _verdict(edition, control),
            "methods": ["TEST" if looked else "UNKNOWN"],
            "types": ["finding", "control-objective"] if looked else ["control-objective"],
            **({"origins": [origin()]} if looked else {}),
            "collected": observed.moment,
            **some(remarks=paragraphs(control.rest)),
        }


def _verdict(edition: Edition, control: ControlResult) -> list[dict[str, str]]:
    """A verdict and what it rests on, as properties."""
    relations = [prop("relation", f"{part.rule} {part.relation} {part.bound}".strip()) for part in control.parts]
    about = props(framework=edition.key, control=control.control, statement=control.statement)
    return [*about, *props(verdict=control.outcome.value), *relations]
