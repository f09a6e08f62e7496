"""The JSON report, version 2 (`"schema": "keyrules/2"`): the machine-readable form of an evaluation on both planes.

Keys are only ever added within version 2; version 1 had four verdicts on controls where there are seven now. A finding
has `subject` on the live plane and `location` on the code plane; `trace` is there when a secret's path is known,
`exemption` when the status is EXEMPT, `exception` when an entry of the exceptions file says so, `declared` at access
keys when the run was given code or states: what declares the key, the surest first, as `keyrules/keys/1` has it.
`parameters` says what each parameter of each rule that ran is set to, by whom, and which limits that exceeds.
`framework`, `population` and `controls` are there when the run was asked for a framework or a control; `baseline`, and
`known` in the summary, when it was compared with a baseline; `configuration` when it had one.
On the live plane `accounts` says what became of each account, and what it holds.
On the code plane `coverage` says what became of every file that holds a word of the rules (`outcome` is judged, absent
or unknown, `reason` says why where it was not judged), and `rules_off` which rules about code did not run, and why.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from keyrules.model import (
    AccountState,
    BaselineReport,
    ConfigurationUse,
    ControlResult,
    Counts,
    Coverage,
    DeclaredAt,
    Evaluation,
    Exemption,
    Finding,
    FrameworkReport,
    Input,
    Location,
    Plane,
    ResolvedFinding,
    Severity,
    Status,
    Subject,
    TraceStep,
)
from keyrules.reports.parameters import parameter_document
from keyrules.reports.text_style import ReportOptions, iso_utc, visible_escape

_NOT_PLAIN = re.compile(r"[^\n\x20-\x7e]")


@cache
def _encode() -> Callable[[Any], str]:
    """Made once, and without `indent`, which would switch the encoder off that is written in C.

    JSONEncoder makes that one anew for each document. Where Python has none it encodes by itself.
    """
    encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False)
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return encoder.encode
    pieces = make(None, encoder.default, json.encoder.encode_basestring, None, ": ", ", ", False, False, False)
    return lambda document: "".join(pieces(document, 0))


def dump(document: Any) -> str:
    """`document` as indented JSON with a newline at its end, in the key order that it has.

    Text stays readable UTF-8, but characters that are not printable are written as JSON escapes: most JSON writers let
    DEL, C1 controls and bidirectional overrides through, and a terminal obeys them. A lone surrogate, which is how
    Python carries a byte of a file name that is not UTF-8, has no valid form in JSON; it becomes the text `\\xff`.
    Raises ValueError for a float that is not finite.
    """
    return _harmless(json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2)) + "\n"


def dump_line(document: Any) -> str:
    """The same on one line, whatever the texts in it hold."""
    return _on_one_line(document) + "\n"


class Members(NamedTuple):
    """A JSON object of which each member has a line of its own."""

    pairs: Iterable[tuple[str, Any]]


def laid_out(value: Any) -> Iterator[str]:
    """A JSON document piece by piece, as `dump` has it but for its lines.

    The members of Members and the items of an iterator have a line each; anything else is on one line.
    """
    yield from _pieces(value)
    yield "\n"


def _pieces(value: Any) -> Iterator[str]:
    if isinstance(value, Members):
        before = "{\n"
        for name, member in value.pairs:
            yield f"{before}{_on_one_line(name)}: "
            yield from _pieces(member)
            before = ",\n"
        yield "\n}"
    elif isinstance(value, Iterator):
        before = "[\n"
        for item in value:
            if isinstance(item, Members):
                yield before
                yield from _pieces(item)
            else:
                yield before + _on_one_line(item)
            before = ",\n"
        yield "[]" if before == "[\n" else "\n]"
    else:
        yield _on_one_line(value)


def _on_one_line(document: Any) -> str:
    text = _encode()(document)
    # JSON has escaped what comes before the blank.
    return text if text.isascii() and "\x7f" not in text else _harmless(text)


def _harmless(text: str) -> str:
    return _NOT_PLAIN.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    if char.isprintable():
        return char
    if "\ud800" <= char <= "\udfff":
        return "\\" + visible_escape(char)
    return json.dumps(char)[1:-1]


SCHEMA = "keyrules/2"
SCHEMAS = ("keyrules/1", SCHEMA)
"""Those whose findings are read as an earlier run: findings are the same in all of them."""


def render(evaluation: Evaluation, options: ReportOptions) -> Iterator[str]:
    """The whole evaluation as JSON text; `options` change nothing. Times are ISO 8601 in UTC."""
    del options
    return laid_out(Members(members(evaluation)))


def members(evaluation: Evaluation) -> Iterator[tuple[str, Any]]:
    """The members of the report in their order; those that may be many are iterators."""
    yield "schema", SCHEMA
    yield "plane", evaluation.plane.value
    yield "as_of", iso_utc(evaluation.as_of)
    yield "pack", {"version": evaluation.pack.version, "sha256": evaluation.pack.sha256}
    yield "inputs", map(_input, evaluation.inputs)
    yield "summary", summary(evaluation)
    yield "parameters", map(parameter_document, evaluation.parameters)
    if evaluation.framework is not None:
        yield from _framework(evaluation, evaluation.framework)
    if evaluation.baseline is not None:
        yield "baseline", Members(_baseline(evaluation.baseline))
    if evaluation.configuration is not None:
        yield "configuration", _configuration(evaluation.configuration)
    if evaluation.plane is Plane.LIVE:
        yield "accounts", map(_account, evaluation.accounts)
    yield "findings", map(finding_document, evaluation.findings)
    yield (
        "errors",
        ({"input": error.input, "kind": error.kind, "message": error.message} for error in evaluation.errors),
    )
    yield "warnings", iter(evaluation.warnings)
    yield "notes", iter(evaluation.notes)
    if evaluation.plane is Plane.CODE:
        yield "rules_off", ({"rule": rule, "reason": reason} for rule, reason in evaluation.rules_off)
        yield "coverage", map(_coverage, evaluation.coverage)


def _account(state: AccountState) -> dict[str, Any]:
    return {
        "account": state.account,
        "name": state.name,
        "state": state.state,
        "cause": state.cause,
        "users": state.users,
        "active_keys": state.active_keys,
        "oldest_active_key": time_or_none(state.oldest_key),
        "fail": {severity.name: state.failed.get(severity, 0) for severity in sorted(Severity, reverse=True)},
        "unknown": state.unknown,
    }


def _coverage(item: Coverage) -> dict[str, Any]:
    return {"path": item.path, "outcome": item.outcome.value, "reason": item.reason, "subjects": item.subjects}


def _configuration(use: ConfigurationUse) -> dict[str, Any]:
    return {
        "file": use.file,
        "found_by_itself": use.by_itself,
        "framework": use.framework,
        "rules_off": list(use.rules_off),
        "thresholds": [{"set": text, "default": default} for text, default in use.thresholds],
        "overrides": list(use.overrides),
        "fail_on": use.fail_on.name if use.fail_on is not None else None,
        "excluded": use.left_out,
        "exceptions": use.exceptions,
        "exempt": use.exempt,
        "baseline": use.baseline,
        "known": use.known,
    }


def summary(evaluation: Evaluation) -> dict[str, int]:
    """The verdicts by status; `known` where the run had a baseline."""
    known = {} if evaluation.baseline is None else {"known": evaluation.counts.known}
    return _counts(evaluation.counts) | known


def _counts(counts: Counts) -> dict[str, int]:
    return {
        "evaluated": counts.evaluated,
        "pass": counts.passed,
        "fail": counts.failed,
        "exempt": counts.exempt,
        "unknown": counts.unknown,
    }


def _framework(evaluation: Evaluation, report: FrameworkReport) -> Iterator[tuple[str, Any]]:
    yield "framework", {"key": report.key, "name": report.name, "url": report.url, "notes": list(report.notes)}
    yield "population", dict(evaluation.population)
    yield "controls", (_control(result, report) for result in report.controls)


def _control(result: ControlResult, report: FrameworkReport) -> dict[str, Any]:
    return {
        **({"framework": result.framework} if report.several else {}),
        "control": result.control,
        "title": result.title,
        "verdict": result.outcome.value,
        "reason": result.reason,
        "exceptions": result.exceptions,
        "rules": [
            {"rule": part.rule, "relation": part.relation, "bound": part.bound, "summary": _counts(part.counts)}
            for part in result.parts
        ],
        "not_decided": list(result.rest),
        **({"statements": list(map(_statement, result.statements))} if result.statements else {}),
        **({"accounts": _by_account(result)} if result.by_account else {}),
    }


def _statement(result: ControlResult) -> dict[str, Any]:
    return {
        "statement": result.statement,
        "verdict": result.outcome.value,
        "reason": result.reason,
        "exceptions": result.exceptions,
        "rules": [part.rule for part in result.parts],
        "not_decided": list(result.rest),
    }


def _by_account(result: ControlResult) -> dict[str, list[str]]:
    return {outcome.value: list(accounts) for outcome, accounts in result.by_account.items()}


def _input(item: Input) -> dict[str, Any]:
    return {
        "kind": item.kind,
        "name": item.name,
        "sha256": item.sha256,
        "account": item.account,
        "generated_at": time_or_none(item.generated_at),
    }


def _baseline(report: BaselineReport) -> Iterator[tuple[str, Any]]:
    yield "name", report.name
    yield "as_of", time_or_none(report.as_of)
    yield "not_evaluated", report.kept
    yield "changed", report.changed
    yield (
        "known",
        (
            finding_document(known.finding) | {"first_seen": iso_utc(known.first_seen), "moved_from": known.moved_from}
            for known in report.known
        ),
    )
    yield "resolved", map(resolved_document, report.resolved)


def resolved_document(gone: ResolvedFinding) -> dict[str, Any]:
    """A finding of the baseline that is gone, as it stands in the report."""
    return {
        "rule": gone.rule,
        "severity": gone.severity,
        "name": gone.name,
        "path": gone.path,
        "account": gone.subject.account if gone.subject is not None else None,
        "first_seen": iso_utc(gone.first_seen),
        "fingerprint": gone.fingerprint,
    }


def finding_document(finding: Finding) -> dict[str, Any]:
    """One finding as it stands in the report."""
    facts = finding.facts
    result: dict[str, Any] = {
        "rule": finding.rule,
        "severity": finding.severity.name,
        "status": finding.status.value,
        "plane": finding.plane.value,
    }
    if finding.subject is not None:
        result["subject"] = _subject(finding.subject)
    if finding.location is not None:
        result["location"] = _location(finding.location)
    result |= {
        "message": finding.message,
        "reason": finding.reason,
        "facts": dict(facts if [*facts] == sorted(facts) else sorted(facts.items())),
        "remediation": finding.remediation,
        "fingerprint": finding.fingerprint,
    }
    if finding.trace:
        result["trace"] = [_step(step) for step in finding.trace]
    if finding.declared is not None:
        result["declared"] = [declared_document(each) for each in finding.declared]
    if finding.status is Status.EXEMPT:
        result["exemption"] = finding.exemption
    if finding.exception is not None:
        result["exception"] = exception_document(finding.exception)
    return result


def declared_document(place: DeclaredAt) -> dict[str, Any]:
    """What declares a key as it stands in a report."""
    return {
        "path": place.path,
        "line": place.line,
        "address": place.address,
        "state": place.state,
        "certainty": place.certainty,
        "evidence": place.evidence,
    }


def exception_document(entry: Exemption) -> dict[str, Any]:
    """An entry of the exceptions file as it stands in the report."""
    return {
        "rule": entry.rule,
        "subject": entry.subject,
        "reason": entry.reason,
        "owner": entry.owner,
        "expires": entry.expires.isoformat(),
        "ticket": entry.ticket,
        "place": entry.place,
    }


def _step(step: TraceStep) -> dict[str, Any]:
    return {"label": step.label, "path": step.path, "line": step.line or None}


def _subject(subject: Subject) -> dict[str, Any]:
    return {
        "kind": subject.kind,
        "name": subject.name,
        "account": subject.account,
        "arn": subject.arn,
        "user": subject.user,
        "slot": subject.slot,
        "created_at": subject.created_text or time_or_none(subject.created_at),
        "key_id": subject.key_id,
        "owner": subject.owner,
    }


def _location(location: Location) -> dict[str, Any]:
    return {
        "path": location.path,
        "start_line": location.start_line,
        "end_line": location.end_line,
        "address": location.address,
    }


def time_or_none(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC, or None where there is no moment."""
    return None if moment is None else iso_utc(moment)
