"""What a run says about controls. Pure: rows and counts in, verdicts out.

The `implements` and `partial` rows of a control, or of a statement of it, decide it, `supports` rows are evidence,
`not_covered` rows name a rest that nothing decides. The first line that holds is the verdict:

| what the run found | verdict |
| --- | --- |
| a deciding rule has a FAIL, and ran with no stricter limit than the control demands | not satisfied |
| *the deciding rules, if any ran, gave no PASS, FAIL or EXEMPT:* | |
| - an evidence rule has a FAIL under no stricter limit, or an EXEMPT | evidence only, adverse |
| - an evidence rule passes, and nothing below stands in the way of that | evidence only, clean |
| - otherwise: nothing looked, nothing was there, or what was there could not be judged | not assessed |
| *the deciding rules judged something:* | |
| - an UNKNOWN or an error of the run, or an account that a deciding rule could not judge | partly assessed |
| - a FAIL under a stricter limit, which the control may allow | partly assessed |
| - a `not_covered` row, a deciding row that did not run, or a lone `partial` row | partly assessed |
| - an EXEMPT of a deciding rule | satisfied with exceptions |
| - otherwise | satisfied |

So a FAIL decides whatever else is open, and `satisfied` needs everything: each deciding rule evaluated everywhere, no
UNKNOWN, no error in the whole run, no rest, no exception. A deciding rule without a subject beside one that passes does
no harm: an account without console passwords has none that nobody uses. Evidence is clean only where nothing of it is
open: no UNKNOWN, no error, no account left out, no limit that is looser than the control demands, nothing accepted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from keyrules.controls.model import ControlRow, Relation
from keyrules.controls.selection import FrameworkSelection
from keyrules.model import AccountState, ControlResult, Counts, Evaluation, FrameworkReport, Outcome, RulePart
from keyrules.records import dataclass, replace
from keyrules.reports.text_style import count_of

_DECIDING = (Relation.IMPLEMENTS, Relation.PARTIAL)


def framework_report(evaluation: Evaluation, *chosen: FrameworkSelection) -> FrameworkReport:
    """The verdicts on the controls that a run was asked for, in the order of the rows; one edition after the other."""
    run, accounts = _Run.of(evaluation), _accounts(evaluation)
    controls = tuple(
        _control([row for row in part.rows if row.control == control], part, run, accounts)
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
        editions=tuple((edition.key, edition.name, edition.url) for edition in editions),
    )


def rule_results(evaluation: Evaluation) -> tuple[ControlResult, ...]:
    """The same for a run without a framework: each rule is a control of its own, which it decides alone."""
    run, accounts = _Run.of(evaluation), _accounts(evaluation)
    rows = [[ControlRow(rule.id, rule.name, Relation.IMPLEMENTS, rule.id, (), (), "")] for rule in evaluation.rules]
    return tuple(
        replace(
            _judge(own, frozenset(), {}, run),
            by_account=_by_verdict((account, _judge(own, frozenset(), {}, alone)) for account, alone in accounts),
        )
        for own in rows
    )


@dataclass(frozen=True)
class _Run:
    """What verdicts rest on: the rules that ran, what they found, whom they could not judge, and how many errors."""

    rules: frozenset[str]
    counts: Mapping[str, Counts]
    gaps: Mapping[str, tuple[str, ...]]
    errors: int

    @classmethod
    def of(cls, evaluation: Evaluation) -> _Run:
        rules = frozenset(rule.id for rule in evaluation.rules)
        return cls(rules, evaluation.rule_counts, evaluation.gaps, len(evaluation.errors))


_Accounts: TypeAlias = Sequence[tuple[str, _Run]]
"""What each account of a run on several would be judged by if it were the only one."""


def _accounts(evaluation: Evaluation) -> _Accounts:
    states: dict[str, list[AccountState]] = {}
    for state in evaluation.accounts:
        states.setdefault(state.account, []).append(state)
    if len(states) < 2:
        return ()
    rules = [rule.id for rule in evaluation.rules]
    return [
        (
            account,
            _Run(
                rules=frozenset(rules),
                counts=dict(zip(rules, _together([each.counts for each in own if each.counts]), strict=False)),
                gaps={rule: (account,) for rule, names in evaluation.gaps.items() if account in names},
                errors=sum(each.errors for each in own),
            ),
        )
        for account, own in sorted(states.items())
    ]


def _together(counts: Sequence[tuple[Counts, ...]]) -> Iterator[Counts]:
    """The sums of several reports on one account, rule by rule."""
    return (sum(own, Counts()) for own in zip(*counts, strict=True))


def _by_verdict(judged: Iterable[tuple[str, ControlResult]]) -> dict[Outcome, tuple[str, ...]]:
    found: dict[Outcome, list[str]] = {}
    for account, result in judged:
        found.setdefault(result.outcome, []).append(account)
    return {outcome: tuple(found[outcome]) for outcome in Outcome if outcome in found}


def _control(rows: Sequence[ControlRow], part: FrameworkSelection, run: _Run, accounts: _Accounts) -> ControlResult:
    """The verdict on a control, with one on each statement of it that rows name, and what it is in each account."""
    of_whole = replace(
        _judge(rows, part.stricter, part.looser, run),
        framework=part.edition.key,
        by_account=_by_verdict(
            (account, _judge(rows, part.stricter, part.looser, alone)) for account, alone in accounts
        ),
    )
    statements = sorted({row.statement for row in rows if row.statement})
    return replace(
        of_whole,
        statements=tuple(
            replace(
                _judge([row for row in rows if row.statement == each], part.stricter, part.looser, run),
                framework=part.edition.key,
                statement=each,
            )
            for each in statements
        ),
    )


def _judge(
    rows: Sequence[ControlRow],
    stricter: Collection[tuple[str, str]],
    looser: Mapping[tuple[str, str], str],
    run: _Run,
) -> ControlResult:
    control, title = rows[0].control, rows[0].title
    parts = tuple(_part(row, run) for row in rows if row.rule in run.rules)
    rest = [row.why for row in rows if row.relation is Relation.NOT_COVERED]
    deciding = [part for part in parts if Relation(part.relation) in _DECIDING]
    evidence = [part for part in parts if part.relation == Relation.SUPPORTS.value]
    absent = [row.rule for row in rows if row.rule not in run.rules and row.relation in _DECIDING]
    rest += [f"{rule} did not run." for rule in absent]
    if len(rows) == 1 and rows[0].relation is Relation.PARTIAL:
        rest.append(f"The rule decides a part of the {'statement' if rows[0].statement else 'control'}.")
    strict = {rule for each, rule in stricter if each == control}
    adverse = [each for each in evidence if each.counts.exempt or (each.counts.failed and each.rule not in strict)]
    failed = [each for each in deciding if each.counts.failed and each.rule not in strict]
    if failed:
        outcome, reason = Outcome.NOT_SATISFIED, _sentence(_found(failed), _exempt(deciding))
    elif any(each.counts.passed or each.counts.exempt or each.counts.failed for each in deciding):
        outcome, reason = _decided(deciding, rest, run)
        reason += f" Evidence beside that is adverse: {_found(adverse)}." if adverse else ""
    elif adverse:
        outcome = Outcome.ADVERSE_EVIDENCE
        reason = f"Nothing that ran decides it, and the evidence is adverse: {_found(evidence)}."
    else:
        loose = [looser[control, each.rule] for each in evidence if (control, each.rule) in looser]
        outcome, reason = _undecided(deciding, evidence, [*loose, *_under_stricter(evidence)], rest, run)
    return ControlResult(control, title, outcome, reason, parts, tuple(rest), _exempt(deciding))


def _decided(deciding: Sequence[RulePart], rest: Sequence[str], run: _Run) -> tuple[Outcome, str]:
    """The verdict where the deciding rules judged something, and no FAIL decides."""
    reasons = _doubts(deciding, run) + _under_stricter(deciding)
    exempt = _exempt(deciding)
    if rest and not reasons:
        reasons.append(_sentence(f"{_found(deciding)}, and a rest is not decided", exempt))
    if reasons:
        return Outcome.PARTLY_ASSESSED, " ".join(reasons)
    if not exempt:
        return Outcome.SATISFIED, f"{_found(deciding)}."
    if not any(part.counts.passed for part in deciding):
        return Outcome.WITH_EXCEPTIONS, f"No subject passes: all are exceptions ({exempt:,})."
    return Outcome.WITH_EXCEPTIONS, _sentence(_found(deciding), exempt)


def _undecided(
    deciding: Sequence[RulePart], evidence: Sequence[RulePart], open_: Sequence[str], rest: Sequence[str], run: _Run
) -> tuple[Outcome, str]:
    """The verdict where no deciding rule judged anything and no evidence is adverse. `open_` is why that may be."""
    ran = [*deciding, *evidence]
    doubts = [*_doubts(ran, run), *open_] if ran else []
    judged = any(part.counts.evaluated for part in ran)
    if not judged:
        nothing = f"{_ids(ran)} found nothing to judge in the inputs." if ran else " ".join(rest)
        return Outcome.NOT_ASSESSED, " ".join([nothing, *doubts])
    if doubts:
        return Outcome.NOT_ASSESSED, " ".join(doubts)
    return Outcome.CLEAN_EVIDENCE, f"Nothing that ran decides it, and the evidence is clean: {_found(evidence)}."


def _under_stricter(parts: Iterable[RulePart]) -> list[str]:
    """What fails where no FAIL decides, which is under stricter limits only."""
    return [
        f"{part.rule}: {part.counts.failed:,} failed under a stricter limit than the control demands, which does not "
        "decide it."
        for part in parts
        if part.counts.failed
    ]


def _doubts(parts: Iterable[RulePart], run: _Run) -> list[str]:
    """Why a PASS does not speak for everything that should have been judged."""
    reasons = [
        f"{part.rule}: {part.counts.unknown:,} of {part.counts.evaluated:,} could not be judged (UNKNOWN)."
        for part in parts
        if part.counts.unknown
    ]
    reasons += [
        f"{part.rule} could not judge {count_of(len(names), 'account')}: {', '.join(names)}."
        for part in parts
        if (names := run.gaps.get(part.rule, ()))
    ]
    if run.errors:
        reasons.append(f"{count_of(run.errors, 'error')} in this run left something out.")
    return reasons


def _part(row: ControlRow, run: _Run) -> RulePart:
    bound = ";".join(str(each) for each in row.bounds)
    return RulePart(row.rule, row.relation.value, bound, run.counts.get(row.rule, Counts()), row.statement)


def _exempt(parts: Iterable[RulePart]) -> int:
    return sum(part.counts.exempt for part in parts)


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
