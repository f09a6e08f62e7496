"""What the OSCAL documents share: versions, UUIDs, properties, metadata.

UUIDs are derived from what they stand for. Those of credentials in an account, of risks there, of rules and of catalogs
are the same in every run; those of what one run saw are its own.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from typing import Any

from keyrules.model import PackStamp
from keyrules.records import dataclass
from keyrules.reports.evidence import PROJECT
from keyrules.reports.report_formats import OSCAL_VERSIONS
from keyrules.reports.text_style import printable

NAMESPACE = f"{PROJECT}/ns/oscal"
TRESTLE = "https://oscal-compass.github.io/compliance-trestle/schemas/oscal"
"""Whose names of rules, checks and parameters compliance-trestle and Compliance-to-Policy read."""

FEDRAMP = "https://fedramp.gov/ns/oscal"
TOOL = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{NAMESPACE}#tool"))
"""The component that stands for keyrules in every document."""

_UUIDS = uuid.uuid5(uuid.NAMESPACE_URL, NAMESPACE)


@dataclass(frozen=True)
class Heading:
    """What the metadata of each document of a set say.

    `moment` is ISO 8601 with a zone, `version` one of OSCAL_VERSIONS; no document holds what the older of these lacks.
    `assessor` is the name of who assessed, empty where nobody says.
    """

    moment: str
    stamp: PackStamp
    version: str
    assessor: str = ""

    def metadata(self, title: str) -> dict[str, Any]:
        """The metadata of a document of that title."""
        found: dict[str, Any] = {
            "title": line(title),
            "last-modified": self.moment,
            "version": self.stamp.version,
            "oscal-version": OSCAL_VERSIONS[self.version],
            "props": props(pack_version=self.stamp.version, pack_sha256=self.stamp.sha256),
        }
        if self.assessor:
            party = derived_uuid("party", self.assessor)
            found["roles"] = [{"id": "assessor", "title": "Assessor"}]
            found["parties"] = [{"uuid": party, "type": "organization", "name": line(self.assessor)}]
            found["responsible-parties"] = [{"role-id": "assessor", "party-uuids": [party]}]
        return found


def derived_uuid(*content: Any) -> str:
    """The UUID of an object, from what identifies it (anything that JSON can write)."""
    return str(uuid.uuid5(_UUIDS, json.dumps(content, sort_keys=True)))


def line(text: str) -> str:
    """Text on one line that neither begins nor ends with a blank, as OSCAL's strings are; `-` where there is none."""
    return printable(text).strip() or "-"


def paragraphs(texts: Iterable[str]) -> str:
    """Each text as a paragraph."""
    return "\n\n".join(line(text) for text in texts)


def prop(name: str, value: str, namespace: str = NAMESPACE, **more: str) -> dict[str, str]:
    """A property; its value is one line, and not empty. `more` are its other members, such as remarks."""
    return {"name": name, "ns": namespace, "value": line(value), **more}


def props(**values: str | int | None) -> list[dict[str, str]]:
    """Properties of this project for the values that there are; an underscore in a name becomes a hyphen."""
    return [
        prop(name.replace("_", "-"), str(value)) for name, value in values.items() if value is not None and value != ""
    ]


def trestle(**values: str) -> list[dict[str, str]]:
    """Properties that compliance-trestle and Compliance-to-Policy read; an underscore becomes a hyphen."""
    return [prop(name.replace("_", "-"), value, TRESTLE) for name, value in values.items()]


def some(**members: Any) -> dict[str, Any]:
    """The members that are not empty, because OSCAL has no empty list; an underscore in a name becomes a hyphen."""
    return {name.replace("_", "-"): value for name, value in members.items() if value}


def parameter_id(rule: str, parameter: str) -> str:
    """The id of a parameter: rules share names, and trestle's ids are those of the whole document."""
    return f"{rule}.{parameter}"


def resource(name: str, title: str, href: str, media_type: str, **more: Any) -> dict[str, Any]:
    """A resource that stands for another document; its type is `name`, which FedRAMP's checks look for."""
    return {
        "uuid": derived_uuid("resource", name, href),
        "title": title,
        "props": [{"name": "type", "value": name}, {"name": "type", "ns": FEDRAMP, "value": name}],
        "rlinks": [{"href": href, "media-type": media_type}],
        **more,
    }
