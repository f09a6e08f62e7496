"""GitLab's Code Quality report: findings in the diff and the widget of a merge request.

Sources: "Code Quality report format" of GitLab's documentation, and the reader in GitLab's source
(lib/gitlab/ci/parsers/codequality/code_climate.rb, app/validators/json_schemas/codeclimate.json): it stops at the first
entry that does not fit the schema, keeps one entry per fingerprint, and needs a path in the repository, without `./`.

GitLab compares the report with that of the target branch, and shows what is missing as resolved; so what a baseline
holds stays in it. There is no word for an exception in the format, so EXEMPT is left out. What could not be evaluated
is an entry like any other, of the highest severity. What a rule ran with stands under `content`, the place that Code
Climate's own format has for more, and that GitLab passes over.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import chain
from typing import Any

from keyrules.model import Evaluation, EvaluationError, Finding, Location, Severity, Status
from keyrules.reports.evidence import with_known
from keyrules.reports.json import laid_out
from keyrules.reports.parameters import of_rule, parameter_line
from keyrules.reports.text_style import ReportOptions, advice_for, first_sentence, printable

_SEVERITIES = {
    Severity.LOW: "minor",
    Severity.MEDIUM: "major",
    Severity.HIGH: "critical",
    Severity.CRITICAL: "blocker",
}


def render(evaluation: Evaluation, options: ReportOptions) -> Iterator[str]:
    """FAIL and UNKNOWN, known ones too, and errors of a scan as a JSON array; `options` change nothing."""
    del options
    return laid_out(chain(_findings(evaluation), _errors(evaluation.errors)))


def _findings(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    parameters = {rule.id: parameter_line(of_rule(evaluation.parameters, rule.id)) for rule in evaluation.rules}
    for finding in with_known(evaluation):
        if finding.location is not None and finding.status in (Status.FAIL, Status.UNKNOWN):
            entry, in_force = _entry(finding, finding.location), parameters.get(finding.rule)
            yield entry | {"content": {"body": printable(in_force)}} if in_force else entry


def _entry(finding: Finding, place: Location) -> dict[str, Any]:
    if finding.status is Status.UNKNOWN:
        text = f"Could not be evaluated: {finding.message}"
    else:
        change = first_sentence(advice_for(finding.plane, finding.remediation))
        text = f"{finding.message.rstrip('.')}. Change: {change}"
    return {
        "description": f"{printable(place.address)}: {printable(text)}",
        "check_name": finding.rule,
        "fingerprint": finding.fingerprint,
        "severity": _SEVERITIES[finding.severity],
        "location": _lines(place.path, place.start_line, place.end_line),
    }


def _errors(errors: tuple[EvaluationError, ...]) -> Iterator[dict[str, Any]]:
    """Each once: the reader would keep the last one of equal fingerprints anyway."""
    for error in dict.fromkeys(errors):
        identity = "\0".join(["keyrules/1", "error", error.input, error.kind, error.message])
        yield {
            "description": f"Could not be evaluated: {printable(error.message)}",
            "check_name": f"keyrules_{error.kind}",
            "fingerprint": hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest(),
            "severity": _SEVERITIES[Severity.CRITICAL],
            "location": _lines(error.input, 0, 0),
        }


def _lines(path: str, start_line: int, end_line: int) -> dict[str, Any]:
    """What has no line of its own, such as a resource of a plan, stands at the first one."""
    begin = max(start_line, 1)
    return {"path": path.removeprefix("./"), "lines": {"begin": begin, "end": max(begin, end_line)}}
