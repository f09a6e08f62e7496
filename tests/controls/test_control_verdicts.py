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
from keyrules.records import replace

PACK = load_pack()
EDITION: FrameworkEdition = load_frameworks(PACK).edition("cis_aws_3.0.0")
A, B, C = "KEY_AWS_001", "KEY_AWS_002", "KEY_AWS_008"
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


def verdict(
    rows: Sequence[ControlRow], run: Evaluation, stricter: Sequence[str] = (), looser: Sequence[str] = ()
) -> ControlResult:
    pairs = frozenset(("1.1", rule) for rule in stricter)
    notes = {("1.1", rule): f"{rule} is looser." for rule in looser}
    chosen = FrameworkSelection(EDITION, Selection(run.rules), tuple(rows), pairs, (), notes)
    (result,) = framework_report(run, chosen).controls
    return result


@pytest.mark.parametrize(
    ("rows", "counts", "options", "outcome", "words"),
    [
        # A deciding rule fails: whatever else is open.
        ([WHOLE], {A: FAIL}, {}, Outcome.NOT_SATISFIED, "1 failed, 2 passed"),
        ([WHOLE], {A: FAIL}, {"errors": ERROR}, Outcome.NOT_SATISFIED, "1 failed"),
        ([WHOLE], {A: Counts(failed=1, unknown=4)}, {}, Outcome.NOT_SATISFIED, "1 failed"),
        ([WHOLE], {A: Counts(failed=1, exempt=2)}, {}, Outcome.NOT_SATISFIED, "with 2 exceptions"),
        ([PART_A, REST], {A: FAIL}, {}, Outcome.NOT_SATISFIED, "1 failed"),
        ([PART_A, PART_B], {A: PASS, B: FAIL}, {}, Outcome.NOT_SATISFIED, "KEY_AWS_002: 1 failed"),
        # Nothing is decided, and the evidence is adverse: it fails, or is accepted although it fails.
        ([EVIDENCE], {B: FAIL}, {}, Outcome.ADVERSE_EVIDENCE, "KEY_AWS_002: 1 failed"),
        ([EVIDENCE], {B: FAIL}, {"errors": ERROR}, Outcome.ADVERSE_EVIDENCE, "1 failed"),
        ([EVIDENCE], {B: Counts(passed=1, exempt=1)}, {}, Outcome.ADVERSE_EVIDENCE, "1 exempt"),
        ([EVIDENCE, REST], {B: FAIL}, {}, Outcome.ADVERSE_EVIDENCE, "1 failed"),
        ([WHOLE, EVIDENCE], {A: NONE, B: FAIL}, {}, Outcome.ADVERSE_EVIDENCE, "1 failed"),
        ([WHOLE, EVIDENCE], {A: UNKNOWN, B: FAIL}, {}, Outcome.ADVERSE_EVIDENCE, "1 failed"),
        ([WHOLE, EVIDENCE], {B: FAIL}, {}, Outcome.ADVERSE_EVIDENCE, "1 failed"),
        # Nothing is decided, and the evidence is clean: all of it.
        ([EVIDENCE], {B: PASS}, {}, Outcome.CLEAN_EVIDENCE, "KEY_AWS_002: 2 passed"),
        ([EVIDENCE, REST], {B: PASS}, {}, Outcome.CLEAN_EVIDENCE, "2 passed"),
        ([WHOLE, EVIDENCE], {A: NONE, B: PASS}, {}, Outcome.CLEAN_EVIDENCE, "2 passed"),
        ([EVIDENCE], {B: Counts(passed=9, unknown=1)}, {}, Outcome.NOT_ASSESSED, "1 of 10"),
        ([EVIDENCE], {B: PASS}, {"errors": ERROR}, Outcome.NOT_ASSESSED, "1 error"),
        ([WHOLE, EVIDENCE], {A: UNKNOWN, B: PASS}, {}, Outcome.NOT_ASSESSED, "UNKNOWN"),
        # Nobody looked, nothing was there, or nothing could be judged.
        ([REST], {}, {}, Outcome.NOT_ASSESSED, "A rest stays open."),
        ([WHOLE], {}, {}, Outcome.NOT_ASSESSED, "KEY_AWS_001 did not run."),
        ([EVIDENCE], {B: NONE}, {}, Outcome.NOT_ASSESSED, "KEY_AWS_002 found nothing to judge"),
        ([WHOLE], {A: NONE}, {}, Outcome.NOT_ASSESSED, "nothing to judge"),
        ([WHOLE], {A: NONE}, {"errors": ERROR}, Outcome.NOT_ASSESSED, "1 error"),
        ([WHOLE], {A: UNKNOWN}, {}, Outcome.NOT_ASSESSED, "UNKNOWN"),
        # Something is decided, and something is open.
        ([WHOLE], {A: Counts(passed=9, unknown=1)}, {}, Outcome.PARTLY_ASSESSED, "1 of 10"),
        ([WHOLE], {A: Counts(exempt=9, unknown=1)}, {}, Outcome.PARTLY_ASSESSED, "1 of 10"),
        ([WHOLE], {A: PASS}, {"errors": ERROR}, Outcome.PARTLY_ASSESSED, "1 error"),
        ([WHOLE], {A: PASS}, {"gaps": True}, Outcome.PARTLY_ASSESSED, "111122223333"),
        ([PART_A], {A: PASS}, {}, Outcome.PARTLY_ASSESSED, "a rest is not decided"),
        ([PART_A, REST], {A: PASS}, {}, Outcome.PARTLY_ASSESSED, "a rest is not decided"),
        ([PART_A, REST], {A: Counts(passed=1, exempt=1)}, {}, Outcome.PARTLY_ASSESSED, "with 1 exception"),
        ([PART_A, PART_B], {A: PASS, B: UNKNOWN}, {}, Outcome.PARTLY_ASSESSED, "KEY_AWS_002: 1 of 1"),
        ([PART_A, PART_B], {A: PASS}, {}, Outcome.PARTLY_ASSESSED, "a rest is not decided"),
        # Everything is decided, and nothing stands against it but what was accepted.
        ([WHOLE], {A: EXEMPT}, {}, Outcome.WITH_EXCEPTIONS, "No subject passes: all are exceptions (3)."),
        ([WHOLE], {A: Counts(passed=1, exempt=2)}, {}, Outcome.WITH_EXCEPTIONS, "1 passed, with 2 exceptions"),
        ([PART_A, PART_B], {A: PASS, B: EXEMPT}, {}, Outcome.WITH_EXCEPTIONS, "with 3 exceptions"),
        # And nothing at all.
        ([WHOLE], {A: PASS}, {}, Outcome.SATISFIED, "KEY_AWS_001: 2 passed."),
        ([PART_A, PART_B], {A: PASS, B: PASS}, {}, Outcome.SATISFIED, "KEY_AWS_002: 2 passed"),
        ([PART_A, PART_B], {A: PASS, B: NONE}, {}, Outcome.SATISFIED, "KEY_AWS_002: no subject"),
        ([WHOLE, EVIDENCE], {A: PASS, B: FAIL}, {}, Outcome.SATISFIED, "adverse: KEY_AWS_002: 1 failed"),
        ([WHOLE, EVIDENCE], {A: PASS, B: UNKNOWN}, {}, Outcome.SATISFIED, "KEY_AWS_001: 2 passed."),
    ],
)
def test_the_truth_table(
    rows: list[ControlRow], counts: dict[str, Counts], options: dict[str, object], outcome: Outcome, words: str
) -> None:
    result = verdict(rows, evaluation(counts, **options))  # type: ignore[arg-type]
    assert result.outcome is outcome, result.reason
    assert words in result.reason


def test_a_failure_under_a_stricter_limit_decides_nothing() -> None:
    result = verdict([WHOLE], evaluation({A: FAIL}), stricter=[A])
    assert result.outcome is Outcome.PARTLY_ASSESSED
    assert "stricter limit" in result.reason
    assert verdict([WHOLE], evaluation({A: PASS}), stricter=[A]).outcome is Outcome.SATISFIED
    both = verdict([PART_A, PART_B], evaluation({A: FAIL, B: FAIL}), stricter=[A])
    assert both.outcome is Outcome.NOT_SATISFIED


def test_evidence_under_another_limit_says_less() -> None:
    """What fails under a stricter limit may pass under the control's own, and what passes under a looser one fail."""
    stricter = verdict([EVIDENCE], evaluation({B: FAIL}), stricter=[B])
    assert stricter.outcome is Outcome.NOT_ASSESSED
    assert "stricter limit" in stricter.reason
    assert verdict([EVIDENCE], evaluation({B: PASS}), stricter=[B]).outcome is Outcome.CLEAN_EVIDENCE
    looser = verdict([EVIDENCE], evaluation({B: PASS}), looser=[B])
    assert (looser.outcome, looser.reason) == (Outcome.NOT_ASSESSED, "KEY_AWS_002 is looser.")
    assert verdict([EVIDENCE], evaluation({B: FAIL}), looser=[B]).outcome is Outcome.ADVERSE_EVIDENCE


def test_each_statement_has_a_verdict_of_its_own() -> None:
    """Rotation decides one statement of IA-5 and leaks another; what neither decides leaves the control open."""
    refresh = [replace(each, statement="ia-5_smt.f") for each in (PART_A, PART_B)]
    protect = replace(row(Relation.PARTIAL, C), statement="ia-5_smt.g")
    rows = [*refresh, protect, REST]
    met = verdict(rows, evaluation({A: PASS, B: PASS, C: FAIL}))
    assert met.outcome is Outcome.NOT_SATISFIED
    assert [(each.statement, each.outcome, [part.rule for part in each.parts]) for each in met.statements] == [
        ("ia-5_smt.f", Outcome.SATISFIED, [A, B]),
        ("ia-5_smt.g", Outcome.NOT_SATISFIED, [C]),
    ]
    lone = verdict(rows, evaluation({A: PASS, B: PASS, C: PASS}))
    assert lone.outcome is Outcome.PARTLY_ASSESSED
    assert lone.statements[1].rest == ("The rule decides a part of the statement.",)
    evidence = verdict([replace(EVIDENCE, statement="ia-5_smt.f"), REST], evaluation({B: FAIL}))
    assert evidence.statements[0].outcome is evidence.outcome is Outcome.ADVERSE_EVIDENCE
    assert verdict([WHOLE], evaluation({A: PASS})).statements == ()


def test_no_edition_lets_statements_speak_for_the_whole_control() -> None:
    """Where rules decide statements only, a row says what of the control nothing decides."""
    deciding = (Relation.IMPLEMENTS, Relation.PARTIAL)
    for edition in load_frameworks(PACK).editions:
        for control in edition.controls:
            rows = edition.rows_of(control)
            decided = [each for each in rows if each.relation in deciding]
            if decided and all(each.statement for each in decided):
                rest = [each for each in rows if each.relation is Relation.NOT_COVERED and not each.statement]
                assert rest, f"{edition.key} {control}"


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
def test_no_verdict_says_more_than_was_found(
    rows: list[ControlRow], a: Counts, b: Counts, errors: bool, gaps: bool, stricter: bool
) -> None:
    run = evaluation({A: a, B: b}, ERROR if errors else (), gaps)
    result = verdict(rows, run, stricter=[A, B] if stricter else [])
    deciding = [part.counts for part in result.parts if part.relation != "supports"]
    evidence = [part.counts for part in result.parts if part.relation == "supports"]
    decided = any(each.passed or each.failed or each.exempt for each in deciding)
    if result.outcome in (Outcome.SATISFIED, Outcome.WITH_EXCEPTIONS):
        assert decided and not errors
        assert REST not in rows
        assert not any(each.failed or each.unknown for each in deciding)
        assert any(each.exempt for each in deciding) == (result.outcome is Outcome.WITH_EXCEPTIONS)
    if result.outcome is Outcome.CLEAN_EVIDENCE:
        assert not decided and not errors
        assert any(each.passed for each in evidence)
        assert not any(each.failed or each.unknown or each.exempt for each in evidence)
    if any(each.failed for each in deciding) and not stricter:
        assert result.outcome is Outcome.NOT_SATISFIED
    if not decided and any(each.failed for each in evidence) and not stricter:
        assert result.outcome is Outcome.ADVERSE_EVIDENCE
    assert (result.outcome is Outcome.PARTLY_ASSESSED) <= decided
