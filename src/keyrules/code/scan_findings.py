"""From what the worker says about a unit to findings: every key gets a verdict of every rule that applies to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from keyrules.code.checkov.graph import without_keys
from keyrules.code.file_paths import shown
from keyrules.code.judged_rules import JUDGED_RULES, RULES_ON_EVERY_KEY
from keyrules.code.unit_results import Checked, CheckRecord, Declared, Place, UnitOutcome
from keyrules.code.verdict import Verdict
from keyrules.code.yaml_rules import WORDS
from keyrules.model import EvaluationError, Finding, Location, Plane, Rule, Selection, Status, TraceStep
from keyrules.reports.text_style import advice_for

_MODULES = "KEY_AWS_007"
_WORST = {Status.PASS: 0, Status.EXEMPT: 1, Status.UNKNOWN: 2, Status.FAIL: 3}


@dataclass(frozen=True)
class UnitFindings:
    """The findings of one unit, passes included, and what could not be evaluated."""

    findings: tuple[Finding, ...]
    errors: tuple[EvaluationError, ...]


def unit_findings(outcome: UnitOutcome, selection: Selection) -> UnitFindings:
    """Joins a unit's own verdicts with Checkov's records on it."""
    unit, declared = outcome.unit, outcome.declared
    problem = outcome.problem
    if not unit.readable:
        problem = "Checkov does not read files of this name; rename it to .yaml, .yml, .json or .template"
    errors: list[EvaluationError] = []
    if outcome.problem:
        errors.append(EvaluationError(shown(unit.path), "crash", outcome.problem))
    if declared is None:
        return UnitFindings((), tuple(errors))
    errors += [EvaluationError(shown(p.path), "unparsable", _capital(p.message)) for p in declared.problems]
    checked = outcome.checked if outcome.checked is not None else Checked()
    known = {(error.input, error.kind) for error in errors}
    for path in checked.unparsed:
        if (shown(path), "unparsable") not in known:
            message = "Checkov cannot parse this file, so the rules that it decides did not see it"
            errors.append(EvaluationError(shown(path), "unparsable", message))
    errors += [
        EvaluationError(shown(unit.path), "rule_failed", f"{rule_id} could not be evaluated under Checkov")
        for rule_id in checked.failures
    ]
    skips = _Skips(checked.records)
    instances = _Instances(checked.records)
    verdicts = [each for verdict in declared.verdicts for each in instances.expand(verdict)]
    verdicts += _yaml_verdicts(outcome, checked, selection, problem)
    verdicts += _unjudged(unit.kind, declared.keys, selection)
    verdicts += _left_out(unit.kind, declared, selection)
    absent = set(declared.absent)
    findings = [
        _finding(verdict, rule, skips.reason(verdict))
        for verdict in verdicts
        for rule in (selection.rule(verdict.rule),)
        if rule is not None and f"{verdict.path}\n{without_keys(verdict.address)}" not in absent
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
            if known is None or _WORST[finding.status] > _WORST[known.status]:
                worst[key] = finding
    return sorted(worst.values(), key=_order)


def _order(finding: Finding) -> tuple[str, int, str, str]:
    location = finding.location
    return (location.path, location.start_line, location.address, finding.rule) if location else ("", 0, "", "")


def _yaml_verdicts(outcome: UnitOutcome, checked: Checked, selection: Selection, problem: str) -> Iterator[Verdict]:
    declared = outcome.declared
    if declared is None:
        return
    wanted = [rule_id for rule_id in WORDS if selection.rule(rule_id)]
    records: dict[tuple[str, str, str], CheckRecord] = {}
    for record in checked.records:
        records[record.rule, record.path, _address(record)] = record
    seen = {(path, address) for _, path, address in records}
    for rule_id in wanted:
        claimed: set[tuple[str, str]] = set()
        for place in declared.keys:
            exact, block = (place.path, place.address), (place.path, without_keys(place.address))
            claimed |= {exact, block}
            if place.judged:
                found = records.get((rule_id, *exact)) or records.get((rule_id, *block))
                yield _yaml_verdict(rule_id, place, found, bool({exact, block} & seen), problem)
        if rule_id == _MODULES:
            yield from _undecided_calls(declared.calls, records, problem)
        for (record_rule, path, address), record in sorted(records.items()):
            # Checkov passes every module call that declares no key, too; only one that does is a subject.
            if record_rule == rule_id and record.result != "PASSED" and (path, address) not in claimed:
                place = Place(path, address, record.start_line, record.end_line)
                yield _yaml_verdict(rule_id, place, record, True, problem)


def _undecided_calls(
    calls: Iterable[Place], records: Mapping[tuple[str, str, str], CheckRecord], problem: str
) -> Iterator[Verdict]:
    """The module calls that Checkov has no verdict on, because an input decides whether they create a key."""
    decided = {(path, without_keys(address)) for rule_id, path, address in records if rule_id == _MODULES}
    paths = {path for _, path, _ in records}
    for place in calls:
        if (place.path, without_keys(place.address)) not in decided:
            yield _yaml_verdict(_MODULES, place, None, place.path in paths, problem)


def _yaml_verdict(rule_id: str, place: Place, record: CheckRecord | None, seen: bool, problem: str) -> Verdict:
    words = WORDS[rule_id]
    if record is not None:
        failed = record.result != "PASSED"
        status, reason = (Status.FAIL, words.reason) if failed else (Status.PASS, "compliant")
        message = words.message if failed else "Checkov finds nothing against this rule"
    elif seen and not problem:
        status, reason, message = words.undecided, "undecided_input", words.undecided_message
    else:
        status, reason = Status.UNKNOWN, "not_evaluated"
        message = problem or "Checkov did not see this block, so the rules that it decides are open"
    return Verdict(rule_id, status, place.path, place.address, place.start_line, place.end_line, reason, message)


def _unjudged(kind: str, keys: Iterable[Place], selection: Selection) -> Iterator[Verdict]:
    """A key that only its name is known of is UNKNOWN to every rule."""
    rules = [rule_id for rule_id in (*JUDGED_RULES[kind], *WORDS) if selection.rule(rule_id)]
    for place in keys:
        if not place.judged:
            for rule_id in rules:
                yield Verdict(
                    rule_id,
                    Status.UNKNOWN,
                    place.path,
                    place.address or f"line {place.start_line}",
                    place.start_line,
                    place.end_line,
                    "not_evaluated",
                    place.why or "the file cannot be parsed, so this key is known by name only",
                )


def _left_out(kind: str, declared: Declared, selection: Selection) -> Iterator[Verdict]:
    """A key that a judge of every key says nothing about is UNKNOWN to its rule: silence would read as a pass."""
    judged = {(verdict.rule, verdict.path, verdict.address) for verdict in declared.verdicts}
    for rule_id in JUDGED_RULES[kind]:
        if rule_id in RULES_ON_EVERY_KEY and selection.rule(rule_id):
            for place in declared.keys:
                if place.judged and (rule_id, place.path, place.address) not in judged:
                    yield Verdict(
                        rule_id,
                        Status.UNKNOWN,
                        place.path,
                        place.address,
                        place.start_line,
                        place.end_line,
                        "not_evaluated",
                        "keyrules gave no verdict of this rule on this key; please report this",
                    )


def _address(record: CheckRecord) -> str:
    """Checkov's resource name as an address: CloudFormation records carry the type, module calls lack their kind."""
    if "::" in record.address:
        return record.address.rsplit(".", 1)[-1]
    head, _, last = record.address.rpartition(".")
    if head.split(".")[-1].startswith(("aws_", "awsutils_")):
        return record.address
    return f"{head}.module.{last}" if head else f"module.{last}"


class _Instances:
    """A verdict on a block with `count` or `for_each` is one on each instance that Checkov reports."""

    def __init__(self, records: Iterable[CheckRecord]) -> None:
        self._addresses: dict[tuple[str, str, str], set[str]] = defaultdict(set)
        for record in records:
            self._addresses[record.rule, record.path, without_keys(record.address)].add(record.address)

    def expand(self, verdict: Verdict) -> list[Verdict]:
        known = self._addresses.get((verdict.rule, verdict.path, without_keys(verdict.address)), set())
        if not known or verdict.address in known or without_keys(verdict.address) != verdict.address:
            return [verdict]
        return [replace(verdict, address=address) for address in sorted(known)]


class _Skips:
    """Skip comments and metadata, from Checkov's records."""

    def __init__(self, records: Iterable[CheckRecord]) -> None:
        self._reasons: dict[tuple[str, str, str], str] = {}
        for record in records:
            if record.result == "SKIPPED":
                shown_reason = record.comment or "no reason given"
                for address in (record.address, without_keys(record.address), _address(record)):
                    self._reasons[record.rule, record.path, address] = shown_reason
                if "output" in record.address or "." not in record.address:
                    self._reasons[record.rule, record.path, f"output.{record.address.split('.')[-1]}"] = shown_reason

    def reason(self, verdict: Verdict) -> str | None:
        """Why a verdict's block is skipped, or None when it is not."""
        exact = self._reasons.get((verdict.rule, verdict.path, verdict.address))
        return exact or self._reasons.get((verdict.rule, verdict.path, without_keys(verdict.address)))


def _finding(verdict: Verdict, rule: Rule, skipped: str | None) -> Finding:
    status = verdict.status
    exempt = skipped is not None and status in (Status.FAIL, Status.UNKNOWN)
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
    return replace(finding, exemption=skipped) if exempt else finding


def _capital(text: str) -> str:
    """A sentence with a capital, unless it starts with a name from the code."""
    first = text.partition(" ")[0]
    return text if set(first) & set("._[") else text[:1].upper() + text[1:]
