"""What is said about one unit (root module, template or plan)."""

from __future__ import annotations

from keyrules.code.scan_unit import Unit
from keyrules.code.verdict import Verdict
from keyrules.records import dataclass, field


@dataclass(frozen=True)
class Place:
    """A declared key, or something else that is named: where, under which address. `judged` is False for a key that
    only its name is known of."""

    path: str
    address: str
    start_line: int
    end_line: int
    judged: bool = True


@dataclass(frozen=True)
class Problem:
    """Something of the unit that could not be read; the message quotes nothing of it."""

    path: str
    message: str


@dataclass
class Declared:
    """What a unit declares and every rule's verdicts. `absent` are keys that a count or condition of 0 takes away,
    `idle_skips` skip comments that have no effect where they stand, by their ids, `files` all that was read for a root
    module, and `read` those of them that expressions read."""

    keys: list[Place] = field(default_factory=list)
    absent: list[Place] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    idle_skips: list[Place] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    sha256: str = ""
    files: frozenset[str] = frozenset()
    read: frozenset[str] = frozenset()


@dataclass(frozen=True)
class UnitOutcome:
    """What came back for one unit. `declared` is None when its evaluation did not come to an end, and `problem` says
    why."""

    unit: Unit
    declared: Declared | None
    problem: str = ""
