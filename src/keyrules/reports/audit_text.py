"""The text report of the live plane, for people: worst first, each credential with its next step.

Where there are several accounts a table of them stands first. Findings are grouped by rule, or by what somebody works
through: user, account or owner. On a terminal a long list shows its first lines and the way to the rest. The last line
sums up what was evaluated; what could not be evaluated stands before the notes and is never left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice

from keyrules.findings import Group, grouped, owners_of
from keyrules.model import Counts, Evaluation, Finding, Rule, Severity, Status, Subject
from keyrules.reports.evidence import accounts_in, declared_sentences
from keyrules.reports.measured import Measures
from keyrules.reports.parameters import parameter_line
from keyrules.reports.report_summary import (
    ACCOUNT_COLUMNS,
    account_cells,
    failed_tally,
    severity_words,
    worst_account_first,
)
from keyrules.reports.text_style import (
    ReportOptions,
    Style,
    advice_for,
    block_text,
    count_of,
    display_width,
    duration_beyond,
    first_sentence,
    fitted,
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
_ALIGNED = 100
"""Lines of a list whose columns are aligned with each other."""
_SHOWN = 10
"""Findings of a group on a terminal."""
_SHOWN_GROUPS = 25
_SHOWN_NOTES = 25
_OWN_STEPS = 20
"""A rule with more findings than these gives its advice once."""
# What these findings are about does not show in the columns, so their message is printed, too.
_NOT_IN_COLUMNS = frozenset(
    {"root_key_active", "root_key_inactive", "root_used", "two_active_keys", "key_created_at_setup"}
)


def render(evaluation: Evaluation, options: ReportOptions) -> Iterator[str]:
    """The evaluation as text; `options.quiet` leaves failing and unknown credentials, errors and urgent warnings."""
    if options.layout == "concise":
        from keyrules.reports.concise_text import render as concise

        return concise(evaluation, options, _Page(evaluation, options).summary())
    return block_text(_blocks(_Page(evaluation, options), evaluation, options))


def _blocks(page: _Page, evaluation: Evaluation, options: ReportOptions) -> Iterator[Iterable[str]]:
    if options.statistics or (len(evaluation.accounts) > 1 and not options.quiet):
        yield page.accounts()
    if options.statistics:
        yield from page.statistics()
    yield from page.findings((Status.FAIL, Status.UNKNOWN))
    if not options.quiet:
        yield from page.findings((Status.EXEMPT, Status.PASS))
        yield from page.since_baseline()
    yield from page.errors()
    if options.quiet:
        yield from page.notes([f"Warning: {warning}" for warning in evaluation.urgent_warnings])
    else:
        warnings = [f"Warning: {warning}" for warning in evaluation.warnings]
        yield from page.notes([*warnings, *page.more_steps(), *evaluation.notes])
        if evaluation.parameters:
            yield wrap(printable(parameter_line(evaluation.parameters)), options.width, 0, _INDENT)
        yield fitted(page.summary(), options.width, _INDENT)


class _Page:
    """Renders the parts of one report as blocks of lines."""

    def __init__(self, evaluation: Evaluation, options: ReportOptions) -> None:
        self._evaluation = evaluation
        self._options = options
        self._style: Style = options.style
        self._width = options.width
        self._rules: dict[str, Rule] = {rule.id: rule for rule in evaluation.rules}
        self._measures = Measures(evaluation.rules)
        self._several_accounts = len(accounts_in(evaluation)) > 1
        self._more_steps = False

    def accounts(self) -> Iterator[str]:
        """The accounts, those first of which least is known and that are worst."""
        states = sorted(self._evaluation.accounts, key=worst_account_first)
        yield self._style.bold(f"Accounts ({len(states):,})")
        most = _SHOWN_GROUPS if self._options.terminal else len(states)
        rows = [
            (printable(each.account), printable(each.name), *account_cells(each, self._evaluation.as_of), each.state)
            for each in states[:most]
        ]
        yield from _table(("account", "name", *ACCOUNT_COLUMNS, "state"), rows)
        if most < len(states):
            yield from self._rest(len(states) - most, "account")

    def statistics(self) -> Iterator[Iterable[str]]:
        """How many verdicts there are by rule, and of findings by owner."""
        yield verdicts_by_rule(self._evaluation, self._style)
        owners = owners_of(self._evaluation.findings)
        known = self._evaluation.counts
        nobody = known.failed + known.unknown - sum(owners.values())
        ordered = sorted(owners.items(), key=lambda item: (-item[1], item[0]))
        lines = [(printable(owner), f"{number:,}") for owner, number in ordered]
        lines += [("without a known owner", f"{nobody:,}")] if nobody > 0 else []
        why = (
            [] if owners else [f"{' ' * _INDENT}Reports name no owners; --verify asks the account for a tag of theirs."]
        )
        yield [self._style.bold("Findings by owner"), *_table(("owner", "findings"), lines), *why]

    def findings(self, statuses: Sequence[Status]) -> Iterator[Iterable[str]]:
        """A block for each group, in the order of their worst findings."""
        by = self._options.group_by
        groups = grouped(self._evaluation.findings, by, statuses)
        shown = islice(groups, _SHOWN_GROUPS) if self._options.terminal and by != "rule" else groups
        for group in shown:
            yield self._group(group, by)
        if rest := sum(1 for _ in groups):
            yield self._rest(rest, by)

    def since_baseline(self) -> list[list[str]]:
        """What the baseline holds: each credential that is still open, and for how long, and what is resolved."""
        if self._evaluation.baseline is None:
            return []
        from keyrules.reports.baseline_text import baseline_blocks

        return baseline_blocks(self._evaluation, self._options, lambda known: self._columns(known.finding, "rule"))

    def errors(self) -> Iterator[Iterable[str]]:
        """What could not be evaluated: what nobody may take for clean."""
        errors = self._evaluation.errors
        if errors:
            lines = (line for each in errors for line in wrap(printable(each.message), self._width, _INDENT, _DETAIL))
            yield [self._style.status(Status.UNKNOWN, "Could not be evaluated"), *lines]

    def more_steps(self) -> Iterator[str]:
        """Where the steps after the first are, if any finding has some."""
        if self._more_steps:
            yield "Next is the first step of several; --format csv, json and sarif give them all."

    def notes(self, notes: Sequence[str]) -> Iterator[Iterable[str]]:
        """Remarks on the run: when reports were made, what is due, who was counted."""
        most = _SHOWN_NOTES if self._options.terminal else len(notes)
        lines = [line for note in notes[:most] for line in wrap(printable(note), self._width, 0, _INDENT)]
        if most < len(notes):
            lines += [line.strip() for line in self._rest(len(notes) - most, "note")]
        if lines:
            yield lines

    def summary(self) -> str:
        """The last line."""
        counts = self._evaluation.counts
        verdicts = f"{counts.evaluated:,} evaluated: {_verdicts(counts)}"
        if self._evaluation.errors:
            verdicts += f", {count_of(len(self._evaluation.errors), 'error')}"
        tally = failed_tally(self._evaluation)
        text = verdicts + (f" ({tally})" if tally else "")
        clean = not (counts.failed or counts.unknown or self._evaluation.errors)
        if self._evaluation.baseline is not None:
            from keyrules.reports.baseline_text import baseline_line

            text += baseline_line(self._evaluation)
        return self._style.status(Status.PASS, text) if clean else self._style.bold(text)

    def _rest(self, number: int, noun: str) -> Iterator[str]:
        """The way to what a terminal is not shown."""
        yield f"{' ' * _INDENT}and {count_of(number, f'more {noun}')}: a file or a pipe gets all, as --format text=FILE"

    def _group(self, group: Group, by: str) -> Iterator[str]:
        total = sum(group.numbers.values())
        full = self._options.layout == "full"
        own_steps = by != "rule" or total <= _OWN_STEPS or self._options.terminal or full
        yield from fitted(self._heading(group, by, total), self._width, _INDENT)
        if not own_steps and (advice := self._advice(group)):
            yield from (self._style.dim(line) for line in wrap(f"Next: {advice}", self._width, _DETAIL, _DETAIL + 6))
        left = min(total, _SHOWN) if self._options.terminal and not full else total
        shown = islice(group.findings, left)
        while page := list(islice(shown, _ALIGNED)):
            yield from self._lines(page, by, own_steps)
        if left < total:
            yield from self._rest(total - left, "finding")

    def _advice(self, group: Group) -> str:
        """What a rule says of all of its findings, where somebody has to act on them."""
        rule = self._rules.get(group.name)
        acts = any(status is Status.FAIL for _, status in group.numbers)
        if rule is None or not acts:
            return ""
        self._more_steps = True
        advice = first_sentence(advice_for(self._evaluation.plane, rule.remediation))
        return f"{printable(advice)} Each one's own step: --group-by user, or --format csv."

    def _heading(self, group: Group, by: str, total: int) -> str:
        if by != "rule":
            numbers = _words(group.numbers)
            name = printable(group.name) or "without a known owner"
            where = f" in account {group.account}" if group.account and self._several_accounts else ""
            return f"{self._style.bold(f'{by} {name}' if group.name else name)}{where} ({numbers})"
        severity, status = next(iter(group.numbers))
        label = severity.name if status is Status.FAIL else status.value
        painted = self._style.severity(severity, label) if status is Status.FAIL else self._style.status(status, label)
        rule = self._rules.get(group.name)
        name = f"  {rule.name}" if rule is not None else ""
        return f"{painted}  {self._style.bold(group.name)}{name} ({total:,})"

    def _lines(self, members: Sequence[Finding], by: str, own_steps: bool) -> Iterator[str]:
        """Aligned columns, and below each credential what it does not show and the next step."""
        rows = [self._columns(finding, by, own_steps) for finding in members]
        for finding, line in zip(members, _aligned(rows), strict=True):
            yield from fitted(line, self._width, _DETAIL) if own_steps else [line]
            if finding.status is Status.UNKNOWN or (finding.reason in _NOT_IN_COLUMNS and own_steps):
                yield from wrap(printable(finding.message), self._width, _DETAIL)
            if own_steps and finding.status in (Status.FAIL, Status.PASS):
                measured = self._measures.beyond_message(finding)
                yield from (self._style.dim(line) for line in wrap(printable(measured), self._width, _DETAIL))
            for sentence in declared_sentences(finding):
                yield from wrap(printable(sentence), self._width, _DETAIL, _DETAIL + 6)
            if finding.status is Status.EXEMPT:
                reason = printable(finding.exemption_text)
                yield from wrap(f"Reason: {reason}", self._width, _DETAIL)
            elif finding.remediation and own_steps:
                first = first_sentence(finding.remediation)
                self._more_steps |= first != finding.remediation
                step = f"Next: {printable(first)}"
                yield from (self._style.dim(line) for line in wrap(step, self._width, _DETAIL, _DETAIL + 6))

    def _columns(self, finding: Finding, by: str, own_steps: bool = True) -> list[str]:
        """The cells of a finding; in a list without own steps what was measured is one of them, for want of a line."""
        subject = finding.subject or Subject(kind="", name="")
        as_of = self._evaluation.as_of
        label = finding.severity.name if finding.status is Status.FAIL else finding.status.value
        cells = [] if by == "rule" else [label, finding.rule]
        if self._several_accounts and by not in ("account", "user"):
            cells.append(subject.account or "")
        if by != "user":
            cells.append(printable(subject.user or subject.name))
        measured = "" if own_steps else printable(self._measures.beyond_message(finding))
        cells.append(_credential(subject))
        cells += [measured] if measured else [_age(finding, subject, as_of), _last_use(finding, as_of)]
        cells.append(f"owner {printable(subject.owner)}" if subject.owner and by != "owner" else "")
        return cells


def verdicts_by_rule(evaluation: Evaluation, style: Style) -> Iterator[str]:
    """A table of how many verdicts each rule has, below its title."""
    counts = evaluation.rule_counts
    rows = [
        (rule.id, rule.severity.name, *_numbers(counts.get(rule.id, Counts())), rule.name) for rule in evaluation.rules
    ]
    yield style.bold("Verdicts by rule")
    yield from _table(("rule", "severity", "failed", "unknown", "exempt", "passed", ""), rows)


def _words(numbers: Mapping[tuple[Severity, Status], int]) -> str:
    """`1 high, 2 low, 1 unknown`."""
    failed = {severity: number for (severity, status), number in numbers.items() if status is Status.FAIL}
    words = [severity_words(failed)] if failed else []
    for status in (Status.UNKNOWN, Status.EXEMPT, Status.PASS):
        number = sum(each for (_, own), each in numbers.items() if own is status)
        words += [f"{number:,} {status.value.lower()}"] if number else []
    return ", ".join(words)


def _numbers(counts: Counts) -> tuple[str, ...]:
    return tuple(f"{number:,}" for number in (counts.failed, counts.unknown, counts.exempt, counts.passed))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows below their head; numbers on the right, columns that are empty left out."""
    kept = [at for at in range(len(head)) if any(row[at] for row in rows)]
    right = {at for at in kept if all(row[at][:1] in "0123456789?–" for row in rows)} - {0}
    for row in (head, *rows) if rows else ():
        cells = []
        for at in kept:
            width = max(display_width(each[at]) for each in (head, *rows))
            space = " " * (width - display_width(row[at]))
            cells.append(space + row[at] if at in right else row[at] + space)
        yield " " * _INDENT + (" " * _GAP).join(cells).rstrip()


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows as lines, their columns as wide as the widest cell, within reason."""
    widths = [min(max(map(display_width, column)), _WIDEST_NAME) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (pad(cell, width) for cell, width in zip(row, widths, strict=True))
        yield " " * _INDENT + (" " * _GAP).join(cells).rstrip()


def _credential(subject: Subject) -> str:
    if subject.user is None:
        return ""
    names = {"access_key": "key", "signing_certificate": "certificate", "console_password": "password", "root": "root"}
    name = names.get(subject.kind, subject.kind.replace("_", " "))
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
