"""Writes a baseline: the JSON report of what counts in a run, each finding with the time when it was first seen.

- New and known findings stand in it; what is exempt or passes does not.
- A finding that was accepted as FAIL and is UNKNOWN in this run keeps standing as FAIL, or the next run would take it
  for new.
- What the run did not look at is carried over from the old baseline, with the inputs that it came from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from keyrules.baseline_compare import Comparison, Known, place_order
from keyrules.baseline_reading import Baseline
from keyrules.model import Evaluation, Finding, Input, Status
from keyrules.reports.json_report import document, finding_document
from keyrules.reports.json_text import dump
from keyrules.reports.text_style import count_of, iso_utc


@dataclass(frozen=True)
class _Row:
    finding: Finding
    fingerprint: str
    first_seen: datetime


def baseline_text(
    evaluation: Evaluation, compared: Comparison, old: Baseline | None, looked_at: Callable[[Input], bool]
) -> str:
    """The new baseline after a run, whose evaluation has all of its findings. `looked_at` is asked of old inputs."""
    rows = _distinct(
        [
            *(_accepted(known) for known in compared.known),
            *(_Row(finding, finding.fingerprint, evaluation.as_of) for finding in compared.new),
            *(_Row(entry.finding, entry.fingerprint, entry.first_seen) for entry in compared.unseen),
        ]
    )
    inputs = _inputs(evaluation.inputs, old, looked_at) if compared.unseen else evaluation.inputs
    report = document(replace(evaluation, inputs=inputs, findings=(), notes=(), warnings=(), framework=None))
    report["findings"] = [
        finding_document(row.finding) | {"fingerprint": row.fingerprint, "first_seen": iso_utc(row.first_seen)}
        for row in rows
    ]
    return dump(report)


def accepted_note(name: str, evaluation: Evaluation, compared: Comparison) -> str:
    """What a run says about the baseline that it wrote."""
    fingerprints = {finding.fingerprint for finding in (*compared.new, *(known.finding for known in compared.known))}
    carried = f", and kept {len(compared.unseen):,} that this run did not look at" if compared.unseen else ""
    missing = "; what could not be evaluated is not in it" if evaluation.errors else ""
    return f"Accepted {count_of(len(fingerprints), 'finding')} in the baseline {name}{carried}{missing}."


def _accepted(known: Known) -> _Row:
    finding, entry = known.finding, known.entry
    if finding.status is Status.UNKNOWN and entry.finding.status is Status.FAIL:
        earlier = replace(entry.finding, location=finding.location, subject=finding.subject)
        return _Row(earlier, finding.fingerprint, entry.first_seen)
    return _Row(finding, finding.fingerprint, entry.first_seen)


def _distinct(rows: Iterable[_Row]) -> list[_Row]:
    """One row for each fingerprint, a FAIL before an UNKNOWN, in an order that lines and slots have no part in."""
    found: dict[str, _Row] = {}
    for row in rows:
        other = found.setdefault(row.fingerprint, row)
        if other.finding.status is Status.UNKNOWN and row.finding.status is Status.FAIL:
            found[row.fingerprint] = replace(row, first_seen=min(row.first_seen, other.first_seen))
    return sorted(found.values(), key=lambda row: (*place_order(row.finding), row.fingerprint))


def _inputs(own: Sequence[Input], old: Baseline | None, looked_at: Callable[[Input], bool]) -> tuple[Input, ...]:
    names = {(item.kind, item.name) for item in own}
    earlier = old.inputs if old is not None else ()
    return (*own, *(item for item in earlier if (item.kind, item.name) not in names and not looked_at(item)))
