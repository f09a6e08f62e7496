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

import enum
from collections.abc import Iterable, Mapping
from datetime import date

from keyrules.completion.pack_names import latest_editions
from keyrules.controls.bounds import Bound
from keyrules.model import UsageError
from keyrules.nearest import did_you_mean
from keyrules.records import dataclass


class Relation(enum.Enum):
    """What a rule decides about a control; the module's docstring says it in full."""

    IMPLEMENTS = "implements"
    PARTIAL = "partial"
    SUPPORTS = "supports"
    CONTRADICTS = "contradicts"
    NOT_COVERED = "not_covered"


class Status(enum.Enum):
    """How an edition stands today."""

    CURRENT = "current"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


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
    """One edition of a framework; `rows` are sorted by control and rule. Equal titles make a series of editions.

    `superseded_by` is the key of the edition that took its place, `retired_on` the day (or month) on which it went, and
    `note` what else is to be said about how it stands; each is empty where there is none.
    """

    key: str
    title: str
    edition: str
    publisher: str
    url: str
    published: str
    checked_on: date
    rows: tuple[ControlRow, ...]
    status: Status = Status.CURRENT
    superseded_by: str = ""
    retired_on: str = ""
    note: str = ""

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
class Level:
    """What a source says of a control: the profile that it belongs to, and whether a program or a person assesses it.

    `assessment` is in the benchmark's own word, and empty where the source has none. Sources that differ about a
    control have a record each.
    """

    level: str
    assessment: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Unmapped:
    """Why a rule has no control in any framework of a publisher."""

    rule: str
    publisher: str
    why: str


@dataclass(frozen=True)
class Frameworks:
    """Everything in rules/controls; `editions` are sorted by key, so that those of a series stand in their order, and
    `levels` are by framework and control."""

    editions: tuple[FrameworkEdition, ...]
    sources: Mapping[str, Source]
    removed: tuple[Removed, ...]
    unmapped: tuple[Unmapped, ...]
    levels: Mapping[tuple[str, str], tuple[Level, ...]]

    def edition(self, key: str) -> FrameworkEdition:
        """The edition of that key or alias (`cis_aws_latest`). Raises UsageError with the nearest key."""
        keys = [edition.key for edition in self.editions]
        aliases = latest_editions(keys)
        found = next((edition for edition in self.editions if edition.key == aliases.get(key, key)), None)
        if found:
            return found
        meant = did_you_mean(key, [*keys, *aliases], 0.5)
        raise UsageError(f"There is no framework {key!r}; {meant}`keyrules controls` lists them all.")

    def series(self, edition: FrameworkEdition) -> tuple[FrameworkEdition, ...]:
        """The editions of the same framework, oldest first."""
        return tuple(other for other in self.editions if other.title == edition.title)

    def standing(self, edition: FrameworkEdition) -> str:
        """What is to be said before anybody relies on an edition that is no longer the current one; "" for a current
        one about which there is nothing to say."""
        by = f" by {edition.superseded_by}" if edition.superseded_by else ""
        if edition.status is Status.SUPERSEDED:
            since = f" since {edition.retired_on}" if edition.retired_on else ""
            said = f"{edition.key} is superseded{by}{since}"
        elif edition.status is Status.WITHDRAWN:
            on = f" on {edition.retired_on}" if edition.retired_on else ""
            said = f"{edition.key} was withdrawn{on}" + (f" and is superseded{by}" if by else "")
        else:
            return edition.note
        newest = self.series(edition)[-1].key
        known = newest in (edition.key, edition.superseded_by)
        return f"{said}{'' if known else f'; the newest edition here is {newest}'}. {edition.note}".rstrip()

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
