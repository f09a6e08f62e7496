"""What is said about one unit (root module, template or plan): its own declarations, and Checkov's records on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from keyrules.code.cache.influence import Look
from keyrules.code.scan_unit import Unit
from keyrules.code.verdict import Verdict


@dataclass(frozen=True)
class Place:
    """A declared key: where, under which address. `judged` is False for one that only its name is known of, and `why`
    says why where it is not because the file cannot be parsed."""

    path: str
    address: str
    start_line: int
    end_line: int
    judged: bool = True
    why: str = ""


@dataclass(frozen=True)
class Problem:
    """Something of the unit that could not be read; the message quotes nothing of it."""

    path: str
    message: str


@dataclass
class Declared:
    """The outcome of a unit's own declarations. `absent` are keys that a count or condition of 0 takes away, `calls`
    those of modules that may create a key, by their source. `notes` say how something was read."""

    keys: list[Place] = field(default_factory=list)
    calls: list[Place] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    sha256: str = ""


@dataclass(frozen=True)
class CheckRecord:
    """One of Checkov's records: `result` is PASSED, FAILED or SKIPPED; `comment` is a skip's reason, safe to print."""

    rule: str
    result: str
    path: str
    address: str
    start_line: int
    end_line: int
    comment: str = ""


@dataclass
class Checked:
    """Checkov's part of a unit's outcome; `failures` are rules that raised."""

    records: list[CheckRecord] = field(default_factory=list)
    unparsed: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class UnitOutcome:
    """What came back for one unit. `checked` is None when Checkov did not finish, and `problem` says why.

    `looks` are what it rests on with the states found there, None where that is not known in full.
    """

    unit: Unit
    declared: Declared | None
    checked: Checked | None
    problem: str = ""
    looks: Mapping[Look, str] | None = field(default=None, compare=False)
