"""The text report of a run under a framework: findings by control, a verdict and its reason for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from keyrules.findings import tally_of
from keyrules.model import (
    ControlResult,
    Evaluation,
    Finding,
    FrameworkReport,
    Outcome,
    Plane,
    RulePart,
    Severity,
    Status,
)
from keyrules.reports.evidence import (
    MAPPING_NOTE,
    accounts_in,
    accounts_sentence,
    declared_sentences,
    of_part,
    place,
    population_line,
    subject_name,
    unlisted,
)
from keyrules.reports.measured import Measures
from keyrules.reports.parameters import parameter_line
from keyrules.reports.text_style import (
    ReportOptions,
    Style,
    advice_for,
    block_text,
    count_of,
    first_sentence,
    fitted,
    printable,
    wrap,
)

_INDENT = 2
_DETAIL = 4
_SHOWN = (Status.FAIL, Status.UNKNOWN, Status.EXEMPT, Status.PASS)
_STATUS = {
    Outcome.SATISFIED: Status.PASS,
    Outcome.WITH_EXCEPTIONS: Status.EXEMPT,
    Outcome.NOT_SATISFIED: Status.FAIL,
}
_LOUD = (Outcome.NOT_SATISFIED, Outcome.PARTLY_ASSESSED, Outcome.ADVERSE_EVIDENCE)


def render(evaluation: Evaluation, options: ReportOptions) -> Iterator[str]:
    """The evaluation by control; `options.quiet` leaves controls that are not or only partly met, errors and urgent
    warnings.

    A finding is listed under the first control that it concerns; later controls refer to that one. The evaluation must
    have a framework.
    """
    if evaluation.framework is None:
        raise ValueError("a report by control needs a framework")
    return block_text(_blocks(_Page(evaluation, options), evaluation, evaluation.framework, options))


def _blocks(
    page: _Page, evaluation: Evaluation, report: FrameworkReport, options: ReportOptions
) -> Iterator[Iterable[str]]:
    if not options.quiet:
        yield page.title(report)
    for each in report.controls:
        if not options.quiet or each.outcome in _LOUD:
            yield page.control(each, report.label(each))
    yield from page.errors()
    if options.quiet:
        if evaluation.urgent_warnings:
            yield page.notes([f"Warning: {warning}" for warning in evaluation.urgent_warnings])
        return
    yield from page.since_baseline(options)
    warnings = (f"Warning: {warning}" for warning in evaluation.warnings)
    yield page.notes([*warnings, *report.notes, *evaluation.notes, MAPPING_NOTE])
    if evaluation.parameters:
        yield page.notes([parameter_line(evaluation.parameters)])
    yield page.summary(report)


class _Page:
    """Renders the parts of one report as blocks of lines."""

    def __init__(self, evaluation: Evaluation, options: ReportOptions) -> None:
        self._evaluation = evaluation
        self._style: Style = options.style
        self._width = options.width
        self._measures = Measures(evaluation.rules)
        self._listed: dict[str, str] = {}
        self._one_account = len(accounts_in(evaluation)) <= 1
        self._numbers: Counter[str] = Counter()
        for (rule, _, _), number in tally_of(evaluation.findings).items():
            self._numbers[rule] += number

    def title(self, report: FrameworkReport) -> list[str]:
        """The edition, and how much there was to look at."""
        heading = self._style.bold(f"{report.name} ({report.key})")
        return [heading, *wrap(population_line(self._evaluation), self._width, _INDENT)]

    def control(self, result: ControlResult, label: str) -> Iterator[str]:
        """Verdict, reason, and the findings of its rules, below the control's name."""
        heading = f"{self._outcome(result.outcome)}  {self._style.bold(label)}  {result.title}"
        yield from fitted(heading, self._width, _INDENT)
        yield from wrap(printable(result.reason), self._width, _INDENT)
        yield from wrap(printable(accounts_sentence(result)), self._width, _INDENT)
        for each in result.statements:
            said = f"{each.statement}: {each.outcome.value}. {each.reason}"
            yield from wrap(printable(said), self._width, _INDENT, _DETAIL)
        for rest in result.rest if result.parts else ():
            yield from wrap(f"Not decided: {printable(rest)}", self._width, _INDENT, _DETAIL)
        for part in result.parts:
            yield from self._part(part, label)

    def since_baseline(self, options: ReportOptions) -> list[list[str]]:
        """What the baseline holds, which the verdicts count all the same."""
        if self._evaluation.baseline is None:
            return []
        from keyrules.reports.baseline_text import baseline_blocks

        return baseline_blocks(self._evaluation, options)

    def errors(self) -> Iterator[list[str]]:
        """What could not be evaluated: what nobody may take for clean."""
        errors = self._evaluation.errors
        if errors:
            # A message about a live report names the report itself.
            named = self._evaluation.plane is Plane.CODE
            texts = (f"{e.input}: {e.message}" if named and e.input else e.message for e in errors)
            lines = [line for text in texts for line in wrap(printable(text), self._width, _INDENT, _DETAIL)]
            yield [self._style.status(Status.UNKNOWN, "Could not be evaluated"), *lines]

    def notes(self, notes: list[str]) -> list[str]:
        """Remarks on the run and on the limits that it ran with."""
        return [line for note in notes for line in wrap(printable(note), self._width, 0, _INDENT)]

    def summary(self, report: FrameworkReport) -> list[str]:
        """The last line, on more than one where it is long."""
        outcomes = Counter(each.outcome for each in report.controls)
        words = "; ".join(f"{outcomes[each]:,} {each.value}" for each in Outcome if outcomes[each])
        errors = self._evaluation.errors
        text = f"{report.key}, {count_of(len(report.controls), 'control')}: {words}"
        text += f"; {count_of(len(errors), 'error')}" if errors else ""
        if self._evaluation.baseline is not None:
            from keyrules.reports.baseline_text import baseline_line

            text += baseline_line(self._evaluation)
        return fitted(self._style.bold(text), self._width, _INDENT)

    def _part(self, part: RulePart, control: str) -> Iterator[str]:
        first = self._listed.setdefault(part.rule, control)
        number = self._numbers[part.rule]
        if number and first != control:
            yield " " * _INDENT + f"{part.rule}: {count_of(number, 'finding')}, listed under {first}"
            return
        for finding in of_part(self._evaluation, part, *_SHOWN):
            yield from self._finding(finding)
        if missing := unlisted(self._evaluation, part):
            yield " " * _INDENT + missing

    def _finding(self, finding: Finding) -> Iterator[str]:
        name, status = finding.severity.name, finding.status
        label = self._style.severity(finding.severity, name) if status is Status.FAIL else ""
        label = label or self._style.status(status, status.value)
        where = "" if self._one_account and finding.location is None else f"  {printable(place(finding))}"
        name = self._style.bold(printable(subject_name(finding)))
        yield from fitted(f"{' ' * _INDENT}{label}  {finding.rule}  {name}{where}", self._width, _DETAIL)
        yield from wrap(printable(finding.message), self._width, _DETAIL)
        if status in (Status.FAIL, Status.PASS):
            yield from wrap(printable(self._measures.beyond_message(finding)), self._width, _DETAIL)
        for sentence in declared_sentences(finding):
            yield from wrap(printable(sentence), self._width, _DETAIL, _DETAIL + 6)
        if status is Status.EXEMPT:
            yield from wrap(f"Reason: {printable(finding.exemption_text)}", self._width, _DETAIL)
        elif status is Status.FAIL and finding.remediation:
            step = f"Next: {printable(first_sentence(advice_for(finding.plane, finding.remediation)))}"
            yield from (self._style.dim(line) for line in wrap(step, self._width, _DETAIL, _DETAIL + 6))

    def _outcome(self, outcome: Outcome) -> str:
        text = outcome.value.upper()
        if outcome in (Outcome.PARTLY_ASSESSED, Outcome.ADVERSE_EVIDENCE):
            return self._style.severity(Severity.MEDIUM, text)
        return self._style.status(_STATUS.get(outcome, Status.UNKNOWN), text)
