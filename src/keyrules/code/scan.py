"""The code plane as one function: paths in, an Evaluation out."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from keyrules.code.discovery import Discovery, discover, note_on_nothing
from keyrules.code.file_names import SOURCE_SUFFIXES
from keyrules.code.file_paths import below, shown
from keyrules.code.file_walk import read_file
from keyrules.code.scan_findings import merged, unit_findings
from keyrules.code.scan_unit import Limits, Unit
from keyrules.code.session import CheckSession
from keyrules.code.unit_results import UnitOutcome
from keyrules.model import (
    Counts,
    Evaluation,
    EvaluationError,
    Finding,
    Input,
    Plane,
    Rule,
    ScanScope,
    Selection,
    Status,
)
from keyrules.pack.pack import Pack

LITERALS = "KEY_AWS_011"


@dataclass(frozen=True)
class ScanRequest:
    """What to scan. `context` is the folder below which callers of single files are looked for.

    `excluded` says of an absolute path whether it is left out; a folder's
    path ends in a slash. `found` is what was discovered for the very same paths already.
    """

    paths: tuple[Path, ...]
    pack: Pack
    selection: Selection
    as_of: datetime
    context: Path
    keep_passing: bool = False
    limits: Limits = field(default_factory=Limits)
    progress: Callable[[int, int, str], None] | None = None
    excluded: Callable[[str], bool] | None = None
    found: Discovery | None = None


def scan(request: ScanRequest) -> Evaluation:
    """Evaluates every rule of the selection that has a code plane. Raises nothing for what lies in the files."""
    found = request.found or discover(request.paths, request.context, request.excluded)
    rules = tuple(rule for rule in request.selection.rules if Plane.CODE in rule.planes)
    findings: list[Finding] = []
    errors = [EvaluationError(*error) for error in found.errors]
    inputs: list[Input] = []
    keys: set[tuple[str, str]] = set()
    for outcome in _outcomes(found, rules, request):
        unit = unit_findings(outcome, request.selection)
        findings += [f for f in unit.findings if _is_asked_for(f, outcome.unit, found) and not _left_out(f, request)]
        errors += unit.errors
        digest = outcome.declared.sha256 if outcome.declared else None
        inputs.append(Input(outcome.unit.kind, shown(outcome.unit.path), digest))
        keys |= _keys(outcome, request)
    literals = next((rule for rule in rules if rule.id == LITERALS), None)
    if literals is not None:
        findings += _literals(found, literals, inputs, errors)
    findings = merged(findings)
    kept = [f for f in findings if f.status is not Status.PASS or request.keep_passing]
    return Evaluation(
        plane=Plane.CODE,
        as_of=request.as_of,
        pack=request.pack.stamp,
        rules=rules,
        inputs=tuple(inputs),
        findings=tuple(kept),
        counts=_counts(findings),
        errors=_distinct(errors),
        notes=_notes(found, request, findings),
        rule_counts={rule.id: _counts(finding for finding in findings if finding.rule == rule.id) for rule in rules},
        population=_population(found, keys),
        scope=ScanScope(tuple(map(shown, found.folders)), tuple(sorted(map(shown, found.only or ())))),
    )


def _counts(findings: Iterable[Finding]) -> Counts:
    counts = Counter(finding.status for finding in findings)
    return Counts(counts[Status.PASS], counts[Status.FAIL], counts[Status.EXEMPT], counts[Status.UNKNOWN])


def _population(found: Discovery, keys: set[tuple[str, str]]) -> dict[str, int]:
    """What the scan had before it, whatever the verdicts; a key is a file and an address in it."""
    units = Counter(unit.kind for unit in found.units)
    return {
        "access_keys": len(keys),
        "terraform_modules": units["terraform"],
        "plans": units["plan"],
        "cloudformation_templates": units["cloudformation"],
    }


def _keys(outcome: UnitOutcome, request: ScanRequest) -> set[tuple[str, str]]:
    """The keys that a unit declares where the run does not leave them out, as file and address."""
    places = outcome.declared.keys if outcome.declared else ()
    leaves_out = request.excluded or (lambda path: False)
    return {(place.path, place.address) for place in places if not leaves_out(place.path)}


def _outcomes(found: Discovery, rules: tuple[Rule, ...], request: ScanRequest) -> list[UnitOutcome]:
    """What came of each unit, in the order of the units."""
    if not found.units or not rules:
        return []
    from keyrules.code.judging import judge_unit
    from keyrules.code.processes import Failure, in_processes

    session = CheckSession({rule.id: rule for rule in rules}, request.selection, request.as_of)
    outcomes: dict[int, UnitOutcome] = {}
    for index, result in in_processes(
        found.units, lambda unit: judge_unit(unit.kind, unit.path, session, unit.callers), request.limits
    ):
        unit = found.units[index]
        if isinstance(result, Failure):
            outcomes[index] = UnitOutcome(unit, None, _sentence(result.error, request.limits.unit_seconds))
        else:
            outcomes[index] = UnitOutcome(unit, result)
        if request.progress:
            request.progress(len(outcomes), len(found.units), shown(unit.path))
    missing = "nothing came back of its evaluation; please report this"
    return [outcomes.get(index) or UnitOutcome(unit, None, missing) for index, unit in enumerate(found.units)]


def _sentence(error: str, seconds: float) -> str:
    """Why a unit has no verdicts."""
    from keyrules.code.processes import ENDED, TIMED_OUT

    if error == TIMED_OUT:
        return f"it was not evaluated within {seconds:g} seconds; --timeout gives it more"
    if error == ENDED:
        return "the process that evaluated it was ended from outside"
    if error == "MemoryError":
        return "its evaluation needs more memory than it is allowed"
    if error == "RecursionError":
        return "it is nested too deeply to be evaluated"
    return f"keyrules itself failed on it ({error}); please report this"


def _literals(found: Discovery, rule: Rule, inputs: list[Input], errors: list[EvaluationError]) -> list[Finding]:
    """Hard-coded credentials; a file that holds one and belongs to no unit becomes an input of its own."""
    if not found.texts:
        return []
    from keyrules.code.literals.findings import literal_findings

    findings: list[Finding] = []
    units = {unit.path for unit in found.units}
    for path in found.texts:
        try:
            data = read_file(path)
        except OSError as error:
            errors.append(EvaluationError(shown(path), "unreadable", f"Cannot be read: {error.strerror}"))
            continue
        held = literal_findings(path, data, rule)
        findings += held
        if held and path not in units and not path.endswith(SOURCE_SUFFIXES):
            inputs.append(Input("text", shown(path), hashlib.sha256(data).hexdigest()))
    return findings


def _distinct(errors: list[EvaluationError]) -> tuple[EvaluationError, ...]:
    """Each message on an input once, however many readers met it."""
    found = {(error.input, error.message): error for error in reversed(errors)}
    return tuple(sorted(found.values(), key=lambda error: (error.input, error.kind, error.message)))


def _is_asked_for(finding: Finding, unit: Unit, found: Discovery) -> bool:
    """A unit below a scanned folder is reported whole, its modules elsewhere included; one around single files only
    for those files, and for the module of one that holds values."""
    if found.only is None or below(unit.path, found.folders) or unit.path in found.whole:
        return True
    if finding.location is None:
        return False
    path = finding.location.path
    beside_values = Path(path).parent.as_posix() in {shown(folder) for folder in found.values}
    return beside_values or path in {shown(only) for only in found.only}


def _left_out(finding: Finding, request: ScanRequest) -> bool:
    """Whether a finding lies in what the run leaves out, such as a module there that a root elsewhere calls."""
    if request.excluded is None or finding.location is None:
        return False
    return request.excluded(str(Path.cwd() / finding.location.path))


def _notes(found: Discovery, request: ScanRequest, findings: Sequence[Finding]) -> tuple[str, ...]:
    if found.units or found.errors or findings:
        return ()
    return (note_on_nothing(found, request.paths),)
