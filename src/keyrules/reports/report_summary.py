"""What reports on a pipeline's page share: the run in one line, the worst first, and what was counted but not kept."""

from __future__ import annotations

from collections.abc import Iterable

from keyrules.model import WORST_FIRST, Evaluation, Finding, Severity, Status
from keyrules.reports.text_style import count_of


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """By severity, then failures before unknowns; otherwise in the order that they have."""
    return sorted(findings, key=lambda finding: (-finding.severity, WORST_FIRST[finding.status]))


def severity_tally(findings: Iterable[Finding]) -> str:
    """`1 high, 2 low`: how many of each severity, the worst first; empty without findings."""
    severities = [finding.severity for finding in findings]
    return ", ".join(
        f"{severities.count(severity):,} {severity.name.lower()}"
        for severity in sorted(Severity, reverse=True)
        if severity in severities
    )


def not_listed(evaluation: Evaluation) -> int:
    """How many FAIL and UNKNOWN verdicts the run counted and did not keep, as `--counts-only` has it."""
    kept = sum(finding.status in (Status.FAIL, Status.UNKNOWN) for finding in evaluation.findings)
    return max(0, evaluation.counts.failed + evaluation.counts.unknown - kept)


def headline(evaluation: Evaluation) -> str:
    """The run in one line, as in `2 findings (1 high, 1 low); 1 input could not be evaluated`.

    With a baseline, findings are the new ones. Only a run in which everything was evaluated reads `No findings` alone.
    """
    counts, errors = evaluation.counts, evaluation.errors
    if not evaluation.inputs and not errors and not counts.evaluated:
        return "Nothing to evaluate"
    new = "new " if evaluation.baseline is not None else ""
    tally = severity_tally(finding for finding in evaluation.findings if finding.status is Status.FAIL)
    found = f"{count_of(counts.failed, f'{new}finding')}{f' ({tally})' if tally else ''}"
    unread = [count_of(counts.unknown, "check")] if counts.unknown else []
    unread += [count_of(len({error.input for error in errors}), "input")] if errors else []
    missing = f"; {' and '.join(unread)} could not be evaluated" if unread else ""
    return (found if counts.failed else f"No {new}findings") + missing


def path_tells_more(finding: Finding) -> bool:
    """Whether the path of a secret, or the way of a rotation, names a step that the message does not."""
    return any(step.label not in finding.message for step in finding.trace)
