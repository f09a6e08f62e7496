"""Reads the exceptions file, strictly or not at all: a wrong entry must never read as "no exceptions".

    exceptions:
      - rule: KEY_AWS_001                     # a rule of the pack
        subject: aws_iam_access_key.legacy    # a name (see keyrules.run.exceptions.match) or a glob with * and ?
        reason: The appliance takes no new key before its update in May
        owner: storage-team@example.com
        expires: 2026-11-30                   # holds through this day, UTC
        ticket: OPS-1234                      # optional
        plane: code                           # optional: code or live; without it, both

What people write into an entry is printed in reports, so whatever in it looks like a secret is masked there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NoReturn

from keyrules.code.skip_comments import safe_reason
from keyrules.files import read_named
from keyrules.model import Exemption, Plane, UsageError
from keyrules.pack.catalog import Pack
from keyrules.pack.conditions import type_word
from keyrules.pack.selection import find_rule
from keyrules.pack.strict_yaml import Block, is_short, parse_bytes
from keyrules.records import dataclass
from keyrules.reports.text_style import count_of

_REQUIRED = ("rule", "subject", "reason", "owner", "expires")
_OPTIONAL = ("ticket", "plane")
_NUMBERS = frozenset({"subject", "ticket"})
"""Fields that people write as a bare number: an account id, an issue number."""

_LONGEST = 1000
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_RULE_WORD = re.compile(r"[A-Za-z0-9_-]{1,19}\Z")
_KEY_ID = re.compile(r"A[KS]IA[A-Z0-9]{12,}")
_PLANES: Mapping[str, Plane] = {plane.value: plane for plane in Plane}


@dataclass(frozen=True)
class Entry:
    """An entry as the file has it. `pattern` is its subject, to match with; `plane` is None where it holds on both.

    `exemption` is what reports show. `number` counts entries from 1, `line` is where it starts.
    """

    exemption: Exemption
    pattern: str
    plane: Plane | None
    number: int
    line: int

    def holds(self, day: date) -> bool:
        """Whether the entry still counts on a day (UTC): it does through the day on which it expires."""
        return day <= self.exemption.expires


def utc_day(moment: datetime) -> date:
    """The day of an aware moment in UTC, on which exceptions hold or not."""
    return moment.astimezone(timezone.utc).date()


def read_exceptions(path: Path) -> bytes:
    """What an exceptions file holds. Raises UsageError."""
    try:
        return read_named(str(path))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or type(error).__name__}.") from None


def load_exceptions(path: Path, pack: Pack, now: datetime, max_days: int) -> tuple[Entry, ...]:
    """Every entry of a file, as parse_exceptions gives them. Raises UsageError."""
    return parse_exceptions(read_exceptions(path), path, pack, now, max_days)


def parse_exceptions(data: bytes, path: Path, pack: Pack, now: datetime, max_days: int) -> tuple[Entry, ...]:
    """Every entry, in the order of the file, which `path` only names.

    `now` (aware) is the moment from which an entry may last `max_days`. Raises UsageError with one sentence: file,
    line, entry, field, what was found and what is allowed.
    """
    top = parse_bytes(data, str(path), plain_dates=True, may_be_empty=True)
    for key in top:
        if key != "exceptions":
            # Without the key that makes it one the file may be anything, and is not quoted.
            name = repr(key) if "exceptions" in top and is_short(key) else "this"
            raise UsageError(f"{path}, line {top.key_lines[key]}: {name} is an unknown key; allowed: exceptions.")
    if not top.line:
        return ()
    if "exceptions" not in top:
        raise UsageError(f"{path}: `exceptions` is missing; write `exceptions: []` where there are none.")
    items = top["exceptions"]
    if not isinstance(items, list):
        line = top.key_lines["exceptions"]
        raise UsageError(f"{path}, line {line}: `exceptions` has {type_word(items)}; allowed: a list of entries.")
    reader = _Reader(path, pack, utc_day(now), max_days, top.key_lines["exceptions"])
    entries = tuple(reader.entry(number, item) for number, item in enumerate(items, start=1))
    _refuse_repetitions(path, entries)
    return entries


@dataclass(frozen=True)
class _Reader:
    """The checks of one entry."""

    path: Path
    pack: Pack
    today: date
    max_days: int
    list_line: int

    def entry(self, number: int, item: Any) -> Entry:
        if not isinstance(item, Block):
            where = f"{self.path}, line {self.list_line}, entry {number}"
            raise UsageError(f"{where}: found {type_word(item)}; allowed: a mapping of {', '.join(_REQUIRED)}.")
        refuse = _Refusal(self.path, item, number)
        for key in item:
            if key not in _REQUIRED + _OPTIONAL:
                shown = key if is_short(key) else "…"
                refuse(key, "is an unknown key", ", ".join(_REQUIRED + _OPTIONAL), shown)
        for key in _REQUIRED:
            if key not in item:
                refuse(key, "is missing", f"an entry has {', '.join(_REQUIRED)}")
        texts = {key: _text(item, key, refuse) for key in item}
        rule, planes = self._rule(texts["rule"], refuse)
        pattern = _subject(texts["subject"], refuse)
        exemption = Exemption(
            rule=rule,
            subject=safe_reason(pattern),
            reason=safe_reason(texts["reason"]),
            owner=safe_reason(texts["owner"]),
            expires=self._expires(texts["expires"], refuse),
            place=f"{self.path.as_posix()}:{item.line}",
            ticket=safe_reason(texts["ticket"]) if "ticket" in texts else None,
        )
        return Entry(exemption, pattern, _plane(texts.get("plane"), rule, planes, refuse), number, item.line)

    def _rule(self, text: str, refuse: _Refusal) -> tuple[str, frozenset[Plane]]:
        if not _RULE_WORD.match(text):
            refuse("rule", "is no rule id", "an id like KEY_AWS_001, as `keyrules rules` lists them")
        try:
            rule = find_rule(self.pack, text)
        except UsageError as error:
            raise UsageError(f"{refuse.where('rule')}: `rule`: {error}") from None
        return rule.id, rule.planes

    def _expires(self, text: str, refuse: _Refusal) -> date:
        allowed = "a day as in 2026-11-30"
        if not _DAY.match(text):
            refuse("expires", "is no day", allowed)
        try:
            expires = date.fromisoformat(text)
        except ValueError:
            refuse("expires", f"is {text}, a day that no calendar has", allowed)
        days = (expires - self.today).days
        if days > self.max_days:
            longest = count_of(self.max_days, "day")
            last = self.today + timedelta(days=self.max_days)
            refuse("expires", f"is {text}, {count_of(days, 'day')} away", f"at most {longest}, until {last}")
        return expires


@dataclass(frozen=True)
class _Refusal:
    """Raises the UsageError about one field of one entry. It never quotes values that may hold a secret."""

    path: Path
    item: Block
    number: int

    def where(self, key: str) -> str:
        line = self.item.key_lines.get(key, self.item.line)
        return f"{self.path}, line {line}, entry {self.number}"

    def __call__(self, key: str, found: str, allowed: str, shown: str = "") -> NoReturn:
        raise UsageError(f"{self.where(key)}: `{shown or key}` {found}; allowed: {allowed}.")


def _text(item: Block, key: str, refuse: _Refusal) -> str:
    value = item[key]
    if isinstance(value, int) and not isinstance(value, bool) and key in _NUMBERS:
        return str(value)
    if not isinstance(value, str) or not value.strip():
        refuse(key, f"has {type_word(value)}", "text on one line; quote a number")
    text = value.strip()
    if not text.isprintable():
        refuse(key, "has a line break or a character that cannot be printed", "text on one line")
    if len(text) > _LONGEST:
        refuse(key, f"has {len(text):,} characters", f"up to {_LONGEST:,}")
    return text


def _subject(text: str, refuse: _Refusal) -> str:
    if not text.strip("*?"):
        refuse(
            "subject",
            "has wildcards only, which exempts everything",
            "a name, or a glob that holds a part of one; to turn the rule off, use --skip-rule or .keyrules.yaml",
        )
    if _KEY_ID.search(text):
        refuse(
            "subject",
            "has an access key id, which no report names its subjects by",
            "a user, USER/access_key_1, an ARN, an account or an address; for each of two keys of a user one entry",
        )
    return text


def _plane(text: str | None, rule: str, planes: frozenset[Plane], refuse: _Refusal) -> Plane | None:
    if text is None:
        return None
    if text not in _PLANES:
        refuse("plane", "is no plane", ", ".join(_PLANES))
    if _PLANES[text] not in planes:
        there = " and ".join(sorted(plane.value for plane in planes))
        refuse("plane", f"is {text}, where {rule} is never evaluated", there)
    return _PLANES[text]


def _refuse_repetitions(path: Path, entries: Sequence[Entry]) -> None:
    """Two entries on the same rule and subject leave open which of them holds."""
    known: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        before = known.setdefault((entry.exemption.rule, entry.pattern), [])
        for other in before:
            if entry.plane is other.plane or None in (entry.plane, other.plane):
                same = _data(entry) == _data(other)
                what = "repeats" if same else "contradicts"
                raise UsageError(
                    f"{path}, line {entry.line}, entry {entry.number}: `subject` {what} entry {other.number} (line "
                    f"{other.line}), which has the same rule and subject{'' if same else ' with other data'}; allowed: "
                    "one entry for each rule, subject and plane."
                )
        before.append(entry)


def _data(entry: Entry) -> tuple[object, ...]:
    exemption = entry.exemption
    return exemption.reason, exemption.owner, exemption.expires, exemption.ticket, entry.plane
