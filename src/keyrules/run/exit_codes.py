"""What a run's exit code says, the same on both planes."""

from __future__ import annotations

from keyrules.model import Evaluation, Severity, Status

CLEAN, FINDINGS, USAGE, INCOMPLETE = 0, 1, 2, 3
"""Nothing found; findings at or above --fail-on; a wrong command or configuration; something could not be evaluated."""


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
    failed = any(f.status is Status.FAIL and f.severity >= fail_on for f in evaluation.findings)
    return FINDINGS if failed else CLEAN
