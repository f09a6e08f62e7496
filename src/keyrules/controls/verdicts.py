"""What a run says about controls. Pure: rows and counts in, verdicts out.

A control's `implements` and `partial` rows decide it, `supports` rows are evidence, `not_covered` rows name a rest that
nothing decides. The first line that holds is the verdict:

| what the run found | verdict |
| --- | --- |
| no deciding row ran | not assessed |
| a deciding rule has a FAIL, and ran with no stricter limit than the control demands | not satisfied |
| the deciding rules judged no subject | not assessed |
| all that they judged is UNKNOWN | not assessed |
| an UNKNOWN or an error of the run, or an account that a deciding rule could not judge | partly assessed |
| a FAIL under a stricter limit, which the control may allow | partly assessed |
| a `not_covered` row, a deciding row that did not run, or a lone `partial` row | partly assessed |
| no subject passes, and all are exceptions | partly assessed |
| otherwise, with the number of exceptions where there are any | satisfied |

So a FAIL decides whatever else is open, and `satisfied` needs everything: each deciding rule evaluated everywhere, no
UNKNOWN, no error in the whole run, no rest. A deciding rule without a subject beside one that passes does no harm: an
account without console passwords has none that nobody uses.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from keyrules.controls.model import ControlRow, Relation
from keyrules.controls.selection import FrameworkSelection
from keyrules.model import ControlResult, Counts, Evaluation, FrameworkReport, Outcome, RulePart
from keyrules.records import replace
from keyrules.reports.text_style import count_of


def framework_report(evaluation: Evaluation, *chosen: FrameworkSelection) -> FrameworkReport:
    """The verdicts on the controls that a run was asked for, in the order of the rows; one edition after the other."""
    controls = tuple(
        replace(
            _judge([row for row in part.rows if row.control == control], part.stricter, evaluation),
            framework=part.edition.key,
        )
        for part in chosen
        for control in dict.fromkeys(row.control for row in part.rows)
    )
    editions = [part.edition for part in chosen]
    return FrameworkReport(
        key=", ".join(edition.key for edition in editions),
        name=", ".join(edition.name for edition in editions),
        url=", ".join(edition.url for edition in editions),
        controls=controls,
        notes=tuple(dict.fromkeys(note for part in chosen for note in part.notes)),
    )


def rule_results(evaluation: Evaluation) -> tuple[ControlResult, ...]:
    """The same for a run without a framework: each rule is a control of its own, which it decides alone."""
    return tuple(
        _judge([ControlRow(rule.id, rule.name, Relation.IMPLEMENTS, rule.id, (), (), "")], frozenset(), evaluation)
        for rule in evaluation.rules
    )


def _judge(rows: Sequence[ControlRow], stricter: frozenset[tuple[str, str]], evaluation: Evaluation) -> ControlResult:
    ran = {rule.id for rule in evaluation.rules}
    parts = tuple(_part(row, evaluation) for row in rows if row.rule in ran)
    rest = [row.why for row in rows if row.relation is Relation.NOT_COVERED]
    deciding = [part for part in parts if part.relation != Relation.SUPPORTS.value]
    absent = [row.rule for row in rows if row.rule and row.rule not in ran and row.relation is not Relation.SUPPORTS]
    rest += [f"{rule} did not run." for rule in absent]
    if len(rows) == 1 and rows[0].relation is Relation.PARTIAL:
        rest.append("The rule decides a part of the control.")
    control, title = rows[0].control, rows[0].title
    outcome, reason = _verdict(deciding, {rule for each, rule in stricter if each == control}, rest, evaluation)
    if not deciding and parts:
        reason = f"The rules give evidence and decide nothing here: {_found(parts)}."
    exceptions = sum(part.counts.exempt for part in deciding)
    return ControlResult(control, title, outcome, reason, parts, tuple(rest), exceptions)


def _verdict(
    deciding: Sequence[RulePart], stricter: set[str], rest: Sequence[str], evaluation: Evaluation
) -> tuple[Outcome, str]:
    failed = [part for part in deciding if part.counts.failed]
    binding = [part for part in failed if part.rule not in stricter]
    passed, exempt, unknown = (
        sum(getattr(part.counts, name) for part in deciding) for name in ("passed", "exempt", "unknown")
    )
    if not deciding:
        return Outcome.NOT_ASSESSED, " ".join(rest)
    if binding:
        return Outcome.NOT_SATISFIED, _sentence(_found(binding), exempt)
    doubts = _doubts(deciding, evaluation)
    if not passed + exempt + unknown + len(failed):
        nothing = f"{_ids(deciding)} found nothing to judge in the inputs."
        return Outcome.NOT_ASSESSED, " ".join([nothing, *doubts])
    if not passed + exempt + len(failed):
        return Outcome.NOT_ASSESSED, " ".join(doubts)
    reasons = doubts + [
        f"{part.rule}: {part.counts.failed:,} failed under a stricter limit than the control demands, which does not "
        "decide it."
        for part in failed
    ]
    if rest and not reasons:
        reasons.append(_sentence(f"{_found(deciding)}, and a rest is not decided", exempt))
    if not passed and not reasons:
        reasons.append(f"No subject passes: all are exceptions ({exempt:,}).")
    if reasons:
        return Outcome.PARTLY_ASSESSED, " ".join(reasons)
    return Outcome.SATISFIED, _sentence(_found(deciding), exempt)


def _doubts(deciding: Iterable[RulePart], evaluation: Evaluation) -> list[str]:
    """Why a PASS does not speak for everything that should have been judged."""
    reasons = [
        f"{part.rule}: {part.counts.unknown:,} of {part.counts.evaluated:,} could not be judged (UNKNOWN)."
        for part in deciding
        if part.counts.unknown
    ]
    reasons += [
        f"{part.rule} could not judge {count_of(len(names), 'account')}: {', '.join(names)}."
        for part in deciding
        if (names := evaluation.gaps.get(part.rule, ()))
    ]
    if evaluation.errors:
        reasons.append(f"{count_of(len(evaluation.errors), 'error')} in this run left something out.")
    return reasons


def _part(row: ControlRow, evaluation: Evaluation) -> RulePart:
    bound = ";".join(str(each) for each in row.bounds)
    return RulePart(row.rule, row.relation.value, bound, evaluation.rule_counts.get(row.rule, Counts()))


def _sentence(found: str, exempt: int) -> str:
    return f"{found}, with {count_of(exempt, 'exception')}." if exempt else f"{found}."


def _found(parts: Iterable[RulePart]) -> str:
    return "; ".join(f"{part.rule}: {describe(part.counts)}" for part in parts)


def describe(counts: Counts) -> str:
    """Counts in words, those that are zero left out: `2 failed, 5 passed`; `no subject` where all are."""
    named = (("failed", counts.failed), ("unknown", counts.unknown), ("known", counts.known), ("exempt", counts.exempt))
    words = [f"{number:,} {name}" for name, number in (*named, ("passed", counts.passed)) if number]
    return ", ".join(words) or "no subject"


def _ids(parts: Iterable[RulePart]) -> str:
    return " and ".join(part.rule for part in parts)
