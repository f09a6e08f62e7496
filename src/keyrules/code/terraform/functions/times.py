"""Moments written as RFC 3339 says, and what is added to them; the clock itself is never read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

from keyrules.code.terraform.functions.signature import Function, function
from keyrules.code.terraform.hcl.numbers import NotComputed, narrow
from keyrules.code.terraform.hcl.values import MAX_TEXT, Refused

_MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?P<zone>Z|[+-]\d\d:\d\d)", re.ASCII)
_DURATION = re.compile(r"(?P<amount>\d{1,9})(?P<unit>h|ms|m|s)", re.ASCII)
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_PATTERN = re.compile(r"'(?:[^']|'')*'|([A-Za-z])\1*|[^A-Za-z']+")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def _moment(text: str) -> datetime:
    found = _MOMENT.fullmatch(text)
    if found is None:
        if "." in text or "," in text or not text.isascii():
            raise NotComputed
        raise Refused
    zone = timezone.utc
    if found["zone"] != "Z":
        hours, minutes = int(found["zone"][1:3]), int(found["zone"][4:6])
        if hours > 23 or minutes > 59:
            raise NotComputed
        offset = timedelta(hours=hours, minutes=minutes)
        zone = timezone(-offset if found["zone"][0] == "-" else offset)
    try:
        return datetime(*(int(found[n]) for n in range(1, 7)), tzinfo=zone)  # type: ignore[arg-type,misc]
    except ValueError:
        raise Refused from None


def _written(moment: datetime) -> str:
    if moment.microsecond:
        raise NotComputed
    shown = f"{moment.year:04}-{moment.month:02}-{moment.day:02}T{moment:%H:%M:%S}"
    return shown + (f"{moment:%z}"[:3] + ":" + f"{moment:%z}"[3:5] if moment.utcoffset() else "Z")


def _timeadd(text: str, duration: str) -> str:
    moment = _moment(text)
    sign, rest = (-1, duration[1:]) if duration.startswith("-") else (1, duration.removeprefix("+"))
    total, position = 0.0, 0
    while position < len(rest):
        found = _DURATION.match(rest, position)
        if found is None:
            raise NotComputed
        total += int(found["amount"]) * _SECONDS[found["unit"]]
        position = found.end()
    if not rest or total > 3e9:
        raise NotComputed
    return _written(moment + timedelta(seconds=sign * total))


def _timecmp(left: str, right: str) -> int:
    a, b = _moment(left), _moment(right)
    return narrow((a > b) - (a < b))


def _formatdate(pattern: str, text: str) -> str:
    moment = _moment(text)
    if len(pattern) > MAX_TEXT:
        raise NotComputed
    pieces: list[str] = []
    position = 0
    while position < len(pattern):
        found = _PATTERN.match(pattern, position)
        if found is None:
            raise Refused
        position = found.end()
        word = found[0]
        pieces.append(_part(word, moment) if word[0].isalpha() else _literal(word))
    return "".join(pieces)


def _literal(word: str) -> str:
    return word[1:-1].replace("''", "'") if word.startswith("'") else word


def _part(word: str, moment: datetime) -> str:
    hour = moment.hour % 12 or 12
    offset = f"{moment:%z}"
    parts = {
        "YYYY": f"{moment.year:04}",
        "YY": f"{moment.year % 100:02}",
        "MMMM": _MONTHS[moment.month - 1],
        "MMM": _MONTHS[moment.month - 1][:3],
        "MM": f"{moment.month:02}",
        "M": str(moment.month),
        "DD": f"{moment.day:02}",
        "D": str(moment.day),
        "EEEE": _DAYS[moment.weekday()],
        "EEE": _DAYS[moment.weekday()][:3],
        "hh": f"{moment.hour:02}",
        "h": str(moment.hour),
        "HH": f"{hour:02}",
        "H": str(hour),
        "AA": "AM" if moment.hour < 12 else "PM",
        "aa": "am" if moment.hour < 12 else "pm",
        "mm": f"{moment.minute:02}",
        "m": str(moment.minute),
        "ss": f"{moment.second:02}",
        "s": str(moment.second),
        "ZZZZZ": f"{offset[:3]}:{offset[3:5]}",
        "ZZZZ": offset[:5],
        "Z": f"{offset[:3]}:{offset[3:5]}" if moment.utcoffset() else "Z",
        "ZZZ": offset[:5] if moment.utcoffset() else "UTC",
    }
    if word not in parts:
        raise Refused
    return parts[word]


FUNCTIONS: Mapping[str, Function] = {
    "formatdate": function(_formatdate, "string", "string"),
    "timeadd": function(_timeadd, "string", "string"),
    "timecmp": function(_timecmp, "string", "string"),
}
