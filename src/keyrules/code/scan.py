"""The code plane as one function: paths in, an Evaluation out."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from keyrules.code.discovery import Discovery, discover, note_on_nothing
from keyrules.code.file_names import SOURCE_SUFFIXES
from keyrules.code.file_paths import below, shown
from keyrules.code.file_walk import read_file
from keyrules.code.literals.candidates import contains_candidate
from keyrules.code.literals.findings import LITERALS, FileLiterals, literal_findings, temporary_note
from keyrules.code.literals.masking import KnownSecrets, masked
from keyrules.code.other_languages import not_read_notes
from keyrules.code.processes import ENDED, TIMED_OUT, Failure, in_processes
from keyrules.code.scan_findings import merged, unit_findings
from keyrules.code.scan_unit import Limits, Unit
from keyrules.code.session import CheckSession
from keyrules.code.source_lines import source_lines
from keyrules.code.unit_results import Declared, UnitOutcome
from keyrules.code.verdict import Verdict, listed
from keyrules.model import (
    Counts,
    Coverage,
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
from keyrules.records import dataclass, field

_BATCH = 32
"""How many texts are read in one process; most are small."""

_READING = frozenset({"FileNotFoundError", "IsADirectoryError", "NotADirectoryError", "OSError", "PermissionError"})


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


@dataclass(frozen=True)
class Scanned:
    """An evaluation with what it was made of: the unmasked findings, what came of each unit, and the secrets met."""

    evaluation: Evaluation
    findings: Sequence[Finding]
    outcomes: Sequence[UnitOutcome]
    secrets: KnownSecrets


def scan(request: ScanRequest) -> Evaluation:
    """Evaluates every rule of the selection that has a code plane. Raises nothing for what lies in the files."""
    return scanned(request).evaluation


def scanned(request: ScanRequest) -> Scanned:
    """The same, with what it was made of."""
    found = request.found or discover(request.paths, request.context, request.excluded)
    rules = tuple(rule for rule in request.selection.rules if Plane.CODE in rule.planes)
    outcomes, texts, errors = _evaluated(found, rules, request)
    findings: list[Finding] = []
    inputs: list[Input] = []
    for outcome in outcomes:
        unit = unit_findings(outcome, request.selection, _asked_for(outcome, found, request))
        findings += unit.findings
        errors += unit.errors
        digest = outcome.declared.sha256 if outcome.declared else None
        inputs.append(Input(outcome.unit.kind, shown(outcome.unit.path), digest))
    literals = next((rule for rule in rules if rule.id == LITERALS), None)
    if literals is not None:
        findings += [finding for path, text in texts for finding in literal_findings(path, text, literals)]
        inputs += _text_inputs(found, texts)
    covered, unseen = _coverage(found, outcomes, errors, texts, request)
    errors += unseen
    findings = merged(findings)
    kept = [f for f in findings if f.status is not Status.PASS or request.keep_passing]
    secrets = frozenset(digest for _, text in texts for digest in text.digests)
    evaluation = Evaluation(
        plane=Plane.CODE,
        as_of=request.as_of,
        pack=request.pack.stamp,
        rules=rules,
        inputs=tuple(inputs),
        findings=tuple(kept),
        counts=_counts(findings),
        errors=_distinct(errors),
        notes=_notes(found, request, outcomes, bool(findings or covered), texts if literals is not None else ()),
        rule_counts={rule.id: _counts(finding for finding in findings if finding.rule == rule.id) for rule in rules},
        population=_population(found, outcomes, request),
        scope=ScanScope(
            tuple(map(shown, found.folders)),
            tuple(sorted(map(shown, found.only or ()))),
            tuple(sorted({shown(path) for outcome in outcomes if outcome.declared for path in outcome.declared.files})),
            secrets,
        ),
        coverage=covered,
        rules_off=_rules_off(request),
        source_lines=source_lines(kept),
    )
    known = KnownSecrets(secrets)
    return Scanned(masked(evaluation, known), findings, outcomes, known)


def _rules_off(request: ScanRequest) -> tuple[tuple[str, str], ...]:
    """The rules about code that the run leaves out, with why."""
    chosen = {rule.id for rule in request.selection.rules}
    return tuple(
        (rule.id, "not asked for" if rule.default_on else "opt-in")
        for rule in request.pack.rules
        if Plane.CODE in rule.planes and rule.id not in chosen
    )


def _coverage(
    found: Discovery,
    outcomes: Sequence[UnitOutcome],
    errors: Sequence[EvaluationError],
    texts: Iterable[tuple[str, FileLiterals]],
    request: ScanRequest,
) -> tuple[tuple[Coverage, ...], list[EvaluationError]]:
    if not (found.named and any(Plane.CODE in rule.planes for rule in request.selection.rules)):
        return (), []
    from keyrules.code.coverage import coverage

    return coverage(found, outcomes, errors, [path for path, text in texts if text.found])


def _counts(findings: Iterable[Finding]) -> Counts:
    counts = Counter(finding.status for finding in findings)
    return Counts(counts[Status.PASS], counts[Status.FAIL], counts[Status.EXEMPT], counts[Status.UNKNOWN])


def _population(found: Discovery, outcomes: Iterable[UnitOutcome], request: ScanRequest) -> dict[str, int]:
    """What the scan had before it, whatever the verdicts; a key is a file and an address in it."""
    units = Counter(unit.kind for unit in found.units)
    leaves_out = request.excluded or (lambda path: False)
    places = (place for outcome in outcomes if outcome.declared for place in outcome.declared.keys)
    return {
        "access_keys": len({(place.path, place.address) for place in places if not leaves_out(place.path)}),
        "terraform_modules": units["terraform"],
        "plans": units["plan"],
        "cloudformation_templates": units["cloudformation"],
    }


_Work: TypeAlias = Unit | tuple[str, ...]
_Result: TypeAlias = Declared | list[FileLiterals]


def _evaluated(
    found: Discovery, rules: tuple[Rule, ...], request: ScanRequest
) -> tuple[list[UnitOutcome], list[tuple[str, FileLiterals]], list[EvaluationError]]:
    """What came of each unit and of each text that may hold a hard-coded credential, in their order.

    Texts are read whichever rules run, and so are the secrets of plans: a secret that is known is masked in what the
    rules say.
    """
    errors = [EvaluationError(error.input, error.kind, error.message) for error in found.errors]
    units = found.units if rules else []
    plans = {unit.path for unit in found.units if unit.kind == "plan"} - set(found.texts)
    files = [*found.texts, *sorted(plans)]
    if not (units or files):
        return [], [], errors
    from keyrules.code.judges import judge_unit, load

    load({unit.kind for unit in units})
    session = CheckSession({rule.id: rule for rule in rules}, request.selection, request.as_of)
    batches = [tuple(files[start : start + _BATCH]) for start in range(0, len(files), _BATCH)]
    work: list[_Work] = [*units, *batches]

    def do(one: _Work) -> _Result:
        if isinstance(one, Unit):
            return judge_unit(one.kind, one.path, session, one.callers)
        return [_literals(path) for path in one]

    done = _done(work, do, request)
    # What ends the reading of one file takes its neighbours along: they are read again, each by itself.
    alone = [(path,) for batch in batches if batch not in done for path in batch]
    done |= _done(alone, do, request)
    outcomes = []
    for unit in units:
        result = done[unit]
        problem = _sentence(result.error, request.limits.unit_seconds) if isinstance(result, Failure) else ""
        outcomes.append(UnitOutcome(unit, result if isinstance(result, Declared) else None, problem))
    texts: list[tuple[str, FileLiterals]] = []
    for batch in (*batches, *alone):
        read = done.get(batch, [])
        if isinstance(read, Failure):
            problem = _sentence(read.error, request.limits.unit_seconds)
            errors.append(EvaluationError(shown(batch[0]), "crash", f"Its text: {problem}"))
        elif isinstance(read, list):
            # A rule on plans says where a plan's literals are.
            texts += [
                (p, FileLiterals(digests=r.digests) if p in plans else r) for p, r in zip(batch, read, strict=True)
            ]
    return outcomes, sorted(texts, key=lambda item: item[0]), errors


def _done(
    work: Sequence[_Work], do: Callable[[_Work], _Result], request: ScanRequest
) -> dict[_Work, _Result | Failure]:
    """What came of each piece of work; of a batch of several texts only if it came to its end."""
    done: dict[_Work, _Result | Failure] = dict.fromkeys(work, Failure(""))
    for count, (index, result) in enumerate(in_processes(work, do, request.limits), 1):
        one = work[index]
        done[one] = result
        if request.progress:
            request.progress(count, len(work), shown(one.path if isinstance(one, Unit) else one[-1]))
    return {
        one: result
        for one, result in done.items()
        if not isinstance(result, Failure) or isinstance(one, Unit) or len(one) == 1
    }


def _literals(path: str) -> FileLiterals:
    from keyrules.code.literals.reading import read_literals

    data = _unpacked(read_file(path))
    return read_literals(path, data) if contains_candidate(data) else FileLiterals()


def _unpacked(data: bytes) -> bytes:
    """The bytes of a gzip file, or those of the file itself where it is none, or cannot be unpacked."""
    from keyrules.code.plan.json import PlanError
    from keyrules.code.plan.wrapping import unpacked

    try:
        return unpacked(data)
    except PlanError:
        return data


def _sentence(error: str, seconds: float) -> str:
    """Why a unit has no verdicts."""
    if error == TIMED_OUT:
        return f"it was not evaluated within {seconds:g} seconds; --timeout gives it more"
    if error == ENDED:
        return "the process that evaluated it was ended from outside"
    if error == "MemoryError":
        return "its evaluation needs more memory than it is allowed"
    if error == "RecursionError":
        return "it is nested too deeply to be evaluated"
    if error in _READING:
        return "it cannot be read any more; was it changed during the scan?"
    return f"keyrules itself failed on it ({error or 'no answer'}); please report this"


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


def _asked_for(outcome: UnitOutcome, found: Discovery, request: ScanRequest) -> Callable[[Verdict], bool]:
    """Which verdicts on a unit are reported.

    A unit below a scanned folder is reported whole, its modules elsewhere included; one around single files only where
    some evidence of a verdict lies in those files, and for the module of one that holds values or is read by an
    expression. What the run leaves out is not reported, such as a module there that a root elsewhere calls.
    """
    unit, declared = outcome.unit, outcome.declared
    leaves_out = request.excluded or (lambda path: False)
    whole = found.only is None or below(unit.path, found.folders) or unit.path in found.whole
    only = found.only or frozenset()
    whole = whole or (declared is not None and not declared.read.isdisjoint(map(os.path.realpath, only)))

    def asked(verdict: Verdict) -> bool:
        if leaves_out(verdict.path):
            return False
        if whole or str(Path(verdict.path).parent) in found.values:
            return True
        return not only.isdisjoint({verdict.path, *verdict.evidence, *(step.path for step in verdict.trace)})

    return asked


def _notes(
    found: Discovery,
    request: ScanRequest,
    outcomes: Sequence[UnitOutcome],
    something: bool,
    texts: Iterable[tuple[str, FileLiterals]],
) -> tuple[str, ...]:
    """What there is to say beside findings and errors, each kind of note once with the places that it is about.

    `something` says that a finding or the coverage tells what was there.
    """
    notes = list(temporary_note(texts))
    declared = [outcome.declared for outcome in outcomes if outcome.declared]
    notes += sorted({f"{shown(note.path)}: {note.message}" for one in declared for note in one.notes})
    idle = sorted({(shown(place.path), place.start_line) for one in declared for place in one.idle_skips})
    if idle:
        places = listed([f"{path}:{line}" for path, line in idle])
        notes.append(
            f"a skip comment has no effect where it stands: {places}; in Terraform it counts between the first and the "
            "last line of a block, with the exact rule id, in CloudFormation within the resource, one id a comment"
        )
    if not (something or notes or found.errors or any(one.keys or one.problems for one in declared)):
        notes.append(note_on_nothing(found, request.paths))
    return (*notes, *not_read_notes(found.not_read))
