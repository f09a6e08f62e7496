"""A credential report that is a file, to be read: CSV, the JSON of the AWS CLI, either one gzipped.

A CSV says nothing about when AWS made it; the JSON that `aws iam get-credential-report` prints does (GeneratedTime).
"""

from __future__ import annotations

import base64
import binascii
import codecs
import gzip
import hashlib
import io
import json
import re
import zlib
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Final, cast

from keyrules.code.other_plane import is_credential_report, kind_of_code
from keyrules.live.instants import CLOCK_TOLERANCE, parse, to_datetime
from keyrules.model import InputError
from keyrules.records import dataclass
from keyrules.reports.text_style import human_duration, iso_utc
from keyrules.terminal import standard_input

EXACT_LIMIT: Final = 1 << 16
_SLOTS: Final = 1 << 22
_MASK: Final = _SLOTS - 1
_CAPACITY: Final = 3 * _SLOTS // 4


class SeenUsers:
    """A set of names that answers one question: was this name here before?

    Up to 65,536 names (an account holds 5,000 users at most) the names themselves are kept and the answer is exact.
    Beyond that each name is 54 bits of its hash in a table of 16 MiB: two different names out of a million are taken
    for one with a probability of about 3 in 100,000, and a report that large is no single account's anyway.
    """

    def __init__(self) -> None:
        self._names: set[str] | None = set()
        self._table = array("I")
        self._used = 0

    def add(self, name: str) -> bool:
        """True when the name is new. OverflowError when there are more than three million names."""
        names = self._names
        if names is not None:
            if name in names:
                return False
            names.add(name)
            if len(names) > EXACT_LIMIT:
                self._spill(names)
            return True
        table = self._table
        code = hash(name)
        slot = code & _MASK
        mark = (code >> 22) & 0xFFFFFFFF or 1
        while there := table[slot]:
            if there == mark:
                return False
            slot = (slot + 1) & _MASK
        table[slot] = mark
        self._used += 1
        if self._used > _CAPACITY:
            raise OverflowError
        return True

    def _spill(self, names: set[str]) -> None:
        self._names = None
        self._table = array("I", bytes(_SLOTS * 4))
        for name in names:
            self.add(name)


HEAD: Final = 1 << 13
"""What tells a report, and of which account it is."""
_CODE_GIVEN: Final = "is {} and no credential report: judge it with `keyrules scan`"
_CONTENT: Final = re.compile(rb'"Content"\s*:\s*"([A-Za-z0-9+/]+)')
_ACCOUNT: Final = re.compile(rb":iam::([0-9]{12}):")
_BLOCK: Final = 1 << 20
GZIP: Final = b"\x1f\x8b"
_MOST_UNPACKED: Final = 1 << 28
"""A million users, two hundred times what an account can have."""


@dataclass(frozen=True)
class ReportSource:
    """One report, not yet opened. `name` is what messages and outputs call it; `problem` is why it cannot be opened.

    `account` is the first that a report of a folder tells of, the empty text for what somebody names.
    """

    name: str
    path: Path | None
    problem: str | None = None
    account: str = ""


@dataclass
class OpenReport:
    """One report, ready to be read once. `digest` gives the SHA-256 of the CSV once it was read to its end.

    `generated_at` is when AWS made the report, or None where the input does not say.
    """

    stream: io.BufferedReader
    generated_at: datetime | None
    digest: Callable[[], str]


class _Hashing(io.RawIOBase):
    """Passes bytes on and hashes them, so that no report has to be read twice."""

    def __init__(self, source: io.BufferedIOBase) -> None:
        self._source = source
        self._hash = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        block = self._source.read(len(buffer))
        buffer[: len(block)] = block
        self._hash.update(block)
        return len(block)

    def hexdigest(self) -> str:
        for block in iter(lambda: self._source.read(_BLOCK), b""):
            self._hash.update(block)
        return self._hash.hexdigest()


class _Unpacked(io.RawIOBase):
    """What a gzip file holds. InputError, a sentence that follows the input's name, where it is damaged or too large;
    then it is at its end."""

    def __init__(self, packed: io.BufferedReader) -> None:
        self._file = gzip.GzipFile(fileobj=packed)
        self._left = _MOST_UNPACKED

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._left < 0:
            return 0
        try:
            block = self._file.read1(len(buffer))
        except (EOFError, zlib.error, gzip.BadGzipFile):
            self._left = -1
            raise InputError("is a damaged gzip file: get the report again") from None
        self._left -= len(block)
        if self._left < 0:
            raise InputError(f"holds more than {_MOST_UNPACKED >> 20} MiB unpacked, which no credential report does")
        buffer[: len(block)] = block
        return len(block)


def first_account(head: bytes) -> str:
    """The first account in the beginning of a report; the empty text where there is none."""
    text = head.replace(b"\0", b"")
    if content := _CONTENT.search(text):
        text = base64.b64decode(content[1][: len(content[1]) // 4 * 4])
    account = _ACCOUNT.search(text)
    return account[1].decode() if account else ""


def open_report(raw: io.BufferedReader) -> OpenReport:
    """Unpacks gzip, and tells CSV from JSON by the first byte.

    InputError, a sentence that follows the input's name, for damaged gzip and broken JSON.
    """
    raw = unpacked(raw)
    head = raw.peek(HEAD)
    code = kind_of_code("", head) if not is_credential_report(head) else ""
    if code:
        raise InputError(_CODE_GIVEN.format(code))
    text = head.lstrip(codecs.BOM_UTF8 + codecs.BOM_UTF16_LE + codecs.BOM_UTF16_BE + b"\0 \t\r\n")
    return from_json(raw.read()) if text.startswith(b"{") else from_stream(raw)


def unpacked(raw: io.BufferedReader) -> io.BufferedReader:
    """What a file holds, without gzip around it. Reading may raise InputError, a sentence that follows its name."""
    return io.BufferedReader(_Unpacked(raw), _BLOCK) if raw.peek(len(GZIP)).startswith(GZIP) else raw


def from_stream(raw: io.BufferedIOBase, generated_at: datetime | None = None) -> OpenReport:
    """A report in CSV, hashed while it is read."""
    hashing = _Hashing(raw)
    return OpenReport(io.BufferedReader(hashing, _BLOCK), generated_at, hashing.hexdigest)


def from_json(data: bytes) -> OpenReport:
    """The JSON of `aws iam get-credential-report`. InputError, without quoting the content, when it is not that."""
    wanted = "is not the JSON that `aws iam get-credential-report` prints: "
    try:
        document = json.loads(data.decode(_json_encoding(data)), object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        raise InputError(
            wanted + "it is truncated, has a key twice, or is no JSON at all; run the command again"
        ) from None
    if not isinstance(document, dict) or not isinstance(document.get("Content"), str):
        raise InputError(wanted + "it has no Content; give the whole output of the command")
    try:
        content = base64.b64decode("".join(document["Content"].split()), validate=True)
    except (binascii.Error, ValueError):
        raise InputError(wanted + "its Content is not base64; run the command again") from None
    return from_stream(io.BytesIO(content), _generated_at(document.get("GeneratedTime"), wanted))


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object of JSON. ValueError for a key that it has twice, which the command never writes."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key twice in one object")
    return found


def _json_encoding(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig"


def _generated_at(value: object, wanted: str) -> datetime | None:
    """ISO 8601 as every AWS CLI prints it, or seconds since 1970 as some SDKs do; None when there is none."""
    if value is None:
        return None
    try:
        if isinstance(value, str):
            return to_datetime(parse(value))
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, timezone.utc)
        raise ValueError
    except (ValueError, OverflowError, OSError):
        raise InputError(wanted + "its GeneratedTime is no date with seconds and zone; run the command again") from None


def check_age(generated_at: datetime | None, now: datetime, max_age: timedelta) -> str | None:
    """Why the report is not to be judged: it is older than `max_age`, or comes from the future; None when it is fine.

    A report that does not say when it was made cannot be checked here.
    """
    if generated_at is None:
        return None
    age = now - generated_at
    if age > max_age:
        return (
            f"was made {human_duration(age)} ago ({iso_utc(generated_at)}), longer than --max-report-age "
            f"({human_duration(max_age)}): get a new one, or say --max-report-age or --as-of if you mean this one"
        )
    if age < -CLOCK_TOLERANCE:
        return (
            f"was made {human_duration(age)} in the future ({iso_utc(generated_at)}): correct this machine's clock, or "
            "say --as-of"
        )
    return None


@contextmanager
def opened(source: ReportSource, piped: bool = False) -> Iterator[OpenReport]:
    """A report while it is read. InputError, a sentence that follows its name, when it cannot be opened or read; so
    when it has no path, unless it may be `piped` through standard input."""
    if source.problem is not None:
        raise InputError(f"cannot be read: {source.problem}")
    if source.path is not None and (code := kind_of_code(source.path.name, b"")):
        raise InputError(_CODE_GIVEN.format(code))
    try:
        if source.path is None and not piped:
            raise InputError("is no file")
        with source.path.open("rb") if source.path is not None else cast(io.BufferedReader, standard_input()) as raw:
            yield open_report(raw)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or type(error).__name__}") from None
