"""What every text report shares: colour, safe printing of foreign text, wrapping, and durations in human terms.

Pure functions over strings. Whether colour is wanted (a terminal, NO_COLOR, FORCE_COLOR) and how wide the terminal is
are the caller's decisions. Foreign text (paths, addresses, user names, messages) goes through `printable` before it is
padded, wrapped or styled, because a file name may hold an escape sequence that takes over the reader's terminal.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from itertools import islice

from keyrules.records import TYPE_CHECKING, dataclass
from keyrules.terminal import DEFAULT_WIDTH
from keyrules.terms import Plane, Severity, Status

if TYPE_CHECKING:
    # A scan that finds nothing prints no time, and would wait for this longer than for all the rest of this module.
    from datetime import datetime, timedelta

NOTHING_TO_EVALUATE = "Nothing to evaluate."
"""The last line of a run that found nothing to look at."""

_SHORT_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
# The undecodable bytes 0x80..0xff of a file name, as PEP 383 (surrogateescape) carries them in a str.
_ESCAPED_BYTES = range(0xDC80, 0xDD00)
_STYLED = re.compile(r"\x1b\[[0-9;]*m")
_SENTENCE_END = re.compile(r"(?<!\be\.g)(?<!\bi\.e)[.!?](?=\s+[^\sa-z]|$)")

_SEVERITY_CODES = {Severity.CRITICAL: "1;31", Severity.HIGH: "31", Severity.MEDIUM: "33", Severity.LOW: "36"}
_STATUS_CODES = {Status.PASS: "32", Status.FAIL: "31", Status.EXEMPT: "2", Status.UNKNOWN: "35"}

_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_MONTH = 30
_YEAR = 365
"""Days."""
_TEN_YEARS = 10 * _YEAR


@dataclass(frozen=True)
class Style:
    """Wraps text in ANSI colour when `colour` is on, and in links when `links` is; else returns it unchanged."""

    colour: bool = False
    links: bool = False

    def bold(self, text: str) -> str:
        """Headings and what the eye should find first."""
        return self._paint(text, "1")

    def dim(self, text: str) -> str:
        """What is there for completeness."""
        return self._paint(text, "2")

    def severity(self, severity: Severity, text: str) -> str:
        """`text` in the colour of a severity."""
        return self._paint(text, _SEVERITY_CODES[severity])

    def status(self, status: Status, text: str) -> str:
        """`text` in the colour of a verdict."""
        return self._paint(text, _STATUS_CODES[status])

    def link(self, text: str, address: str) -> str:
        """`text` that leads to a page on the web, where the terminal knows links (OSC 8)."""
        return f"\x1b]8;;{address}\x1b\\{text}\x1b]8;;\x1b\\" if self.links and is_web(address) else text

    def _paint(self, text: str, codes: str) -> str:
        return f"\x1b[{codes}m{text}\x1b[0m" if self.colour and text else text


@dataclass(frozen=True)
class ReportOptions:
    """How a report is to look; what it says never depends on these. All but text ignores them.

    Colour, the columns to wrap at, and `quiet` for findings and errors only. `terminal` says that somebody reads along,
    who is shown the first of many and the way to the rest. `group_by` is what findings on accounts are listed by,
    `layout` one of keyrules.terms.LAYOUTS.
    OSCAL looks at nothing but `oscal_version`, the version of its documents.
    """

    style: Style = Style()
    width: int = DEFAULT_WIDTH
    quiet: bool = False
    terminal: bool = False
    group_by: str = "rule"
    statistics: bool = False
    layout: str = "grouped"
    oscal_version: str = "1.1.2"


def printable(text: str) -> str:
    r"""`text` on one line and harmless on any terminal.

    What Unicode calls not printable (control characters, line breaks, bidirectional overrides, invisible characters) is
    shown as an escape such as `\n`, `\x1b` or `\u202e`; a byte of a file name that is not UTF-8 is shown as `\xff`. The
    result can always be encoded as UTF-8.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else visible_escape(char) for char in text)


def visible_escape(char: str) -> str:
    """The backslash escape that stands for one character which must not be printed itself."""
    code = ord(char)
    if char in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[char]
    if code in _ESCAPED_BYTES:
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def display_width(text: str) -> int:
    """Terminal columns that printable, unstyled text takes: wide East Asian characters two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.category(char) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def pad(text: str, width: int) -> str:
    """Printable, unstyled text filled with spaces up to `width` columns; longer text is returned whole."""
    return text + " " * max(0, width - display_width(text))


def wrap(text: str, width: int, indent: int = 0, hanging: int | None = None) -> list[str]:
    """The words of printable, unstyled text as lines of at most `width` columns.

    The first line is indented by `indent` columns and the others by `hanging` (default: the same). A word that is
    longer than a line stays whole on a line of its own, so that a path or a command can be copied.
    """
    lines: list[str] = []
    line, columns = " " * indent, indent
    rest = indent if hanging is None else hanging
    empty = True
    for word in text.split(" "):
        if not word:
            continue
        needed = display_width(word)
        if not empty and columns + 1 + needed > width:
            lines.append(line)
            line, columns, empty = " " * rest, rest, True
        if not empty:
            line, columns = line + " ", columns + 1
        line, columns, empty = line + word, columns + needed, False
    if not empty:
        lines.append(line)
    return lines


def fitted(line: str, width: int, hanging: int) -> list[str]:
    """A styled line as it stands where it fits, else its words on lines, a little shorter where there is colour."""
    if len(line) <= width and line.isascii():
        return [line]
    indent = len(line) - len(line.lstrip(" "))
    return [line] if display_width(_STYLED.sub("", line)) <= width else wrap(line, width, indent, hanging)


def block_text(blocks: Iterable[Iterable[str]]) -> Iterator[str]:
    """Blocks of lines as text, piece by piece: an empty line between two, and a newline at the end of each line."""
    for number, block in enumerate(blocks):
        if number:
            yield "\n"
        yield from (f"{line}\n" for line in block)


def remarks(label: str, texts: Iterable[str], width: int) -> list[str]:
    """Remarks on a run as a whole, each with its label; what they say may hold foreign names."""
    return [line for text in texts for line in wrap(f"{label}: {printable(text)}", width, 0, 2)]


def first_sentence(text: str) -> str:
    """The first sentence of a paragraph, on one line; the whole paragraph when it has no sentence end."""
    flat = " ".join(text.split())
    end = _SENTENCE_END.search(flat)
    return flat[: end.end()] if end else flat


def advice_for(plane: Plane, remediation: str) -> str:
    """The paragraph of a remediation that starts with the plane's label (`Code:`, `Live:`), as sentences of its own.

    The whole text when no paragraph is labelled for the plane.
    """
    label = f"{plane.value.capitalize()}:"
    labelled = [line.removeprefix(label).strip() for line in remediation.splitlines() if line.startswith(label)]
    return labelled[0][:1].upper() + labelled[0][1:] if labelled else remediation


def is_web(uri: str) -> bool:
    """Whether a reference can be followed in a browser."""
    return uri.startswith("https://")


def count_of(number: int, singular: str, plural: str | None = None) -> str:
    """`1 key`, `12 keys`, `1,000 keys`; `plural` where an added s is wrong."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def first_of(names: Collection[str], most: int = 3) -> str:
    """`a, b, c and 12 more`: the first of the names, safe to print, and how many there are beside them."""
    shown = ", ".join(printable(name) for name in islice(names, most))
    return f"{shown} and {len(names) - most:,} more" if len(names) > most else shown


def human_duration(duration: timedelta) -> str:
    """A duration in the unit that a person would use, rounded down: `40 seconds`, `5 hours`, `412 days`, `3 years`.

    Hours up to two days, days up to two years, then years (of 365 days) and months (of 30 days). Negative durations
    are printed by their length. Never to be compared with a threshold: rules compare exact seconds.
    """
    length = abs(duration)
    if length.days >= 2:
        return _whole_days(length.days)
    seconds = length.days * _DAY + length.seconds
    if seconds < _MINUTE:
        return count_of(seconds, "second")
    if seconds < _HOUR:
        return count_of(seconds // _MINUTE, "minute")
    return count_of(seconds // _HOUR, "hour")


@lru_cache(maxsize=_TEN_YEARS)
def _whole_days(days: int) -> str:
    """The same for two days and more. A large report asks for each number of them hundreds of times."""
    if days < 2 * _YEAR:
        return count_of(days, "day")
    years, months = days // _YEAR, days % _YEAR // _MONTH
    return count_of(years, "year") + (f" {count_of(months, 'month')}" if 0 < months < 12 else "")


def duration_beyond(duration: timedelta, limit_days: int) -> str:
    """The same, and to the second where whole days would hide that a limit is passed: `90 days and 1 second`."""
    if duration.days != limit_days:
        return human_duration(duration)
    from datetime import timedelta

    rest = duration - timedelta(days=duration.days)
    return f"{count_of(duration.days, 'day')} and {human_duration(rest)}" if rest else human_duration(duration)


def relative_date(moment: datetime, as_of: datetime) -> str:
    """How far an aware moment lies from `as_of`: `412 days ago`, `in 12 days`, `now`."""
    distance = as_of - moment
    if abs(distance).total_seconds() < 1:
        return "now"
    return f"{human_duration(distance)} ago" if distance.total_seconds() > 0 else f"in {human_duration(distance)}"


def iso_utc(moment: datetime) -> str:
    """ISO 8601 in UTC with `Z`, as in 2026-01-31T09:30:00Z; a fraction of a second is kept. ValueError when naive."""
    text = moment.isoformat()
    if not text.endswith("+00:00"):
        from datetime import timezone

        if moment.tzinfo is None:
            raise ValueError("a report cannot print a time that has no time zone")
        text = moment.astimezone(timezone.utc).isoformat()
    return text.removesuffix("+00:00") + "Z"
