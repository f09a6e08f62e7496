"""Lengths of time on the command line: `24h`, `14d`, `90m`, `45s`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from keyrules.live.instants import UNITS
from keyrules.model import UsageError

_LETTERS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_SPAN: Final = re.compile(r"([0-9]{1,6})([smhd])", re.ASCII)


def parse_span(option: str, text: str) -> timedelta:
    """A whole number and a unit. UsageError, naming the option, for anything else."""
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{option}: {text!r} is no length of time; write a number and s, m, h or d, as in 24h or 14d")
    return int(match[1]) * UNITS[_LETTERS[match[2]]]
