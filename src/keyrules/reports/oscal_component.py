"""`keyrules controls --format oscal`: what the rules implement of each framework, as an OSCAL component definition."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Sequence
from typing import Any

from keyrules.controls.model import FrameworkEdition
from keyrules.model import PackStamp
from keyrules.reports.evidence import PROJECT
from keyrules.reports.json import dump
from keyrules.reports.text_style import printable

OSCAL_VERSION = "1.2.1"
NAMESPACE = f"{PROJECT}/ns/oscal"
_UUIDS = uuid.uuid5(uuid.NAMESPACE_URL, NAMESPACE)
_NOT_IN_TOKENS = re.compile(r"[^A-Za-z0-9._-]+")
_NIST_CONTROL = re.compile(r"([A-Z]{2})-([0-9]+)(?:\(([0-9]+)\))?\Z")
_NIST_FRAMEWORKS = ("nist_800_53_r4", "nist_800_53_r5", "nist_800_53_r5_extended")


def derived_uuid(*content: Any) -> str:
    """The UUID of an object, from what identifies it (anything that JSON can write)."""
    return str(uuid.uuid5(_UUIDS, json.dumps(content, sort_keys=True)))


def control_token(framework: str, control: str) -> str:
    """A control id as an OSCAL token, which begins with a letter and has no parentheses.

    NIST SP 800-53 ids become those of NIST's own OSCAL catalogs (AC-2(1) is ac-2.1); others get the framework in front.
    The id as it is written stands beside it as a property, because tokens of other ids cannot be read back.
    """
    found = _NIST_CONTROL.match(control)
    if framework in _NIST_FRAMEWORKS and found:
        family, number, enhancement = found.groups()
        return f"{family.lower()}-{number}" + (f".{enhancement}" if enhancement else "")
    return f"{framework}_{_NOT_IN_TOKENS.sub('_', control)}" if framework else control


def prop(name: str, value: str) -> dict[str, str]:
    """A property in this project's namespace; its value is one line, and not empty."""
    return {"name": name, "ns": NAMESPACE, "value": line(value)}


def props(**values: str | int | None) -> list[dict[str, str]]:
    """Properties for the values that there are; an underscore in a name becomes a hyphen."""
    return [
        prop(name.replace("_", "-"), str(value)) for name, value in values.items() if value is not None and value != ""
    ]


def line(text: str) -> str:
    """Text on one line that neither begins nor ends with a blank, as OSCAL's strings are; `-` where there is none."""
    return printable(text).strip() or "-"


def metadata(title: str, moment: str, stamp: PackStamp) -> dict[str, Any]:
    """The metadata of a document; `moment` is ISO 8601 with a zone."""
    return {
        "title": title,
        "last-modified": moment,
        "version": stamp.version,
        "oscal-version": OSCAL_VERSION,
        "props": props(pack_version=stamp.version, pack_sha256=stamp.sha256),
    }


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
    if not any(row.runs for row in rows):
        return None
    relations = []
    for row in rows:
        bound = ";".join(map(str, row.bounds))
        relations.append(prop("relation", f"{row.rule} {row.relation.value} {bound}"))
        relations += [prop("Rule_Id", row.rule)] if row.runs else []
    return {
        "uuid": derived_uuid(seed, "control", edition.key, control),
        "control-id": control_token(edition.key, control),
        "description": line(rows[0].title),
        "props": [*props(control=control), *relations],
        "remarks": "\n\n".join(line(f"{row.rule or 'Not covered'}: {row.why}") for row in rows),
    }
