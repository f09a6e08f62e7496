"""Reads a baseline, or an earlier JSON report of keyrules as one: strictly, because what it holds does not fail a run.

What counts are the findings of that run: those under `findings` and, where a report was compared with a baseline
itself, those that it lists as known. Of a finding only what identifies it is read. Keys that this version does not know
are passed over, because within one version of the schema keys are only added. Messages name the finding and the key and
never quote a value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NoReturn

from keyrules.files import read_named
from keyrules.model import FactValue, Finding, Input, Location, Plane, Severity, Status, Subject, UsageError
from keyrules.records import dataclass, replace
from keyrules.reports.json import SCHEMA, SCHEMAS
from keyrules.reports.text_style import printable
from keyrules.run.baseline.places import Places, at, path_of, start_of

BASELINE_SCHEMA = "keyrules/baseline/1"
"""The schema of what --write-baseline writes."""

COUNTED = (Status.FAIL, Status.UNKNOWN)
"""The verdicts that a baseline accepts."""

KEY_IDS = ("access_key_id", "key_id")
"""The facts that name a hard-coded credential in source and in a plan."""

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_SCHEMA = re.compile(r"keyrules/(baseline/)?[0-9]{1,9}")
_RULE = re.compile(r"[A-Z][A-Z0-9_]{1,63}")
_COMMANDS = {Plane.CODE: "scan", Plane.LIVE: "audit"}
_PLANES = {Plane.CODE: "code", Plane.LIVE: "live accounts"}


@dataclass(frozen=True)
class Entry:
    """A finding of the baseline: what identifies it, without its message.

    A path in it is in the form of Baseline.places, and `fingerprint` is what the file states, or follows from the path
    where the file states it in another form.
    """

    finding: Finding
    fingerprint: str
    first_seen: datetime


@dataclass(frozen=True)
class Baseline:
    """An earlier report: its FAIL and UNKNOWN findings by fingerprint, and what had been evaluated for it.

    `as_of` is None for a baseline, where each finding has its own time. `start` is the absolute folder where its paths
    start, None where it records none.
    """

    name: str
    as_of: datetime | None
    inputs: tuple[Input, ...]
    entries: Mapping[str, Entry]
    start: str | None = None

    @property
    def places(self) -> Places:
        """The form of the paths in it."""
        return Places(self.start or str(Path.cwd()))


def read_baseline(path: Path, plane: Plane, option: str = "--baseline") -> Baseline:
    """The baseline in a file, which `option` names. UsageError for anything else than a report on that plane."""
    shown = printable(str(path))
    name = f"{option}: {shown}"
    try:
        data = read_named(str(path))
    except FileNotFoundError:
        raise UsageError(
            f"{name} does not exist; make it with `keyrules {_COMMANDS[plane]} --write-baseline {shown}`"
        ) from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{name} cannot be read: {getattr(error, 'strerror', None) or 'it is no file name'}") from None
    document = _parsed(data, name)
    _check_kind(document, name, plane)
    top = _Part(document, name)
    written = document["schema"] == BASELINE_SCHEMA
    as_of = None if written else top.moment("as_of")
    start = start_of(path, top.base()) if written and plane is Plane.CODE else None
    entries = [part.entry(plane, as_of) for part in top.parts("findings", "finding")]
    if "baseline" in document:
        entries += [part.entry(plane, as_of) for part in top.part("baseline").parts("known", "known finding")]
    inputs = () if written and plane is Plane.LIVE else tuple(part.input() for part in top.parts("inputs", "input"))
    baseline = Baseline(str(path), as_of, inputs, {}, start)
    if plane is Plane.CODE:
        places = baseline.places
        entries = [_settled(entry, places) for entry in entries]
        inputs = tuple(replace(item, name=places.settled(item.name)) for item in inputs)
    kept = _by_fingerprint(entry for entry in entries if entry.finding.status in COUNTED)
    return replace(baseline, inputs=inputs, entries=kept)


def _settled(entry: Entry, places: Places) -> Entry:
    finding = at(entry.finding, places.settled(path_of(entry.finding)))
    return entry if finding is entry.finding else Entry(finding, finding.fingerprint, entry.first_seen)


def _by_fingerprint(entries: Iterable[Entry]) -> dict[str, Entry]:
    """One entry for each fingerprint: a FAIL before an UNKNOWN, with the time when either was seen first."""
    found: dict[str, Entry] = {}
    for entry in entries:
        other = found.setdefault(entry.fingerprint, entry)
        worse = entry if other.finding.status is Status.UNKNOWN else other
        found[entry.fingerprint] = replace(worse, first_seen=min(entry.first_seen, other.first_seen))
    return found


def _parsed(data: bytes, name: str) -> dict[str, Any]:
    wanted = "give a JSON report of keyrules, from --format json or --write-baseline"

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) < len(pairs):
            raise UsageError(f"{name} has a key twice in one object, so it is no report as keyrules wrote it; {wanted}")
        return dict(pairs)

    try:
        document = json.loads(data, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise UsageError(f"{name} is not JSON{where}; {wanted}") from None
    if not isinstance(document, dict) or not isinstance(document.get("schema"), str):
        raise UsageError(f"{name} is no report of keyrules, which starts with its schema; {wanted}")
    return document


def _check_kind(document: Mapping[str, Any], name: str, plane: Plane) -> None:
    schema = document["schema"]
    if schema not in (*SCHEMAS, BASELINE_SCHEMA):
        if _SCHEMA.fullmatch(schema):
            both = f"{BASELINE_SCHEMA} and {SCHEMA}"
            raise UsageError(f"{name} has the schema {schema}, and this version reads {both}; write it anew")
        raise UsageError(f"{name} is the report of another tool; give one of keyrules")
    stated = document.get("plane")
    if stated != plane.value:
        other = next((each for each in Plane if each.value == stated), None)
        if other is None:
            raise UsageError(f"{name}: `plane` is neither code nor live; write it anew")
        raise UsageError(
            f"{name} is about {_PLANES[other]}, and `keyrules {_COMMANDS[plane]}` looks at {_PLANES[plane]}; "
            "keep a baseline for each"
        )


class _Part:
    """An object of the document, whose values are taken by key and type. `where` names it in messages."""

    def __init__(self, values: Mapping[str, Any], where: str) -> None:
        self._values = values
        self._where = where

    def refuse(self, key: str, allowed: str) -> NoReturn:
        """Raises the UsageError on a value that is missing or wrong."""
        raise UsageError(f"{self._where}: `{key}` is missing or wrong; expected {allowed}. Write the baseline anew")

    def text(self, key: str) -> str:
        """A text, which may be empty."""
        value = self._values.get(key)
        return value if isinstance(value, str) else self.refuse(key, "text")

    def optional(self, key: str) -> str | None:
        """A text, or None where the key is missing or null."""
        return None if self._values.get(key) is None else self.text(key)

    def word(self, key: str, pattern: re.Pattern[str], allowed: str) -> str:
        """A text of a certain form."""
        value = self.text(key)
        return value if pattern.fullmatch(value) else self.refuse(key, allowed)

    def number(self, key: str) -> int:
        """A whole number from 0."""
        value = self._values.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        return self.refuse(key, "a whole number")

    def moment(self, key: str) -> datetime:
        """A time with its zone, in UTC."""
        try:
            value = datetime.fromisoformat(self.text(key).replace("Z", "+00:00"))
            if value.tzinfo is not None:
                return value.astimezone(timezone.utc)
        except (ValueError, OverflowError):
            pass
        return self.refuse(key, "a time as in 2026-06-01T00:00:00Z")

    def optional_moment(self, key: str) -> datetime | None:
        """The same, or None where the key is missing or null."""
        return None if self._values.get(key) is None else self.moment(key)

    def part(self, key: str) -> _Part:
        """An object."""
        value = self._values.get(key)
        return _Part(value, self._where) if isinstance(value, dict) else self.refuse(key, "an object")

    def parts(self, key: str, noun: str) -> Iterator[_Part]:
        """A list of objects, numbered from 1 in messages."""
        values = self._values.get(key)
        if not isinstance(values, list):
            self.refuse(key, "a list")
        for number, value in enumerate(values, start=1):
            if not isinstance(value, dict):
                raise UsageError(f"{self._where}: {noun} {number} is no object. Write the baseline anew")
            yield _Part(value, f"{self._where}, {noun} {number}")

    def base(self) -> str | None:
        """The folder where the paths start, relative to the file's own; None where the file records none."""
        base = self.optional("base")
        if base is not None and (not base or Path(base).is_absolute() or "\0" in base):
            self.refuse("base", "a folder relative to that of the file, such as .")
        return base

    def entry(self, plane: Plane, as_of: datetime | None) -> Entry:
        """This object as a finding; `as_of` is when it was seen where it does not say that itself."""
        severity, status = self.text("severity"), self.text("status")
        if severity not in Severity.__members__:
            self.refuse("severity", f"one of {', '.join(Severity.__members__)}")
        if status not in Status.__members__:
            self.refuse("status", f"one of {', '.join(Status.__members__)}")
        if self._values.get("plane", plane.value) != plane.value:
            self.refuse("plane", plane.value)
        finding = Finding(
            rule=self.word("rule", _RULE, "a rule id"),
            severity=Severity[severity],
            status=Status[status],
            plane=plane,
            message="",
            reason="",
            remediation="",
            subject=self.part("subject")._subject() if plane is Plane.LIVE else None,
            location=self.part("location")._location() if plane is Plane.CODE else None,
            facts=self._facts(),
        )
        fingerprint = self.word("fingerprint", _FINGERPRINT, "64 hexadecimal digits")
        first_seen = self.moment("first_seen") if as_of is None else self.optional_moment("first_seen") or as_of
        return Entry(finding, fingerprint, first_seen)

    def input(self) -> Input:
        """This object as an input."""
        return Input(self.text("kind"), self.text("name"))

    def _subject(self) -> Subject:
        return Subject(
            kind=self.text("kind"),
            name=self.text("name"),
            account=self.optional("account"),
            arn=self.optional("arn"),
            user=self.optional("user"),
            slot=None if self._values.get("slot") is None else self.number("slot"),
            key_id=self.optional("key_id"),
            owner=self.optional("owner"),
            created_at=self.optional_moment("created_at"),
        )

    def _location(self) -> Location:
        return Location(self.text("path"), 0, 0, self.text("address"))

    def _facts(self) -> dict[str, FactValue]:
        facts = self._values.get("facts", {})
        if not isinstance(facts, dict):
            self.refuse("facts", "an object")
        found = {name: facts[name] for name in KEY_IDS if name in facts}
        if not all(value is None or isinstance(value, str) for value in found.values()):
            self.refuse("facts", f"text as {' and '.join(KEY_IDS)}")
        return found
