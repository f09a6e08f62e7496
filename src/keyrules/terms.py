"""The words and refusals that every stage of a run shares, the first ones included: nothing is imported but enum.

A run that has nothing to evaluate is over before keyrules.model is imported, which takes longer than such a run.
"""

from __future__ import annotations

import enum

CONFIGURATION_FILE = ".keyrules.yaml"
MISSPELT_FILE = ".keyrules.yml"
"""The name that is refused, because it would be passed over."""

EXCEPTIONS_FILE = ".keyrules-exceptions.yaml"

YEARS = range(1970, 2200)
"""Of every moment that is read or asked for: IAM opened in 2011, and a date outside of these is a spreadsheet's or a
database's idea of zero."""


class Severity(enum.IntEnum):
    """Ordered, so that `--fail-on` can compare."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4


class Status(enum.Enum):
    """The verdict on one rule and one subject."""

    PASS = "PASS"
    FAIL = "FAIL"
    EXEMPT = "EXEMPT"
    UNKNOWN = "UNKNOWN"


WORST_FIRST = {Status.FAIL: 0, Status.UNKNOWN: 1, Status.EXEMPT: 2, Status.PASS: 3}
"""What to sort statuses by."""


class Plane(enum.Enum):
    """Where a subject was looked at."""

    CODE = "code"
    LIVE = "live"


LAYOUTS = ("grouped", "concise", "full")
"""How much text says of each finding, the default first."""

GROUPINGS = ("rule", "user", "account", "owner")
"""What findings on live accounts can be grouped by."""


class UsageError(Exception):
    """The command or a configuration file is wrong: one sentence for stderr, exit 2."""


class InputError(Exception):
    """An input could not be evaluated: one sentence, exit 3."""
