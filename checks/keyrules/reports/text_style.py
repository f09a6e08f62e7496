"""What every text report shares: colour, safe printing of foreign text, wrapping, and durations in human terms.

Pure functions over strings. Whether colour is wanted (a terminal, NO_COLOR, FORCE_COLOR) and how wide the terminal is
are the caller's decisions. Foreign text (paths, addresses, user names, messages) goes through `printable` before it is
styled or wrapped, because a file name may hold an escape sequence that takes over the reader's terminal.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from keyrules.model import Severity

_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_YEAR = 365 * _DAY
_MONTH = 30 * _DAY

_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
UNSAFE = re.compile(
    "["
    + "".join(
        f"\\U{code:08x}" for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) in _UNSAFE_CATEGORIES
    )
    + "]"
)
