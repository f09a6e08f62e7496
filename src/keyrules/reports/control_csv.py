"""CSV of a run under a framework: for each control one line that sums it up, then one line per rule and subject.

Between them, lines with the status ACCOUNT say what the verdict is in each account of a run on several, and lines with
STATEMENT what it is on each part of the control that rules are mapped to.

What could not be evaluated, was only counted or is a warning follows as in the CSV of findings. `baseline` says `known`
of what the baseline holds, which the verdicts count all the same.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Final

from keyrules.controls.verdicts import describe
from keyrules.findings import findings_of
from keyrules.model import Evaluation, Finding, FrameworkReport, Status
from keyrules.reports.evidence import declared_sentences, known_of, place, subject_name
from keyrules.reports.findings_csv import csv_lines, remark_rows
from keyrules.reports.measured import Measures
from keyrules.reports.text_style import ReportOptions

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
    "baseline",
    "declared",
    "measured",
    "account",
    "statement",
)


def render(evaluation: Evaluation, options: ReportOptions) -> Iterator[str]:
    """The controls in their order, then the errors; `options` change nothing. The evaluation must have a framework.

    A line without a rule is the control itself: `message` has the counts of its rules, `reason` says why.
    """
    del options
    report = evaluation.framework
    if report is None:
        raise ValueError("a report by control needs a framework")
    return csv_lines(chain([COLUMNS], _rows(evaluation, report)))


def _rows(evaluation: Evaluation, report: FrameworkReport) -> Iterator[Sequence[str]]:
    measures = Measures(evaluation.rules)
    for result in report.controls:
        head = {
            "framework": result.framework or report.key,
            "control": result.control,
            "title": result.title,
            "verdict": result.outcome.value,
        }
        counts = "; ".join(f"{part.rule}: {describe(part.counts)}" for part in result.parts)
        reason = " ".join(dict.fromkeys([result.reason, *result.rest]))
        yield _cells(head, reason=reason, message=counts)
        for outcome, accounts in result.by_account.items():
            for account in accounts:
                yield _cells({**head, "verdict": outcome.value}, status="ACCOUNT", account=account)
        for each in result.statements:
            of_part = {**head, "verdict": each.outcome.value, "statement": each.statement}
            yield _cells(of_part, status="STATEMENT", reason=" ".join(dict.fromkeys([each.reason, *each.rest])))
        for part in result.parts:
            of_rule = {"rule": part.rule, "relation": part.relation, "bound": part.bound, "statement": part.statement}
            for finding in findings_of(evaluation.findings, Status, part.rule):
                yield _cells(head, of_rule, _finding(finding, measures))
            for known in known_of(evaluation, part.rule):
                yield _cells(head, of_rule, _finding(known.finding, measures), baseline="known")

    def remark(status: str, message: str, **cells: str) -> Sequence[str]:
        return _cells({"framework": report.key, "status": status, "message": message}, **cells)

    for error in evaluation.errors:
        yield remark("ERROR", error.message, where=error.input)
    yield from remark_rows(evaluation, remark)


def _cells(*parts: Mapping[str, str], **more: str) -> Sequence[str]:
    full = ChainMap(more, *map(dict, parts))
    return [full.get(column, "") for column in COLUMNS]


def _finding(finding: Finding, measures: Measures) -> Mapping[str, str]:
    return {
        "status": finding.status.value,
        "where": place(finding),
        "account": (finding.subject.account or "") if finding.subject is not None else "",
        "subject": subject_name(finding),
        "owner": (finding.subject.owner or "") if finding.subject is not None else "",
        "message": finding.message,
        "exemption": finding.exemption_text if finding.status is Status.EXEMPT else "",
        "fingerprint": finding.fingerprint,
        "declared": "; ".join(declared_sentences(finding)),
        "measured": measures.of(finding),
    }
