"""The controls that rules bear on, for formats that cite them beside a rule, such as SARIF with its tags."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from keyrules.controls.model import FrameworkEdition, Frameworks, Relation, Status
from keyrules.controls.tables import load_frameworks
from keyrules.model import Evaluation
from keyrules.pack.catalog import load_pack
from keyrules.records import replace

_OWN_PUBLISHER = "keyrules"
_RANKS = {Relation.IMPLEMENTS: 0, Relation.PARTIAL: 1, Relation.SUPPORTS: 2}


def with_controls(evaluation: Evaluation) -> Evaluation:
    """The evaluation with the controls of its rules, those of the framework that was asked for first."""
    report = evaluation.framework
    asked = {report.key, *(control.framework for control in report.controls)} if report is not None else set()
    rules = [rule.id for rule in evaluation.rules]
    return replace(evaluation, controls=citations(load_frameworks(load_pack()), rules, asked))


def citations(
    frameworks: Frameworks, rules: Collection[str], asked: Collection[str] = ()
) -> dict[str, tuple[tuple[str, str], ...]]:
    """The (framework key, control) pairs of each rule, the most telling first, for readers who show only the first few.

    They are of the newest edition of each framework that is not withdrawn, and of the editions `asked`, whose controls
    come first. Then come those that the rule implements, decides in part and supports, the frameworks taking turns, so
    that none with a long list hides the others, and in each turn first what most sources bear out. A rule without a
    control has an empty tuple.
    """
    ranked: dict[str, list[tuple[tuple[bool, int, int, int, int], tuple[str, str]]]] = {rule: [] for rule in rules}
    for order, edition in enumerate(_cited(frameworks, asked)):
        turns: Counter[tuple[str, int]] = Counter()
        for row in edition.rows:
            if row.runs and row.rule in ranked:
                rank = _RANKS[row.relation]
                position = (edition.key not in asked, rank, turns[row.rule, rank], -len(row.sources), order)
                turns[row.rule, rank] += 1
                ranked[row.rule].append((position, (edition.key, row.control)))
    return {rule: tuple(pair for _, pair in sorted(pairs)) for rule, pairs in ranked.items()}


def _cited(frameworks: Frameworks, asked: Collection[str]) -> list[FrameworkEdition]:
    return [
        edition
        for edition in frameworks.editions
        if edition.key in asked
        or (
            edition.publisher != _OWN_PUBLISHER
            and edition.status is not Status.WITHDRAWN
            and frameworks.series(edition)[-1].key == edition.key
        )
    ]
