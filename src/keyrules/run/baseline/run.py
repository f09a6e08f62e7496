"""`--baseline` and `--write-baseline` on a run: what was read before it, and what becomes of its evaluation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from keyrules.findings import without
from keyrules.model import (
    BaselineReport,
    Counts,
    Evaluation,
    Finding,
    Input,
    KnownFinding,
    Plane,
    ResolvedFinding,
    Status,
    UsageError,
)
from keyrules.records import dataclass, replace
from keyrules.reports.outputs import Output, check_file
from keyrules.run.baseline.compare import Comparison, Known, compare, worst_first
from keyrules.run.baseline.places import Places, at, path_of
from keyrules.run.baseline.reading import Baseline, Entry, read_baseline
from keyrules.run.baseline.writing import accepted_note, baseline_text
from keyrules.run.settings import Settings

_WRITE = "--write-baseline"


@dataclass(frozen=True)
class BaselineRun:
    """The baseline to compare with, and the file that a new one goes to; at least one of them is set.

    `excluded` says of an absolute path that the scan leaves it out.
    """

    old: Baseline | None
    target: Path | None
    excluded: Callable[[str], bool] | None = None

    def applied(self, evaluation: Evaluation) -> tuple[Evaluation, tuple[tuple[str, Path, bytes], ...]]:
        """The evaluation without what the old baseline holds, and the files to write with the reports."""
        inputs: tuple[Input, ...] = ()
        if self.old is None:
            compared = compare(evaluation.findings, {}, lambda entry: False, lambda path: False)
            result = evaluation
        elif evaluation.plane is Plane.LIVE:
            from keyrules.run.baseline.looked_at import seen_on_live

            compared = compare(evaluation.findings, self.old.entries, seen_on_live(evaluation), lambda path: False)
            result = _reduced(evaluation, compared, self.old, None)
        else:
            places = self.old.places
            compared, inputs = self._compared_code(evaluation, self.old, places)
            result = _reduced(evaluation, compared, self.old, places)
        if self.target is None:
            return result, ()
        note = accepted_note(str(self.target), evaluation, compared)
        note += "" if self.old else f" Commit it; with --baseline {self.target} only what is new fails."
        text = baseline_text(self.target, evaluation, compared, self.old, inputs)
        return replace(result, notes=(*result.notes, note)), ((_WRITE, self.target, text.encode()),)

    def _compared_code(
        self, evaluation: Evaluation, old: Baseline, places: Places
    ) -> tuple[Comparison, tuple[Input, ...]]:
        """The comparison, made with the baseline's paths, and those of its inputs that the run did not look at."""
        from keyrules.run.baseline.looked_at import looked_at_input, seen_on_code

        entered = places.entered_evaluation(evaluation)
        looked_at = looked_at_input(evaluation, places)
        seen = seen_on_code(entered, old, places, self.excluded)
        compared = compare(entered.findings, old.entries, seen, places.gone)
        own = replace(compared, findings=evaluation.findings)
        return own, tuple(item for item in old.inputs if not looked_at(item))


def baseline_run(settings: Settings, outputs: Sequence[Output], *, counts_only: bool) -> BaselineRun:
    """Reads and checks what the settings name, before anything is evaluated. Raises UsageError.

    `counts_only` says that the run keeps no findings.
    """
    option, plane = settings.baseline.named("--baseline"), settings.plane
    old, target = _file(settings.baseline.value, option), _file(settings.write_baseline, _WRITE)
    if counts_only:
        name = option if old is not None else _WRITE
        raise UsageError(f"{name} works on findings, and --counts-only keeps none; give one of them")
    if target is not None:
        check_file(_WRITE, target, outputs)
    read = read_baseline(old, plane, option) if old is not None else None
    if plane is Plane.LIVE:
        return BaselineRun(read, target)
    from keyrules.run.configuration.exclude_globs import excluded_paths

    return BaselineRun(read, target, excluded_paths(settings))


def _file(name: str | None, option: str) -> Path | None:
    if name == "":
        raise UsageError(f"{option} names no file; give its name, or leave the option out")
    if name == "-":
        raise UsageError(f"{option}: - is no file, and a baseline is one, because the next run reads it; give its name")
    return None if name is None else Path(name)


def _reduced(evaluation: Evaluation, compared: Comparison, old: Baseline, places: Places | None) -> Evaluation:
    """The evaluation with its known findings moved into the report on the baseline."""
    known = compared.known
    report = BaselineReport(
        name=old.name,
        as_of=old.as_of,
        known=tuple(_known(each, places) for each in known),
        resolved=tuple(_resolved(entry, places) for entry in worst_first(compared.resolved)),
        kept=len(compared.unseen),
        changed=len(compared.changed),
        exempt=frozenset(finding.fingerprint for finding in compared.exempt),
    )
    return replace(
        evaluation,
        findings=without(evaluation.findings, compared.partners),
        counts=_counts(evaluation.counts, [each.finding for each in known]),
        baseline=report,
    )


def _counts(counts: Counts, known: Sequence[Finding]) -> Counts:
    by_status = Counter(finding.status for finding in known)
    return replace(
        counts,
        failed=counts.failed - by_status[Status.FAIL],
        unknown=counts.unknown - by_status[Status.UNKNOWN],
        known=len(known),
    )


def _known(known: Known, places: Places | None) -> KnownFinding:
    moved_from = places.shown(path_of(known.entry.finding)) if known.moved and places is not None else None
    return KnownFinding(known.finding, known.entry.first_seen, moved_from)


def _resolved(entry: Entry, places: Places | None) -> ResolvedFinding:
    there = path_of(entry.finding)
    path = places.shown(there) if places is not None else None
    finding = at(entry.finding, path or "")
    location, subject = finding.location, finding.subject
    return ResolvedFinding(
        rule=finding.rule,
        severity=finding.severity.name,
        name=location.address if location is not None else subject.name if subject is not None else "",
        path=path,
        fingerprint=entry.fingerprint if finding is entry.finding else finding.fingerprint,
        first_seen=entry.first_seen,
        subject=subject,
        file_gone=places is not None and places.gone(there),
    )
