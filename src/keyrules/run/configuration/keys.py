"""What `.keyrules.yaml` may say: one table, from which the loader checks a file and the JSON schema is made."""

from __future__ import annotations

from keyrules.model import Severity
from keyrules.records import dataclass
from keyrules.run.configuration.kinds import (
    SECTIONS,
    SWITCH,
    TOP,
    ByUser,
    Choice,
    FileName,
    Glob,
    Kind,
    Many,
    Report,
    Whole,
)
from keyrules.run.configuration.override_keys import OVERRIDES, Text
from keyrules.run.settings import DEFAULT_MAX_DAYS, SHORTEST_CYCLE_DAYS
from keyrules.terms import EXCEPTIONS_FILE

_LONGEST_EXCEPTION = 3650


@dataclass(frozen=True)
class Key:
    """A key of the file, and the places where it may stand."""

    name: str
    kind: Kind
    places: tuple[str, ...]
    about: str


_ALL = (TOP, *SECTIONS)
_CYCLE = Whole(SHORTEST_CYCLE_DAYS, 400, "days")
_OWNER = Text(r"^[^\x00-\x1f]{1,200}$", "text of up to 200 characters on one line")
KEYS: tuple[Key, ...] = (
    Key(
        "framework",
        Choice(lambda words: words.frameworks),
        _ALL,
        "Run a framework's rules, with its thresholds; not together with rules that are on or off.",
    ),
    Key(
        "fail_on",
        Choice(lambda words: tuple(level.name.lower() for level in Severity)),
        _ALL,
        "The lowest severity that makes the exit code 1; default: low.",
    ),
    Key(
        "format",
        Many(Report()),
        _ALL,
        "Reports: FORMAT goes to standard output, FORMAT=FILE to a file relative to the folder of this one.",
    ),
    Key(
        "exclude",
        Many(Glob()),
        (TOP, "scan"),
        "What a scan leaves out: globs as in a .gitignore, relative to the folder of this file.",
    ),
    Key("exceptions", FileName(), (TOP,), f"The exceptions file; default: {EXCEPTIONS_FILE} beside this one."),
    Key(
        "max_exception_days",
        Whole(1, _LONGEST_EXCEPTION, "days"),
        (TOP,),
        f"How far away an exception may expire; default: {DEFAULT_MAX_DAYS}.",
    ),
    Key("strict_exceptions", SWITCH, (TOP,), "Whether exceptions that expired or match nothing make the exit code 2."),
    Key(
        "overrides",
        OVERRIDES,
        ("audit",),
        "Other thresholds for some users, each with who answers for it and why; by tag with --verify, and only looser.",
    ),
    Key(
        "longest_cycle_days",
        _CYCLE,
        (TOP,),
        "For `keyrules keys`: the longest time between two uses of a key by one caller; 31 is assumed without it.",
    ),
    Key(
        "longest_cycles", ByUser(_CYCLE), (TOP,), "For `keyrules keys`: the same, in days, for the keys of some users."
    ),
    Key("owners", ByUser(_OWNER), (TOP,), "For `keyrules keys`: who answers for the keys of a user."),
    Key("baseline", FileName(), tuple(SECTIONS), "An earlier JSON output: only findings that are not in it count."),
)
