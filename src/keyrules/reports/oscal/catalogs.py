"""Which catalog the controls of an edition stand in, what it calls them and their statements, and ours where none is.

NIST publishes catalogs, and GSA the profiles of FedRAMP; each has ids of its own form. For every other framework a
minimal catalog is written: the ids of its controls and our titles, because the texts are their publishers'.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from keyrules.controls.bounds import Bound, tightest
from keyrules.controls.model import ControlRow, FrameworkEdition, Relation
from keyrules.model import ControlResult, Evaluation
from keyrules.pack.parameters import show_value
from keyrules.records import dataclass
from keyrules.reports.evidence import results
from keyrules.reports.oscal.parts import Heading, derived_uuid, line, prop, props

_NIST = "https://raw.githubusercontent.com/usnistgov/oscal-content/"
_NIST_53 = f"{_NIST}88bb8deeaa815f8914d68ea7e31a622ebbc1719d/nist.gov/SP800-53/"
_NIST_OTHER = f"{_NIST}78650f02ad9321bb7b817846f8fbd4f2bcd620de/nist.gov/"
_GSA = (
    "https://raw.githubusercontent.com/GSA/fedramp-automation/c784140bc6d1ac9fa159aabc0e8a29e9aa2c63a9/dist/content/rev5/"
    "baselines/json/FedRAMP_rev5_"
)
PUBLISHED = {
    "nist_800_53_r4": f"{_NIST_53}rev4/json/NIST_SP-800-53_rev4_catalog.json",
    "nist_800_53_r5": f"{_NIST_53}rev5/json/NIST_SP-800-53_rev5_catalog.json",
    "nist_800_53_r5_extended": f"{_NIST_53}rev5/json/NIST_SP-800-53_rev5_catalog.json",
    "nist_800_171_r3": f"{_NIST_OTHER}SP800-171/rev3/json/NIST_SP800-171_rev3_catalog.json",
    "nist_csf_2.0": f"{_NIST_OTHER}CSF/v2.0/json/NIST_CSF_v2.0_catalog.json",
    "fedramp_r5_high": f"{_GSA}HIGH-baseline_profile.json",
    "fedramp_r5_li_saas": f"{_GSA}LI-SaaS-baseline_profile.json",
    "fedramp_r5_low": f"{_GSA}LOW-baseline_profile.json",
    "fedramp_r5_moderate": f"{_GSA}MODERATE-baseline_profile.json",
}
"""Where the catalog of an edition is published, or the profile that selects from it; pinned, so that ids stay."""

RULES = "rules"
"""What stands for the key of an edition where a run has none: each rule is a control then."""

_NOT_IN_TOKENS = re.compile(r"[^A-Za-z0-9._-]+")
_SP_800_53 = re.compile(r"([A-Za-z]{2}-[0-9]+)(?:\(([0-9]+)\)|(\.[0-9]+))?((?:\([a-z0-9]+\))*)\Z")


@dataclass(frozen=True)
class Part:
    """How a rule bears on a control, and on which statement of it; `rule` is empty where none does."""

    rule: str
    relation: str
    bound: str
    statement: str = ""
    why: str = ""

    @property
    def runs(self) -> bool:
        """Whether the rule is evaluated for the control."""
        return bool(self.rule) and self.relation != Relation.CONTRADICTS.value


@dataclass(frozen=True)
class Control:
    """A control as an edition has it, with what bears on it."""

    id: str
    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Edition:
    """What the documents need of an edition: `key` is RULES where the rules are the controls.

    `values` are those that the parameters of its rules have, by rule and parameter.
    """

    key: str
    name: str
    url: str
    controls: tuple[Control, ...]
    values: Mapping[tuple[str, str], str]

    @property
    def rules(self) -> frozenset[str]:
        """The rules that bear on its controls."""
        return frozenset(part.rule for control in self.controls for part in control.parts if part.runs)

    @property
    def published(self) -> bool:
        """Whether its publisher has a catalog of it."""
        return self.key in PUBLISHED

    def control_id(self, control: str) -> str:
        """The id that the catalog has for a control."""
        return control_id(self.key, control)

    def statements(self, control: Control) -> list[str]:
        """The statement that holds all others of a control, and those that its parts are about."""
        named = (statement_id(self.key, control.id, part.statement) for part in control.parts)
        return list(dict.fromkeys([statement_id(self.key, control.id), *named]))


def control_id(key: str, control: str) -> str:
    """The id of a control in the catalog of its edition: AC-2(1) is ac-2.1 in NIST's, `key`_1.14 in ours."""
    if key == "nist_csf_2.0":
        return control
    if key == "nist_800_171_r3":
        return f"SP_800_171_{control}"
    found = _SP_800_53.match(control) if key in PUBLISHED else None
    if found:
        base, enhancement, dotted, _ = found.groups()
        return base.lower() + (f".{enhancement}" if enhancement else dotted or "")
    return _token(control) if key == RULES else f"{key}_{_token(control)}"


def statement_id(key: str, control: str, statement: str = "") -> str:
    """The id of a statement of a control there; without one, that of the statement which holds all others.

    What a row names as its statement is the catalog's id already, where there is a published one. Scanners list
    AC-3(3)(b)(1) as a control, which is the statement ac-3.3_smt.b.1.
    """
    top = control_id(key, control)
    if key not in PUBLISHED:
        return f"{top}_smt" + (f".{_token(statement)}" if statement else "")
    if statement:
        return statement
    if key == "nist_csf_2.0":
        return f"{top}_statement"
    if key == "nist_800_171_r3":
        return f"statement_{control}"
    found = _SP_800_53.match(control)
    items = re.findall(r"\(([a-z0-9]+)\)", found[4]) if found else []
    return ".".join([f"{top}_smt", *items])


def edition_of(framework: FrameworkEdition) -> Edition:
    """All controls of an edition, and what it asks of the parameters."""
    controls = [
        Control(control, rows[0].title, tuple(map(_part, rows)))
        for control in framework.controls
        if (rows := framework.rows_of(control))
    ]
    bounds: dict[tuple[str, str], list[Bound]] = {}
    for row in framework.rows:
        for bound in row.bounds:
            bounds.setdefault((row.rule, bound.parameter), []).append(bound)
    values = {key: show_value(tightest(found)) for key, found in sorted(bounds.items())}
    return Edition(framework.key, framework.name, framework.url, tuple(controls), values)


def _part(row: ControlRow) -> Part:
    return Part(row.rule, row.relation.value, ";".join(map(str, row.bounds)), row.statement, row.why)


def editions_of(evaluation: Evaluation) -> list[Edition]:
    """The editions that a run was asked for with the controls that it judged; RULES where it was asked for none."""
    framework = evaluation.framework
    values = {(each.rule, each.name): show_value(each.value) for each in evaluation.parameters if not each.users}
    if framework is None:
        return [Edition(RULES, "The rules of keyrules", "", tuple(map(_judged, results(evaluation))), values)]
    return [
        Edition(
            key, name, url, tuple(_judged(each) for each in framework.controls if each.framework in (key, "")), values
        )
        for key, name, url in framework.editions or [(framework.key, framework.name, framework.url)]
    ]


def _judged(judged: ControlResult) -> Control:
    parts = tuple(Part(each.rule, each.relation, each.bound, each.statement) for each in judged.parts)
    return Control(judged.control, judged.title, parts)


def profile(edition: Edition, heading: Heading) -> dict[str, Any]:
    """A profile of the controls of an edition: from its published catalog, or from ours beside it."""
    source = PUBLISHED.get(edition.key, "catalog.json")
    ids = dict.fromkeys(edition.control_id(control.id) for control in edition.controls)
    return {
        "profile": {
            "uuid": derived_uuid("profile", edition.key, heading.stamp.sha256, list(ids), heading.version),
            "metadata": heading.metadata(f"{edition.name}: what keyrules looks at"),
            "imports": [{"href": source, **_selected(ids)}],
            "merge": {"as-is": True},
        }
    }


def _selected(ids: Iterable[str]) -> dict[str, Any]:
    chosen = list(ids)
    return {"include-controls": [{"with-ids": chosen}]} if chosen else {"include-all": {}}


def catalog(edition: Edition, heading: Heading) -> dict[str, Any]:
    """The minimal catalog of an edition that is not published as one."""
    controls = [_own_control(edition, control) for control in edition.controls]
    words = "The ids are the publisher's and the titles are our own words; the text of the controls is not here."
    document: dict[str, Any] = {
        "uuid": derived_uuid("catalog", edition.key, heading.stamp.sha256, controls, heading.version),
        "metadata": {
            **heading.metadata(f"{edition.name}: ids with our titles"),
            **({"links": [{"href": edition.url, "rel": "reference"}]} if edition.url else {}),
            "remarks": words if edition.key != RULES else "Each rule is a control.",
        },
    }
    group = {"id": _token(edition.key), "title": line(edition.name), "controls": controls}
    return {"catalog": {**document, **({"groups": [group]} if controls else {})}}


def _own_control(edition: Edition, control: Control) -> dict[str, Any]:
    top = statement_id(edition.key, control.id)
    named = {
        statement_id(edition.key, control.id, part.statement): part.statement
        for part in control.parts
        if part.statement
    }
    items: Sequence[dict[str, Any]] = [
        {"id": token, "name": "item", "props": [{"name": "label", "value": line(text)}]}
        for token, text in named.items()
    ]
    return {
        "id": edition.control_id(control.id),
        "title": line(control.title),
        "props": [{"name": "label", "value": line(control.id)}, *props(control=control.id, framework=edition.key)],
        "parts": [
            {
                "id": top,
                "name": "statement",
                "props": [{"name": "label", "value": line(control.id)}],
                "prose": f"{line(control.title)}.",
                **({"parts": items} if items else {}),
            }
        ],
    }


def relations(parts: Iterable[Part]) -> list[dict[str, str]]:
    """What each rule does for a control, as properties."""
    return [prop("relation", f"{part.rule} {part.relation} {part.bound}".strip()) for part in parts if part.rule]


def _token(text: str) -> str:
    return _NOT_IN_TOKENS.sub("_", text)
