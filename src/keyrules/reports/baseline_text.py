"""What text reports say about a baseline: what is known, what is resolved, and the numbers for the last line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from keyrules.model import BaselineReport, Evaluation, KnownFinding, ResolvedFinding, Status
from keyrules.reports.report_summary import with_status
from keyrules.reports.text_style import ReportOptions, count_of, display_width, pad, printable, relative_date

_INDENT = 2
_GAP = 2
_WIDEST = 48
_LISTED = 20
"""Known findings of one rule that a report lists; the JSON has all."""


def baseline_blocks(
    evaluation: Evaluation, options: ReportOptions, columns: Callable[[KnownFinding], Sequence[str]] | None = None
) -> list[list[str]]:
    """Blocks of lines: known findings, then resolved ones; nothing where the run had no baseline.

    Known findings are counted by rule, and with `columns`, which gives a row's cells, listed too.
    """
    report = evaluation.baseline
    if report is None:
        return []
    blocks = [_known(report, evaluation, options, columns)] if report.known else []
    return blocks + ([_resolved(report, evaluation, options)] if report.resolved else [])


def baseline_line(evaluation: Evaluation) -> str:
    """`; since the baseline: 3 new, 12 known, 2 resolved`, to end the summary; empty without a baseline."""
    report = evaluation.baseline
    if report is None:
        return ""
    new = with_status(evaluation, Status.FAIL, Status.UNKNOWN)
    words = [f"{new:,} new", f"{len(report.known):,} known", f"{len(report.resolved):,} resolved"]
    words += [f"{report.changed:,} with another verdict"] if report.changed else []
    words += [f"{report.kept:,} not looked at"] if report.kept else []
    return f"; since the baseline: {', '.join(words)}"


def _known(
    report: BaselineReport,
    evaluation: Evaluation,
    options: ReportOptions,
    columns: Callable[[KnownFinding], Sequence[str]] | None,
) -> list[str]:
    ordered = sorted(report.known, key=lambda known: (-known.finding.severity, known.finding.rule))
    groups = [list(group) for _, group in groupby(ordered, key=lambda known: known.finding.rule)]
    heads = _aligned(_head(group, evaluation.as_of) for group in groups)
    lines = [options.style.bold(f"Known since the baseline ({len(report.known):,})")]
    for head, group in zip(heads, groups, strict=True):
        lines.append(head)
        if columns is not None:
            rows = ((*columns(known), _since(known.first_seen, evaluation.as_of)) for known in group[:_LISTED])
            lines += [" " * _INDENT + line for line in _aligned(rows)]
            more = len(group) - _LISTED
            lines += [f"{' ' * 2 * _INDENT}and {more:,} more, which --format json lists"] if more > 0 else []
    return lines


def _head(group: Sequence[KnownFinding], as_of: datetime) -> tuple[str, ...]:
    first = group[0].finding
    oldest = min(known.first_seen for known in group)
    moved = sum(known.moved_from is not None for known in group)
    words = f"{'oldest ' if len(group) > 1 else ''}{_since(oldest, as_of)}" + (f", {moved:,} moved" if moved else "")
    return (first.severity.name, first.rule, count_of(len(group), "finding"), words)


def _resolved(report: BaselineReport, evaluation: Evaluation, options: ReportOptions) -> list[str]:
    accounts = {gone.subject.account for gone in report.resolved if gone.subject is not None}
    rows = (_gone(gone, len(accounts) > 1, evaluation.as_of) for gone in report.resolved)
    head = options.style.status(Status.PASS, f"Resolved since the baseline ({len(report.resolved):,})")
    return [head, *_aligned(rows)]


def _gone(gone: ResolvedFinding, several_accounts: bool, as_of: datetime) -> tuple[str, ...]:
    account = gone.subject.account if gone.subject is not None and several_accounts else None
    where = gone.path if gone.path is not None else account
    return (
        gone.severity,
        gone.rule,
        *([printable(where)] if where is not None else []),
        printable(gone.name),
        _since(gone.first_seen, as_of) + (", the file is gone" if gone.file_gone else ""),
    )


def _since(moment: datetime, as_of: datetime) -> str:
    """The date, and how long ago that was where it is a day or more."""
    ago = f", {relative_date(moment, as_of)}" if as_of - moment >= timedelta(days=1) else ""
    return f"first seen {moment.date()}{ago}"


def _aligned(rows: Iterable[Sequence[str]]) -> list[str]:
    """Rows as lines, their columns as wide as their widest cell within reason; empty columns are left out."""
    cells = [list(row) for row in rows]
    widths = [min(max(map(display_width, column)), _WIDEST) for column in zip(*cells, strict=True)]
    padded = ([pad(cell, width) for cell, width in zip(row, widths, strict=True) if width] for row in cells)
    return [" " * _INDENT + (" " * _GAP).join(row).rstrip() for row in padded]
