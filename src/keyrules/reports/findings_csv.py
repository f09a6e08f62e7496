"""The findings of either plane as CSV, for spreadsheets and mail: one line per finding, one header line.

A cell that a spreadsheet would run as a formula (user names and paths may begin with =, +, - or @) gets an apostrophe
in front (https://owasp.org/www-community/attacks/CSV_Injection). What could not be evaluated at all follows as lines
with the status ERROR, and what was only counted as one with NOT_LISTED, so that a file without findings cannot be
mistaken for a clean account; WARNING lines are about exceptions.

With a baseline, `baseline` says new, known or resolved, and `first_seen` since when: findings of the baseline are
listed, too, those that are gone with the status RESOLVED. Columns are only ever added at the end.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Final

from keyrules.model import Evaluation, Finding, KnownFinding, ResolvedFinding, Status, Subject
from keyrules.reports.report_options import ReportOptions
from keyrules.reports.report_summary import not_listed
from keyrules.reports.text_style import count_of, iso_utc, printable

COLUMNS: Final = (
    "rule",
    "severity",
    "status",
    "account",
    "user",
    "subject",
    "key_id",
    "owner",
    "created_at",
    "last_used_at",
    "path",
    "line",
    "address",
    "reason",
    "message",
    "remediation",
    "fingerprint",
    "exemption",
    "exception_owner",
    "exception_expires",
    "exception_ticket",
    "exception_place",
    "baseline",
    "first_seen",
    "moved_from",
)
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def render(evaluation: Evaluation, options: ReportOptions) -> str:
    """The findings in their order, then the errors; `options` change nothing."""
    del options
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for cells in _lines(evaluation):
        writer.writerow(safe_cells(cells.get(column, "") for column in COLUMNS))
    return text.getvalue()


def _lines(evaluation: Evaluation) -> Iterator[dict[str, str]]:
    baseline = evaluation.baseline
    for finding in evaluation.findings:
        is_new = baseline is not None and finding.status in (Status.FAIL, Status.UNKNOWN)
        yield _finding(finding) | ({"baseline": "new"} if is_new else {})
    if baseline is not None:
        yield from map(_known, baseline.known)
        yield from map(_resolved, baseline.resolved)
    for error in evaluation.errors:
        yield {"status": "ERROR", "path": error.input, "reason": error.kind, "message": error.message}
    if unlisted := not_listed(evaluation):
        message = f"{count_of(unlisted, 'failed or unknown verdict')} counted and not listed"
        yield {"status": "NOT_LISTED", "message": message}
    yield from ({"status": "WARNING", "message": warning} for warning in evaluation.warnings)


def _finding(finding: Finding) -> dict[str, str]:
    subject, location, exception = finding.subject, finding.location, finding.exception
    cells = {
        "rule": finding.rule,
        "severity": finding.severity.name,
        "status": finding.status.value,
        "reason": finding.reason,
        "message": finding.message,
        "remediation": finding.remediation,
        "fingerprint": finding.fingerprint,
        "exemption": finding.exemption or "",
    }
    if subject is not None:
        cells |= _subject(subject) | {"last_used_at": str(finding.facts.get("last_used_at") or "")}
    if location is not None:
        cells |= {"path": location.path, "line": str(location.start_line), "address": location.address}
    if exception is not None:
        cells |= {
            "exception_owner": exception.owner,
            "exception_expires": exception.expires.isoformat(),
            "exception_ticket": exception.ticket or "",
            "exception_place": exception.place,
        }
    return cells


def _subject(subject: Subject) -> dict[str, str]:
    return {
        "account": subject.account or "",
        "user": subject.user or "",
        "subject": subject.name,
        "key_id": subject.key_id or "",
        "owner": subject.owner or "",
        "created_at": iso_utc(subject.created_at) if subject.created_at is not None else "",
    }


def _known(item: KnownFinding) -> dict[str, str]:
    since = {"baseline": "known", "first_seen": iso_utc(item.first_seen), "moved_from": item.moved_from or ""}
    return _finding(item.finding) | since


def _resolved(item: ResolvedFinding) -> dict[str, str]:
    place = _subject(item.subject) if item.subject is not None else {"path": item.path or "", "address": item.name}
    return place | {
        "rule": item.rule,
        "severity": item.severity,
        "status": "RESOLVED",
        "fingerprint": item.fingerprint,
        "baseline": "resolved",
        "first_seen": iso_utc(item.first_seen),
    }


def safe_cells(cells: Iterable[str]) -> list[str]:
    """Cells that no spreadsheet runs and no terminal obeys; the module's docstring says how."""
    return [
        f"'{printable(cell)}" if cell.lstrip(" ").startswith(_FORMULA_STARTS) else printable(cell) for cell in cells
    ]
