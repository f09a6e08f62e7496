"""All documents of a run or of the pack, as files of one folder that refer to each other."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from keyrules.model import Evaluation, PackStamp, Rule
from keyrules.records import replace
from keyrules.reports.json import Members, laid_out
from keyrules.reports.oscal.catalogs import Edition, catalog, editions_of, profile
from keyrules.reports.oscal.component import component_definition
from keyrules.reports.oscal.observed import EvidenceFile, Observed
from keyrules.reports.oscal.parts import Heading, prop
from keyrules.reports.oscal.plan import NAME as PLAN
from keyrules.reports.oscal.plan import plan
from keyrules.reports.oscal.results import assessment_results, heading_of
from keyrules.reports.oscal.risks import poam
from keyrules.reports.text_style import ReportOptions

_BLOCK: Final = 1 << 20
_MEDIA_TYPES: Final = {".csv": "text/csv", ".json": "application/json", ".yaml": "application/yaml"}

__all__ = ["EvidenceFile", "documents", "pack_documents"]


def documents(
    evaluation: Evaluation,
    *,
    version: str = "1.1.2",
    evidence: Mapping[str, EvidenceFile] | None = None,
    assessor: str = "",
    facts: Mapping[str, str] | None = None,
) -> dict[str, dict[str, Any]]:
    """The documents of a run by the names of their files: a folder for each edition, `rules/` where it has none.

    `version` is one of OSCAL_VERSIONS. `evidence` says by the name of an input in which file it is kept; `assessor` is
    who assesses, and `facts` are what else is known of the run, such as who called. Pure; the documents of a folder
    refer to each other, to what is published, and to what `evidence` names.
    """
    heading = heading_of(evaluation, version, assessor)
    known = [prop(name, value) for name, value in (facts or {}).items()]
    found: dict[str, dict[str, Any]] = {}
    for edition in editions_of(evaluation):
        own = tuple(rule for rule in evaluation.rules if rule.id in edition.rules)
        observed = Observed(replace(evaluation, rules=own), evidence or {})
        made = {
            **_of_edition(edition, heading),
            "component-definition.json": component_definition([edition], own, heading, {edition.key: "profile.json"}),
            PLAN: plan(observed, edition, heading, known),
            "assessment-results.json": assessment_results(observed, [edition], heading, known),
            "poam.json": poam(observed, heading),
        }
        found.update((f"{edition.key}/{name}", document) for name, document in made.items())
    return found


def render_folder(evaluation: Evaluation, options: ReportOptions, folder: Path) -> dict[str, Iterator[str]]:
    """The same as JSON, as `--format oscal=DIR/` has them; of `options` only the version of OSCAL counts.

    Inputs that are still files as they were read are evidence of the documents in `folder`.
    """
    made = documents(evaluation, version=options.oscal_version, evidence=dict(_still_there(evaluation, folder)))
    return {name: laid_out(_members(document)) for name, document in made.items()}


def _still_there(evaluation: Evaluation, folder: Path) -> Iterator[tuple[str, EvidenceFile]]:
    for item in evaluation.inputs:
        # What was read through a pipe, a compression or the API has no such file, and a folder has no sum of its own.
        path = Path(item.name)
        if item.sha256 is None or not path.is_file():
            continue
        with suppress(OSError), path.open("rb") as file:
            digest = hashlib.sha256()
            while block := file.read(_BLOCK):
                digest.update(block)
            if digest.hexdigest() == item.sha256:
                href = quote(Path(os.path.relpath(path, folder / "KEY")).as_posix(), errors="surrogateescape")
                media_type = _MEDIA_TYPES.get(path.suffix.lower(), "application/octet-stream")
                yield item.name, EvidenceFile(href, item.sha256, media_type)


def _members(document: Any) -> Any:
    """The outermost objects with a line for each member, so that a difference between two runs can be read."""
    return Members((name, Members(inner.items())) for name, inner in document.items())


def pack_documents(
    editions: Sequence[Edition], rules: Sequence[Rule], stamp: PackStamp, moment: str, version: str = "1.1.2"
) -> dict[str, dict[str, Any]]:
    """What the rules check of whole editions: one component definition, and a folder for each with what it refers to.

    `moment` is ISO 8601 with a zone: when the mappings were checked.
    """
    heading = Heading(moment, stamp, version)
    sources = {edition.key: f"{edition.key}/profile.json" for edition in editions}
    found = {"component-definition.json": component_definition(editions, rules, heading, sources)}
    for edition in editions:
        found.update((f"{edition.key}/{name}", made) for name, made in _of_edition(edition, heading).items())
    return found


def _of_edition(edition: Edition, heading: Heading) -> dict[str, dict[str, Any]]:
    ours = {} if edition.published else {"catalog.json": catalog(edition, heading)}
    return {**ours, "profile.json": profile(edition, heading)}
