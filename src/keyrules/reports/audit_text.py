"""The text report of the live plane, for people: worst first, a block per rule, each credential with its next step.

The last line sums up what was evaluated; what could not be evaluated stands before the notes and is never left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby

from keyrules.model import Counts, Evaluation, EvaluationError, Finding, Rule, Status, Subject
from keyrules.reports.report_options import ReportOptions
from keyrules.reports.report_summary import severity_tally
from keyrules.reports.text_style import (
    Style,
    count_of,
    display_width,
    duration_beyond,
    first_sentence,
    human_duration,
    pad,
    printable,
    relative_date,
    wrap,
)

_INDENT = 2
_DETAIL = 6
_GAP = 2
_WIDEST_NAME = 40
# What these findings are about does not show in the columns, so their message is printed, too.
_NOT_IN_COLUMNS = frozenset(
    {"root_key_active", "root_key_inactive", "root_used", "two_active_keys", "key_created_at_setup"}
)


def render(evaluation: Evaluation, options: ReportOptions) -> str:
    """The evaluation as text; `options.quiet` leaves failing and unknown credentials, errors and urgent warnings."""
    page = _Page(evaluation, options)
    blocks = [*page.findings((Status.FAIL, Status.UNKNOWN))]
    if not options.quiet:
        blocks += page.findings((Status.EXEMPT, Status.PASS))
        blocks += page.since_baseline()
    blocks += page.errors(evaluation.errors)
    if options.quiet:
        blocks += page.notes(f"Warning: {warning}" for warning in evaluation.urgent_warnings)
    else:
        warnings = (f"Warning: {warning}" for warning in evaluation.warnings)
        blocks += page.notes([*warnings, *page.more_steps(), *evaluation.notes])
        blocks.append([page.summary()])
    body = "\n\n".join("\n".join(block) for block in blocks)
    return body + "\n" if body else ""


class _Page:
    """Renders the parts of one report as blocks of lines."""

    def __init__(self, evaluation: Evaluation, options: ReportOptions) -> None:
        self._evaluation = evaluation
        self._options = options
        self._style: Style = options.style
        self._width = options.width
        self._rules: dict[str, Rule] = {rule.id: rule for rule in evaluation.rules}
        known = evaluation.baseline.known if evaluation.baseline is not None else ()
        listed = (*evaluation.findings, *(each.finding for each in known))
        accounts = {f.subject.account for f in listed if f.subject is not None}
        self._several_accounts = len(accounts) > 1

    def findings(self, statuses: Sequence[Status]) -> Iterator[list[str]]:
        """A block for each rule and status, in the order of the findings."""
        wanted = [finding for finding in self._evaluation.findings if finding.status in statuses]
        for (rule_id, status), group in groupby(wanted, key=lambda finding: (finding.rule, finding.status)):
            members = list(group)
            yield [self._heading(rule_id, status, members), *self._lines(members)]

    def since_baseline(self) -> list[list[str]]:
        """What the baseline holds: each credential that is still open, and for how long, and what is resolved."""
        if self._evaluation.baseline is None:
            return []
        from keyrules.reports.baseline_text import baseline_blocks

        return baseline_blocks(self._evaluation, self._options, lambda known: self._columns(known.finding))

    def errors(self, errors: Iterable[EvaluationError]) -> Iterator[list[str]]:
        """What could not be evaluated: what nobody may take for clean."""
        lines = [line for error in errors for line in wrap(printable(error.message), self._width, _INDENT, _DETAIL)]
        if lines:
            yield [self._style.status(Status.UNKNOWN, "Could not be evaluated"), *lines]

    def more_steps(self) -> Iterator[str]:
        """Where the steps after the first are, if any finding has some."""
        steps = (finding.remediation for finding in self._evaluation.findings if finding.status is not Status.EXEMPT)
        if any(first_sentence(step) != step for step in steps):
            yield "Next is the first step of several; --format csv, json and sarif give them all."

    def notes(self, notes: Iterable[str]) -> Iterator[list[str]]:
        """Remarks on the run: when reports were made, what is due, who was counted."""
        lines = [line for note in notes for line in wrap(printable(note), self._width, 0, _INDENT)]
        if lines:
            yield lines

    def summary(self) -> str:
        """The last line."""
        counts = self._evaluation.counts
        failed = [finding for finding in self._evaluation.findings if finding.status is Status.FAIL]
        verdicts = f"{counts.evaluated:,} evaluated: {_verdicts(counts)}"
        if self._evaluation.errors:
            verdicts += f", {count_of(len(self._evaluation.errors), 'error')}"
        tally = severity_tally(failed)
        text = verdicts + (f" ({tally})" if tally else "")
        clean = not (counts.failed or counts.unknown or self._evaluation.errors)
        if self._evaluation.baseline is not None:
            from keyrules.reports.baseline_text import baseline_line

            text += baseline_line(self._evaluation)
        return self._style.status(Status.PASS, text) if clean else self._style.bold(text)

    def _heading(self, rule_id: str, status: Status, members: Sequence[Finding]) -> str:
        severity = members[0].severity
        label = severity.name if status is Status.FAIL else status.value
        painted = self._style.severity(severity, label) if status is Status.FAIL else self._style.status(status, label)
        rule = self._rules.get(rule_id)
        name = f"  {rule.name}" if rule is not None else ""
        return f"{painted}  {self._style.bold(rule_id)}{name} ({len(members):,})"

    def _lines(self, members: Sequence[Finding]) -> Iterator[str]:
        """Aligned columns, and below each credential what it does not show and the next step."""
        rows = [self._columns(finding) for finding in members]
        widths = [min(max(display_width(row[column]) for row in rows), _WIDEST_NAME) for column in range(len(rows[0]))]
        for finding, row in zip(members, rows, strict=True):
            cells = (pad(cell, width) for cell, width in zip(row, widths, strict=True))
            yield " " * _INDENT + (" " * _GAP).join(cells).rstrip()
            if finding.status is Status.UNKNOWN or finding.reason in _NOT_IN_COLUMNS:
                yield from wrap(printable(finding.message), self._width, _DETAIL)
            if finding.status is Status.EXEMPT:
                reason = printable(finding.exemption_text)
                yield from wrap(f"Reason: {reason}", self._width, _DETAIL)
            elif finding.remediation:
                step = f"Next: {printable(first_sentence(finding.remediation))}"
                yield from (self._style.dim(line) for line in wrap(step, self._width, _DETAIL, _DETAIL + 6))

    def _columns(self, finding: Finding) -> list[str]:
        subject = finding.subject or Subject(kind="", name="")
        as_of = self._evaluation.as_of
        cells = [printable(subject.user or subject.name), _credential(subject)]
        if self._several_accounts:
            cells.insert(0, subject.account or "")
        cells += [_age(finding, subject, as_of), _last_use(finding, as_of)]
        cells.append(f"owner {printable(subject.owner)}" if subject.owner else "")
        return cells


def _credential(subject: Subject) -> str:
    names = {"access_key": "key", "signing_certificate": "certificate", "console_password": "password", "root": "root"}
    name = names.get(subject.kind, subject.kind)
    slot = f" {subject.slot}" if subject.slot is not None else ""
    return f"{name}{slot}" + (f" {subject.key_id}" if subject.key_id else "")


def _age(finding: Finding, subject: Subject, as_of: datetime) -> str:
    if subject.created_at is None or subject.kind in {"console_password", "root"}:
        return ""
    limit = finding.facts.get("max_age_days")
    age = as_of - subject.created_at
    if subject.created_at > as_of:
        return "not yet created"
    return f"{duration_beyond(age, limit) if isinstance(limit, int) else human_duration(age)} old"


def _last_use(finding: Finding, as_of: datetime) -> str:
    if "last_used_at" not in finding.facts:
        return ""
    used = finding.facts["last_used_at"]
    if used is None:
        return "never used"
    moment = datetime.fromisoformat(str(used).replace("Z", "+00:00"))
    service = finding.facts.get("last_used_service")
    return f"last used {relative_date(moment, as_of)}" + (f" ({printable(str(service))})" if service else "")


def _verdicts(counts: Counts) -> str:
    parts = [f"{counts.failed:,} failed", f"{counts.passed:,} passed"]
    parts += [f"{counts.exempt:,} exempt"] if counts.exempt else []
    parts += [f"{counts.unknown:,} unknown"] if counts.unknown else []
    return ", ".join(parts)
