"""The SARIF 2.1.0 report, complete enough for GitHub code scanning.

Sources: OASIS SARIF 2.1.0 (section numbers below are its), GitHub's "SARIF support for code scanning", and the source
of github/codeql-action, whose `upload-sarif` validates, fingerprints and uploads a file. From them follows:

- GitHub closes the alert of a result that is missing and ignores `baselineState` and `suppressions`. So what a baseline
  holds stays in the report, as `unchanged`, and what is gone has no `absent` result, which GitHub would open again; it
  stands in the properties of the run.
- Of all fingerprints GitHub uses `primaryLocationLineHash` only. `upload-sarif` computes it from the source where a
  result has a line and warns about any other value, so it is given only where the line does not tell results apart:
  in a plan, in a template on one line, on the live plane.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from keyrules.model import (
    BaselineReport,
    DeclaredAt,
    Evaluation,
    EvaluationError,
    Finding,
    Input,
    KnownFinding,
    PatchReport,
    Plane,
    Replacement,
    Status,
    TraceStep,
)
from keyrules.reports.json import (
    Members,
    declared_document,
    exception_document,
    laid_out,
    resolved_document,
    summary,
    time_or_none,
)
from keyrules.reports.sarif_driver import LEVELS, driver
from keyrules.reports.sarif_places import SOURCE_ROOT, Places, artifact, message, physical
from keyrules.reports.text_style import ReportOptions, iso_utc, printable

SCHEMA_URI = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "keyrulesFingerprint/v1"
GITHUB_FINGERPRINT = "primaryLocationLineHash"

_KINDS = {Status.PASS: "pass", Status.FAIL: "fail", Status.EXEMPT: "fail", Status.UNKNOWN: "review"}


def render(evaluation: Evaluation, options: ReportOptions) -> Iterator[str]:
    """The whole evaluation as one SARIF run; `options` change nothing."""
    del options
    log = {"$schema": SCHEMA_URI, "version": "2.1.0", "runs": iter([Members(_run(evaluation))])}
    return laid_out(Members(log.items()))


def _run(evaluation: Evaluation) -> Iterator[tuple[str, Any]]:
    yield "tool", {"driver": driver(evaluation)}
    # GitHub's category is what stands before the last slash: a scan and an audit do not replace each other.
    yield "automationDetails", {"id": f"keyrules/{evaluation.plane.value}/"}
    yield "invocations", [_invocation(evaluation)]
    root = {"description": {"text": "The working directory of the run: the root of the repository."}}
    yield "originalUriBaseIds", {SOURCE_ROOT: root}
    yield "artifacts", _artifacts(evaluation.inputs)
    yield "results", _results(evaluation)
    yield "properties", _properties(evaluation)


def _invocation(evaluation: Evaluation) -> dict[str, Any]:
    return {
        "executionSuccessful": not evaluation.errors,
        "toolExecutionNotifications": [
            *(_failure(error) for error in evaluation.errors),
            *({"level": "note", "message": message(note)} for note in evaluation.notes),
        ],
        # 3.20.22: what engineers who configure the tool need, such as an entry of the exceptions file that has ended.
        "toolConfigurationNotifications": [
            {"level": "warning", "message": message(warning)} for warning in evaluation.warnings
        ],
    }


def _properties(evaluation: Evaluation) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "plane": evaluation.plane.value,
        "as_of": iso_utc(evaluation.as_of),
        "pack": {"version": evaluation.pack.version, "sha256": evaluation.pack.sha256},
        "summary": summary(evaluation),
    }
    if evaluation.baseline is not None:
        properties["baseline"] = _baseline(evaluation.baseline)
    return properties


def _baseline(report: BaselineReport) -> dict[str, Any]:
    return {
        "name": report.name,
        "as_of": time_or_none(report.as_of),
        "resolved": [resolved_document(gone) for gone in report.resolved],
    }


def _results(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    """With a baseline, every result has a state (3.27.24). A baseline has no passes, so that they are not new."""
    positions = {rule.id: index for index, rule in enumerate(evaluation.rules)}
    places, baseline = Places(evaluation), evaluation.baseline
    for finding in evaluation.findings:
        result = _result(finding, positions, places)
        if baseline is not None:
            held = finding.status is Status.PASS or finding.fingerprint in baseline.exempt
            result["baselineState"] = "unchanged" if held else "new"
        yield result
    yield from (_known(known, positions, places) for known in (baseline.known if baseline is not None else ()))


def _known(known: KnownFinding, positions: dict[str, int], places: Places) -> dict[str, Any]:
    result = _result(known.finding, positions, places)
    result["baselineState"] = "unchanged" if known.moved_from is None else "updated"
    result["properties"] |= {"first_seen": iso_utc(known.first_seen), "moved_from": known.moved_from}
    return result


def _result(finding: Finding, positions: dict[str, int], places: Places) -> dict[str, Any]:
    failed = _KINDS[finding.status] == "fail"
    result: dict[str, Any] = {"ruleId": finding.rule}
    if finding.rule in positions:
        result["ruleIndex"] = positions[finding.rule]
    result |= {
        "kind": _KINDS[finding.status],
        # 3.27.9: a level other than none is only for kind fail.
        "level": LEVELS[finding.severity] if failed else "none",
        "message": message(finding.message),
        "locations": [places.location(finding)],
        "partialFingerprints": {FINGERPRINT: finding.fingerprint},
    }
    if not places.has_line_of_its_own(finding):
        result["partialFingerprints"][GITHUB_FINGERPRINT] = finding.fingerprint
    if fixes := _fixes(finding, places.patch):
        result["fixes"] = fixes
    if finding.trace:
        steps = [_step(step) for step in finding.trace]
        result["codeFlows"] = [{"threadFlows": [{"locations": [{"location": step} for step in steps]}]}]
        result["relatedLocations"] = [{"id": number, **step} for number, step in enumerate(steps)]
    if finding.declared:
        places_of_key = [_declared(each) for each in finding.declared]
        result["relatedLocations"] = [{"id": number, **place} for number, place in enumerate(places_of_key)]
    if finding.status is Status.EXEMPT:
        result["suppressions"] = [_suppression(finding)]
    result["properties"] = {
        "severity": finding.severity.name,
        "status": finding.status.value,
        "reason": finding.reason,
        "facts": dict(sorted(finding.facts.items())),
        "remediation": finding.remediation,
    }
    if finding.declared is not None:
        result["properties"]["declared"] = [declared_document(each) for each in finding.declared]
    return result


def _fixes(finding: Finding, patch: PatchReport | None) -> list[dict[str, Any]]:
    """The change that mends it, if there is one (3.55). Regions are whole lines, whose columns nobody can count
    otherwise; what a change of a last line without an end covers ends with the line."""
    if patch is None or finding.fingerprint not in patch.mended:
        return []
    changes = []
    for file in patch.files:
        replacements = [_replacement(each) for each in file.changes if finding.fingerprint in each.marks]
        if replacements:
            changes.append({"artifactLocation": artifact(file.path), "replacements": replacements})
    return [{"description": message(patch.mended[finding.fingerprint]), "artifactChanges": changes}] if changes else []


def _replacement(change: Replacement) -> dict[str, Any]:
    region = {"startLine": change.start + 1, "startColumn": 1, "endLine": change.end + 1, "endColumn": 1}
    if change.open_ended:
        region = {"startLine": change.start + 1, "endLine": change.end}
    return {"deletedRegion": region, "insertedContent": {"text": "".join(change.new)}}


def _suppression(finding: Finding) -> dict[str, Any]:
    """3.35.2: a skip comment is in the source; an entry of the exceptions file is outside of it."""
    in_source = finding.exception is None and finding.plane is Plane.CODE
    suppression: dict[str, Any] = {
        "kind": "inSource" if in_source else "external",
        "status": "accepted",
        "justification": printable(finding.exemption_text),
    }
    if finding.exception is not None:
        suppression["properties"] = exception_document(finding.exception)
    return suppression


def _step(step: TraceStep) -> dict[str, Any]:
    location: dict[str, Any] = {"message": message(step.label)}
    if step.path:
        location["physicalLocation"] = physical(step.path, step.line)
    return location


def _declared(place: DeclaredAt) -> dict[str, Any]:
    """Where the key that a result is about is declared; a state has no lines."""
    location: dict[str, Any] = {"message": message(place.sentence)}
    if place.path is not None:
        location["physicalLocation"] = physical(place.path, place.line or 0)
    name = printable(place.address)
    location["logicalLocations"] = [{"name": name, "fullyQualifiedName": name, "kind": "resource"}]
    return location


def _failure(error: EvaluationError) -> dict[str, Any]:
    notification: dict[str, Any] = {
        "descriptor": {"id": error.kind},
        "level": "error",
        "message": message(error.message),
    }
    if error.input:
        notification["locations"] = [{"physicalLocation": physical(error.input)}]
    return notification


def _artifacts(inputs: tuple[Input, ...]) -> list[dict[str, Any]]:
    """One artifact for each distinct input: SARIF wants them unique."""
    artifacts: list[dict[str, Any]] = []
    for item in dict.fromkeys(inputs):
        entry: dict[str, Any] = {"location": artifact(item.name), "roles": ["analysisTarget"]}
        if item.sha256:
            entry["hashes"] = {"sha-256": item.sha256}
        entry["properties"] = {"kind": item.kind}
        if item.account:
            entry["properties"]["account"] = item.account
        if item.generated_at:
            entry["properties"]["generated_at"] = iso_utc(item.generated_at)
        artifacts.append(entry)
    return artifacts
