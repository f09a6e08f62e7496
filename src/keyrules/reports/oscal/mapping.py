"""The control map as an OSCAL mapping collection, which OSCAL has from 1.2 on, with the catalogs that it refers to.

Source: the metaschema of 1.2 (https://pages.nist.gov/OSCAL/reference/latest/mapping-collection/); the relationships are
those of NIST IR 8477, section 4.3, from the rule to the control.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keyrules.controls.export import SET_THEORY, confidence, row_id
from keyrules.controls.model import ControlRow, FrameworkEdition, Frameworks
from keyrules.model import PackStamp, Rule
from keyrules.reports.oscal.catalogs import (
    PUBLISHED,
    RULES,
    Control,
    Edition,
    catalog,
    control_id,
    edition_of,
    statement_id,
)
from keyrules.reports.oscal.parts import Heading, derived_uuid, line, prop, props, some

NAME = "mapping-collection.json"


def documents(frameworks: Frameworks, rules: Sequence[Rule], stamp: PackStamp) -> dict[str, dict[str, Any]]:
    """The collection, and the catalogs of the rules and of editions that nobody publishes, by the names of files."""
    checked = max(edition.checked_on for edition in frameworks.editions)
    heading = Heading(f"{checked}T00:00:00Z", stamp, "1.2")
    own = Edition(RULES, "The rules of keyrules", "", tuple(Control(rule.id, rule.name, ()) for rule in rules), {})
    unpublished = [edition_of(each) for each in frameworks.editions if each.key not in PUBLISHED]
    catalogs = {f"{each.key}/catalog.json": catalog(each, heading) for each in (own, *unpublished)}
    return {NAME: _collection(frameworks, heading), **catalogs}


def _collection(frameworks: Frameworks, heading: Heading) -> dict[str, Any]:
    mappings = [_mapping(edition) for edition in frameworks.editions]
    return {
        "mapping-collection": {
            "uuid": derived_uuid("mapping-collection", heading.stamp.sha256),
            "metadata": heading.metadata("The rules of keyrules and the controls of frameworks"),
            "provenance": {
                "method": "human",
                "matching-rationale": "functional",
                "status": "complete",
                "mapping-description": "What a rule decides of a control, with the limit that the control demands, the "
                "sources of the reading, and how far others bear it out.",
            },
            "mappings": mappings,
        }
    }


def _mapping(edition: FrameworkEdition) -> dict[str, Any]:
    published = PUBLISHED.get(edition.key)
    kind = "profile" if published and published.endswith("_profile.json") else "catalog"
    untouched = [control for control in edition.controls if not any(row.rule for row in edition.rows_of(control))]
    gaps = [control_id(edition.key, control) for control in untouched]
    return {
        "uuid": derived_uuid("mapping", edition.key),
        "source-resource": {"type": "catalog", "href": f"{RULES}/catalog.json"},
        "target-resource": {"type": kind, "href": published or f"{edition.key}/catalog.json"},
        "maps": [_map(edition.key, row) for row in edition.rows if row.rule],
        "props": props(framework=edition.key, status=edition.status.value, checked_on=str(edition.checked_on)),
        **(
            {
                "target-gap-summary": {
                    "uuid": derived_uuid("gaps", edition.key),
                    "unmapped-controls": [{"with-ids": list(dict.fromkeys(gaps))}],
                }
            }
            if gaps
            else {}
        ),
    }


def _map(key: str, row: ControlRow) -> dict[str, Any]:
    target = (
        {"type": "statement", "id-ref": statement_id(key, row.control, row.statement)}
        if row.statement
        else {"type": "control", "id-ref": control_id(key, row.control)}
    )
    bounds = [prop("bound", str(bound)) for bound in row.bounds]
    return {
        "uuid": derived_uuid("map", row_id(key, row)),
        "relationship": SET_THEORY[row.relation],
        "sources": [{"type": "control", "id-ref": row.rule}],
        "targets": [target],
        "confidence-score": {"category": confidence(row)},
        **some(
            props=[
                *props(id=row_id(key, row), control=row.control, relation=row.relation.value),
                *bounds,
                *(prop("source", source) for source in row.sources),
            ]
        ),
        "remarks": line(row.why),
    }
