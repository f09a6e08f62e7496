"""Lengths of time on the command line: `24h`, `14d`, `90m`, `45s`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from keyrules.live.instants import UNITS
from keyrules.model import UsageError

_LETTERS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_SPAN: Final = re.compile(r"([0-9]+)([smhd])", re.ASCII)
_DIGITS: Final = 6


def parse_span(option: str, text: str) -> timedelta:
    """A whole number of up to six digits and a unit. UsageError, naming the option, for anything else."""
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{option}: {text!r} is no length of time; write a number and s, m, h or d, as in 24h or 14d")
    number = match[1].lstrip("0") or "0"
    if len(number) > _DIGITS:
        raise UsageError(f"{option}: {text.strip()[:40]!r} is too long; write a number up to 999,999 with its unit")
    return int(number) * UNITS[_LETTERS[match[2]]]
