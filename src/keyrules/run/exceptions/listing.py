"""The exceptions of a file as `keyrules exceptions` prints them: text for people, JSON for machines.

JSON, `keyrules-exceptions/1`: `matches` is empty where there is nothing to match today, and `looked_at` names the
planes on which that was looked for; on another one that `planes` names, nobody looked. `days_left` is negative after
the end, and 0 on the last day.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from keyrules.model import Plane
from keyrules.records import dataclass, values_of
from keyrules.reports.json import dump
from keyrules.reports.text_style import count_of, iso_utc, printable, wrap
from keyrules.run.exceptions.file import Entry

_WIDTH = 100
_INDENT = 4
_SHOWN = 5
_NOT_LOOKED = {
    Plane.CODE: "code: not looked at everywhere that it can be (name the folder that it is in)",
    Plane.LIVE: "live: not looked at (give the account's credential report with --report)",
}


@dataclass(frozen=True)
class Match:
    """A finding that an entry matches. `where` is file and line, or the ARN; EXEMPT is what a skip comment exempts."""

    plane: str
    status: str
    name: str
    where: str


@dataclass(frozen=True)
class Listed:
    """An entry with what it matches; `planes` are those it can mean, `looked_at` those on which it would be seen.

    On those in `broken` something could not be evaluated, so that more than `matches` may be there.
    """

    entry: Entry
    days_left: int
    planes: tuple[Plane, ...]
    looked_at: tuple[Plane, ...]
    broken: tuple[Plane, ...]
    matches: tuple[Match, ...]

    @property
    def order(self) -> tuple[date, int]:
        """What ends first stands first."""
        return self.entry.exemption.expires, self.entry.number


def as_json(file: str | None, as_of: datetime, listed: Sequence[Listed]) -> str:
    """All entries as one document; `file` is None where there is no exceptions file."""
    entries = [_object(item) for item in listed]
    return dump({"schema": "keyrules-exceptions/1", "as_of": iso_utc(as_of), "file": file, "exceptions": entries})


def as_text(listed: Sequence[Listed], total: int) -> str:
    """Entries, a block for each, and a last line that counts them; `total` is how many the file has."""
    blocks = ["\n".join(_block(item)) for item in listed]
    return "\n\n".join([*blocks, _summary(listed, total)]) + "\n"


def _object(item: Listed) -> dict[str, Any]:
    entry = item.entry.exemption
    return {
        "rule": entry.rule,
        "subject": entry.subject,
        "plane": item.entry.plane.value if item.entry.plane is not None else None,
        "reason": entry.reason,
        "owner": entry.owner,
        "ticket": entry.ticket,
        "expires": entry.expires.isoformat(),
        "days_left": item.days_left,
        "place": entry.place,
        "planes": [plane.value for plane in item.planes],
        "looked_at": [plane.value for plane in item.looked_at],
        "matches": [values_of(match) for match in item.matches],
    }


def _block(item: Listed) -> Iterator[str]:
    entry = item.entry.exemption
    yield f"{entry.rule}  {printable(entry.subject)}"
    ticket = f", {printable(entry.ticket)}" if entry.ticket else ""
    yield from wrap(f"{_end(item)} ({printable(entry.owner)}{ticket}; {printable(entry.place)})", _WIDTH, _INDENT)
    yield from wrap(f"Reason: {printable(entry.reason)}", _WIDTH, _INDENT, _INDENT + 2)
    yield from _matches(item)


def _end(item: Listed) -> str:
    day = item.entry.exemption.expires.isoformat()
    if item.days_left < 0:
        return f"Expired: ended with {day}, {count_of(-item.days_left, 'day')} ago"
    return f"Ends with {day}, " + ("today" if item.days_left == 0 else f"in {count_of(item.days_left, 'day')}")


def _matches(item: Listed) -> Iterator[str]:
    again = ", which is no longer exempt" if item.days_left < 0 else ""
    for match in item.matches[:_SHOWN]:
        already = ", which a skip comment exempts" if match.status == "EXEMPT" else again
        text = f"Matches {match.name} ({match.where}){already}"
        yield from wrap(printable(text), _WIDTH, _INDENT, _INDENT + 2)
    if len(item.matches) > _SHOWN:
        yield " " * _INDENT + f"and {len(item.matches) - _SHOWN:,} more"
    if not item.matches and item.looked_at:
        planes = " and ".join(plane.value for plane in item.looked_at)
        yield " " * _INDENT + f"Matches nothing ({planes})"
    for plane in item.planes:
        if plane in item.broken:
            yield " " * _INDENT + f"{plane.value}: not everything could be evaluated"
        elif plane not in item.looked_at:
            yield " " * _INDENT + _NOT_LOOKED[plane]


def _summary(listed: Sequence[Listed], total: int) -> str:
    over = sum(item.days_left < 0 for item in listed)
    idle = sum(not item.matches and item.looked_at == item.planes for item in listed)
    parts = [f"{len(listed) - over:,} in force", f"{over:,} expired", f"{idle:,} matching nothing"]
    named = count_of(total, "exception")
    return f"{named if len(listed) == total else f'{len(listed):,} of {named}'}: {', '.join(parts)}"
