"""What a run makes of its evaluation: reports, a baseline, and the exit code, the same on both planes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from keyrules.findings import tally_of
from keyrules.model import Evaluation, Severity, Status
from keyrules.records import dataclass, replace
from keyrules.reports.outputs import Output, parse_outputs, write_outputs
from keyrules.reports.report_formats import FORMATS
from keyrules.reports.text_style import ReportOptions, Style, count_of, printable
from keyrules.run.framework import Chosen
from keyrules.run.overwriting import refuse_overwriting
from keyrules.run.parameters import parameters_in_force
from keyrules.run.settings import Settings
from keyrules.terminal import text_width

if TYPE_CHECKING:
    from datetime import datetime

    from keyrules.model import PatchReport
    from keyrules.pack.pack import Pack
    from keyrules.run.baseline.run import BaselineRun

CLEAN, FINDINGS, USAGE, INCOMPLETE = 0, 1, 2, 3
"""Nothing found; findings at or above --fail-on; a wrong command or configuration; something could not be evaluated."""


@dataclass(frozen=True)
class Conclusion:
    """What a run was asked to do with its result; made before the evaluation, so that a mistake costs nothing.

    `progress` is told how far long work is, and the empty text at its end.
    """

    settings: Settings
    outputs: tuple[Output, ...]
    baseline: BaselineRun | None = None
    progress: Callable[[str], None] | None = None

    def protect(self, inputs: Iterable[tuple[str, Path]]) -> None:
        """Raises UsageError where a report or a new baseline would replace what the run reads, or source code.

        `inputs` are the files to evaluate with a word for each.
        """
        settings = self.settings
        own = (
            ("the configuration", settings.file.path if settings.file is not None else None),
            ("the file of exceptions", settings.exceptions.value),
            ("the baseline", settings.baseline.value),
        )
        read = [*inputs, *((what, Path(name)) for what, name in own if name is not None)]
        with settings.format.blamed():
            refuse_overwriting([("--format", output.path) for output in self.outputs if output.path], read)
        target = self.baseline.target if self.baseline is not None else None
        if target is not None:
            refuse_overwriting([("--write-baseline", target)], [each for each in read if each[0] != "the baseline"])

    def conclude(
        self,
        evaluation: Evaluation,
        chosen: Chosen,
        pack: Pack,
        ran: tuple[datetime, datetime],
        left_out: int = 0,
        patch: Callable[[Evaluation], PatchReport] | None = None,
    ) -> int:
        """Writes every report and returns the exit code. Raises UsageError where a file cannot be written.

        `ran` is when the evaluation began and ended, which a run with --as-of does not say, so that it gives the same
        again; `left_out` how many files and folders the globs left out; `patch` makes the changes that mend what
        counts in the end.
        """
        parameters = parameters_in_force(self.settings, chosen, evaluation.rules)
        judged, strict = (
            chosen.judged(replace(evaluation, parameters=parameters, ran=ran if self.settings.as_of is None else None)),
            self.settings.strict_exceptions.value,
        )
        files: tuple[tuple[str, Path, bytes], ...] = ()
        if self.baseline is not None:
            # After the controls were judged: what is known is no less of a failure to them.
            judged, files = self.baseline.applied(judged)
        judged = self._with_configuration(judged, chosen, pack, left_out)
        if strict:
            judged = replace(judged, urgent_warnings=judged.warnings)
        if any(FORMATS[output.format].cites for output in self.outputs):
            from keyrules.controls.citations import with_controls

            judged = with_controls(judged)
        if patch is not None and any(FORMATS[output.format].patches for output in self.outputs):
            judged = replace(judged, patch=patch(judged))
        options = report_options(self.settings, sys.stdout, os.environ)
        write_outputs(self.outputs, judged, options, sys.stdout.buffer, files, self.progress)
        code = exit_code(judged, self.settings.fail_on.value, strict, accepted=bool(files))
        if code == USAGE:
            self._explain(judged.warnings)
        return code

    def _with_configuration(self, evaluation: Evaluation, chosen: Chosen, pack: Pack, left_out: int) -> Evaluation:
        notes, file = (*evaluation.notes, *self.settings.notes), self.settings.file
        if file is None:
            return replace(evaluation, notes=notes)
        from keyrules.run.configuration.use import configuration_use

        plane = self.settings.plane
        default_on = frozenset(rule.id for rule in pack.rules if rule.default_on and plane in rule.planes)
        use = configuration_use(file, self.settings, chosen.selection, default_on, evaluation, left_out)
        return replace(evaluation, configuration=use, notes=(*notes, use.sentence))

    def _explain(self, warnings: Sequence[str]) -> None:
        """Says that the exceptions decided the exit code, which no report has to show."""
        setting = self.settings.strict_exceptions
        strict = f"{setting.origin.place}: `strict_exceptions`" if setting.from_file else "--strict-exceptions"
        number = count_of(len(warnings), "exception")
        first = warnings[0] if len(warnings) == 1 else f"the first: {warnings[0]}"
        print(f"keyrules: {printable(f'{strict} gives exit code 2 for {number}; {first}')}", file=sys.stderr)


def prepare(
    settings: Settings, *, counts_only: bool = False, progress: Callable[[str], None] | None = None
) -> Conclusion:
    """Checks the settings about reports, and reads the baseline. Raises UsageError.

    `counts_only` says that the run keeps no findings.
    """
    with settings.format.blamed():
        outputs = parse_outputs(settings.format.value, settings.plane)
    if settings.baseline.value is None and settings.write_baseline is None:
        return Conclusion(settings, outputs, progress=progress)
    from keyrules.run.baseline.run import baseline_run

    return Conclusion(settings, outputs, baseline_run(settings, outputs, counts_only=counts_only), progress)


def report_options(settings: Settings, stream: TextIO, environment: Mapping[str, str]) -> ReportOptions:
    """How text is to look on this stream: NO_COLOR and FORCE_COLOR win over what the terminal says."""
    colour = stream.isatty() and environment.get("TERM") != "dumb"
    if environment.get("FORCE_COLOR"):
        colour = True
    if environment.get("NO_COLOR") or settings.no_color:
        colour = False
    return ReportOptions(
        style=Style(colour, stream.isatty() and _knows_links(environment)),
        width=text_width(stream),
        quiet=settings.quiet,
        terminal=stream.isatty(),
        group_by=settings.group_by,
        statistics=settings.statistics,
        layout=settings.layout,
        oscal_version=settings.oscal_version,
    )


def _knows_links(environment: Mapping[str, str]) -> bool:
    """Whether a terminal shows links; others print their addresses as rubbish."""
    vte = environment.get("VTE_VERSION", "")
    return (
        environment.get("TERM_PROGRAM") in {"ghostty", "iTerm.app", "vscode", "WezTerm"}
        or "kitty" in environment.get("TERM", "")
        or any(environment.get(name) for name in ("KONSOLE_VERSION", "WT_SESSION"))
        or (vte.isdecimal() and int(vte) >= 5000)
    )


def exit_code(evaluation: Evaluation, fail_on: Severity, strict: bool = False, accepted: bool = False) -> int:
    """INCOMPLETE wins, because what could not be evaluated may be worse than anything that was found.

    With `strict` a warning about the exceptions is USAGE, whatever was found: their file is to be corrected;
    nothing else is USAGE. With `accepted` the findings, the UNKNOWN ones too, went into a baseline, and only errors are
    left to fail the run.
    """
    if evaluation.errors or (evaluation.counts.unknown and not accepted):
        return INCOMPLETE
    if strict and evaluation.warnings:
        return USAGE
    if accepted:
        return CLEAN
    tally = tally_of(evaluation.findings)
    failed = any(
        number and status is Status.FAIL and severity >= fail_on for (_, severity, status), number in tally.items()
    )
    return FINDINGS if failed else CLEAN
