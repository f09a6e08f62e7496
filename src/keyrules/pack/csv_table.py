"""CSV for data that people edit and spreadsheets open: strict about bytes, so that an id is the same text everywhere.

A file is UTF-8 without a byte order mark, ends its lines with a bare line feed, and quotes a cell only where it must.
Whatever a spreadsheet changes on saving is therefore seen, and refused with file and line.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from os import PathLike
from typing import NamedTuple

from keyrules.terms import UsageError

# Spreadsheets run a cell that begins like this as a formula: https://owasp.org/www-community/attacks/CSV_Injection.
_FORMULA_STARTS = ("=", "+", "-", "@")
_PARTS = re.compile(r"[0-9]+|[^0-9]+")


class TableLine(NamedTuple):
    """One record. `where` is its file and line, as messages begin."""

    where: str
    cells: tuple[str, ...]


def read_table(path: str | PathLike[str], columns: Sequence[str]) -> list[TableLine]:
    """The records below the header, which must be exactly `columns`. Every cell is text, never a number.

    Raises UsageError for a file that cannot be read or is not written as the module says, for a record with other than
    len(columns) cells, and for a cell that has blanks around it, is not printable or begins like a formula.
    """
    lines = _text(path).split("\n")
    if lines.pop():
        raise UsageError(f"{path}, line {len(lines) + 1}: the last line has no end; add a line feed.")
    if not lines or lines[0] != ",".join(columns):
        raise UsageError(f"{path}, line 1: the header must be {','.join(columns)}.")
    where = [f"{path}, line {number}" for number in range(2, len(lines) + 1)]
    records = _plain(lines[1:], columns)
    if records is not None:
        return list(map(TableLine, where, records))
    return [_record(place, line, columns) for place, line in zip(where, lines[1:], strict=True)]


def write_rows(rows: Iterable[Sequence[str]]) -> str:
    """Records as this module reads them: bare line feeds, quotes only where they are needed."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def natural_order(text: str) -> list[tuple[int, int, str]]:
    """A sort key that compares numbers by value: 1.2 before 1.10, AC-2 before AC-2(1) before AC-10."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in _PARTS.findall(text)]


def _text(path: str | PathLike[str]) -> str:
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or type(error).__name__}.") from None
    if content.startswith(b"\xef\xbb\xbf"):
        raise UsageError(f"{path}, line 1: found a byte order mark; save the file as UTF-8 without one.")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{path}, line {line}: this is not UTF-8; save the file as UTF-8.") from None
    if "\r" in text:
        line = text.count("\n", 0, text.index("\r")) + 1
        raise UsageError(f"{path}, line {line}: found a carriage return; end lines with a line feed alone.")
    return text


def _plain(lines: Sequence[str], columns: Sequence[str]) -> list[tuple[str, ...]] | None:
    """All records at once, which takes half the time; None where one is not as it should be, to be named by itself."""
    try:
        records = list(map(tuple, csv.reader(lines, strict=True)))
    except csv.Error:
        return None
    cells = [cell for record in records for cell in record]
    right = (
        all(len(record) == len(columns) for record in records)
        and "".join(cells).isprintable()
        and not any(cell != cell.strip() or cell.startswith(_FORMULA_STARTS) for cell in cells)
        and write_rows(records) == "".join(f"{line}\n" for line in lines)
    )
    return records if right else None


def _record(where: str, line: str, columns: Sequence[str]) -> TableLine:
    try:
        records = list(csv.reader([line], strict=True))
    except csv.Error:
        raise UsageError(f"{where}: the quotes are not those of a CSV line; a cell must not span lines.") from None
    cells = tuple(records[0]) if records else ()
    if len(cells) != len(columns):
        raise UsageError(f"{where}: found {len(cells)} cells; allowed: {len(columns)} ({','.join(columns)}).")
    for column, cell in zip(columns, cells, strict=True):
        problem = (
            "blanks around it"
            if cell != cell.strip()
            else "a character that is not printable"
            if not cell.isprintable()
            else "a first character that makes a spreadsheet run it as a formula"
            if cell.startswith(_FORMULA_STARTS)
            else ""
        )
        if problem:
            raise UsageError(f"{where}: `{column}` has {problem}; write plain text.")
    if write_rows([cells]) != line + "\n":
        raise UsageError(f"{where}: a cell is in quotes that it does not need; leave them out.")
    return TableLine(where, cells)
