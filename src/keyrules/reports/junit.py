"""JUnit XML, which Jenkins, GitLab and most other pipelines show as test results.

The shape is that of Jenkins' xUnit plugin (jenkinsci/xunit-plugin, types/model/xsd/junit-10.xsd), the strictest reader:
it refuses `file` and `line` on a test case, so that the place stands in the name and in the text. GitLab shows the text
of an element and not its `message` (gitlabhq, lib/gitlab/ci/parsers/test/junit.rb), so the text says everything.

A test suite for each rule, and before them one for the run. Its test case passes when everything could be evaluated,
so that a clean run is never an empty file, which Jenkins takes for a broken one; otherwise it has an error for each
input that could not be. A rule of which no verdict is listed has one test case, which passes. FAIL is a failure of any
severity, UNKNOWN an error, EXEMPT skipped. Names hold no line numbers: histories go by them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from keyrules.findings import findings_of, tally_of
from keyrules.model import Counts, Evaluation, Finding, ParameterInForce, Plane, Rule, Status
from keyrules.pack.parameters import show_value
from keyrules.records import dataclass, replace
from keyrules.reports.evidence import declared_sentences, place, subject_name
from keyrules.reports.parameters import provenance
from keyrules.reports.report_summary import loosening, not_listed
from keyrules.reports.text_style import ReportOptions, advice_for, count_of, iso_utc, printable

_PACKAGE = "keyrules"
_Outcome: TypeAlias = Literal["failure", "error", "skipped"] | None
_OUTCOMES: Mapping[Status, _Outcome] = {
    Status.FAIL: "failure",
    Status.UNKNOWN: "error",
    Status.EXEMPT: "skipped",
    Status.PASS: None,
}


@dataclass(frozen=True)
class _Case:
    """A test case; `outcome` is the element that says what is wrong, None where it passes."""

    classname: str
    name: str
    outcome: _Outcome = None
    type: str = ""
    message: str = ""
    lines: Sequence[str] = ()


class _Suite(NamedTuple):
    """A suite whose cases are made one by one; `outcomes` counts them before."""

    name: str
    cases: Iterable[_Case]
    outcomes: Counter[_Outcome]
    properties: Sequence[tuple[str, str]] = ()


def render(evaluation: Evaluation, options: ReportOptions) -> Iterator[str]:
    """The whole evaluation as one document, a piece for each test case; `options` change nothing."""
    del options
    suites = [_run_suite(evaluation), *_rule_suites(evaluation)]
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    total = sum((suite.outcomes for suite in suites), Counter[_Outcome]())
    yield _start_tag("testsuites", {"name": "keyrules", "time": "0"} | _counts(total))
    for suite in suites:
        skipped = str(suite.outcomes["skipped"])
        head = {"name": printable(suite.name), **_counts(suite.outcomes), "skipped": skipped, "time": "0"}
        yield "  " + _start_tag("testsuite", head)
        if suite.properties:
            properties = Element("properties")
            for name, value in suite.properties:
                SubElement(properties, "property", {"name": name, "value": printable(value)})
            yield _indented(properties)
        yield from (_indented(_element(case)) for case in _told_apart(suite.cases))
        yield "  </testsuite>\n"
    yield "</testsuites>\n"


def _run_suite(evaluation: Evaluation) -> _Suite:
    """What is about the run as a whole: its properties, and whether everything could be evaluated and is listed."""
    cases = [
        _Case(f"{_PACKAGE}.run", error.input or error.kind, "error", "ERROR", error.message, [error.kind])
        for error in evaluation.errors
    ]
    if unlisted := not_listed(evaluation):
        message = f"{count_of(unlisted, 'failed or unknown verdict')} counted and not listed"
        cases.append(_Case(f"{_PACKAGE}.run", "every verdict is listed", "failure", "NOT_LISTED", message))
    if not evaluation.errors and not evaluation.counts.unknown:
        cases.append(_Case(f"{_PACKAGE}.run", "everything could be evaluated"))
    properties = [
        ("plane", evaluation.plane.value),
        ("as_of", iso_utc(evaluation.as_of)),
        ("pack.version", evaluation.pack.version),
        ("pack.sha256", evaluation.pack.sha256),
    ]
    if (baseline := evaluation.baseline) is not None:
        properties += [
            ("baseline", baseline.name),
            ("baseline.known", str(len(baseline.known))),
            ("baseline.resolved", str(len(baseline.resolved))),
        ]
    properties += [
        (_parameter_name(each), f"{show_value(each.value)} ({provenance(each)})") for each in evaluation.parameters
    ]
    properties += [("configuration", text) for text in loosening(evaluation)]
    properties += [("warning", warning) for warning in evaluation.warnings]
    return _Suite("keyrules run", cases, Counter(case.outcome for case in cases), properties)


def _parameter_name(parameter: ParameterInForce) -> str:
    """A name of its own for what holds for some users, because readers keep one property of a name."""
    whom = f" for {printable(parameter.users)}" if parameter.users else ""
    return f"parameter.{parameter.rule}.{parameter.name}{whom}"


def _rule_suites(evaluation: Evaluation) -> Iterator[_Suite]:
    outcomes: dict[str, Counter[_Outcome]] = {rule.id: Counter() for rule in evaluation.rules}
    for (rule_id, _, status), number in tally_of(evaluation.findings).items():
        outcomes.setdefault(rule_id, Counter())[_OUTCOMES[status]] += number
    rules = {rule.id: rule for rule in evaluation.rules}
    for rule_id, found in outcomes.items():
        rule = rules.get(rule_id)
        name = f"{rule_id} {rule.name}" if rule is not None else rule_id
        counts = evaluation.rule_counts.get(rule_id, Counts())
        if found:
            findings = findings_of(evaluation.findings, Status, rule_id)
            yield _Suite(name, (_finding_case(finding, rules.get(finding.rule)) for finding in findings), found)
        elif counts.passed and counts.passed == counts.evaluated:
            verdicts = f"{count_of(counts.passed, 'verdict')}: PASS"
            yield _Suite(name, [_Case(f"{_PACKAGE}.{rule_id}", "no findings", lines=[verdicts])], Counter([None]))


def _finding_case(finding: Finding, rule: Rule | None) -> _Case:
    where = finding.location.path if finding.location is not None else place(finding)
    name = f"{where}: {subject_name(finding)}" if where else subject_name(finding)
    case = _Case(f"{_PACKAGE}.{finding.rule}", name)
    account = "account " if finding.subject is not None and where else ""
    head = [f"{finding.severity.name} {finding.rule} {account}{place(finding)}".rstrip(), subject_name(finding)]
    if finding.status is Status.PASS:
        return case
    if finding.status is Status.EXEMPT:
        reason = finding.exemption_text
        return replace(case, outcome="skipped", type="EXEMPT", message=reason, lines=[*head, f"Exempt: {reason}"])
    lines = [*head, finding.message]
    lines += [f"→ {step.label}" + (f" ({step.path}:{step.line})" if step.line else "") for step in finding.trace]
    lines += declared_sentences(finding)
    if finding.status is Status.UNKNOWN:
        return replace(case, outcome="error", type="UNKNOWN", message=finding.message, lines=lines)
    advice = "Change" if finding.plane is Plane.CODE else "Steps"
    lines += [f"{advice}: {step}" for step in advice_for(finding.plane, finding.remediation).splitlines() if step]
    lines += [rule.guideline] if rule is not None else []
    return replace(case, outcome="failure", type=finding.severity.name, message=finding.message, lines=lines)


def _told_apart(cases: Iterable[_Case]) -> Iterator[_Case]:
    """The cases with a number behind a name that came before: readers keep one of those that are called the same."""
    taken: set[str] = set()
    for case in cases:
        # What XML cannot hold is not printable either, so this makes it visible.
        own = name = printable(case.name)
        number = 1
        while name in taken:
            number += 1
            name = f"{own} ({number})"
        taken.add(name)
        yield replace(case, name=name)


def _counts(outcomes: Counter[_Outcome]) -> dict[str, str]:
    return {
        "tests": str(outcomes.total()),
        "failures": str(outcomes["failure"]),
        "errors": str(outcomes["error"]),
    }


def _start_tag(name: str, attributes: dict[str, str]) -> str:
    return tostring(Element(name, attributes), encoding="unicode").removesuffix(" />") + ">\n"


def _indented(element: Element) -> str:
    """An element of a suite, with its lines as deep as they stand in the document."""
    indent(element, level=2)
    return f"    {tostring(element, encoding='unicode').rstrip()}\n"


def _element(case: _Case) -> Element:
    element = Element("testcase", {"classname": case.classname, "name": case.name, "time": "0"})
    text = "\n".join(map(printable, case.lines))
    if case.outcome is not None:
        outcome = SubElement(element, case.outcome, {"type": case.type, "message": printable(case.message)})
        outcome.text = text or printable(case.message)
    elif text:
        SubElement(element, "system-out").text = text
    return element
