"""Whether an audit would have found a finding of the baseline that were still there. Doubt says no."""

from __future__ import annotations

from collections.abc import Callable

from keyrules.model import Evaluation, Input
from keyrules.run.baseline.reading import Entry


def seen_on_live(evaluation: Evaluation) -> Callable[[Entry], bool]:
    """The predicate for entries: their rule ran, could judge their account, and nothing of that was left unread."""
    rules = {rule.id for rule in evaluation.rules}
    failed = {error.input for error in evaluation.errors}
    spoiled = {account for item in evaluation.inputs if item.name in failed for account in _accounts(item)}
    clean = {account for item in evaluation.inputs for account in _accounts(item)} - spoiled

    def seen(entry: Entry) -> bool:
        account = entry.finding.subject.account if entry.finding.subject is not None else None
        rule = entry.finding.rule
        return rule in rules and account in clean and account not in evaluation.gaps.get(rule, ())

    return seen


def _accounts(item: Input) -> list[str]:
    return item.account.split(",") if item.account else []
