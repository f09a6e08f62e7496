"""GitHub workflow commands: findings as annotations in a pull request's files and on the page of the run.

Commands and escaping are those of actions/toolkit (packages/core/src/command.ts); actions/runner reads a command only
where a line begins with `::` (src/Runner.Common/ActionCommand.cs), and no name can begin a line here. GitHub shows ten
annotations of each level for a step, the first ten, so the worst come first, and a last notice among those that are
shown says how many there are. Paths are relative to the working directory, which must be the root of the checkout for
GitHub to find the files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice

from keyrules.findings import findings_of, tally_of
from keyrules.model import Evaluation, EvaluationError, Finding, Plane, Rule, Severity, Status
from keyrules.reports.evidence import declared_sentences, place, subject_name
from keyrules.reports.live_records import by_place
from keyrules.reports.parameters import parameter_line
from keyrules.reports.report_summary import headline, loosening, not_listed, path_tells_more, with_status, worst_first
from keyrules.reports.text_style import ReportOptions, advice_for, count_of, first_sentence, printable

SHOWN_PER_LEVEL = 10
_LEVELS = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "notice"}


def render(evaluation: Evaluation, options: ReportOptions) -> Iterator[str]:
    """A command for each FAIL, error, warning and place of UNKNOWN verdicts, and the summary; EXEMPT and PASS need
    nobody's eye."""
    del options
    page = _Page(evaluation)
    notices = page.of_level("notice")
    early = list(islice(notices, SHOWN_PER_LEVEL - 1))
    return chain(page.of_level("error"), page.of_level("warning"), early, [page.summary()], notices)


class _Page:
    """The commands of a run, by level."""

    def __init__(self, evaluation: Evaluation) -> None:
        self._evaluation = evaluation
        self._rules = {rule.id: rule for rule in evaluation.rules}

    def of_level(self, level: str) -> Iterator[str]:
        """The commands of a level, the worst first."""
        evaluation = self._evaluation
        for finding in findings_of(worst_first(evaluation.findings), (Status.FAIL,)):
            if _LEVELS[finding.severity] == level:
                yield _failed(finding, self._rules)
        if level == "error":
            yield from (_error(error, evaluation.plane) for error in evaluation.errors)
            yield from (_unknown(finding, rules) for finding, rules in self._places())
        if level == "warning":
            yield from (_command("warning", "keyrules", [warning]) for warning in evaluation.warnings)

    def _places(self) -> Iterable[tuple[Finding, str]]:
        """What is UNKNOWN, with the rules of which it is; only what is in code shares a place."""
        unknown = findings_of(worst_first(self._evaluation.findings), (Status.UNKNOWN,))
        return by_place(unknown) if self._evaluation.plane is Plane.CODE else ((each, each.rule) for each in unknown)

    def summary(self) -> str:
        """The notice that says how many there are, which needs a look at each of them."""
        evaluation = self._evaluation
        lines = [f"{headline(evaluation)}."]
        unlisted = not_listed(evaluation)
        lines += [f"{count_of(unlisted, 'verdict was', 'verdicts were')} counted and not listed."] if unlisted else []
        numbers = self._numbers()
        if any(number > SHOWN_PER_LEVEL for number in numbers.values()):
            counts = ", ".join(count_of(number, level) for level, number in numbers.items() if number)
            lines.append(f"GitHub shows {SHOWN_PER_LEVEL} of each level; the log of this step has all: {counts}.")
        lines += [f"{text}." for text in (*loosening(evaluation), parameter_line(evaluation.parameters)) if text]
        return _command("notice", "keyrules", lines)

    def _numbers(self) -> dict[str, int]:
        numbers = dict.fromkeys(_LEVELS.values(), 0)
        for (_, severity, status), number in tally_of(self._evaluation.findings).items():
            if status is Status.FAIL:
                numbers[_LEVELS[severity]] += number
        live = self._evaluation.plane is Plane.LIVE
        places = with_status(self._evaluation, Status.UNKNOWN) if live else len(list(self._places()))
        numbers["error"] += len(self._evaluation.errors) + places
        numbers["warning"] += len(self._evaluation.warnings)
        return numbers


def _failed(finding: Finding, rules: dict[str, Rule]) -> str:
    rule = rules.get(finding.rule)
    change = first_sentence(advice_for(finding.plane, finding.remediation))
    lines = [f"{_subject(finding)}: {finding.message}"]
    if path_tells_more(finding):
        lines.append(f"Its path: {' → '.join(step.label for step in finding.trace)}")
    lines += declared_sentences(finding)
    lines += [f"Change: {change}"] if change else []
    lines += [rule.guideline] if rule is not None else []
    title = f"{finding.rule} {finding.severity.name}" + (f": {rule.name}" if rule is not None else "")
    return _command(_LEVELS[finding.severity], title, lines, **_where(finding))


def _unknown(finding: Finding, rules: str) -> str:
    title = f"{rules} could not be evaluated"
    lines = [f"{_subject(finding)}: {finding.message}", *declared_sentences(finding)]
    return _command("error", title, lines, **_where(finding))


def _error(error: EvaluationError, plane: Plane) -> str:
    """In code, what it is about is a file; on the live plane the message names the report or the account."""
    if plane is Plane.LIVE or not error.input:
        return _command("error", "Could not be evaluated", [error.message])
    return _command("error", "Could not be evaluated", [f"{error.input}: {error.message}"], file=error.input)


def _subject(finding: Finding) -> str:
    """What it is about; a live credential with its account, because no file says where it is."""
    name, where = subject_name(finding), place(finding)
    return name if finding.location is not None or not where else f"{name} in account {where}"


def _where(finding: Finding) -> dict[str, str]:
    location = finding.location
    if location is None:
        return {}
    if location.start_line < 1:
        return {"file": location.path}
    last = max(location.start_line, location.end_line)
    return {"file": location.path, "line": str(location.start_line), "endLine": str(last)}


def _command(level: str, title: str, lines: list[str], **where: str) -> str:
    properties = ",".join(f"{name}={_property(value)}" for name, value in {**where, "title": title}.items())
    return f"::{level} {properties}::{_data(lines)}\n"


def _data(lines: list[str]) -> str:
    return "%0A".join(printable(line).replace("%", "%25") for line in lines)


def _property(value: str) -> str:
    return printable(value).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
