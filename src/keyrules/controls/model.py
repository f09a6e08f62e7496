"""Frameworks by edition, and how the rules of the pack relate to their controls.

A relation says what a rule decides about a control:

- `implements`: the rule, within its bound, decides the whole control;
- `partial`: it decides a part. The other parts are further `partial` rows, or a `not_covered` row that names what
  stays open; `partial` rows without such a row decide the control together;
- `supports`: it is evidence for the control and decides nothing of it;
- `contradicts`: the control forbids what the rule demands. The rule never runs for the edition; the row says why;
- `not_covered`: no rule says anything about the control, or about the rest of it.
"""

from __future__ import annotations

import difflib
import enum
from collections.abc import Iterable, Mapping
from datetime import date

from keyrules.controls.bounds import Bound
from keyrules.model import UsageError
from keyrules.records import dataclass


class Relation(enum.Enum):
    """What a rule decides about a control; the module's docstring says it in full."""

    IMPLEMENTS = "implements"
    PARTIAL = "partial"
    SUPPORTS = "supports"
    CONTRADICTS = "contradicts"
    NOT_COVERED = "not_covered"


class Coverage(enum.Enum):
    """How much of a control its rows decide together."""

    FULL = "full"
    PART = "part"
    EVIDENCE = "evidence"
    NONE = "none"


@dataclass(frozen=True)
class Source:
    """Where mappings come from: a public document, or a scanner's repository at a commit."""

    key: str
    title: str
    url: str


@dataclass(frozen=True)
class ControlRow:
    """One control and one rule of an edition; `rule` is empty where the relation is not_covered.

    `statement` is the part of the control that the row is about, as the framework's own OSCAL catalog or text names it
    (`ia-5_smt.f`); empty where the row is about the control as a whole.
    """

    control: str
    title: str
    relation: Relation
    rule: str
    bounds: tuple[Bound, ...]
    sources: tuple[str, ...]
    why: str
    statement: str = ""

    @property
    def runs(self) -> bool:
        """Whether the rule is evaluated for the control."""
        return bool(self.rule) and self.relation is not Relation.CONTRADICTS


@dataclass(frozen=True)
class FrameworkEdition:
    """One edition of a framework; `rows` are sorted by control and rule. Equal titles make a series of editions."""

    key: str
    title: str
    edition: str
    publisher: str
    url: str
    published: str
    checked_on: date
    rows: tuple[ControlRow, ...]

    @property
    def name(self) -> str:
        """What people call it: `CIS AWS Foundations Benchmark 3.0.0`."""
        return f"{self.title} {self.edition}"

    @property
    def controls(self) -> tuple[str, ...]:
        """The ids of its controls, each once, in order."""
        return tuple(dict.fromkeys(row.control for row in self.rows))

    @property
    def rules(self) -> tuple[str, ...]:
        """The ids of the rules that run for its controls, sorted."""
        return tuple(sorted({row.rule for row in self.rows if row.runs}))

    def rows_of(self, control: str) -> tuple[ControlRow, ...]:
        """The rows of one control; none when the edition does not list it."""
        return tuple(row for row in self.rows if row.control == control)


@dataclass(frozen=True)
class Removed:
    """A control that the next edition of its series no longer lists. `framework` is the last edition that has it."""

    framework: str
    control: str
    title: str
    rules: tuple[str, ...]
    removed_in: str
    sources: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class Unmapped:
    """Why a rule has no control in any framework of a publisher."""

    rule: str
    publisher: str
    why: str


@dataclass(frozen=True)
class Frameworks:
    """Everything in rules/controls; `editions` are sorted by key, so that those of a series stand in their order."""

    editions: tuple[FrameworkEdition, ...]
    sources: Mapping[str, Source]
    removed: tuple[Removed, ...]
    unmapped: tuple[Unmapped, ...]

    def edition(self, key: str) -> FrameworkEdition:
        """The edition of that key. Raises UsageError with the nearest key."""
        found = next((edition for edition in self.editions if edition.key == key), None)
        if found:
            return found
        close = difflib.get_close_matches(key.lower(), [edition.key for edition in self.editions], n=1, cutoff=0.5)
        nearest = f"did you mean {close[0]}? " if close else ""
        raise UsageError(f"There is no framework {key!r}; {nearest}`keyrules controls` lists them all.")

    def series(self, edition: FrameworkEdition) -> tuple[FrameworkEdition, ...]:
        """The editions of the same framework, oldest first."""
        return tuple(other for other in self.editions if other.title == edition.title)

    def removed_from(self, edition: FrameworkEdition) -> tuple[Removed, ...]:
        """The controls that this edition no longer lists and the one before it did."""
        return tuple(entry for entry in self.removed if entry.removed_in == edition.key)


def coverage(rows: Iterable[ControlRow]) -> Coverage:
    """How much the rows of one control decide together."""
    relations = {row.relation for row in rows}
    if Relation.IMPLEMENTS in relations:
        return Coverage.FULL
    if Relation.PARTIAL in relations:
        return Coverage.PART if Relation.NOT_COVERED in relations else Coverage.FULL
    return Coverage.EVIDENCE if Relation.SUPPORTS in relations else Coverage.NONE
