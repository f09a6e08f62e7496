"""From the findings of a scan to one patch that mends what can be mended, judged again before it is shown."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TypeAlias

from keyrules.code.file_names import SOURCE_SUFFIXES
from keyrules.code.file_paths import shown
from keyrules.code.judges import judge_unit, load
from keyrules.code.patches.diff import file_diff, hunks
from keyrules.code.patches.files import Files
from keyrules.code.patches.formatting import align
from keyrules.code.patches.ground import Ground
from keyrules.code.patches.mending import Subject, mend_unit
from keyrules.code.patches.reasons import has_change, why_left
from keyrules.code.processes import Failure, in_processes
from keyrules.code.scan import Scanned, ScanRequest
from keyrules.code.scan_unit import Unit
from keyrules.code.session import CheckSession
from keyrules.code.unit_results import Declared, UnitOutcome
from keyrules.model import Evaluation, Finding, PatchedFile, PatchReport, Status

_NEW = "the rules find something new in the code that a patch would make"
_TRIES = 4
_Waiting: TypeAlias = tuple[UnitOutcome, dict[Subject, str]]
_ALIGNED = (*(suffix for suffix in SOURCE_SUFFIXES if not suffix.endswith(".json")), ".tfvars")


def proposed(request: ScanRequest, scanned: Scanned, judged: Evaluation) -> PatchReport:
    """The patch for the failures that count in a judged evaluation, and why the others are left."""
    failures = [finding for finding in judged.findings if finding.status is Status.FAIL]
    left = {f.fingerprint: why_left(f) for f in failures if not has_change(f)}
    run = _Run(request, scanned)
    left |= run.mend([finding for finding in failures if finding.fingerprint not in left])
    mask, done = scanned.secrets.masked, [f.fingerprint for f in failures if f.fingerprint not in left]
    return PatchReport(
        files=tuple(run.patched()),
        mended={mark: mask("; ".join(run.files.said[mark])) for mark in done},
        left={mark: mask(why) for mark, why in left.items()},
    )


class _Run:
    """The mending of one scan."""

    def __init__(self, request: ScanRequest, scanned: Scanned) -> None:
        self._request = request
        self._scanned = scanned
        self._subjects: dict[Subject, str] = {}
        self.files = Files(Ground(request).refusal)
        rules = {rule.id: rule for rule in request.pack.rules}
        self._session = CheckSession(rules, request.selection, request.as_of, self.files.read)

    def mend(self, findings: Sequence[Finding]) -> dict[str, str]:
        """Mends what it can; by fingerprint why the others are left."""
        spots = {(f.rule, f.location.path, f.location.address): f.fingerprint for f in findings if f.location}
        left: dict[str, str] = {}
        waiting: list[_Waiting] = []
        for outcome in self._outcomes():
            targets: dict[Subject, str] = {}
            for verdict in outcome.declared.verdicts if outcome.declared else ():
                mark = spots.get((verdict.rule, shown(verdict.path), verdict.address))
                if mark is not None and verdict.status is Status.FAIL:
                    targets[verdict.rule, verdict.path, verdict.address] = mark
            self._subjects |= targets
            waiting += [(outcome, targets)] if targets else []
        while waiting:
            wave, waiting = _apart(waiting)
            left |= self._units([(outcome.unit, targets) for outcome, targets in wave], left)
        known = set(self._subjects.values())
        left |= {
            mark: "it is judged in a way that a patch cannot follow" for mark in spots.values() if mark not in known
        }
        for path, buffer in self.files.buffers.items():
            if path.endswith(_ALIGNED):
                align(buffer)
        left |= self._beside_secrets()
        return left | self._verified(left)

    def patched(self) -> Iterator[PatchedFile]:
        """The files that change, in the order of their paths."""
        for path, buffer in sorted(self.files.buffers.items()):
            changes = buffer.line_changes()
            if changes:
                yield PatchedFile(shown(path), file_diff(shown(path), buffer.original, changes), tuple(changes))

    def _outcomes(self) -> Iterator[UnitOutcome]:
        for outcome in self._scanned.outcomes:
            if outcome.declared is not None and outcome.unit.kind in ("terraform", "cloudformation"):
                yield outcome

    def _units(self, work: Sequence[tuple[Unit, dict[Subject, str]]], done: Collection[str]) -> dict[str, str]:
        """Mends units that share no file, each in a process of its own, as they were judged; why findings are left."""

        def mend(one: tuple[Unit, dict[Subject, str]]) -> tuple[dict[str, str], object]:
            targets = {subject: mark for subject, mark in one[1].items() if mark not in done}
            return mend_unit(one[0], targets, self.files, self._session), self.files.state

        load({unit.kind for unit, _ in work})
        left: dict[str, str] = {}
        results = dict(in_processes(work, mend, self._request.limits))
        for index in sorted(results):
            result = results[index]
            if isinstance(result, Failure):
                left |= dict.fromkeys(work[index][1].values(), "a patch takes longer than its unit may")
            else:
                left |= result[0]
                self.files.take(result[1])
        return left

    def _beside_secrets(self) -> dict[str, str]:
        """Takes back what stands beside a known secret, which the lines around a change would show."""
        gone: set[str] = set()
        for buffer in self.files.buffers.values():
            for group, text in hunks(buffer.original, buffer.line_changes()):
                if self._scanned.secrets.masked(text) != text:
                    gone = gone.union(*(change.marks for change in group))
        self.files.drop(gone)
        return dict.fromkeys(
            gone, "the lines around it hold a secret, which a patch would show; see to KEY_AWS_011 first"
        )

    def _verified(self, left: Mapping[str, str]) -> dict[str, str]:
        """Has the rules judge what changed, and takes back what they do not find mended."""
        refused: dict[str, str] = {}
        for _ in range(_TRIES):
            changed = {path for path, buffer in self.files.buffers.items() if buffer.changes()}
            concerned = [outcome for outcome in self._outcomes() if changed & _files(outcome)]
            worse = self._worse(concerned, {*left, *refused})
            if not worse:
                return refused
            self.files.drop(worse)
            refused |= worse
        everything = frozenset[str]().union(*(c.marks for b in self.files.buffers.values() for c in b.changes()))
        self.files.drop(everything)
        return refused | dict.fromkeys(everything, _NEW)

    def _worse(self, outcomes: Sequence[UnitOutcome], left: Collection[str]) -> dict[str, str]:
        """The findings that their changes do not mend, and those whose changes bring new ones, with why."""

        def work(unit: Unit) -> Declared:
            return judge_unit(unit.kind, unit.path, self._session, unit.callers)

        load({outcome.unit.kind for outcome in outcomes})
        found: dict[str, str] = {}
        for index, result in in_processes([outcome.unit for outcome in outcomes], work, self._request.limits):
            before, after = outcomes[index].declared, None if isinstance(result, Failure) else result
            assert before is not None
            failing = _failing(after) if after is not None else set()
            for subject, mark in self._subjects.items():
                if mark not in left and (subject in failing or (after is None and subject in _failing(before))):
                    found[mark] = "it still fails after all that a patch can do"
            if after is None or failing - _failing(before) or _problems(after) - _problems(before):
                near = _files(outcomes[index])
                for path, buffer in self.files.buffers.items():
                    if path in near:
                        for change in buffer.changes():
                            found |= dict.fromkeys(change.marks - found.keys(), _NEW)
        return found


def _apart(waiting: list[_Waiting]) -> tuple[list[_Waiting], list[_Waiting]]:
    """The units that can be mended at a time, which share no file with an earlier one, and the rest."""
    taken: frozenset[str] = frozenset()
    found: list[_Waiting] = []
    rest: list[_Waiting] = []
    for each in waiting:
        files = _files(each[0])
        (found if taken.isdisjoint(files) else rest).append(each)
        taken |= files
    return found, rest


def _failing(declared: Declared) -> set[Subject]:
    verdicts = (v for v in declared.verdicts if v.status is not Status.PASS and v.skipped is None)
    return {(verdict.rule, verdict.path, verdict.address) for verdict in verdicts}


def _problems(declared: Declared) -> set[tuple[str, str]]:
    """What could not be read, whatever the line."""
    return {(problem.path, re.sub(r"\d+", "", problem.message)) for problem in declared.problems}


def _files(outcome: UnitOutcome) -> frozenset[str]:
    """The files that a unit was read from."""
    declared = outcome.declared
    return frozenset({outcome.unit.path}) | (declared.files if declared is not None else frozenset())
