"""What `keyrules controls` shows, as tables of text, and those tables in each format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from keyrules.controls.model import (
    ControlRow,
    Coverage,
    FrameworkEdition,
    Frameworks,
    Relation,
    Removed,
    coverage,
)
from keyrules.controls.tables import CONTROL_COLUMNS
from keyrules.model import Rule, UsageError
from keyrules.pack.catalog import Pack
from keyrules.pack.csv_table import write_rows
from keyrules.records import dataclass
from keyrules.reports.json import dump
from keyrules.reports.text_style import wrap

_WIDTH = 100
_NONE = "–"
_DECIDED = {
    Coverage.FULL: "the whole control",
    Coverage.PART: "a part of the control",
    Coverage.EVIDENCE: "nothing, they give evidence only",
    Coverage.NONE: "nothing",
}
_LETTERS = {Relation.IMPLEMENTS: "I", Relation.PARTIAL: "P", Relation.SUPPORTS: "s", Relation.CONTRADICTS: "X"}


@dataclass(frozen=True)
class Table:
    """`columns` name the cells of each row. `wide` are columns that text output leaves out for want of room."""

    view: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    wide: tuple[str, ...] = ()


def list_table(frameworks: Frameworks) -> Table:
    """Every framework edition, with the number of its controls by how much of each the rules decide."""
    rows = []
    for edition in frameworks.editions:
        counts = Counter(coverage(edition.rows_of(control)) for control in edition.controls)
        numbers = tuple(str(counts[each]) for each in Coverage)
        rows.append(
            (
                *(edition.key, edition.name, edition.publisher, edition.published, str(edition.checked_on), *numbers),
                edition.status.value,
            )
        )
    notes = (
        "Controls are counted by what the rules decide: the whole control, a part of it, nothing but evidence for it, "
        "or nothing at all.",
        "CIS AWS Foundations editions list every control of their section on identity; the others list what a rule "
        "touches. A control that is not listed is not covered.",
        "Mappings are readings of scanners, of AWS and our own, each row with its source; no assessor's opinion.",
    )
    columns = (
        "framework",
        "name",
        "publisher",
        "published",
        "checked_on",
        *(each.value for each in Coverage),
        "status",
    )
    return Table("frameworks", "Frameworks", columns, tuple(rows), notes, wide=("publisher", "published", "checked_on"))


def framework_table(frameworks: Frameworks, edition: FrameworkEdition) -> Table:
    """The rows of one edition, and the controls that it no longer has, as rows without an id; and how it stands.

    Where levels are known, two columns more say which one a control has and how it is assessed, by source where sources
    differ.
    """
    rows: list[tuple[str, ...]] = [_cells(row) for row in edition.rows]
    columns: tuple[str, ...] = CONTROL_COLUMNS
    gone: list[tuple[str, ...]] = [
        _removed(entry, rule) for entry in frameworks.removed_from(edition) for rule in entry.rules or ("",)
    ]
    if any((edition.key, control) in frameworks.levels for control in edition.controls):
        columns = (*CONTROL_COLUMNS, "level", "assessment")
        rows = [(*row, *level_of(frameworks, edition, row[0])) for row in rows]
        gone = [(*row, "", "") for row in gone]
    return Table(
        "framework",
        f"{edition.name} ({edition.key})",
        columns,
        (*rows, *gone),
        tuple(_open(frameworks, edition)),
        wide=("statement", "source", "why"),
    )


def level_of(frameworks: Frameworks, edition: FrameworkEdition, control: str) -> tuple[str, str]:
    """The level and the assessment of a control: one word where the sources agree, each with its sources where not."""
    told: list[str] = []
    for name in ("level", "assessment"):
        words: dict[str, list[str]] = {}
        for each in frameworks.levels.get((edition.key, control), ()):
            if word := getattr(each, name):
                words.setdefault(word, []).extend(each.sources)
        by_source = [f"{word} ({', '.join(sorted(sources))})" for word, sources in words.items()]
        told.append("; ".join(by_source if len(words) > 1 else words))
    return told[0], told[1]


def _open(frameworks: Frameworks, edition: FrameworkEdition) -> Iterable[str]:
    """How an edition stands, what it forbids, and which of its controls stay open and why.

    A control for which there is only evidence counts as open where the rules decide other controls of the edition:
    frameworks about organizations have nothing but evidence.
    """
    if standing := frameworks.standing(edition):
        yield standing
    decides = any(row.relation is Relation.IMPLEMENTS for row in edition.rows)
    for row in edition.rows:
        if row.relation is Relation.CONTRADICTS:
            yield f"{row.rule} never runs, because {row.control} forbids what it demands: {row.why}"
        rows = edition.rows_of(row.control)
        evidence = decides and coverage(rows) is Coverage.EVIDENCE and row == rows[0]
        if row.relation is Relation.NOT_COVERED or evidence:
            yield f"Open: {row.control} {row.title}{f' ({row.rule} is evidence)' if evidence else ''}: {row.why}"


def control_table(frameworks: Frameworks, edition: FrameworkEdition, rows: Sequence[ControlRow]) -> Table:
    """The rows of one control, with the reason and the sources of each in words."""
    notes = [standing] if (standing := frameworks.standing(edition)) else []
    level, assessment = level_of(frameworks, edition, rows[0].control)
    if level:
        notes.append(f"Level {level}, {assessment}.")
    notes.append(f"Decided by the rules: {_DECIDED[coverage(rows)]}.")
    notes += [f"{row.rule or 'No rule'}: {row.why}" for row in rows]
    for key in sorted({key for row in rows for key in row.sources}):
        notes.append(f"Source: {frameworks.sources[key].title}, {frameworks.sources[key].url}")
    cells = tuple(_cells(row) for row in rows)
    title = f"{edition.name} ({edition.key})"
    return Table("control", title, CONTROL_COLUMNS, cells, tuple(notes), wide=("statement", "source", "why"))


def rule_table(frameworks: Frameworks, rule: Rule) -> Table:
    """The controls of one rule across all editions, and the editions that removed them."""
    rows: list[tuple[str, ...]] = []
    for edition in frameworks.editions:
        rows += [(edition.key, *_cells(row)) for row in edition.rows if row.rule == rule.id]
        gone = [entry for entry in frameworks.removed_from(edition) if rule.id in entry.rules]
        rows += [(edition.key, *_removed(entry, rule.id)) for entry in gone]
    notes = tuple(f"{entry.publisher}: {entry.why}" for entry in frameworks.unmapped if entry.rule == rule.id)
    columns = ("framework", *CONTROL_COLUMNS)
    return Table(
        "rule", f"{rule.id}  {rule.name}", columns, tuple(rows), notes, wide=("rule", "statement", "source", "why")
    )


def matrix_table(pack: Pack, frameworks: Frameworks, letters: bool) -> Table:
    """Editions by rules. Cells hold control ids or, with `letters`, only how the rule relates at best."""
    rows = []
    for edition in frameworks.editions:
        found = {rule.id: [row for row in edition.rows if row.rule == rule.id] for rule in pack.rules}
        cells = [_best(found[rule.id]) if letters else "; ".join(_ids(found[rule.id])) for rule in pack.rules]
        rows.append((edition.key, *cells))
    heads = [rule.id.removeprefix("KEY_AWS_") if letters else rule.id for rule in pack.rules]
    notes = (
        "I implements, P partial, s supports, X contradicts, blank: no mapping. Columns are KEY_AWS_ rule numbers.",
    )
    return Table("matrix", "Rules by framework", ("framework", *heads), tuple(rows), notes if letters else ())


def diff_table(frameworks: Frameworks, old: FrameworkEdition, new: FrameworkEdition) -> Table:
    """What moved between two editions of a framework. Raises UsageError for editions of different frameworks.

    A control is the same where its title is: titles are ours, and stay what they are from edition to edition.
    """
    if old.title != new.title:
        raise UsageError(f"{old.key} and {new.key} are different frameworks; --diff compares editions of one.")
    rows = []
    for title in dict.fromkeys(row.title for row in [*old.rows, *new.rows]):
        left, right = ([row for row in edition.rows if row.title == title] for edition in (old, new))
        ids = ["; ".join(_ids(side)) for side in (left, right)]
        rules = ", ".join(dict.fromkeys(row.rule for row in [*left, *right] if row.rule))
        rows.append((_change(left, right), *ids, title, rules, _bound_change(left, right)))
    counts = Counter(word for row in rows for word in row[0].split(" and "))
    words = ("unchanged", "moved", "changed", "removed", "added")
    columns = ("change", old.key, new.key, "title", "rules", "bound")
    note = "; ".join(f"{counts[word]} {word}" for word in words) + "."
    return Table("diff", f"{old.name} → {new.edition}", columns, tuple(rows), (note,))


def render(table: Table, form: str, head: Mapping[str, str]) -> str:
    """A table in one of TABLE_FORMATS, with a line feed at its end. `head` is what JSON says before the table."""
    if form == "csv":
        return write_rows([table.columns, *table.rows])
    if form == "json":
        rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
        return dump({**head, "view": table.view, "title": table.title, "rows": rows, "notes": list(table.notes)})
    if form == "markdown":
        lines = [f"## {table.title}", "", _pipes(table.columns), _pipes(["---"] * len(table.columns))]
        lines += [_pipes(row) for row in table.rows]
        return "\n".join([*lines, *(line for note in table.notes for line in ("", note))]) + "\n"
    return _text(table)


def _text(table: Table) -> str:
    shown = [number for number, column in enumerate(table.columns) if column not in table.wide]
    cells = [
        [row[number] or _NONE if table.view != "matrix" else row[number] for number in shown] for row in table.rows
    ]
    head = [table.columns[number].upper() for number in shown]
    widths = [max(len(cell) for cell in column) for column in zip(head, *cells, strict=True)]
    lines = [table.title, ""]
    for row in [head, *cells]:
        lines.append("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for note in table.notes:
        lines += ["", *wrap(note, _WIDTH)]
    return "\n".join(lines) + "\n"


def _cells(row: ControlRow) -> tuple[str, ...]:
    bound = ";".join(str(each) for each in row.bounds)
    return row.control, row.title, row.relation.value, row.rule, bound, row.statement, ";".join(row.sources), row.why


def _removed(entry: Removed, rule: str) -> tuple[str, ...]:
    why = f"It was {entry.control} in {entry.framework}. {entry.why}"
    return "", entry.title, "removed", rule, "", "", ";".join(entry.sources), why


def _ids(rows: Iterable[ControlRow]) -> list[str]:
    return list(dict.fromkeys(row.control for row in rows))


def _best(rows: Iterable[ControlRow]) -> str:
    relations = {row.relation for row in rows}
    return next((letter for relation, letter in _LETTERS.items() if relation in relations), "")


def _bound_change(left: Sequence[ControlRow], right: Sequence[ControlRow]) -> str:
    before, after = (
        ";".join(dict.fromkeys(str(each) for row in side for each in row.bounds)) for side in (left, right)
    )
    return f"{before or _NONE} → {after or _NONE}" if left and right and before != after else before or after


def _change(left: Sequence[ControlRow], right: Sequence[ControlRow]) -> str:
    if not left or not right:
        return "removed" if left else "added"
    moved = _ids(left) != _ids(right)
    claims = [[(row.relation, row.rule, row.bounds) for row in side] for side in (left, right)]
    words = ["moved"] * moved + ["changed"] * (claims[0] != claims[1])
    return " and ".join(words) or "unchanged"


def _pipes(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|').replace('<=', '≤').replace('>=', '≥') for cell in cells)} |"
