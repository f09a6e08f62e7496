"""The code plane as one function: paths in, an Evaluation out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from keyrules.code.cache.scan_cache import ScanCache
from keyrules.code.discovery import Discovery, discover, note_on_nothing
from keyrules.code.file_names import SOURCE_SUFFIXES
from keyrules.code.file_paths import below, shown
from keyrules.code.file_walk import read_file
from keyrules.code.host.worker_protocol import Request
from keyrules.code.literals.candidates import contains_candidate
from keyrules.code.literals.findings import LITERALS, FileLiterals, literal_findings, temporary_note
from keyrules.code.literals.masking import KnownSecrets, masked
from keyrules.code.scan_findings import merged, unit_findings
from keyrules.code.scan_unit import Limits, Unit
from keyrules.code.unit_results import UnitOutcome
from keyrules.model import (
    Counts,
    Evaluation,
    EvaluationError,
    Finding,
    Input,
    InputError,
    Plane,
    Rule,
    ScanScope,
    Selection,
    Status,
)
from keyrules.pack.pack import Pack


@dataclass(frozen=True)
class ScanRequest:
    """What to scan. `context` is the folder below which callers of single files are looked for.

    `cache` has what earlier runs kept. `excluded` says of an absolute path whether it is left out; a folder's
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
    cache: ScanCache | None = None
    found: Discovery | None = None


def scan(request: ScanRequest) -> Evaluation:
    """Evaluates every rule of the selection that has a code plane. Raises nothing for what lies in the files."""
    found = request.found or discover(request.paths, request.context, request.excluded)
    rules = tuple(rule for rule in request.selection.rules if Plane.CODE in rule.planes)
    findings: list[Finding] = []
    errors = [EvaluationError(*error) for error in found.errors]
    inputs: list[Input] = []
    keys: set[tuple[str, str]] = set()
    texts = _literals(found, errors)
    for outcome in _outcomes(found, rules, request, errors):
        unit = unit_findings(outcome, request.selection)
        findings += [f for f in unit.findings if _is_asked_for(f, outcome.unit, found) and not _left_out(f, request)]
        errors += unit.errors
        digest = outcome.declared.sha256 if outcome.declared else None
        inputs.append(Input(outcome.unit.kind, shown(outcome.unit.path), digest))
        keys |= _keys(outcome, request)
    literals = next((rule for rule in rules if rule.id == LITERALS), None)
    if literals is not None:
        findings += [finding for path, text in texts for finding in literal_findings(path, text, literals)]
        inputs += _text_inputs(found, texts)
    findings = merged(findings)
    kept = [f for f in findings if f.status is not Status.PASS or request.keep_passing]
    evaluation = Evaluation(
        plane=Plane.CODE,
        as_of=request.as_of,
        pack=request.pack.stamp,
        rules=rules,
        inputs=tuple(inputs),
        findings=tuple(kept),
        counts=_counts(findings),
        errors=_distinct(errors),
        notes=_notes(found, request, findings, texts if literals is not None else ()),
        rule_counts={rule.id: _counts(finding for finding in findings if finding.rule == rule.id) for rule in rules},
        population=_population(found, keys),
        scope=ScanScope(tuple(map(shown, found.folders)), tuple(sorted(map(shown, found.only or ())))),
    )
    return masked(evaluation, KnownSecrets(digest for _, text in texts for digest in text.digests))


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


def _outcomes(
    found: Discovery, rules: tuple[Rule, ...], request: ScanRequest, errors: list[EvaluationError]
) -> list[UnitOutcome]:
    if not found.units or not rules:
        return []
    overrides = tuple((rule, name, value) for (rule, name), value in sorted(request.selection.overrides.items()))
    ids = [rule.id for rule in rules]
    cache = request.cache.verdicts(request.pack.stamp.sha256, ids, overrides, request.limits) if request.cache else None
    outcomes = {unit: kept for unit in found.units for kept in (cache.find(unit) if cache else None,) if kept}
    left = [unit for unit in found.units if unit not in outcomes]
    if not left:
        return [outcomes[unit] for unit in found.units]
    from keyrules.code.host.checkov_host import run_units

    message = Request(tuple(ids), overrides, request.as_of, (), 0, record=cache is not None)
    problem = "Checkov's worker ended without a word on it"
    try:
        for outcome in run_units(left, message, request.limits):
            outcomes[outcome.unit] = outcome
            if cache:
                cache.keep(outcome)
            if request.progress:
                request.progress(len(outcomes), len(found.units), shown(outcome.unit.path))
    except InputError as error:
        problem = str(error)
    finally:
        if cache:
            cache.close()
    missed = [unit for unit in left if unit not in outcomes]
    errors += [EvaluationError(shown(unit.path), "not_evaluated", problem) for unit in missed]
    return [outcomes[unit] for unit in found.units if unit in outcomes]


def _literals(found: Discovery, errors: list[EvaluationError]) -> list[tuple[str, FileLiterals]]:
    """What each text holds that may hold a hard-coded credential, and the secrets of each plan, whichever rules run: a
    secret that is known is masked in what they say."""
    texts: list[tuple[str, FileLiterals]] = []
    judged = set(found.texts)
    plans = [unit.path for unit in found.units if unit.kind == "plan" and unit.path not in judged]
    if not (found.texts or plans):
        return texts
    from keyrules.code.literals.reading import read_literals

    for path in (*found.texts, *plans):
        try:
            data = read_file(path)
        except OSError as error:
            errors.append(EvaluationError(shown(path), "unreadable", f"Cannot be read: {error.strerror}"))
            continue
        if path in judged:
            texts.append((path, read_literals(path, data)))
        elif contains_candidate(data):
            # A rule on plans says where a plan's literals are.
            texts.append((path, FileLiterals(digests=read_literals(path, data).digests)))
    return texts


def _text_inputs(found: Discovery, texts: Iterable[tuple[str, FileLiterals]]) -> list[Input]:
    """A file that holds a credential and belongs to no unit is an input of its own."""
    units = {unit.path for unit in found.units}
    return [
        Input("text", shown(path), text.sha256)
        for path, text in texts
        if text.found and path not in units and not path.endswith(SOURCE_SUFFIXES)
    ]


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


def _notes(
    found: Discovery, request: ScanRequest, findings: Sequence[Finding], texts: Iterable[tuple[str, FileLiterals]]
) -> tuple[str, ...]:
    notes = temporary_note(texts)
    if found.units or found.errors or findings or notes:
        return notes
    return (note_on_nothing(found, request.paths),)
