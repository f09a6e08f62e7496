"""What reports on a pipeline's page share: the run in one line, the worst first, and what was counted but not kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from keyrules.findings import Listing, tally_of
from keyrules.model import AccountState, Evaluation, Finding, Severity, Status
from keyrules.reports.text_style import count_of, human_duration
from keyrules.terms import WORST_FIRST

_BY_SEVERITY = sorted(Severity, reverse=True)


def worst_first(findings: Sequence[Finding]) -> Sequence[Finding]:
    """By severity, then failures before unknowns; otherwise in the order that they have."""
    if isinstance(findings, Listing):
        return findings
    return sorted(findings, key=lambda finding: (-finding.severity, WORST_FIRST[finding.status]))


def with_status(evaluation: Evaluation, *statuses: Status) -> int:
    """How many of the listed findings have one of the statuses."""
    return sum(number for (_, _, status), number in tally_of(evaluation.findings).items() if status in statuses)


def failed_tally(evaluation: Evaluation) -> str:
    """`1 high, 2 low`: how many findings fail of each severity, the worst first; empty where none does."""
    failed: Counter[Severity] = Counter()
    for (_, severity, status), number in tally_of(evaluation.findings).items():
        if status is Status.FAIL:
            failed[severity] += number
    return severity_words(failed)


def severity_words(numbers: Mapping[Severity, int]) -> str:
    """`1 high, 2 low`: the worst first, those that are zero left out."""
    return ", ".join(
        f"{numbers[severity]:,} {severity.name.lower()}" for severity in _BY_SEVERITY if numbers.get(severity)
    )


ACCOUNT_COLUMNS = ("users", "active keys", "oldest", *(severity.name.lower() for severity in _BY_SEVERITY), "unknown")
"""What `account_cells` gives of an account."""


def account_cells(state: AccountState, as_of: datetime) -> tuple[str, ...]:
    """What an account holds; a question mark for all of it where it was not evaluated."""
    if state.state != "evaluated":
        return ("?",) * len(ACCOUNT_COLUMNS)
    age = human_duration(as_of - state.oldest_key) if state.oldest_key is not None else "–"
    failed = (state.failed.get(severity, 0) for severity in _BY_SEVERITY)
    numbers = (f"{number:,}" for number in (*failed, state.unknown))
    return (f"{state.users:,}", f"{state.active_keys:,}", age, *numbers)


def worst_account_first(state: AccountState) -> tuple[object, ...]:
    """The sort key of accounts: those of which nothing is known, then by what fails."""
    failed = tuple(-state.failed.get(severity, 0) for severity in _BY_SEVERITY)
    return (state.state == "evaluated", *failed, -state.unknown, state.account)


def not_listed(evaluation: Evaluation) -> int:
    """How many FAIL and UNKNOWN verdicts the run counted and did not keep, as `--counts-only` has it."""
    kept = with_status(evaluation, Status.FAIL, Status.UNKNOWN)
    return max(0, evaluation.counts.failed + evaluation.counts.unknown - kept)


def headline(evaluation: Evaluation) -> str:
    """The run in one line, as in `2 findings (1 high, 1 low); 1 input could not be evaluated`.

    With a baseline, findings are the new ones. Only a run in which everything was evaluated reads `No findings` alone.
    """
    counts, errors = evaluation.counts, evaluation.errors
    if not evaluation.inputs and not errors and not counts.evaluated:
        return "Nothing to evaluate"
    new = "new " if evaluation.baseline is not None else ""
    tally = failed_tally(evaluation)
    found = f"{count_of(counts.failed, f'{new}finding')}{f' ({tally})' if tally else ''}"
    unread = [count_of(counts.unknown, "check")] if counts.unknown else []
    unread += [count_of(len({error.input for error in errors}), "input")] if errors else []
    missing = f"; {' and '.join(unread)} could not be evaluated" if unread else ""
    return (found if counts.failed else f"No {new}findings") + missing


def loosening(evaluation: Evaluation) -> list[str]:
    """What a configuration file did to the run, as one sentence in a list; empty where it did nothing."""
    use = evaluation.configuration
    return [use.sentence] if use is not None and use.changes else []


def path_tells_more(finding: Finding) -> bool:
    """Whether the path of a secret, or the way of a rotation, names a step that the message does not."""
    return any(step.label not in finding.message for step in finding.trace)
