"""What a run was asked to do, as one value that nothing changes any more: each setting with where it comes from."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from keyrules.records import dataclass, field
from keyrules.terms import Plane, Severity, UsageError

T = TypeVar("T")

SHORTEST_CYCLE_DAYS = 8
"""The least that the longest cycle of a key's callers can be declared as: a week, and a day to see it in."""

DEFAULT_MAX_DAYS = 365
"""How far away the end of an exception may be, in days, unless the configuration sets `max_exception_days`."""


class Source(enum.Enum):
    """Who said what is in force."""

    DEFAULT = "default"
    COMMAND_LINE = "command line"
    FILE = "configuration file"
    FRAMEWORK = "framework"


class Origin(NamedTuple):
    """Where a value comes from. `place` is how messages name that: a file and a line, or the word for the source."""

    source: Source
    place: str


DEFAULT = Origin(Source.DEFAULT, "default")
COMMAND_LINE = Origin(Source.COMMAND_LINE, "command line")


@dataclass(frozen=True)
class Setting(Generic[T]):
    """A value in force, and where it comes from."""

    value: T
    origin: Origin = DEFAULT

    @property
    def from_file(self) -> bool:
        """Whether the configuration file says it."""
        return self.origin.source is Source.FILE

    def named(self, option: str) -> str:
        """What a refusal calls it: its place in the configuration file, or the option."""
        return self.origin.place if self.from_file else option

    @contextmanager
    def blamed(self) -> Iterator[None]:
        """Puts the place in the configuration file before a refusal of what comes from there."""
        try:
            yield
        except UsageError as error:
            if not self.from_file:
                raise
            raise UsageError(f"{self.origin.place}: {error}") from None


@dataclass(frozen=True)
class ConfigurationFile:
    """The file in use, as messages show it. `by_itself` is False where the command line names it."""

    path: Path
    by_itself: bool


@dataclass(frozen=True)
class Rules:
    """Which rules run, and with which thresholds.

    `only` are the rules to run, empty for those that are on by default. `thresholds` are texts as `--set` takes them,
    the later ones winning. `choice` is what alone decided which rules run, None where each rule has its own origin in
    `switched` or is as the pack has it; `changed` has the origins of thresholds, by rule and parameter.
    """

    only: Setting[tuple[str, ...]] = Setting(())
    skipped: tuple[str, ...] = ()
    thresholds: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    choice: Origin | None = None
    switched: Mapping[str, Origin] = field(default_factory=dict)
    changed: Mapping[tuple[str, str], Origin] = field(default_factory=dict)


@dataclass(frozen=True)
class Settings:
    """What scan and audit share. Files are as the working directory sees them.

    `exclude_base` is the absolute folder that the globs of `exclude` are relative to. `notes` are what a run has to say
    about how it was configured.
    """

    plane: Plane
    file: ConfigurationFile | None
    rules: Rules
    framework: Setting[tuple[str, ...]]
    fail_on: Setting[Severity]
    format: Setting[tuple[str, ...]]
    exclude: Setting[tuple[str, ...]]
    exceptions: Setting[str | None]
    max_exception_days: Setting[int]
    strict_exceptions: Setting[bool]
    longest_cycle_days: Setting[int | None]
    longest_cycles: Setting[Mapping[str, int]]
    owners: Setting[Mapping[str, str]]
    overrides: Setting[tuple[Mapping[str, Any], ...]]
    baseline: Setting[str | None]
    write_baseline: str | None
    exclude_base: str
    as_of: datetime | None
    show_passing: bool
    quiet: bool
    no_color: bool
    group_by: str = "rule"
    statistics: bool = False
    layout: str = "grouped"
    oscal_version: str = "1.1.2"
    notes: tuple[str, ...] = ()
