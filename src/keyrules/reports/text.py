"""The text report of the code plane, for people: findings by file, and a last line that sums the run up.

What matters most stands last, where a terminal shows it: passing subjects first, then exempt ones, the findings, what
could not be evaluated, the notes and the summary.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby

from keyrules.code.addresses import without_keys
from keyrules.code.patches.reasons import may_be_mended
from keyrules.model import CoverageOutcome, Evaluation, Finding, Input, Rule, Severity, Status
from keyrules.reports.live_records import by_place
from keyrules.reports.measured import Measures
from keyrules.reports.parameters import parameter_line
from keyrules.reports.report_summary import failed_tally, path_tells_more
from keyrules.reports.text_style import (
    NOTHING_TO_EVALUATE,
    ReportOptions,
    Style,
    advice_for,
    block_text,
    count_of,
    display_width,
    first_sentence,
    pad,
    printable,
    remarks,
    wrap,
)

MINIMUM_WIDTH = 40
_INDENT = 2
_LABEL_WIDTH = max(len(severity.name) for severity in Severity)
_DETAIL_INDENT = _INDENT + _LABEL_WIDTH + 2

_MOST_NAMED = 3
_PLURALS = {"is": "are", "has": "have"}
"""Of verbs that do more than lose an s."""

_INPUT_NAMES = {
    "terraform": ("Terraform module", "Terraform modules"),
    "plan": ("Terraform plan", "Terraform plans"),
    "state": ("Terraform state", "Terraform states"),
    "cloudformation": ("CloudFormation template", "CloudFormation templates"),
    "text": ("other file", "other files"),
    "credential_report": ("credential report", "credential reports"),
}


def render(evaluation: Evaluation, options: ReportOptions) -> Iterator[str]:
    """The evaluation as text for a person. `options.quiet` leaves findings, UNKNOWN verdicts, errors and
    urgent warnings only.

    Passing subjects are listed when the evaluation holds them. The result is empty when a quiet run has nothing to say.
    """
    if options.layout == "concise":
        from keyrules.reports.concise_text import render as concise

        return concise(evaluation, options, _summary(evaluation, options.style))
    page = _Page(options, evaluation)
    by_status = {status: [f for f in evaluation.findings if f.status is status] for status in Status}
    if not options.quiet:
        page.passing(by_status[Status.PASS])
        page.exempt(by_status[Status.EXEMPT])
        page.since_baseline(evaluation, options)
    if options.statistics:
        page.statistics(evaluation)
    page.failing(by_status[Status.FAIL])
    page.not_evaluated(evaluation, by_status[Status.UNKNOWN])
    page.remarks("Warning", evaluation.urgent_warnings if options.quiet else evaluation.warnings)
    if not options.quiet:
        page.remarks("Note", evaluation.notes)
        page.parameters(evaluation)
        if options.terminal:
            page.ways_out(by_status[Status.FAIL])
        page.summary(evaluation)
    return page.text()


class _Page:
    """Collects the lines of one report; blocks are separated by one empty line."""

    def __init__(self, options: ReportOptions, evaluation: Evaluation) -> None:
        self._style: Style = options.style
        self._width = max(MINIMUM_WIDTH, options.width)
        self._rules: dict[str, Rule] = {rule.id: rule for rule in evaluation.rules}
        self._source_lines = evaluation.source_lines
        self._terminal = options.terminal
        self._full = options.layout == "full"
        self._said: set[tuple[str, ...]] = set()
        self._measures = Measures(self._rules.values())
        self._blocks: list[list[str]] = []

    def text(self) -> Iterator[str]:
        """Everything so far."""
        return block_text(self._blocks)

    def passing(self, findings: list[Finding]) -> None:
        """One line for each subject that meets a rule."""
        if findings:
            self._blocks.append([self._style.bold("Passed"), *self._brief(findings)])

    def exempt(self, findings: list[Finding]) -> None:
        """Each exempt subject with the reason that somebody gave."""
        if findings:
            self._blocks.append([self._style.bold("Exempt"), *self._brief(findings)])

    def since_baseline(self, evaluation: Evaluation, options: ReportOptions) -> None:
        """What the baseline holds: known findings by rule, and each that is resolved."""
        if evaluation.baseline is not None:
            from keyrules.reports.baseline_text import baseline_blocks

            self._blocks += baseline_blocks(evaluation, options)

    def statistics(self, evaluation: Evaluation) -> None:
        """How many verdicts there are by rule."""
        from keyrules.reports.audit_text import verdicts_by_rule

        self._blocks.append(list(verdicts_by_rule(evaluation, self._style)))

    def failing(self, findings: list[Finding]) -> None:
        """A block for each file, in the order of the paths; within it by line."""
        ordered = sorted(findings, key=_place)
        for path, group in groupby(ordered, key=_path):
            block = [self._style.bold(printable(path))]
            for number, finding in enumerate(group):
                block += [""] if number else []
                block += self._finding(finding)
            self._blocks.append(block)

    def not_evaluated(self, evaluation: Evaluation, unknown: list[Finding]) -> None:
        """UNKNOWN verdicts and errors: what nobody may take for clean."""
        if not unknown and not evaluation.errors:
            return
        block = [self._style.status(Status.UNKNOWN, "Could not be evaluated")]
        for finding, rules in by_place(sorted(unknown, key=_place)):
            block += self._finding(finding, rules)
        for error in evaluation.errors:
            label = self._style.status(Status.UNKNOWN, pad("ERROR", _LABEL_WIDTH))
            block.append(f"{' ' * _INDENT}{label}  {printable(error.input)}".rstrip())
            block += wrap(printable(error.message), self._width, _DETAIL_INDENT)
        self._blocks.append(block)

    def remarks(self, label: str, texts: Iterable[str]) -> None:
        """Remarks on the run as a whole."""
        lines = remarks(label, texts, self._width)
        if lines:
            self._blocks.append(lines)

    def parameters(self, evaluation: Evaluation) -> None:
        """What the rules ran with, where there was something to run on."""
        if evaluation.inputs and evaluation.parameters:
            self._blocks.append(wrap(printable(parameter_line(evaluation.parameters)), self._width, 0, _INDENT))

    def ways_out(self, failed: list[Finding]) -> None:
        """What somebody who is stopped by this can do next."""
        if not failed:
            return
        first = min(failed, key=lambda finding: (-finding.severity, _place(finding)))
        ways = [f"keyrules rules {first.rule} explains the rule"]
        if any(map(may_be_mended, failed)):
            ways.insert(0, "keyrules scan --patch prints what can be mended")
        ways.append("keyrules except accepts a finding for a time")
        self._blocks.append(wrap(f"Next: {'; '.join(ways)}.", self._width, 0, _INDENT))

    def summary(self, evaluation: Evaluation) -> None:
        """The last line: what was evaluated, what failed, what is exempt and what could not be read."""
        lines = wrap(_coverage_line(evaluation), self._width, 0) if evaluation.coverage else []
        line = _summary(evaluation, self._style)
        if evaluation.baseline is not None:
            from keyrules.reports.baseline_text import baseline_line

            line = line.removesuffix(".") + baseline_line(evaluation)
        inputs, colon, verdicts = line.partition(": ")
        if colon and self._terminal and display_width(_summary(evaluation, Style())) > self._width:
            line = f"{inputs}:\n{' ' * _INDENT}{verdicts}"
        self._blocks.append([*lines, line])

    def _finding(self, finding: Finding, rules: str = "") -> Iterator[str]:
        if finding.status is Status.UNKNOWN:
            label = self._style.status(Status.UNKNOWN, pad("UNKNOWN", _LABEL_WIDTH))
        else:
            label = self._style.severity(finding.severity, pad(finding.severity.name, _LABEL_WIDTH))
        yield from self._headline(label, finding, rules or finding.rule)
        measured = wrap(printable(self._measures.beyond_message(finding)), self._width, _DETAIL_INDENT)
        if finding.status is Status.FAIL and self._again(finding.rule, finding.reason, finding.message):
            yield from measured
            return
        yield from self._frame(finding)
        yield from wrap(printable(finding.message), self._width, _DETAIL_INDENT)
        for step in finding.trace if path_tells_more(finding) else ():
            where = f" ({step.path}:{step.line})" if step.path and step.line else ""
            yield from wrap(f"→ {printable(step.label + where)}", self._width, _DETAIL_INDENT, _DETAIL_INDENT + 2)
        yield from measured
        change = self._change(finding)
        if change and not self._again(finding.rule, finding.reason, change):
            yield from wrap(f"Change: {printable(change)}", self._width, _DETAIL_INDENT, _DETAIL_INDENT + 2)

    def _again(self, *words: str) -> bool:
        """Whether the report has said this before, which only a full one says anew."""
        again = words in self._said
        self._said.add(words)
        return again and not self._full

    def _frame(self, finding: Finding) -> Iterator[str]:
        """The line that a finding is about, and a mark below the name in it."""
        text = printable(self._source_lines.get(_clickable(finding), ""))
        if not text or finding.location is None or self._again(_clickable(finding)):
            return
        number = str(finding.location.start_line)
        room = self._width - _DETAIL_INDENT - len(number) - 3
        if display_width(text) > room:
            return
        name = without_keys(finding.location.address).rpartition(".")[2]
        start = text.find(name) if name else -1
        before, marked = (text[:start], name) if start >= 0 else ("", text)
        yield f"{' ' * _DETAIL_INDENT}{self._style.dim(f'{number} |')} {text}"
        bar = self._style.dim(f"{' ' * len(number)} |")
        mark = self._style.severity(finding.severity, "^" * display_width(marked))
        yield f"{' ' * _DETAIL_INDENT}{bar} {' ' * display_width(before)}{mark}"

    def _headline(self, label: str, finding: Finding, rules: str) -> Iterator[str]:
        """Label, rules, place and address; the address moves to a line of its own when the first would be too long."""
        place, address = printable(_clickable(finding)), printable(_address(finding))
        first = f"{rules}  {place}"
        if _DETAIL_INDENT + display_width(first) + 2 + display_width(address) <= self._width:
            yield f"{' ' * _INDENT}{label}  {self._linked(rules)}  {place}  {self._style.bold(address)}"
        else:
            yield f"{' ' * _INDENT}{label}  {self._linked(rules)}  {place}"
            yield f"{' ' * _DETAIL_INDENT}{self._style.bold(address)}"

    def _linked(self, rules: str) -> str:
        """A rule's id that leads to its page; several stay as they are."""
        rule = self._rules.get(rules)
        return self._style.link(rules, rule.guideline) if rule else rules

    def _brief(self, findings: list[Finding]) -> Iterator[str]:
        for finding in sorted(findings, key=_place):
            label = self._style.status(finding.status, pad(finding.status.value, _LABEL_WIDTH))
            yield from self._headline(label, finding, finding.rule)
            if finding.status is Status.PASS:
                yield from wrap(printable(self._measures.of(finding)), self._width, _DETAIL_INDENT)
            if finding.status is Status.EXEMPT:
                reason = printable(finding.exemption_text)
                yield from wrap(f"Reason: {reason}", self._width, _DETAIL_INDENT, _DETAIL_INDENT + 2)

    def _change(self, finding: Finding) -> str:
        """What to change, in one sentence; nobody knows that where the verdict is UNKNOWN, and the message says why."""
        if finding.status is Status.UNKNOWN:
            return ""
        rule = self._rules.get(finding.rule)
        remediation = finding.remediation or (rule.remediation if rule else "")
        return first_sentence(advice_for(finding.plane, remediation))


def _coverage_line(evaluation: Evaluation) -> str:
    """What became of the files that hold a word of the rules, and which rules were off."""
    outcomes = Counter(item.outcome for item in evaluation.coverage)
    parts = [count_of(outcomes[CoverageOutcome.JUDGED], "file", "files") + " judged"]
    if outcomes[CoverageOutcome.UNKNOWN]:
        parts.append(f"{outcomes[CoverageOutcome.UNKNOWN]:,} could not be evaluated")
    absent = Counter(item.reason for item in evaluation.coverage if item.outcome is CoverageOutcome.ABSENT)
    for reason, count in sorted(absent.items()):
        verb, _, rest = reason.partition(" ")
        parts.append(f"{count:,} {verb if count == 1 else _PLURALS.get(verb) or verb.removesuffix('s')} {rest}")
    by_why: dict[str, list[str]] = {}
    for rule, why in evaluation.rules_off:
        by_why.setdefault(why, []).append(rule)
    # Who asks for a few rules knows that most are off; JSON lists them.
    off = [
        f"{', '.join(rules) if len(rules) <= _MOST_NAMED else f'{len(rules)} rules'} ({why})"
        for why, rules in sorted(by_why.items())
    ]
    return "; ".join([*parts, *([f"off: {', '.join(off)}"] if off else [])])


def _summary(evaluation: Evaluation, style: Style) -> str:
    counts = evaluation.counts
    if not evaluation.inputs and not evaluation.errors and not counts.evaluated:
        return NOTHING_TO_EVALUATE
    verdicts = [
        _failed(evaluation, style),
        f"{counts.exempt:,} exempt",
        f"{counts.passed:,} passed",
    ]
    if counts.unknown:
        verdicts.append(style.status(Status.UNKNOWN, f"{counts.unknown:,} unknown"))
    line = f"{_inputs(evaluation.inputs)}, {count_of(counts.evaluated, 'check')}: {', '.join(verdicts)}"
    if not evaluation.errors:
        return line
    unread = count_of(len({error.input for error in evaluation.errors}), "input")
    return f"{line}; {style.status(Status.UNKNOWN, f'{unread} could not be evaluated')}"


def _failed(evaluation: Evaluation, style: Style) -> str:
    number = evaluation.counts.failed
    if not number:
        return style.status(Status.PASS, "0 failed")
    tally = failed_tally(evaluation)
    return style.status(Status.FAIL, f"{number:,} failed") + (f" ({tally})" if tally else "")


def _inputs(inputs: Iterable[Input]) -> str:
    kinds = [item.kind for item in inputs]
    known = [count_of(kinds.count(kind), *names) for kind, names in _INPUT_NAMES.items() if kind in kinds]
    others = sum(kind not in _INPUT_NAMES for kind in kinds)
    if others or not known:
        known.append(count_of(others, "input"))
    return ", ".join(known)


def _path(finding: Finding) -> str:
    return finding.location.path if finding.location else ""


def _address(finding: Finding) -> str:
    if finding.location:
        return finding.location.address
    return finding.subject.name if finding.subject else ""


def _clickable(finding: Finding) -> str:
    """`path:line`, which terminals and editors turn into a link."""
    if finding.location is None:
        return ""
    return f"{finding.location.path}:{finding.location.start_line}"


def _place(finding: Finding) -> tuple[str, int, int, str, str]:
    line = finding.location.start_line if finding.location else 0
    return (_path(finding), line, -finding.severity, finding.rule, _address(finding))
