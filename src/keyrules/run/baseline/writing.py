"""Writes a baseline: what counts in a run, each finding with the time when it was first seen.

- New and known findings stand in it; what is exempt or passes does not.
- A finding that was accepted as FAIL and is UNKNOWN in this run keeps standing as FAIL, or the next run would take it
  for new.
- What the run did not look at is carried over from the old baseline.
- It has only what the comparison and the reviewer of a change need: no lines, ages, hashes or times of runs, which
  change by themselves. Each finding has lines of its own, in an order that moved lines and swapped key slots leave
  alone, so that changes of two branches merge.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from keyrules.code.file_names import SOURCE_SUFFIXES
from keyrules.model import Evaluation, Finding, Input, Plane, Status
from keyrules.records import dataclass, replace
from keyrules.reports.json import dump_line, finding_document
from keyrules.reports.text_style import count_of, iso_utc
from keyrules.run.baseline.compare import Comparison, place_order
from keyrules.run.baseline.places import Places, at, base_of, path_of, start_for
from keyrules.run.baseline.reading import BASELINE_SCHEMA, KEY_IDS, Baseline, Entry

_NEXT = "\n    "
_SUBJECT = ("kind", "name", "account", "arn", "user", "slot", "key_id", "created_at")


@dataclass(frozen=True)
class _Row:
    """A finding with its path in the form of the new baseline."""

    finding: Finding
    fingerprint: str
    first_seen: datetime


def baseline_text(
    file: Path,
    evaluation: Evaluation,
    compared: Comparison,
    old: Baseline | None,
    unseen: Iterable[Input] = (),
) -> str:
    """The new baseline, for that file, after a run whose evaluation has all of its findings.

    `unseen` are the inputs of the old baseline that the run did not look at, with the paths of that one.
    """
    start = start_for(file, old.start if old is not None else None) if evaluation.plane is Plane.CODE else None
    places = Places(start or str(Path.cwd()))
    before = old.places if old is not None else places
    rows = _distinct(
        [
            *(_row(known.finding, known.entry.first_seen, places, known.entry) for known in compared.known),
            *(_row(finding, evaluation.as_of, places) for finding in compared.new),
            *(_carried(entry, before, places) for entry in compared.unseen),
        ]
    )
    head = {"schema": BASELINE_SCHEMA, "plane": evaluation.plane.value}
    head |= {"base": base_of(file, start)} if start is not None else {}
    lists = {"findings": [_lines(row) for row in rows]}
    if evaluation.plane is Plane.CODE:
        inputs = {(item.kind, places.entered(item.name)) for item in evaluation.inputs}
        inputs |= {(item.kind, places.carried(item.name, before)) for item in unseen}
        named = [_members({"kind": kind, "name": name}) for kind, name in _telling(inputs, rows)]
        lists = {"inputs": [f"{{{members}}}" for members in named], **lists}
    return _laid_out(head, lists)


def accepted_note(name: str, evaluation: Evaluation, compared: Comparison) -> str:
    """What a run says about the baseline that it wrote."""
    fingerprints = {finding.fingerprint for finding in (*compared.new, *(known.finding for known in compared.known))}
    carried = f", and kept {len(compared.unseen):,} that this run did not look at" if compared.unseen else ""
    missing = "; what could not be evaluated is not in it" if evaluation.errors else ""
    return f"Accepted {count_of(len(fingerprints), 'finding')} in the baseline {name}{carried}{missing}."


def _row(finding: Finding, first_seen: datetime, places: Places, entry: Entry | None = None) -> _Row:
    """A finding of the run, as what it was accepted as where it is the entry's."""
    placed = at(finding, places.entered(path_of(finding)))
    if entry is not None and finding.status is Status.UNKNOWN and entry.finding.status is Status.FAIL:
        earlier = replace(entry.finding, location=placed.location, subject=placed.subject)
        return _Row(earlier, placed.fingerprint, first_seen)
    return _Row(placed, placed.fingerprint, first_seen)


def _carried(entry: Entry, before: Places, places: Places) -> _Row:
    finding = at(entry.finding, places.carried(path_of(entry.finding), before))
    fingerprint = entry.fingerprint if finding is entry.finding else finding.fingerprint
    return _Row(finding, fingerprint, entry.first_seen)


def _distinct(rows: Iterable[_Row]) -> list[_Row]:
    """One row for each fingerprint, a FAIL before an UNKNOWN, in an order that lines and slots have no part in."""
    found: dict[str, _Row] = {}
    for row in rows:
        other = found.setdefault(row.fingerprint, row)
        if other.finding.status is Status.UNKNOWN and row.finding.status is Status.FAIL:
            found[row.fingerprint] = replace(row, first_seen=min(row.first_seen, other.first_seen))
    return sorted(found.values(), key=lambda row: (*place_order(row.finding), row.fingerprint))


def _telling(inputs: Iterable[tuple[str, str]], rows: Sequence[_Row]) -> list[tuple[str, str]]:
    """The inputs, as kind and name, without which the next run could not tell what is resolved.

    They are the plan and the Terraform module of each finding, and all modules where one that is called has a finding.
    """
    paths = {path_of(row.finding) for row in rows}
    folders = {PurePosixPath(path).parent.as_posix() for path in paths if path.endswith(SOURCE_SUFFIXES)}
    modules = {name for kind, name in inputs if kind == "terraform"}
    plans = {name for kind, name in inputs if kind == "plan"} & paths
    kept = folders if folders <= modules else modules
    return sorted([*(("plan", name) for name in plans), *(("terraform", name) for name in kept)])


def _lines(row: _Row) -> str:
    """A finding as a JSON object on three lines."""
    finding = row.finding
    what: dict[str, Any] = {"rule": finding.rule, "severity": finding.severity.name, "status": finding.status.value}
    if finding.location is not None:
        about: dict[str, Any] = {"location": {"path": finding.location.path, "address": finding.location.address}}
        key_ids = {name: finding.facts[name] for name in KEY_IDS if name in finding.facts}
        about |= {"facts": key_ids} if key_ids else {}
    else:
        subject = finding_document(finding)["subject"]
        about = {"subject": {name: subject[name] for name in _SUBJECT if subject[name] is not None}}
    parts = (what | {"first_seen": iso_utc(row.first_seen)}, about, {"fingerprint": row.fingerprint})
    return f"{{{f',{_NEXT} '.join(map(_members, parts))}}}"


def _members(part: Mapping[str, Any]) -> str:
    """The members of a JSON object, without its braces."""
    return dump_line(part).strip()[1:-1]


def _laid_out(head: Mapping[str, str], lists: Mapping[str, Sequence[str]]) -> str:
    members = [f"  {_members({name: value})}" for name, value in head.items()]
    for name, items in lists.items():
        body = f",{_NEXT}".join(items)
        members.append(f'  "{name}": [{_NEXT}{body}\n  ]' if items else f'  "{name}": []')
    return "{\n" + ",\n".join(members) + "\n}\n"
