"""The truth table of control verdicts, line by line, and the property that nothing open is ever called satisfied."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from evaluations import make_evaluation
from hypothesis import given
from hypothesis import strategies as st

from keyrules.controls.model import ControlRow, FrameworkEdition, Relation
from keyrules.controls.selection import FrameworkSelection
from keyrules.controls.tables import load_frameworks
from keyrules.controls.verdicts import framework_report, rule_results
from keyrules.model import ControlResult, Counts, Evaluation, EvaluationError, Outcome, Plane, Selection
from keyrules.pack.catalog import load_pack

PACK = load_pack()
EDITION: FrameworkEdition = load_frameworks(PACK).edition("cis_aws_3.0.0")
A, B = "KEY_AWS_001", "KEY_AWS_002"
NONE, PASS, FAIL = Counts(), Counts(passed=2), Counts(passed=2, failed=1)
UNKNOWN, EXEMPT = Counts(unknown=1), Counts(exempt=3)
ERROR = (EvaluationError("r.csv", "row", "r.csv, line 2 cannot be read."),)


def row(relation: Relation, rule: str = "") -> ControlRow:
    return ControlRow("1.1", "A control", relation, rule, (), (), "" if rule else "A rest stays open.")


WHOLE, PART_A, PART_B = row(Relation.IMPLEMENTS, A), row(Relation.PARTIAL, A), row(Relation.PARTIAL, B)
EVIDENCE, REST = row(Relation.SUPPORTS, B), row(Relation.NOT_COVERED)


def evaluation(counts: dict[str, Counts], errors: tuple[EvaluationError, ...] = (), gaps: bool = False) -> Evaluation:
    return make_evaluation(
        plane=Plane.LIVE,
        rules=tuple(rule for rule in PACK.rules if rule.id in counts),
        rule_counts=counts,
        errors=errors,
        gaps={A: ("111122223333",)} if gaps else {},
    )


def verdict(rows: Sequence[ControlRow], run: Evaluation, stricter: bool = False) -> ControlResult:
    pairs = frozenset({("1.1", A)}) if stricter else frozenset[tuple[str, str]]()
    chosen = FrameworkSelection(EDITION, Selection(run.rules), tuple(rows), pairs, ())
    (result,) = framework_report(run, chosen).controls
    return result


@pytest.mark.parametrize(
    ("rows", "counts", "options", "outcome", "words"),
    [
        ([REST], {}, {}, Outcome.NOT_ASSESSED, "A rest stays open."),
        ([EVIDENCE], {B: PASS}, {}, Outcome.NOT_ASSESSED, "give evidence"),
        ([EVIDENCE], {B: FAIL}, {}, Outcome.NOT_ASSESSED, "KEY_AWS_002: 1 failed"),
        ([WHOLE], {A: PASS}, {}, Outcome.SATISFIED, "KEY_AWS_001: 2 passed."),
        ([WHOLE], {A: FAIL}, {}, Outcome.NOT_SATISFIED, "1 failed, 2 passed"),
        ([WHOLE], {A: FAIL}, {"errors": ERROR}, Outcome.NOT_SATISFIED, "1 failed"),
        ([WHOLE], {A: Counts(failed=1, unknown=4)}, {}, Outcome.NOT_SATISFIED, "1 failed"),
        ([WHOLE], {A: NONE}, {}, Outcome.NOT_ASSESSED, "nothing to judge"),
        ([WHOLE], {A: NONE}, {"errors": ERROR}, Outcome.NOT_ASSESSED, "1 error"),
        ([WHOLE], {A: UNKNOWN}, {}, Outcome.NOT_ASSESSED, "UNKNOWN"),
        ([WHOLE], {A: Counts(passed=9, unknown=1)}, {}, Outcome.PARTLY_ASSESSED, "1 of 10"),
        ([WHOLE], {A: PASS}, {"errors": ERROR}, Outcome.PARTLY_ASSESSED, "1 error"),
        ([WHOLE], {A: PASS}, {"gaps": True}, Outcome.PARTLY_ASSESSED, "111122223333"),
        ([WHOLE], {A: EXEMPT}, {}, Outcome.PARTLY_ASSESSED, "all are exceptions (3)"),
        ([WHOLE], {A: Counts(passed=1, exempt=2)}, {}, Outcome.SATISFIED, "with 2 exceptions"),
        ([PART_A], {A: PASS}, {}, Outcome.PARTLY_ASSESSED, "a rest is not decided"),
        ([PART_A, REST], {A: PASS}, {}, Outcome.PARTLY_ASSESSED, "a rest is not decided"),
        ([PART_A, REST], {A: FAIL}, {}, Outcome.NOT_SATISFIED, "1 failed"),
        ([PART_A, PART_B], {A: PASS, B: PASS}, {}, Outcome.SATISFIED, "KEY_AWS_002: 2 passed"),
        ([PART_A, PART_B], {A: PASS, B: NONE}, {}, Outcome.SATISFIED, "KEY_AWS_002: no subject"),
        ([PART_A, PART_B], {A: PASS, B: UNKNOWN}, {}, Outcome.PARTLY_ASSESSED, "KEY_AWS_002: 1 of 1"),
        ([PART_A, PART_B], {A: PASS}, {}, Outcome.PARTLY_ASSESSED, "a rest is not decided"),
        ([PART_A, PART_B], {A: PASS, B: FAIL}, {}, Outcome.NOT_SATISFIED, "KEY_AWS_002: 1 failed"),
        ([WHOLE, EVIDENCE], {A: PASS, B: FAIL}, {}, Outcome.SATISFIED, "KEY_AWS_001: 2 passed."),
    ],
)
def test_the_truth_table(
    rows: list[ControlRow], counts: dict[str, Counts], options: dict[str, object], outcome: Outcome, words: str
) -> None:
    result = verdict(rows, evaluation(counts, **options))  # type: ignore[arg-type]
    assert result.outcome is outcome, result.reason
    assert words in result.reason


def test_a_failure_under_a_stricter_limit_decides_nothing() -> None:
    result = verdict([WHOLE], evaluation({A: FAIL}), stricter=True)
    assert result.outcome is Outcome.PARTLY_ASSESSED
    assert "stricter limit" in result.reason
    assert verdict([WHOLE], evaluation({A: PASS}), stricter=True).outcome is Outcome.SATISFIED
    both = verdict([PART_A, PART_B], evaluation({A: FAIL, B: FAIL}), stricter=True)
    assert both.outcome is Outcome.NOT_SATISFIED


def test_exceptions_are_counted_among_deciding_rules_only() -> None:
    result = verdict([WHOLE, EVIDENCE], evaluation({A: Counts(passed=1, exempt=2), B: EXEMPT}))
    assert result.exceptions == 2


def test_without_a_framework_each_rule_is_a_control() -> None:
    results = rule_results(evaluation({A: FAIL, B: PASS}))
    assert [(each.control, each.outcome) for each in results] == [
        (A, Outcome.NOT_SATISFIED),
        (B, Outcome.SATISFIED),
    ]


COUNTS = st.builds(Counts, *[st.integers(0, 2)] * 4)
ROWS = st.lists(st.sampled_from([WHOLE, PART_A, PART_B, EVIDENCE, REST]), min_size=1, max_size=4)


@given(rows=ROWS, a=COUNTS, b=COUNTS, errors=st.booleans(), gaps=st.booleans(), stricter=st.booleans())
def test_satisfied_leaves_nothing_open(
    rows: list[ControlRow], a: Counts, b: Counts, errors: bool, gaps: bool, stricter: bool
) -> None:
    result = verdict(rows, evaluation({A: a, B: b}, ERROR if errors else (), gaps), stricter)
    deciding = [part for part in result.parts if part.relation != "supports"]
    if result.outcome is Outcome.SATISFIED:
        assert deciding
        assert not errors
        assert REST not in rows
        assert not any(part.counts.failed or part.counts.unknown for part in deciding)
        assert any(part.counts.passed for part in deciding)
    if any(part.counts.failed for part in deciding) and not stricter:
        assert result.outcome is Outcome.NOT_SATISFIED
