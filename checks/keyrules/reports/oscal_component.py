"""`keyrules controls --format oscal`: what the rules implement of each framework, as an OSCAL component definition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keyrules.control_model import FrameworkEdition
from keyrules.model import PackStamp
from keyrules.reports.json_text import dump
from keyrules.reports.oscal_parts import control_token, derived_uuid, line, metadata, prop, props


def render(editions: Sequence[FrameworkEdition], stamp: PackStamp) -> str:
    """The controls of these editions that a rule touches. The document's time is the last check of a mapping."""
    checked = max(edition.checked_on for edition in editions)
    seed = derived_uuid(stamp.sha256, [edition.key for edition in editions])
    implementations = [each for edition in editions if (each := _implementation(edition, seed))]
    return dump(
        {
            "component-definition": {
                "uuid": derived_uuid(seed, "document"),
                "metadata": metadata("keyrules rules and the controls they bear on", f"{checked}T00:00:00Z", stamp),
                "components": [
                    {
                        "uuid": derived_uuid(seed, "component"),
                        "type": "validation",
                        "title": "keyrules",
                        "description": "Policy as code for long-lived AWS credentials, on code and on live accounts.",
                        **({"control-implementations": implementations} if implementations else {}),
                    }
                ],
            }
        }
    )


def _implementation(edition: FrameworkEdition, seed: str) -> dict[str, Any] | None:
    requirements = [each for control in edition.controls if (each := _requirement(edition, control, seed)) is not None]
    if not requirements:
        return None
    return {
        "uuid": derived_uuid(seed, "framework", edition.key),
        "source": edition.url,
        "description": line(edition.name),
        "props": props(framework=edition.key, checked_on=str(edition.checked_on)),
        "implemented-requirements": requirements,
    }


def _requirement(edition: FrameworkEdition, control: str, seed: str) -> dict[str, Any] | None:
    """One control with its rows; None where no rule touches it, for it is not implemented."""
    rows = edition.rows_of(control)
    if not any(row.rule for row in rows):
        return None
    relations = []
    for row in rows:
        bound = ";".join(map(str, row.bounds))
        relations.append(prop("relation", f"{row.rule} {row.relation.value} {bound}"))
        relations += [prop("Rule_Id", row.rule)] if row.rule else []
    return {
        "uuid": derived_uuid(seed, "control", edition.key, control),
        "control-id": control_token(edition.key, control),
        "description": line(rows[0].title),
        "props": [*props(control=control), *relations],
        "remarks": "\n\n".join(line(f"{row.rule or 'Not covered'}: {row.why}") for row in rows),
    }
