"""`--framework` and `--control`: which rules a framework runs, with which thresholds, and what its rows still claim."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from keyrules.controls.bounds import Bound, demanded, tightest
from keyrules.controls.model import ControlRow, FrameworkEdition, Frameworks, Relation
from keyrules.model import ParameterValue, Plane, Rule, Selection, UsageError
from keyrules.nearest import did_you_mean
from keyrules.pack.catalog import Pack
from keyrules.pack.parameters import show_value
from keyrules.pack.selection import select
from keyrules.records import dataclass, field, replace

ForSome: TypeAlias = Mapping[tuple[str, str], Sequence[ParameterValue]]
"""Values by rule and parameter that hold for some users only."""

_NONE: ForSome = {}
_DECLARED = "Code shows what is declared, and the live account decides; on code the rule is evidence."


@dataclass(frozen=True)
class FrameworkSelection:
    """What a run under a framework evaluates.

    `rows` are those of the framework (or of the one control) as far as this run can bear them out: on this plane and
    with these thresholds. `stricter` holds the (control, rule) pairs that run with a tighter limit than the control
    demands: there PASS still decides, and FAIL does not. `looser` says of those that run with a looser one why their
    PASS tells too little. `notes` say both in words.
    """

    edition: FrameworkEdition
    selection: Selection
    rows: tuple[ControlRow, ...]
    stricter: frozenset[tuple[str, str]]
    notes: tuple[str, ...]
    looser: Mapping[tuple[str, str], str] = field(default_factory=dict)


def framework_selections(
    pack: Pack,
    frameworks: Frameworks,
    wanted: Iterable[tuple[str, str | None]],
    settings: Sequence[str] = (),
    plane: Plane = Plane.LIVE,
    for_some: ForSome = _NONE,
) -> tuple[FrameworkSelection, ...]:
    """The rules of frameworks and of single controls, with the frameworks' own thresholds; one part for each edition.

    `wanted` are keys or aliases of editions, each with a control or, for the whole edition, None. All of it is one run:
    the parts share their selection. Where several controls bound the same parameter, the tightest bound is in force; a
    rule without a bound keeps its default. `settings` are the texts of `--set`, which win; one that is looser than a
    bound turns the row into a partial one with an open rest, and so does one of `for_some`, the values that hold for
    some users in its place. Raises UsageError for a framework or control that does not exist, for a setting that is
    wrong, and where no rule of this plane is mapped.
    """
    rules = {rule.id: rule for rule in pack.rules}
    asked: dict[str, set[str] | None] = {}
    said: dict[str, list[str]] = {}
    for name, control in dict.fromkeys(wanted):
        edition = frameworks.edition(name)
        aloud = said.setdefault(edition.key, [standing] if (standing := frameworks.standing(edition)) else [])
        if name != edition.key:
            aloud.insert(0, f"{name} is {edition.key} in this version of keyrules.")
        rows = edition.rows if control is None else find_control(frameworks, edition, control)
        mapped = [rules[rule_id] for rule_id in sorted({row.rule for row in rows if row.runs})]
        if not any(plane in rule.planes for rule in mapped):
            ids = ", ".join(rule.id for rule in mapped)
            reason = f"{ids} are for the other plane." if mapped else rows[-1].why
            what = f"{edition.key}:{control}" if control else edition.key
            raise UsageError(f"No rule evaluates {what} on the {plane.value} plane: {reason}")
        before = asked.get(edition.key, set())
        asked[edition.key] = None if control is None or before is None else before | {row.control for row in rows}
    parts = [(edition := frameworks.edition(key), _rows(edition, controls)) for key, controls in asked.items()]
    together = [row for _, rows in parts for row in rows]
    running = tuple(rules[rule_id] for rule_id in sorted({row.rule for row in together if row.runs}))
    selection = select(pack, settings=settings, framework=Selection(running, _own_values(together, rules)))
    return tuple(_part(edition, rows, rules, selection, plane, for_some, said[edition.key]) for edition, rows in parts)


def _rows(edition: FrameworkEdition, controls: set[str] | None) -> tuple[ControlRow, ...]:
    return tuple(row for row in edition.rows if controls is None or row.control in controls)


def _part(
    edition: FrameworkEdition,
    rows: Sequence[ControlRow],
    rules: Mapping[str, Rule],
    asked: Selection,
    plane: Plane,
    for_some: ForSome,
    said: Sequence[str],
) -> FrameworkSelection:
    """What the run bears out of one edition; `said` are the notes on the edition itself."""
    rows = [_on_plane(row, rules, plane) for row in rows]
    judged: list[ControlRow] = []
    for each in dict.fromkeys(row.control for row in rows):
        judged += _judged([row for row in rows if row.control == each], rules, asked, plane, for_some)
    ours = [row for row in rows if row.runs and plane in rules[row.rule].planes]
    loose, strict = _differences(ours, rules, asked, for_some)
    stricter = frozenset((row.control, row.rule) for row, _ in strict)
    forbidden = [_forbidden(edition, row) for row in rows if row.relation is Relation.CONTRADICTS]
    notes = tuple(dict.fromkeys([*said, *forbidden, *(note for _, note in [*loose, *strict])]))
    looser = {(row.control, row.rule): note for row, note in loose}
    return FrameworkSelection(edition, asked, tuple(judged), stricter, notes, looser)


def _on_plane(row: ControlRow, rules: Mapping[str, Rule], plane: Plane) -> ControlRow:
    """The row, as evidence where the other plane is the one that decides."""
    evidence = plane is Plane.CODE and row.runs and rules[row.rule].planes == frozenset(Plane)
    if not evidence or row.relation is Relation.SUPPORTS:
        return row
    return replace(row, relation=Relation.SUPPORTS, why=f"{row.why} {_DECLARED}")


def find_control(frameworks: Frameworks, edition: FrameworkEdition, control: str) -> tuple[ControlRow, ...]:
    """The rows of a control. Raises UsageError that says where an id of another edition went, or names the nearest."""
    rows = edition.rows_of(control)
    if rows:
        return rows
    for other in reversed(frameworks.series(edition)):
        elsewhere = other.rows_of(control)
        if not elsewhere:
            continue
        title = elsewhere[0].title
        here = next((row.control for row in edition.rows if row.title == title), None)
        fate = f"which is {here} here" if here else "which is not in this edition"
        raise UsageError(f"{edition.key} has no control {control!r}; in {other.key} it is {title!r}, {fate}.")
    meant = did_you_mean(control, edition.controls, 0.4)
    raise UsageError(f"{edition.key} has no control {control!r}; {meant}`keyrules controls {edition.key}` lists them.")


def split_control(text: str) -> tuple[str, str]:
    """`cis_aws_3.0.0:1.14` as framework and control. Raises UsageError for text of another form."""
    name, colon, control = text.partition(":")
    if not colon or not name or not control:
        raise UsageError(f"--control {text!r} is not of the form FRAMEWORK:ID, as in cis_aws_3.0.0:1.14.")
    return name, control


def _own_values(rows: Iterable[ControlRow], rules: Mapping[str, Rule]) -> dict[tuple[str, str], ParameterValue]:
    bounds: dict[tuple[str, str], list[Bound]] = {}
    for row in rows:
        if row.runs:
            for bound in demanded(row.bounds, rules[row.rule]):
                bounds.setdefault((row.rule, bound.parameter), []).append(bound)
    return {key: tightest(found) for key, found in sorted(bounds.items())}


def _judged(
    rows: Sequence[ControlRow], rules: Mapping[str, Rule], selection: Selection, plane: Plane, for_some: ForSome
) -> list[ControlRow]:
    """The rows of one control as this run bears them out; what no longer holds becomes a row that names the rest."""
    kept: list[ControlRow] = []
    rest = [row for row in rows if not row.rule]
    for row in rows:
        if not row.runs:
            continue
        rule = rules[row.rule]
        if plane not in rule.planes:
            if row.relation is not Relation.SUPPORTS:
                rest.append(_open(row, f"{rule.id} does not run on the {plane.value} plane."))
        elif row.relation is Relation.SUPPORTS:
            kept.append(row)
        elif missed := [
            bound for bound in demanded(row.bounds, rule) if not bound.allows(_value(selection, row, bound))
        ]:
            kept.append(replace(row, relation=Relation.PARTIAL))
            limits = " and ".join(map(str, missed))
            ran = " and ".join(f"{bound.parameter}={show_value(_value(selection, row, bound))}" for bound in missed)
            rest.append(_open(row, f"{rule.id} ran with {ran}, looser than {limits}, which the control demands."))
        elif missed := [bound for bound in demanded(row.bounds, rule) if _loose_for_some(row, bound, for_some)]:
            kept.append(replace(row, relation=Relation.PARTIAL))
            limits = " and ".join(map(str, missed))
            why = f"{rule.id} ran with a limit looser than {limits} for some users, which the control does not allow."
            rest.append(_open(row, why))
        else:
            kept.append(row)
    if kept and all(row.relation is Relation.SUPPORTS for row in kept):
        return kept
    if kept or rest:
        return kept + rest
    only = rows[0]
    return [_open(only, f"No rule runs on the {plane.value} plane." if only.runs else only.why)]


def _differences(
    rows: Iterable[ControlRow], rules: Mapping[str, Rule], selection: Selection, for_some: ForSome
) -> tuple[list[tuple[ControlRow, str]], list[tuple[ControlRow, str]]]:
    """Rows that run with a looser limit than their control demands, and rows with a stricter one, each with a note."""
    loose, strict = [], []
    for row in rows:
        for bound in demanded(row.bounds, rules[row.rule]):
            value = _value(selection, row, bound)
            name = f"{row.rule}.{bound.parameter}={show_value(value)}"
            if not bound.allows(value):
                loose.append((row, f"{name} is looser than {bound} of {row.control}, {_effect(row)}."))
            elif others := _loose_for_some(row, bound, for_some):
                name = f"{row.rule}.{bound.parameter}={' and '.join(map(show_value, others))}"
                loose.append((row, f"{name} for some users is looser than {bound} of {row.control}, {_effect(row)}."))
            elif value != bound.value:
                effect = "what fails may still satisfy the control"
                strict.append((row, f"{name} is stricter than {bound} of {row.control}, so {effect}."))
            elif others := [value for value in for_some.get((row.rule, bound.parameter), ()) if value != bound.value]:
                name = f"{row.rule}.{bound.parameter}={' and '.join(map(show_value, others))}"
                effect = "what fails there may still satisfy the control"
                strict.append((row, f"{name} for some users is stricter than {bound} of {row.control}, so {effect}."))
    return loose, strict


def _forbidden(edition: FrameworkEdition, row: ControlRow) -> str:
    return f"{row.rule} never runs for {edition.key}, because {row.control} forbids what it demands: {row.why}"


def _effect(row: ControlRow) -> str:
    """What a limit that is too loose does to a control."""
    if row.relation is Relation.SUPPORTS:
        return "so what passes is no evidence for the control"
    return "so the control is partly assessed at most"


def _value(selection: Selection, row: ControlRow, bound: Bound) -> ParameterValue:
    return selection.overrides[row.rule, bound.parameter]


def _loose_for_some(row: ControlRow, bound: Bound, for_some: ForSome) -> list[ParameterValue]:
    return [value for value in for_some.get((row.rule, bound.parameter), ()) if not bound.allows(value)]


def _open(row: ControlRow, why: str) -> ControlRow:
    return ControlRow(row.control, row.title, Relation.NOT_COVERED, "", (), row.sources, why, row.statement)
