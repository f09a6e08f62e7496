"""GitLab's SAST report: findings in the security widget of a merge request and in the vulnerability report.

Sources: sast-report-format.json 15.0.7 of GitLab's security-report-schemas, and the reader in GitLab's source
(lib/gitlab/ci/parsers/security/common.rb). GitLab takes the findings of one rule at the same lines for one, unless a
tracking signature tells them apart; the scope of ours is the address, so that it also survives moved lines.

The format has no word for an exception: what is exempt is left out and named in the messages of the scan. UNKNOWN has
GitLab's severity of that name, and one error makes the scan a failure.

What a baseline holds stays among the vulnerabilities: GitLab itself compares a merge request with its target branch,
and shows a vulnerability that the latest report of the default branch leaves out as no longer detected.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from keyrules.model import Evaluation, Finding, Location, Rule, Severity, Status, TraceStep
from keyrules.reports.evidence import with_known
from keyrules.reports.json import Members, laid_out
from keyrules.reports.markdown import code, cut, prose
from keyrules.reports.parameters import parameter_line
from keyrules.reports.sarif_driver import weaknesses
from keyrules.reports.text_style import ReportOptions, advice_for, count_of, is_web, iso_utc, printable

VERSION = "15.0.7"
SCHEMA_URI = (
    f"https://gitlab.com/gitlab-org/security-products/security-report-schemas/-/raw/v{VERSION}/dist/"
    "sast-report-format.json"
)

_SEVERITIES = {Severity.LOW: "Low", Severity.MEDIUM: "Medium", Severity.HIGH: "High", Severity.CRITICAL: "Critical"}
_NAME_LENGTH = 255
_SOLUTION_LENGTH = 7000


def render(evaluation: Evaluation, options: ReportOptions) -> Iterator[str]:
    """A scan's FAIL and UNKNOWN findings, known ones too, as vulnerabilities; `options` change nothing."""
    del options
    rules = {rule.id: rule for rule in evaluation.rules}
    vulnerabilities = (
        _vulnerability(finding, finding.location, rules.get(finding.rule))
        for finding in with_known(evaluation)
        if finding.location is not None and finding.status in (Status.FAIL, Status.UNKNOWN)
    )
    report = {"version": VERSION, "schema": SCHEMA_URI, "scan": _scan(evaluation), "vulnerabilities": vulnerabilities}
    return laid_out(Members(report.items()))


def _scan(evaluation: Evaluation) -> dict[str, Any]:
    tool: dict[str, Any] = {
        "id": "keyrules",
        "name": "keyrules",
        "version": evaluation.pack.version,
        "vendor": {"name": "keyrules"},
    }
    # The schema's times have no zone and are in UTC, to the second.
    moment = iso_utc(evaluation.as_of.replace(microsecond=0)).removesuffix("Z")
    return {
        "type": "sast",
        "analyzer": tool,
        "scanner": tool,
        "start_time": moment,
        "end_time": moment,
        "status": "failure" if evaluation.errors else "success",
        "messages": [{"level": level, "value": printable(text)} for level, text in _messages(evaluation)],
    }


def _messages(evaluation: Evaluation) -> list[tuple[str, str]]:
    """What the vulnerabilities do not say. `fatal` is for what ends a scan, and what is named here did not."""
    messages = [("warn", f"{error.input} could not be evaluated: {error.message}") for error in evaluation.errors]
    messages += [("warn", warning) for warning in evaluation.warnings]
    messages += [("info", _exempt(finding)) for finding in evaluation.findings if finding.status is Status.EXEMPT]
    if evaluation.baseline is not None and evaluation.baseline.known:
        known = count_of(len(evaluation.baseline.known), "finding")
        messages.append(("info", f"Among these, {known} known since the baseline {evaluation.baseline.name}."))
    messages += [("info", note) for note in evaluation.notes]
    parameters = parameter_line(evaluation.parameters)
    return [*messages, ("info", parameters)] if parameters else messages


def _exempt(finding: Finding) -> str:
    place = f"{finding.location.path}, {finding.location.address}" if finding.location is not None else ""
    return f"{finding.rule} is exempt: {place}: {finding.exemption_text}"


def _vulnerability(finding: Finding, place: Location, rule: Rule | None) -> dict[str, Any]:
    unknown = finding.status is Status.UNKNOWN
    name = rule.name if rule is not None else finding.rule
    doubt = "could not be evaluated: " if unknown else ""
    paragraphs = [f"{code(place.address)}: {doubt}{prose(finding.message)}"]
    if finding.trace:
        paragraphs.append("Its path: " + " → ".join(_stop(step) for step in finding.trace))
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"keyrules:{finding.fingerprint}")),
        "name": cut(f"{name} (could not be evaluated)" if unknown else name, _NAME_LENGTH),
        "description": "\n\n".join(paragraphs),
        "severity": "Unknown" if unknown else _SEVERITIES[finding.severity],
        "solution": cut(prose(advice_for(finding.plane, finding.remediation)), _SOLUTION_LENGTH),
        "identifiers": _identifiers(finding, rule),
        "location": _location(place),
        "tracking": _tracking(finding, place),
    }


def _stop(step: TraceStep) -> str:
    line = f":{step.line}" if step.line else ""
    return code(step.label) + (f" in {code(step.path + line)}" if step.path else "")


def _identifiers(finding: Finding, rule: Rule | None) -> list[dict[str, str]]:
    """The rule first: GitLab identifies a vulnerability by its first identifier and its place."""
    first = {"type": "keyrules_rule_id", "name": finding.rule, "value": finding.rule}
    if rule is None:
        return [first]
    if is_web(rule.guideline):
        first["url"] = rule.guideline
    return [
        first,
        *(
            {
                "type": "cwe",
                "name": f"CWE-{number}",
                "value": str(number),
                "url": f"https://cwe.mitre.org/data/definitions/{number}.html",
            }
            for number in weaknesses(rule.references)
        ),
    ]


def _location(place: Location) -> dict[str, Any]:
    location: dict[str, Any] = {"file": place.path.removeprefix("./")}
    if place.start_line > 0:
        location |= {"start_line": place.start_line, "end_line": max(place.start_line, place.end_line)}
    return location


def _tracking(finding: Finding, place: Location) -> dict[str, Any]:
    """`scope_offset` is one of the algorithms that GitLab knows; their values are opaque to it."""
    signature = {"algorithm": "scope_offset", "value": finding.fingerprint}
    return {"type": "source", "items": [_location(place) | {"signatures": [signature]}]}
