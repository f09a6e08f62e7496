"""Puts together what the rules say alike: one broken file leaves every rule open for the same reason."""

from __future__ import annotations

from collections.abc import Iterable

from keyrules.model import Finding

_SHARED = "not_evaluated"


def by_place(findings: Iterable[Finding]) -> list[tuple[Finding, str]]:
    """UNKNOWN findings, in their order, each with the rules that it stands for, as in `KEY_AWS_001, 003`.

    Those in code of one place and message that no rule could evaluate are one; every other one is its own.
    """
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for number, finding in enumerate(findings):
        shared = finding.location is not None and finding.reason == _SHARED
        groups.setdefault((finding.location, finding.message) if shared else (number,), []).append(finding)
    return [(group[0], _rules(finding.rule for finding in group)) for group in groups.values()]


def _rules(ids: Iterable[str]) -> str:
    """Ids in their order; one that differs from the one before in its number only is that number."""
    words: list[str] = []
    before = ""
    for rule in sorted(ids):
        family, _, number = rule.rpartition("_")
        words.append(number if family == before else rule)
        before = family
    return ", ".join(words)
