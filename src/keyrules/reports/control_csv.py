"""CSV of a run under a framework: for each control one line that sums it up, then one line per rule and subject.

What could not be evaluated follows as lines with the status ERROR, as in the CSV of findings.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Final

from keyrules.controls.verdicts import describe
from keyrules.model import ControlResult, Evaluation, Status
from keyrules.reports.evidence import of_part, place, subject_name
from keyrules.reports.findings_csv import safe_cells
from keyrules.reports.report_options import ReportOptions

COLUMNS: Final = (
    "framework",
    "control",
    "title",
    "verdict",
    "reason",
    "rule",
    "relation",
    "bound",
    "status",
    "where",
    "subject",
    "owner",
    "message",
    "exemption",
    "fingerprint",
)


def render(evaluation: Evaluation, options: ReportOptions) -> str:
    """The controls in their order, then the errors; `options` change nothing. The evaluation must have a framework.

    A line without a rule is the control itself: `message` has the counts of its rules, `reason` says why.
    """
    del options
    report = evaluation.framework
    if report is None:
        raise ValueError("a report by control needs a framework")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for result in report.controls:
        for cells in _lines(result, evaluation):
            full = {
                "framework": result.framework or report.key,
                "control": result.control,
                "title": result.title,
            } | cells
            writer.writerow(safe_cells(full.get(column, "") for column in COLUMNS))
    for error in evaluation.errors:
        full = {"framework": report.key, "status": "ERROR", "where": error.input, "message": error.message}
        writer.writerow(safe_cells(full.get(column, "") for column in COLUMNS))
    return text.getvalue()


def _lines(result: ControlResult, evaluation: Evaluation) -> Iterator[dict[str, str]]:
    verdict = {"verdict": result.outcome.value}
    counts = "; ".join(f"{part.rule}: {describe(part.counts)}" for part in result.parts)
    yield verdict | {"reason": " ".join(dict.fromkeys([result.reason, *result.rest])), "message": counts}
    for part in result.parts:
        for finding in of_part(evaluation, part, *Status):
            yield verdict | {
                "rule": part.rule,
                "relation": part.relation,
                "bound": part.bound,
                "status": finding.status.value,
                "where": place(finding),
                "subject": subject_name(finding),
                "owner": (finding.subject.owner or "") if finding.subject is not None else "",
                "message": finding.message,
                "exemption": finding.exemption_text if finding.status is Status.EXEMPT else "",
                "fingerprint": finding.fingerprint,
            }
