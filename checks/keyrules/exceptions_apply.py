"""Exceptions over a whole evaluation: what becomes EXEMPT, and the counts that follow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timezone
from typing import TypeAlias

from keyrules.exceptions_match import ExceptionUse
from keyrules.exceptions_scope import Scope, exception_warnings
from keyrules.model import Counts, Evaluation, Finding, Status

Moves: TypeAlias = Mapping[tuple[str, Status], int]
"""By rule id and former status, how many verdicts became EXEMPT."""


def utc_day(moment: datetime) -> date:
    """The day of an aware moment in UTC, on which exceptions hold or not."""
    return moment.astimezone(timezone.utc).date()


def exempted(evaluation: Evaluation, use: ExceptionUse, folders: tuple[str, ...] | None) -> Evaluation:
    """The evaluation of a scan with its exceptions applied, and with warnings about them.

    `folders` are the scanned folders as reports show paths, None where single files were named.
    """
    day = utc_day(evaluation.as_of)
    findings = tuple(use.applied(finding, day) for finding in evaluation.findings)
    moves = moves_between(evaluation.findings, findings)
    all_moves = {("", status): sum(n for (_, was), n in moves.items() if was is status) for status in Status}
    scope = Scope(evaluation.rules, not evaluation.errors, folders=folders)
    return replace(
        evaluation,
        findings=findings,
        counts=counts_after(evaluation.counts, all_moves, ""),
        rule_counts={rule: counts_after(counts, moves, rule) for rule, counts in evaluation.rule_counts.items()},
        warnings=(*evaluation.warnings, *exception_warnings(use, scope)),
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
