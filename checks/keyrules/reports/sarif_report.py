"""The SARIF 2.1.0 report, complete enough for GitHub code scanning.

Sources: OASIS SARIF 2.1.0 (section numbers below are its), and GitHub's "SARIF support for code scanning" for
`security-severity`, `precision`, `tags` and `help.markdown`. No absolute path of this machine is written: paths are
relative to `%SRCROOT%`, which is named but not located (3.14.14 allows that).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from keyrules.model import (
    Evaluation,
    EvaluationError,
    Finding,
    Input,
    Plane,
    Rule,
    Severity,
    Status,
    TraceStep,
)
from keyrules.reports.json_text import dump
from keyrules.reports.report_options import ReportOptions
from keyrules.reports.text_style import iso_utc, printable, visible_escape

SCHEMA_URI = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
SOURCE_ROOT = "%SRCROOT%"
FINGERPRINT = "keyrulesFingerprint/v1"

_LEVELS = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "note"}
# GitHub reads the number as critical above 9.0, high from 7.0, medium from 4.0, low below.
_SCORES = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "3.0"}
_KINDS = {Status.PASS: "pass", Status.FAIL: "fail", Status.EXEMPT: "fail", Status.UNKNOWN: "review"}

_WEAKNESS = re.compile(r"\bCWE-(\d+)|cwe\.mitre\.org/data/definitions/(\d+)", re.IGNORECASE)
_NO_BYTE = re.compile("[\ud800-\udc7f\udd00-\udfff]")
_PLACEHOLDER = re.compile(r"\{(\d+)\}")


def render(evaluation: Evaluation, options: ReportOptions) -> str:
    """The whole evaluation as one SARIF run; `options` change nothing."""
    del options
    return dump(document(evaluation))


def document(evaluation: Evaluation) -> dict[str, Any]:
    """The SARIF log as plain dictionaries and lists."""
    positions = {rule.id: index for index, rule in enumerate(evaluation.rules)}
    reports = _Reports(evaluation.inputs)
    counts = evaluation.counts
    run = {
        "tool": {"driver": _driver(evaluation)},
        "invocations": [
            {
                "executionSuccessful": not evaluation.errors,
                "toolExecutionNotifications": [
                    *(_failure(error) for error in evaluation.errors),
                    *({"level": "note", "message": _message(note)} for note in evaluation.notes),
                ],
            }
        ],
        "originalUriBaseIds": {
            SOURCE_ROOT: {"description": {"text": "The working directory of the run: the root of the repository."}}
        },
        "artifacts": _artifacts(evaluation.inputs),
        "results": [_result(finding, positions, reports) for finding in evaluation.findings],
        "properties": {
            "plane": evaluation.plane.value,
            "as_of": iso_utc(evaluation.as_of),
            "pack": {"version": evaluation.pack.version, "sha256": evaluation.pack.sha256},
            "summary": {
                "evaluated": counts.evaluated,
                "pass": counts.passed,
                "fail": counts.failed,
                "exempt": counts.exempt,
                "unknown": counts.unknown,
            },
        },
    }
    return {"$schema": SCHEMA_URI, "version": "2.1.0", "runs": [run]}


def _driver(evaluation: Evaluation) -> dict[str, Any]:
    driver: dict[str, Any] = {"name": "keyrules", "semanticVersion": evaluation.pack.version}
    home = next((rule.guideline.partition("#")[0] for rule in evaluation.rules if _is_web(rule.guideline)), None)
    if home:
        driver["informationUri"] = home
    driver["rules"] = [_rule(rule) for rule in evaluation.rules]
    driver["notifications"] = [{"id": kind} for kind in sorted({error.kind for error in evaluation.errors})]
    return driver


def _rule(rule: Rule) -> dict[str, Any]:
    descriptor: dict[str, Any] = {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": _literal(rule.name)},
        "fullDescription": {"text": _literal(rule.rationale)},
        "help": {"text": _literal(_help_text(rule)), "markdown": _literal(_help_markdown(rule))},
    }
    if _is_web(rule.guideline):
        descriptor["helpUri"] = rule.guideline
    descriptor["defaultConfiguration"] = {"level": _LEVELS[rule.severity]}
    descriptor["properties"] = {
        "tags": ["security", "iam", *_weaknesses(rule.references)],
        "precision": "medium" if rule.lifecycle.status == "experimental" else "high",
        "security-severity": _SCORES[rule.severity],
    }
    return descriptor


def _weaknesses(references: Iterable[str]) -> list[str]:
    """The CWE entries that a rule refers to, as the tags that GitHub links."""
    numbers = {int(match[1] or match[2]) for reference in references for match in _WEAKNESS.finditer(reference)}
    return [f"external/cwe/cwe-{number:03d}" for number in sorted(numbers)]


def _help_text(rule: Rule) -> str:
    limits = [f"Limits ({plane}): {text}" for plane, text in sorted(rule.limits.items())]
    return "\n\n".join([*_paragraphs(rule.remediation), *limits])


def _help_markdown(rule: Rule) -> str:
    parts = [f"# {rule.id}: {rule.name}", *_paragraphs(rule.rationale)]
    parts += ["## What to do", *_paragraphs(rule.remediation)]
    if rule.limits:
        parts += ["## Limits", *(f"**{plane}**: {text}" for plane, text in sorted(rule.limits.items()))]
    if rule.references:
        parts += ["## References", "\n".join(f"- {reference}" for reference in rule.references)]
    return _without_html("\n\n".join(parts))


def _paragraphs(text: str) -> list[str]:
    """The paragraphs of a rule's folded YAML text, which come one on each line."""
    return [line for line in text.splitlines() if line.strip()]


def _without_html(markdown: str) -> str:
    """Markdown whose `<` outside code spans cannot open a tag (3.11.4.2 forbids HTML), as in `<root_account>`."""
    parts = markdown.split("`")
    return "`".join(part.replace("<", "\\<") if index % 2 == 0 else part for index, part in enumerate(parts))


class _Reports:
    """Which input a live subject was read from: the only one there is, or the only one of its account."""

    def __init__(self, inputs: tuple[Input, ...]) -> None:
        self._only = inputs[0].name if len(inputs) == 1 else None
        self._by_account: dict[str | None, str | None] = {}
        for item in inputs:
            self._by_account[item.account] = None if item.account in self._by_account else item.name

    def name(self, account: str | None) -> str | None:
        """The input's name, or None where the account alone does not tell."""
        return self._only or self._by_account.get(account)


def _result(finding: Finding, positions: dict[str, int], reports: _Reports) -> dict[str, Any]:
    failed = _KINDS[finding.status] == "fail"
    result: dict[str, Any] = {"ruleId": finding.rule}
    if finding.rule in positions:
        result["ruleIndex"] = positions[finding.rule]
    result |= {
        "kind": _KINDS[finding.status],
        # 3.27.9: a level other than none is only for kind fail.
        "level": _LEVELS[finding.severity] if failed else "none",
        "message": _message(finding.message),
        "locations": [_location(finding, reports)],
        "partialFingerprints": {FINGERPRINT: finding.fingerprint},
    }
    if finding.trace:
        steps = [_step(step) for step in finding.trace]
        result["codeFlows"] = [{"threadFlows": [{"locations": [{"location": step} for step in steps]}]}]
        result["relatedLocations"] = [{"id": number, **step} for number, step in enumerate(steps)]
    if finding.status is Status.EXEMPT:
        suppression = {"kind": "inSource" if finding.plane is Plane.CODE else "external", "status": "accepted"}
        result["suppressions"] = [suppression | {"justification": printable(finding.exemption_text)}]
    result["properties"] = {
        "severity": finding.severity.name,
        "status": finding.status.value,
        "reason": finding.reason,
        "facts": dict(sorted(finding.facts.items())),
        "remediation": finding.remediation,
    }
    return result


def _location(finding: Finding, reports: _Reports) -> dict[str, Any]:
    """Code: the lines of the block and its address. Live: the report that it was read from and the ARN."""
    if finding.location is not None:
        place = finding.location
        logical = {"name": place.address, "fullyQualifiedName": place.address, "kind": "resource"}
        return {
            "physicalLocation": _physical(place.path, place.start_line, place.end_line),
            "logicalLocations": [logical],
        }
    location: dict[str, Any] = {}
    if finding.subject is not None:
        subject = finding.subject
        report = reports.name(subject.account)
        if report is not None:
            location["physicalLocation"] = _physical(report)
        qualified = subject.arn or subject.name
        location["logicalLocations"] = [
            {"name": subject.user or subject.name, "fullyQualifiedName": qualified, "kind": subject.kind}
        ]
    return location


def _step(step: TraceStep) -> dict[str, Any]:
    location: dict[str, Any] = {"message": _message(step.label)}
    if step.path:
        location["physicalLocation"] = _physical(step.path, step.line)
    return location


def _failure(error: EvaluationError) -> dict[str, Any]:
    notification: dict[str, Any] = {
        "descriptor": {"id": error.kind},
        "level": "error",
        "message": _message(error.message),
    }
    if error.input:
        notification["locations"] = [{"physicalLocation": _physical(error.input)}]
    return notification


def _artifacts(inputs: tuple[Input, ...]) -> list[dict[str, Any]]:
    """One artifact for each distinct input: SARIF wants them unique."""
    artifacts: list[dict[str, Any]] = []
    for item in dict.fromkeys(inputs):
        artifact: dict[str, Any] = {"location": _artifact(item.name), "roles": ["analysisTarget"]}
        if item.sha256:
            artifact["hashes"] = {"sha-256": item.sha256}
        artifact["properties"] = {"kind": item.kind}
        if item.account:
            artifact["properties"]["account"] = item.account
        if item.generated_at:
            artifact["properties"]["generated_at"] = iso_utc(item.generated_at)
        artifacts.append(artifact)
    return artifacts


def _physical(path: str, start_line: int = 0, end_line: int = 0) -> dict[str, Any]:
    """A place in a file; lines count from 1, and a place without a known line is the whole file."""
    place: dict[str, Any] = {"artifactLocation": _artifact(path)}
    if start_line > 0:
        place["region"] = {"startLine": start_line, "endLine": max(start_line, end_line)}
    return place


def _artifact(path: str) -> dict[str, str]:
    # Percent-encodes the bytes of the name, so that a name that is not UTF-8 still has its one correct URI. A surrogate
    # that stands for no byte can come from a JSON escape in a source file.
    name = _NO_BYTE.sub(lambda match: visible_escape(match[0]), path)
    uri = quote(name.encode("utf-8", "surrogateescape"), safe="/")
    if path.startswith("/"):
        return {"uri": f"file://{uri}"}
    return {"uri": uri, "uriBaseId": SOURCE_ROOT}


def _message(text: str) -> dict[str, str]:
    """A plain text message; `](` is taken apart because SARIF would read it as a link that a name smuggled in."""
    return {"text": _literal(printable(text).replace("](", "] ("))}


def _literal(text: str) -> str:
    """Text without placeholders (3.11.5): the braces of `{0}` are doubled; others cannot be taken for one."""
    return _PLACEHOLDER.sub(r"{{\1}}", text)


def _is_web(uri: str) -> bool:
    return uri.startswith(("https://", "http://"))
