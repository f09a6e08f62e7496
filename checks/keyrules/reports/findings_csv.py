"""The findings of either plane as CSV, for spreadsheets and mail: one line per finding, one header line.

A cell that a spreadsheet would run as a formula (user names and paths may begin with =, +, - or @) gets an apostrophe
in front (https://owasp.org/www-community/attacks/CSV_Injection). What could not be evaluated at all follows as lines
with the status ERROR, so that a file without findings cannot be mistaken for a clean account.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

from keyrules.model import Evaluation, EvaluationError, Finding
from keyrules.reports.report_options import ReportOptions
from keyrules.reports.text_style import iso_utc, printable

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
)
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def render(evaluation: Evaluation, options: ReportOptions) -> str:
    """The findings in their order, then the errors; `options` change nothing."""
    del options
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(safe_cells(_finding(finding)) for finding in evaluation.findings)
    writer.writerows(safe_cells(_error(error)) for error in evaluation.errors)
    return text.getvalue()


def _finding(finding: Finding) -> Sequence[str]:
    subject, location = finding.subject, finding.location
    cells = dict.fromkeys(COLUMNS, "")
    cells |= {
        "rule": finding.rule,
        "severity": finding.severity.name,
        "status": finding.status.value,
        "reason": finding.reason,
        "message": finding.message,
        "remediation": finding.remediation,
        "fingerprint": finding.fingerprint,
    }
    if subject is not None:
        cells |= {
            "account": subject.account or "",
            "user": subject.user or "",
            "subject": subject.name,
            "key_id": subject.key_id or "",
            "owner": subject.owner or "",
            "created_at": iso_utc(subject.created_at) if subject.created_at is not None else "",
            "last_used_at": str(finding.facts.get("last_used_at") or ""),
        }
    if location is not None:
        cells |= {"path": location.path, "line": str(location.start_line), "address": location.address}
    return [cells[column] for column in COLUMNS]


def _error(error: EvaluationError) -> Sequence[str]:
    cells = dict.fromkeys(COLUMNS, "")
    cells |= {"status": "ERROR", "path": error.input, "reason": error.kind, "message": error.message}
    return [cells[column] for column in COLUMNS]


def safe_cells(cells: Iterable[str]) -> list[str]:
    """Cells that no spreadsheet runs and no terminal obeys; the module's docstring says how."""
    return [
        f"'{printable(cell)}" if cell.lstrip(" ").startswith(_FORMULA_STARTS) else printable(cell) for cell in cells
    ]
