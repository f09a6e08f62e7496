"""What lies where a run was told to look: credential reports, and the documents of accounts beside them; folders, too.

All are told by their content, whatever they are called.
"""

from __future__ import annotations

import codecs
import os
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from keyrules.code.other_plane import is_credential_report, kind_of_code
from keyrules.files import open_regular
from keyrules.live.around.documents import DocumentFile, recognised
from keyrules.live.report_inputs import GZIP, HEAD, ReportSource, first_account
from keyrules.model import UsageError
from keyrules.reports.text_style import printable

STDIN: Final = "-"
STDIN_NAME: Final = "<stdin>"
_SUFFIXES: Final = (".csv", ".json")
_NAMED: Final = 3
_REPORT_WORDS: Final = re.compile(rb'"(?:Content|GeneratedTime|ReportFormat)"')
"""The names that the JSON of `aws iam get-credential-report` has."""


class Reports(list[ReportSource]):
    """Reports, the documents of accounts that are given with them, and the names of the files beside them in folders
    that are neither."""

    def __init__(self) -> None:
        super().__init__()
        self.documents: list[DocumentFile] = []
        self.not_read: list[str] = []

    def note(self) -> list[str]:
        """What was not read, in one sentence."""
        if not self.not_read:
            return []
        first = ", ".join(printable(name) for name in self.not_read[:_NAMED])
        more = f" and {len(self.not_read) - _NAMED:,} more" if len(self.not_read) > _NAMED else ""
        files = "1 file is" if len(self.not_read) == 1 else f"{len(self.not_read):,} files are"
        return [f"{files} no credential report by their content and not read: {first}{more}."]


def find_reports(names: Sequence[str]) -> Reports:
    """The reports that the arguments name, in their order; a folder's sorted by path, told by content whatever their
    names.

    What a folder holds and cannot be read is among them, with its problem: nobody may take it for evaluated. So is a
    *.csv or *.json there that may be a damaged report. UsageError for what does not exist, for
    standard input named twice, and for a folder without reports.
    """
    if list(names).count(STDIN) > 1:
        raise UsageError("- stands for standard input and can be given once")
    found: dict[str, ReportSource] = {}
    reports = Reports()
    for name in names:
        for source in [ReportSource(STDIN_NAME, None)] if name == STDIN else _files(Path(name), reports):
            if source.name not in found or not source.account:
                found[source.name] = source
    reports += found.values()
    reports.documents = sorted(set(reports.documents), key=lambda each: each.name)
    if reports.documents and not reports:
        raise UsageError(
            f"{printable(reports.documents[0].name)} and what else was named belong to a credential report, and none "
            "was named: put it beside them"
        )
    reports.not_read = sorted(set(reports.not_read) - found.keys())
    return reports


def _files(path: Path, reports: Reports) -> list[ReportSource]:
    if path.is_dir():
        sources = sorted(_in_folder(path, reports), key=lambda source: source.name)
        if not sources and not reports.documents:
            raise UsageError(f"{path} holds no reports (CSV, or the JSON of the AWS CLI); name the folder that does")
        return sources
    if not path.exists():
        raise UsageError(f"{path} does not exist; name a credential report, a folder of them, or - for standard input")
    told = _told(path)
    if isinstance(told, DocumentFile):
        reports.documents.append(told)
        return []
    return [ReportSource(path.as_posix(), path)]


def _in_folder(path: Path, reports: Reports) -> Iterator[ReportSource]:
    """The reports in a folder and below, through links, each folder once; and the folders that cannot be listed.
    Documents and other files go where `reports` has them."""
    denied: list[OSError] = []
    seen: set[str] = set()
    for folder, below, names in os.walk(path, onerror=denied.append, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            below.clear()
            continue
        seen.add(real)
        for file in (Path(folder, name) for name in names):
            told = _told(file)
            if isinstance(told, ReportSource):
                yield told
            elif told is not None:
                reports.documents.append(told)
            else:
                reports.not_read.append(file.as_posix())
    for error in denied:
        closed = Path(str(error.filename or path))
        yield ReportSource(closed.as_posix(), closed, error.strerror or type(error).__name__)


def _told(file: Path) -> ReportSource | DocumentFile | None:
    """A file where it is a report, or may be a damaged one, or is a document. What cannot be opened may be a report."""
    name = file.as_posix()
    named = file.name.lower().removesuffix(".gz").endswith(_SUFFIXES)
    if not file.is_file():
        return ReportSource(name, file, "it is no file, or a broken link") if named else None
    try:
        head = _head(file)
    except OSError:
        return ReportSource(name, file) if named else None
    if is_credential_report(head):
        return ReportSource(name, file, account=first_account(head))
    marks = codecs.BOM_UTF8 + codecs.BOM_UTF16_LE
    document = recognised(head.replace(b"\0", b"").lstrip(marks).decode("utf-8", "replace"))
    if document is not None:
        return DocumentFile(name, file, document)
    is_json = head.lstrip(codecs.BOM_UTF8 + b" \t\r\n")[:1] in (b"{", b"[")
    may_be = _REPORT_WORDS.search(head) is not None if is_json else named and not kind_of_code(file.name, head)
    return ReportSource(name, file) if may_be else None


def _head(file: Path) -> bytes:
    """The beginning of what a regular file holds, unpacked; nothing where it cannot be. Raises OSError."""
    with open_regular(str(file)) as opened_file:
        head = opened_file.read(HEAD) or b""
    if not head.startswith(GZIP):
        return head
    try:
        return zlib.decompressobj(wbits=31).decompress(head, HEAD)
    except zlib.error:
        return b""
