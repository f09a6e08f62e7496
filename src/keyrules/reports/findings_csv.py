"""The findings of either plane as CSV, for spreadsheets and mail: one line per finding, one header line.

A cell that a spreadsheet would run as a formula (user names and paths may begin with =, +, - or @) gets an apostrophe
in front (https://owasp.org/www-community/attacks/CSV_Injection). What could not be evaluated at all follows as lines
with the status ERROR, and what was only counted as one with NOT_LISTED, so that a file without findings cannot be
mistaken for a clean account; WARNING lines are about exceptions, PARAMETER lines say what each parameter of each rule
is set to and by whom, and a CONFIGURATION line says what a configuration file did to the run.

With a baseline, `baseline` says new, known or resolved, and `first_seen` since when: findings of the baseline are
listed, too, those that are gone with the status RESOLVED. `declared_…` say what declares a key where the run was given
code or states; of several the surest comes first, and JSON has all. `measured` says what a verdict rests on. Columns
are only ever added at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Final

from keyrules.model import DeclaredAt, Evaluation, Exemption, Finding, ResolvedFinding, Status, Subject
from keyrules.pack.parameters import show_value
from keyrules.reports.json import declared_document
from keyrules.reports.measured import Measures
from keyrules.reports.parameters import provenance
from keyrules.reports.report_summary import not_listed
from keyrules.reports.text_style import ReportOptions, count_of, iso_utc, printable

COLUMNS: Final = (
    "rule",
    "severity",
    "status",
    "account",
    "user",
    "subject",
    "key_id",
    "owner",
    "created_at",
    "last_used_at",
    "path",
    "line",
    "address",
    "reason",
    "message",
    "remediation",
    "fingerprint",
    "exemption",
    "exception_owner",
    "exception_expires",
    "exception_ticket",
    "exception_place",
    "baseline",
    "first_seen",
    "moved_from",
    "declared_path",
    "declared_line",
    "declared_address",
    "declared_state",
    "declared_certainty",
    "declared_evidence",
    "measured",
)
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_RISKY: Final = frozenset((*_FORMULA_STARTS, " "))
_PRINTABLE: Final = bytes(range(0x20, 0x7F))


def csv_lines(rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """Rows as lines of CSV (RFC 4180, with line feeds), in cells that no spreadsheet runs and no terminal obeys.

    No cell has a line break then, so that a comma and a quotation mark are all that needs quotes; csv.writer, which
    asks each character, takes as long as everything else about a row.
    """
    for row in rows:
        cells = list(row)
        if not _is_printable("".join(cells)):
            cells = [printable(_unrun(cell)) for cell in cells]
        line = [_cell(cell) if cell and (cell[0] in _RISKY or "," in cell or '"' in cell) else cell for cell in cells]
        yield ",".join(line) + "\n"


def _is_printable(text: str) -> bool:
    """str.isprintable, which takes longer than all else about a row, is asked about what is not ASCII only."""
    return not text.encode().translate(None, _PRINTABLE) if text.isascii() else text.isprintable()


def _unrun(cell: str) -> str:
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA_STARTS) else cell


def _cell(cell: str) -> str:
    safe = _unrun(cell)
    if "," not in safe and '"' not in safe:
        return safe
    doubled = safe.replace('"', '""')
    return f'"{doubled}"'


def render(evaluation: Evaluation, options: ReportOptions) -> Iterator[str]:
    """The findings in their order, then the errors; `options` change nothing."""
    del options
    return csv_lines(chain([COLUMNS], _rows(evaluation)))


def _rows(evaluation: Evaluation) -> Iterator[Sequence[str]]:
    baseline, measures = evaluation.baseline, Measures(evaluation.rules)
    for finding in evaluation.findings:
        is_new = baseline is not None and finding.status in (Status.FAIL, Status.UNKNOWN)
        yield (*_finding(finding, "new" if is_new else ""), measures.of(finding))
    if baseline is not None:
        for known in baseline.known:
            cells = _finding(known.finding, "known", iso_utc(known.first_seen), known.moved_from or "")
            yield (*cells, measures.of(known.finding))
        yield from map(_resolved, baseline.resolved)
    for error in evaluation.errors:
        yield _remark("ERROR", error.message, path=error.input, reason=error.kind)
    yield from remark_rows(evaluation, _remark)


def _remark(status: str, message: str, **cells: str) -> Sequence[str]:
    """A row that is about the run, and no finding."""
    full = {"status": status, "message": message, **cells}
    return [full.get(column, "") for column in COLUMNS]


def remark_rows(evaluation: Evaluation, row: Callable[..., Sequence[str]]) -> Iterator[Sequence[str]]:
    """What was only counted, the warnings, the parameters in force and what the configuration did.

    `row` takes a status, a message and, by name, what other cells hold.
    """
    if unlisted := not_listed(evaluation):
        yield row("NOT_LISTED", f"{count_of(unlisted, 'failed or unknown verdict')} counted and not listed")
    yield from (row("WARNING", warning) for warning in evaluation.warnings)
    for each in evaluation.parameters:
        yield row("PARAMETER", f"{each.name}={show_value(each.value)} ({provenance(each)})", rule=each.rule)
    if evaluation.configuration is not None:
        yield row("CONFIGURATION", evaluation.configuration.sentence)


def _finding(finding: Finding, baseline: str = "", first_seen: str = "", moved_from: str = "") -> Sequence[str]:
    """The cells of a finding, as COLUMNS has them, but for what was measured."""
    subject, location, exception = finding.subject, finding.location, finding.exception
    return (
        finding.rule,
        finding.severity.name,
        finding.status.value,
        *(_subject(subject) if subject is not None else _NO_SUBJECT),
        str(finding.facts.get("last_used_at") or "") if subject is not None else "",
        *((location.path, str(location.start_line), location.address) if location is not None else _NO_PLACE),
        finding.reason,
        finding.message,
        finding.remediation,
        finding.fingerprint,
        finding.exemption or "",
        *(_exception(exception) if exception is not None else _NO_EXCEPTION),
        baseline,
        first_seen,
        moved_from,
        *(_declared(finding.declared[0]) if finding.declared else _NOT_DECLARED),
    )


_NO_SUBJECT: Final = ("",) * 6
_NO_PLACE: Final = ("",) * 3
_NO_EXCEPTION: Final = ("",) * 4
_NOT_DECLARED: Final = ("",) * 6


def _subject(subject: Subject) -> Sequence[str]:
    return (
        subject.account or "",
        subject.user or "",
        subject.name,
        subject.key_id or "",
        subject.owner or "",
        subject.created_text or (iso_utc(subject.created_at) if subject.created_at is not None else ""),
    )


def _exception(exception: Exemption) -> Sequence[str]:
    return (exception.owner, exception.expires.isoformat(), exception.ticket or "", exception.place)


def _declared(place: DeclaredAt) -> Sequence[str]:
    """What declares a key; of several the surest, and the others are in the JSON."""
    return ["" if value is None else str(value) for value in declared_document(place).values()]


def _resolved(item: ResolvedFinding) -> Sequence[str]:
    place = dict(zip(COLUMNS[3:9], _subject(item.subject), strict=True)) if item.subject is not None else {}
    cells = place or {"path": item.path or "", "address": item.name}
    cells |= {"rule": item.rule, "severity": item.severity, "status": "RESOLVED", "fingerprint": item.fingerprint}
    cells |= {"baseline": "resolved", "first_seen": iso_utc(item.first_seen)}
    return [cells.get(column, "") for column in COLUMNS]
