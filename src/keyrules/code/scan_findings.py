"""From what was said about a unit to findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from keyrules.code.file_paths import shown
from keyrules.code.unit_results import UnitOutcome
from keyrules.code.verdict import Verdict
from keyrules.model import EvaluationError, Finding, Location, Plane, Rule, Selection, Status, TraceStep
from keyrules.records import dataclass, replace
from keyrules.reports.text_style import advice_for
from keyrules.terms import WORST_FIRST


@dataclass(frozen=True)
class UnitFindings:
    """The findings of one unit, passes included, and what could not be evaluated."""

    findings: tuple[Finding, ...]
    errors: tuple[EvaluationError, ...]


def unit_findings(outcome: UnitOutcome, selection: Selection, asked_for: Callable[[Verdict], bool]) -> UnitFindings:
    """The verdicts on a unit that are asked for as findings, and its problems as errors."""
    declared = outcome.declared
    if declared is None:
        return UnitFindings((), (EvaluationError(shown(outcome.unit.path), "crash", outcome.problem),))
    errors = [EvaluationError(shown(p.path), "unparsable", _capital(p.message)) for p in declared.problems]
    findings = [
        _finding(verdict, rule)
        for verdict in declared.verdicts
        for rule in (selection.rule(verdict.rule),)
        if rule is not None and asked_for(verdict)
    ]
    return UnitFindings(tuple(findings), tuple(errors))


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """One finding per rule, file and address, the worst one, in the order of file, line and rule.

    A module that several roots call, and a block with many instances, are one place in the code.
    """
    worst: dict[tuple[str, str, str], Finding] = {}
    for finding in findings:
        if finding.location is not None:
            key = (finding.rule, finding.location.path, finding.location.address)
            known = worst.get(key)
            if known is None or WORST_FIRST[finding.status] < WORST_FIRST[known.status]:
                worst[key] = finding
    return sorted(worst.values(), key=_order)


def _order(finding: Finding) -> tuple[str, int, str, str]:
    location = finding.location
    return (location.path, location.start_line, location.address, finding.rule) if location else ("", 0, "", "")


def _finding(verdict: Verdict, rule: Rule) -> Finding:
    status = verdict.status
    exempt = verdict.skipped is not None and status in (Status.FAIL, Status.UNKNOWN)
    finding = Finding(
        rule=rule.id,
        severity=rule.severity,
        status=Status.EXEMPT if exempt else status,
        plane=Plane.CODE,
        message=_capital(verdict.message),
        reason=verdict.reason,
        remediation=advice_for(Plane.CODE, rule.remediation),
        location=Location(shown(verdict.path), verdict.start_line, verdict.end_line, verdict.address),
        facts=verdict.facts,
        trace=tuple(TraceStep(step.label, shown(step.path), step.line) for step in verdict.trace),
    )
    return replace(finding, exemption=verdict.skipped) if exempt else finding


def _capital(text: str) -> str:
    """A sentence with a capital, unless it starts with a name from the code."""
    first = text.partition(" ")[0]
    return text if set(first) & set("._[") else text[:1].upper() + text[1:]
