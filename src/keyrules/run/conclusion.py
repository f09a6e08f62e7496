"""The end of a run on either plane: what the framework says, the reports, and the exit code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from keyrules.model import Evaluation, Plane, Severity
from keyrules.reports.outputs import Output, parse_outputs, write_outputs
from keyrules.reports.report_formats import FORMATS
from keyrules.run.configuration.option import blaming_the_file
from keyrules.run.exit_codes import USAGE, exit_code
from keyrules.run.framework import Chosen
from keyrules.run.options import report_options, severity
from keyrules.run.overwriting import refuse_overwriting

if TYPE_CHECKING:
    from keyrules.run.baseline.run import BaselineRun


@dataclass(frozen=True)
class Conclusion:
    """What a run was asked to do with its result; made before the evaluation, so that a mistake costs nothing."""

    args: argparse.Namespace
    outputs: tuple[Output, ...]
    fail_on: Severity
    baseline: BaselineRun | None = None

    def protect(self, inputs: Iterable[tuple[str, Path]], configuration: str | None) -> None:
        """Raises UsageError where a report or a new baseline would replace what the run reads, or source code.

        `inputs` are the files to evaluate with a word for each, `configuration` the configuration file in use.
        """
        own = (
            ("the configuration", configuration),
            ("the file of exceptions", self.args.exceptions),
            ("the baseline", self.args.baseline),
        )
        read = [*inputs, *((what, Path(name)) for what, name in own if name is not None)]
        with blaming_the_file(self.args, "format"):
            refuse_overwriting([("--format", output.path) for output in self.outputs if output.path], read)
        target = self.baseline.target if self.baseline is not None else None
        if target is not None:
            refuse_overwriting([("--write-baseline", target)], [each for each in read if each[0] != "the baseline"])

    def conclude(self, evaluation: Evaluation, chosen: Chosen) -> int:
        """Writes every report and returns the exit code. Raises UsageError where a file cannot be written."""
        judged = chosen.judged(evaluation)
        files: tuple[tuple[str, Path, bytes], ...] = ()
        if self.baseline is not None:
            # After the controls were judged: what is known is no less of a failure to them.
            judged, files = self.baseline.applied(judged)
        if self.args.strict_exceptions:
            judged = replace(judged, urgent_warnings=judged.warnings)
        if any(FORMATS[output.format].cites for output in self.outputs):
            from keyrules.controls.citations import with_controls

            judged = with_controls(judged)
        options = report_options(self.args, sys.stdout, os.environ)
        write_outputs(self.outputs, judged, options, sys.stdout.buffer, files)
        code = exit_code(judged, self.fail_on, self.args.strict_exceptions, accepted=bool(files))
        if code == USAGE:
            self._explain(judged.warnings)
        return code

    def _explain(self, warnings: Sequence[str]) -> None:
        """Says that the exceptions decided the exit code, which no report has to show."""
        from keyrules.reports.text_style import count_of, printable

        place = self.args.origins.get("strict_exceptions")
        strict = f"{place}: `strict_exceptions`" if place else "--strict-exceptions"
        number = count_of(len(warnings), "exception")
        first = warnings[0] if len(warnings) == 1 else f"the first: {warnings[0]}"
        print(f"keyrules: {printable(f'{strict} gives exit code 2 for {number}; {first}')}", file=sys.stderr)


def prepare(args: argparse.Namespace, plane: Plane) -> Conclusion:
    """Checks the options about reports, which are settled, and reads the baseline. Raises UsageError."""
    with blaming_the_file(args, "format"):
        outputs = parse_outputs(args.format, plane)
    return Conclusion(args, outputs, severity(args.fail_on), _baseline(args, plane, outputs))


def _baseline(args: argparse.Namespace, plane: Plane, outputs: tuple[Output, ...]) -> BaselineRun | None:
    if args.baseline is None and args.write_baseline is None:
        return None
    from keyrules.run.baseline.run import baseline_run

    return baseline_run(args, plane, outputs)
