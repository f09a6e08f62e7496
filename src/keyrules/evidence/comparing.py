"""Compares two packages: what they judged, with what and by which rules, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from keyrules.evidence.differences import READ, Difference, as_documents, as_lines, differences, parts_of
from keyrules.evidence.folder import RECEIVED, RESULTS, refuse_changed
from keyrules.evidence.manifest import Manifest, read_manifest
from keyrules.records import dataclass
from keyrules.reports.json import dump
from keyrules.reports.text_style import iso_utc, printable


@dataclass(frozen=True)
class Comparison:
    """What is different: `facts` of the runs as (name, old, new), what was received, and the results."""

    facts: Sequence[tuple[str, str, str]]
    received: Sequence[tuple[str, str]]
    results: Sequence[Difference]

    @property
    def differs(self) -> bool:
        """Whether anything but the time of the runs is different."""
        return bool(self.facts or self.received or self.results)


def compare(old: Path, new: Path) -> Comparison:
    """Compares two packages. Raises InputError for what is none, or was changed since."""
    (was, _), (now, _) = read_manifest(old), read_manifest(new)
    for folder, side in ((old, was), (new, now)):
        places = [f"{RESULTS}/{framework}/{plane}" for framework, plane in parts_of(side.files)]
        refuse_changed(folder, (f"{place}/{name}" for place in places for name in READ), side.files)
    sides = [_facts(each) for each in (was, now)]
    facts = [(name, sides[0][name], sides[1][name]) for name in sides[0] if sides[0][name] != sides[1][name]]
    paths = sorted(path for path in {*was.files, *now.files} if path.split("/")[0] in RECEIVED)
    received = [
        (path, "added" if path not in was.files else "gone" if path not in now.files else "other content")
        for path in paths
        if was.files.get(path) != now.files.get(path)
    ]
    return Comparison(facts, received, differences(old, parts_of(was.files), new, parts_of(now.files)))


def _facts(manifest: Manifest) -> dict[str, str]:
    request, repository = manifest.request, manifest.about.get("repository")
    commit = repository.get("commit") if isinstance(repository, dict) else None
    return {
        "pack": f"{manifest.pack.version} ({manifest.pack.sha256[:12]})",
        "as_of": iso_utc(request.as_of) if request.as_of is not None else "the moment of each report",
        "set": ", ".join(request.thresholds) or "none",
        "commit": str(commit or "none"),
        "assessor": str(manifest.about.get("assessor", "none")),
    }


def as_text(found: Comparison) -> str:
    """The differences for people."""
    if not found.differs:
        return "The two packages say the same.\n"
    lines = [f"{name}: {printable(old)} → {printable(new)}" for name, old, new in found.facts]
    lines += [f"{path}: {word}" for path, word in found.received]
    lines += as_lines(found.results)
    lines += [] if found.results else ["Every verdict and every finding is the same."]
    return "\n".join(lines) + "\n"


def as_json(found: Comparison) -> str:
    """The same for programs."""
    return dump(
        {
            "schema": "keyrules-evidence-diff/1",
            "facts": {name: {"old": old, "new": new} for name, old, new in found.facts},
            "received": [{"path": path, "change": word} for path, word in found.received],
            "results": as_documents(found.results),
        }
    )
