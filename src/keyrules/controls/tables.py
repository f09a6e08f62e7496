"""Reads rules/controls, the files behind control_model: strict, or not at all.

Every refusal is a UsageError of one sentence: file and line, what was found, what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import NoReturn

from keyrules.completion.pack_names import FRAMEWORK_COLUMNS
from keyrules.controls.bounds import parse_bounds, unbounded
from keyrules.controls.model import (
    ControlRow,
    FrameworkEdition,
    Frameworks,
    Level,
    Relation,
    Removed,
    Source,
    Status,
    Unmapped,
)
from keyrules.model import Rule, UsageError
from keyrules.nearest import nearest
from keyrules.pack.catalog import Pack
from keyrules.pack.csv_table import TableLine, natural_order, read_table

CONTROL_COLUMNS = ("control", "title", "relation", "rule", "bound", "statement", "source", "why")
SOURCE_COLUMNS = ("key", "title", "url")
REMOVED_COLUMNS = ("framework", "control", "removed_in", "source", "why")
LEVEL_COLUMNS = ("framework", "control", "level", "assessment", "source")
UNMAPPED_COLUMNS = ("rule", "publisher", "why")
_ASSESSMENTS = ("automated", "manual", "scored", "not scored")
"""CIS calls controls scored or not scored in 1.2.0, automated or manual since."""
_KEY = re.compile(r"[a-z][a-z0-9_]*(\.[0-9]+)*\Z")
# A token of OSCAL, because statements are ids in OSCAL catalogs: https://pages.nist.gov/OSCAL/reference/datatypes/#token.
_STATEMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_.-]*)?\Z")
_URL = re.compile(r"https://\S+\Z")
_PUBLISHED = re.compile(r"([0-9]{4}(-(0[1-9]|1[0-2])(-[0-9]{2})?)?)?\Z")
# What spreadsheets make of ids that look like numbers or dates to them.
_MANGLED = re.compile(
    r"""[0-9]+,[0-9]+ | [0-9]+(\.[0-9]+)?E[+-]?[0-9]+ | \#[A-Z/0]+[!?]? | '.*
    | [0-9]{1,4}[-/][0-9]{1,2}[-/][0-9]{1,4} | [0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4}
    | ([0-9]{1,2}-)?(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)(-[0-9]{1,4})?""",
    re.VERBOSE | re.IGNORECASE,
)


def load_frameworks(pack: Pack, root: Path | None = None) -> Frameworks:
    """Reads every file of a folder (default: `controls` beside the rule files).

    Raises UsageError at the first thing that is wrong.
    """
    folder = pack.root / "controls" if root is None else root
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder of framework files.")
    return _Loader(pack, folder).load()


class _Loader:
    """The checks of one folder; each method takes one kind of file."""

    def __init__(self, pack: Pack, folder: Path) -> None:
        self.rules = {rule.id: rule for rule in pack.rules}
        self.folder = folder
        self.sources: dict[str, Source] = {}
        self.editions: dict[str, FrameworkEdition] = {}

    def load(self) -> Frameworks:
        self.sources = self._sources(self.folder / "sources.csv")
        self.editions = self._frameworks(self.folder / "frameworks.csv")
        expected = {"frameworks.csv", "levels.csv", "removed.csv", "sources.csv", "unmapped.csv"} | {
            f"{key}.csv" for key in self.editions
        }
        for path in sorted(self.folder.iterdir()):
            if path.name not in expected:
                raise UsageError(f"{path} belongs to no framework; name it in frameworks.csv or remove it.")
        removed = tuple(self._removed(self.folder / "removed.csv"))
        unmapped = tuple(self._unmapped(self.folder / "unmapped.csv"))
        levels = self._levels(self.folder / "levels.csv")
        return Frameworks(tuple(self.editions.values()), self.sources, removed, unmapped, levels)

    def _sources(self, path: Path) -> dict[str, Source]:
        lines = read_table(path, SOURCE_COLUMNS)
        _check_order(lines, 1)
        found = {}
        for line in lines:
            key, title, url = line.cells
            _key(line, "key", key)
            _filled(line, "title", title)
            _url(line, url)
            found[key] = Source(key, title, url)
        return found

    def _frameworks(self, path: Path) -> dict[str, FrameworkEdition]:
        lines = read_table(path, FRAMEWORK_COLUMNS)
        _check_order(lines, 1)
        if not lines:
            raise UsageError(f"{path}, line 2: there is no framework; add one.")
        found = {}
        for line in lines:
            key, title, edition, publisher, url, published, checked_on, *standing = line.cells
            _key(line, "key", key)
            for column, cell in (("title", title), ("edition", edition), ("publisher", publisher)):
                _filled(line, column, cell)
            _url(line, url)
            if not _PUBLISHED.match(published):
                _refuse(line, "published", repr(published), "a year, a month or a day as in 2024-01-31, or nothing")
            rows = tuple(self._rows(self.folder / f"{key}.csv"))
            checked = _day(line, checked_on)
            found[key] = FrameworkEdition(
                key, title, edition, publisher, url, published, checked, rows, *_standing(line, *standing)
            )
        for line in lines:
            by = found[line.cells[0]].superseded_by
            if by and (by not in found or by == line.cells[0]):
                _refuse(line, "superseded_by", repr(by), "the key of another edition, or nothing")
        return found

    def _rows(self, path: Path) -> list[ControlRow]:
        lines = read_table(path, CONTROL_COLUMNS)
        rows: list[ControlRow] = []
        for line in lines:
            row = self._row(line)
            if rows:
                _check_after(line, row, rows[-1])
            rows.append(row)
        if not rows:
            raise UsageError(f"{path}, line 2: there is no control; add one.")
        for _, group in groupby(zip(lines, rows, strict=True), key=lambda pair: pair[1].control):
            _check_together(lines, list(group))
        forbidden = {row.rule: row.control for row in rows if row.relation is Relation.CONTRADICTS}
        for line, row in zip(lines, rows, strict=True):
            if row.runs and row.rule in forbidden:
                wrong = f"{row.relation.value} with {row.rule}, which contradicts {forbidden[row.rule]}"
                _refuse(line, "relation", wrong, "contradicts, because a rule runs for the whole edition or never")
        return rows

    def _row(self, line: TableLine) -> ControlRow:
        control, title, word, rule_id, bound, statement, source, why = line.cells
        _filled(line, "control", control)
        if _MANGLED.fullmatch(control):
            _refuse(
                line,
                "control",
                repr(control),
                "the id as the framework prints it; a spreadsheet seems to have changed it",
            )
        for column, cell in (("title", title), ("why", why)):
            _filled(line, column, cell)
        if not why.endswith("."):
            _refuse(line, "why", "no full stop at its end", "a sentence")
        if not _STATEMENT.match(statement):
            _refuse(line, "statement", repr(statement), "an id as in ia-5_smt.f, or nothing")
        try:
            relation = Relation(word)
        except ValueError:
            _refuse(line, "relation", repr(word), ", ".join(relation.value for relation in Relation))
        if relation is Relation.NOT_COVERED:
            if rule_id or bound:
                _refuse(line, "rule" if rule_id else "bound", "a value", "nothing, because the relation is not_covered")
            return ControlRow(control, title, relation, "", (), self._cited(line, source), why, statement)
        rule = self._rule(line, rule_id)
        if relation is Relation.CONTRADICTS and bound:
            _refuse(line, "bound", "a value", "nothing, because the relation is contradicts")
        bounds = parse_bounds(bound, rule, line.where)
        if relation is Relation.IMPLEMENTS and (open_ends := unbounded(bounds, rule)):
            _refuse(
                line,
                "bound",
                f"no limit on {open_ends[0]}",
                "a limit on each number, because the relation is implements",
            )
        return ControlRow(control, title, relation, rule.id, bounds, self._cited(line, source), why, statement)

    def _rule(self, line: TableLine, rule_id: str) -> Rule:
        rule = self.rules.get(rule_id)
        if rule is None:
            like = nearest(rule_id, self.rules) or next(iter(self.rules))
            _refuse(line, "rule", repr(rule_id), f"an id of the pack, such as {like}")
        return rule

    def _cited(self, line: TableLine, text: str) -> tuple[str, ...]:
        keys = text.split(";")
        for key in keys:
            if key not in self.sources:
                _refuse(
                    line, "source", repr(key), f"keys of sources.csv joined by semicolons: {', '.join(self.sources)}"
                )
        if keys != sorted(set(keys)):
            _refuse(line, "source", repr(text), "each key once, sorted")
        return tuple(keys)

    def _removed(self, path: Path) -> Iterable[Removed]:
        lines = read_table(path, REMOVED_COLUMNS)
        _check_order(lines, 2)
        titles: dict[str, list[str]] = {}
        for known in self.editions.values():
            titles.setdefault(known.title, []).append(known.key)
        for line in lines:
            key, control, removed_in, source, why = line.cells
            edition = self.editions.get(key)
            if edition is None:
                _refuse(line, "framework", repr(key), "a key of frameworks.csv")
            rows = edition.rows_of(control)
            if not rows:
                _refuse(line, "control", repr(control), f"a control of {key}")
            series = titles[edition.title]
            after = series[series.index(key) + 1 :][:1]
            if [removed_in] != after:
                _refuse(
                    line,
                    "removed_in",
                    repr(removed_in),
                    f"the edition after {key}, {after[0] if after else 'of which there is none'}",
                )
            if any(row.title == rows[0].title for row in self.editions[removed_in].rows):
                raise UsageError(f"{line.where}: {removed_in} still has the control {rows[0].title!r}; it moved.")
            _filled(line, "why", why)
            rules = tuple(sorted({row.rule for row in rows if row.runs}))
            yield Removed(key, control, rows[0].title, rules, removed_in, self._cited(line, source), why)

    def _levels(self, path: Path) -> dict[tuple[str, str], tuple[Level, ...]]:
        lines = read_table(path, LEVEL_COLUMNS)
        _check_order([TableLine(line.where, (*line.cells[:2], line.cells[4])) for line in lines], 3)
        controls = {key: frozenset(edition.controls) for key, edition in self.editions.items()}
        found: dict[tuple[str, str], tuple[Level, ...]] = {}
        for line in lines:
            key, control, level, assessment, source = line.cells
            if key not in self.editions:
                _refuse(line, "framework", repr(key), "a key of frameworks.csv")
            if control not in controls[key]:
                _refuse(line, "control", repr(control), f"a control of {key}")
            if level not in ("1", "2"):
                _refuse(line, "level", repr(level), "1, 2")
            if assessment and assessment not in _ASSESSMENTS:
                _refuse(line, "assessment", repr(assessment), f"{', '.join(_ASSESSMENTS)}, or nothing")
            said = found.get((key, control), ())
            sources = self._cited(line, source)
            if twice := next((name for each in said for name in each.sources if name in sources), None):
                _refuse(line, "source", repr(twice), "each source once for a control")
            found[key, control] = (*said, Level(level, assessment, sources))
        return found

    def _unmapped(self, path: Path) -> Iterable[Unmapped]:
        lines = read_table(path, UNMAPPED_COLUMNS)
        _check_order(lines, 2)
        for line in lines:
            rule_id, publisher, why = line.cells
            rule = self._rule(line, rule_id)
            theirs = [edition for edition in self.editions.values() if edition.publisher == publisher]
            if not theirs:
                known = sorted({edition.publisher for edition in self.editions.values()})
                _refuse(line, "publisher", repr(publisher), ", ".join(known))
            mapped = next((edition.key for edition in theirs if rule.id in edition.rules), None)
            if mapped:
                raise UsageError(
                    f"{line.where}: {mapped} maps {rule.id}, so there is no reason to give; remove the line."
                )
            _filled(line, "why", why)
            yield Unmapped(rule.id, publisher, why)


def _check_after(line: TableLine, row: ControlRow, before: ControlRow) -> None:
    if (row.control, row.rule) == (before.control, before.rule):
        pair = f"{row.control} with {row.rule or 'no rule'}"
        raise UsageError(
            f"{line.where}: {pair} stands here a second time; a spreadsheet may have turned 1.10 into 1.1."
        )
    rules = [(not each.rule, each.rule) for each in (before, row)]
    if rules[1] < rules[0] if row.control == before.control else _earlier(row.control, before.control):
        raise UsageError(
            f"{line.where}: {row.control} {row.rule} must not come after {before.control} {before.rule}; sort by "
            "control (1.2 before 1.10) and rule, no rule last. A spreadsheet may have turned 1.10 into 1.1."
        )
    if row.control == before.control and row.title != before.title:
        _refuse(line, "title", repr(row.title), f"the title that {row.control} has above, {before.title!r}")


def _check_together(lines: Sequence[TableLine], rows: Sequence[tuple[TableLine, ControlRow]]) -> None:
    """Whether the rows of one control make sense side by side."""
    relations = [row.relation for _, row in rows]
    line = rows[-1][0]
    if Relation.IMPLEMENTS in relations and (Relation.PARTIAL in relations or Relation.NOT_COVERED in relations):
        _refuse(line, "relation", "a part beside a row that implements the whole control", "implements and supports")
    if Relation.SUPPORTS in relations and Relation.NOT_COVERED in relations and Relation.PARTIAL not in relations:
        _refuse(line, "relation", "not_covered beside supports, which decides nothing anyway", "supports alone")
    if relations.count(Relation.PARTIAL) == 1 and Relation.NOT_COVERED not in relations:
        _refuse(
            line, "relation", "one part of the control only", "a row for the other part, or not_covered that names it"
        )


def _earlier(control: str, than: str) -> bool:
    return natural_order(control) < natural_order(than)


def _check_order(lines: Sequence[TableLine], columns: int) -> None:
    """The first cells identify a record: sorted, numbers by value, and each once."""
    orders = [[natural_order(cell) for cell in line.cells[:columns]] for line in lines]
    for line, order, before in zip(lines[1:], orders[1:], orders, strict=False):
        if order == before:
            raise UsageError(f"{line.where}: {', '.join(line.cells[:columns])} stands here a second time.")
        if order < before:
            raise UsageError(f"{line.where}: {', '.join(line.cells[:columns])} is out of order; sort by it.")


def _key(line: TableLine, column: str, text: str) -> None:
    if not _KEY.match(text):
        _refuse(
            line, column, repr(text), "lower-case words joined by underscores, with a version like 3.0.0 at the end"
        )


def _filled(line: TableLine, column: str, text: str) -> None:
    if not text:
        _refuse(line, column, "nothing", "text")


def _url(line: TableLine, text: str) -> None:
    if not _URL.match(text):
        _refuse(line, "url", repr(text), "an address that starts with https://")


def _day(line: TableLine, text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        _refuse(line, "checked_on", repr(text), "a day as in 2026-01-31")
    return day


def _standing(line: TableLine, word: str, by: str, retired_on: str, note: str) -> tuple[Status, str, str, str]:
    try:
        status = Status(word)
    except ValueError:
        _refuse(line, "status", repr(word), ", ".join(each.value for each in Status))
    if not _PUBLISHED.match(retired_on):
        _refuse(line, "retired_on", repr(retired_on), "a year, a month or a day as in 2024-01-31, or nothing")
    for column, cell in (("superseded_by", by), ("retired_on", retired_on)):
        if status is Status.CURRENT and cell:
            _refuse(line, column, repr(cell), "nothing, because the status is current")
    if status is Status.SUPERSEDED and not by and not note:
        _refuse(line, "superseded_by", "nothing", "the key of the edition after it, or a note that says which it is")
    if note and not note.endswith("."):
        _refuse(line, "note", "no full stop at its end", "a sentence, or nothing")
    return status, by, retired_on, note


def _refuse(line: TableLine, column: str, found: str, allowed: str) -> NoReturn:
    raise UsageError(f"{line.where}: `{column}` has {found}; allowed: {allowed}.")
