"""The end of a run on either plane: what the framework says, the reports, and the exit code."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass

from keyrules.command_options import report_options, severity
from keyrules.exit_codes import exit_code
from keyrules.framework_option import Chosen
from keyrules.model import Evaluation, Plane, Severity
from keyrules.reports.outputs import FORMATS, Output, parse_outputs, write_outputs


@dataclass(frozen=True)
class Conclusion:
    """What a run was asked to do with its result; made before the evaluation, so that a mistake costs nothing."""

    args: argparse.Namespace
    outputs: tuple[Output, ...]
    fail_on: Severity

    def conclude(self, evaluation: Evaluation, chosen: Chosen) -> int:
        """Writes every report and returns the exit code. Raises UsageError where a file cannot be written."""
        judged = chosen.judged(evaluation)
        if any(FORMATS[output.format].cites for output in self.outputs):
            from keyrules.control_citations import with_controls

            judged = with_controls(judged)
        options = report_options(self.args, sys.stdout, os.environ)
        write_outputs(self.outputs, judged, options, sys.stdout.buffer)
        return exit_code(judged, self.fail_on, self.args.strict_exceptions)


def prepare(args: argparse.Namespace, plane: Plane) -> Conclusion:
    """Checks the options about reports. Raises UsageError."""
    return Conclusion(args, parse_outputs(args.format, plane), severity(args.fail_on))
