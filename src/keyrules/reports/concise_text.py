"""Text in one line for each finding, on both planes: what a person counts, or a script takes apart."""

from __future__ import annotations

from collections.abc import Iterator

from keyrules.findings import findings_of
from keyrules.model import Evaluation, Finding, Status
from keyrules.reports.evidence import place, subject_name
from keyrules.reports.parameters import parameter_line
from keyrules.reports.text_style import ReportOptions, first_sentence, printable


def render(evaluation: Evaluation, options: ReportOptions, summary: str) -> Iterator[str]:
    """`PLACE: SEVERITY RULE NAME: what is wrong`, the errors alike, what is said of the run, and the last line.

    A quiet report has the urgent warnings only of what is said of the run.
    """
    for finding in findings_of(evaluation.findings, (Status.FAIL, Status.UNKNOWN)):
        yield f"{_line(finding, options)}\n"
    for error in evaluation.errors:
        label = options.style.status(Status.UNKNOWN, "ERROR")
        yield f"{printable(error.input)}: {label} {printable(error.message)}\n"
    said = [f"Warning: {text}" for text in (evaluation.urgent_warnings if options.quiet else evaluation.warnings)]
    if not options.quiet:
        said += [f"Note: {text}" for text in evaluation.notes]
        said += [parameter_line(evaluation.parameters)] if evaluation.parameters else []
    yield from (f"{printable(text)}\n" for text in said)
    if not options.quiet:
        yield f"{summary}\n"


def _line(finding: Finding, options: ReportOptions) -> str:
    if finding.status is Status.FAIL:
        label = options.style.severity(finding.severity, finding.severity.name)
    else:
        label = options.style.status(finding.status, finding.status.value)
    what = printable(first_sentence(finding.message))
    return f"{printable(place(finding))}: {label} {finding.rule} {printable(subject_name(finding))}: {what}"
