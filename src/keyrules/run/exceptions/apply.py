"""Exceptions over a whole evaluation: what becomes EXEMPT, and the counts that follow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from keyrules.model import Counts, Evaluation, Finding, Status
from keyrules.records import replace
from keyrules.run.exceptions.file import Entry, utc_day
from keyrules.run.exceptions.match import ExceptionUse
from keyrules.run.exceptions.paths import Ground
from keyrules.run.exceptions.scope import exception_warnings, expiry_warnings, scan_scope

Moves: TypeAlias = Mapping[tuple[str, Status], int]
"""By rule id and former status, how many verdicts became EXEMPT."""


def exempted(evaluation: Evaluation, entries: Sequence[Entry], ground: Ground) -> Evaluation:
    """The evaluation of a scan with its exceptions applied, and with warnings about them.

    `ground` is what their file can speak of.
    """
    use, day = ExceptionUse(entries, evaluation.plane, ground), utc_day(evaluation.as_of)
    findings = tuple(use.applied(finding, day) for finding in evaluation.findings)
    moves = moves_between(evaluation.findings, findings)
    all_moves = {("", status): sum(n for (_, was), n in moves.items() if was is status) for status in Status}
    return replace(
        evaluation,
        findings=findings,
        counts=counts_after(evaluation.counts, all_moves, ""),
        rule_counts={rule: counts_after(counts, moves, rule) for rule, counts in evaluation.rule_counts.items()},
        warnings=(*evaluation.warnings, *exception_warnings(use, scan_scope(evaluation, ground))),
        urgent_warnings=(*evaluation.urgent_warnings, *expiry_warnings(use)),
    )


def moves_between(before: Iterable[Finding], after: Iterable[Finding]) -> Moves:
    """What became EXEMPT, from the same findings before and after."""
    return Counter(
        (old.rule, old.status) for old, new in zip(before, after, strict=True) if old.status is not new.status
    )


def counts_after(counts: Counts, moves: Moves, rule: str) -> Counts:
    """A rule's counts after the moves of its verdicts to EXEMPT."""
    failed, unknown = moves.get((rule, Status.FAIL), 0), moves.get((rule, Status.UNKNOWN), 0)
    return replace(
        counts,
        failed=counts.failed - failed,
        unknown=counts.unknown - unknown,
        exempt=counts.exempt + failed + unknown,
    )
