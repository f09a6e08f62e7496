"""What a run says about itself: its configuration file and parameters, its coverage, its accounts, their keys and what
declares them.

Plain data, found in keyrules.model, too.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from keyrules.records import dataclass, field
from keyrules.terms import Severity

if TYPE_CHECKING:
    from datetime import datetime

    from keyrules.control_results import Counts


@dataclass(frozen=True)
class ConfigurationUse:
    """What a configuration file did to a run; empty, None and 0 where it leaves that as it is without one.

    `by_itself` is False where the command line names it. `rules_off` run by default, `thresholds` are as `--set` takes
    them, with the default of each, `overrides` those for some users; `fail_on` is a severity above the lowest.
    `left_out` counts the files and folders that it excluded, `exempt` the findings that the exceptions which it names
    accept, `known` those in its baseline.
    """

    file: str
    by_itself: bool
    framework: str | None = None
    rules_off: tuple[str, ...] = ()
    thresholds: tuple[tuple[str, str], ...] = ()
    overrides: tuple[str, ...] = ()
    fail_on: Severity | None = None
    left_out: int = 0
    exceptions: str | None = None
    exempt: int = 0
    baseline: str | None = None
    known: int = 0

    @property
    def changes(self) -> list[str]:
        """What it excluded, switched off, chose or loosened, a few words for each."""
        changes = [f"{self.framework} chooses the rules"] if self.framework else []
        changes += [f"{_counted(self.rules_off, 'rule')} off"] if self.rules_off else []
        thresholds = [f"{text}, default {default}" for text, default in self.thresholds]
        changes += [f"{_counted(thresholds, 'threshold', '; ')} changed"] if thresholds else []
        changes += [f"{_counted(self.overrides, 'override', '; ')}"] if self.overrides else []
        changes += [f"fails from {self.fail_on.name.lower()} on"] if self.fail_on is not None else []
        changes += [f"{_number(self.left_out, 'file or folder', 'files or folders')} excluded"] if self.left_out else []
        if self.exceptions is not None:
            changes.append(f"{_number(self.exempt, 'finding')} exempt by {self.exceptions}")
        if self.baseline is not None:
            changes.append(f"{_number(self.known, 'finding')} known from {self.baseline}")
        return changes

    @property
    def sentence(self) -> str:
        """All of it in one line."""
        return f"configuration {self.file}: {', '.join(self.changes) or 'nothing excluded, switched off or loosened'}"


def _number(count: int, one: str, many: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _counted(items: Sequence[str], noun: str, separator: str = ", ") -> str:
    return f"{_number(len(items), noun)} ({separator.join(items)})"


@dataclass(frozen=True)
class Demand:
    """A limit that a control sets to a parameter, as in `max_age_days<=90`."""

    framework: str
    control: str
    bound: str

    def __str__(self) -> str:
        return f"{self.bound} of {self.framework} {self.control}"


@dataclass(frozen=True)
class ParameterInForce:
    """What a parameter of a rule was set to in a run, and by whom.

    `origin` is a stable word: default, framework, configuration file, command line or override; `place` is the edition,
    the file and line, or the entry. `looser_than` are the limits of the run's frameworks that the value exceeds. An
    override has the `users` for whom it holds in the place of what holds otherwise, with who answers for it and why.
    """

    rule: str
    name: str
    value: int | tuple[int, ...]
    unit: str
    default: int | tuple[int, ...]
    origin: str
    place: str
    looser_than: tuple[Demand, ...] = ()
    users: str = ""
    owner: str = ""
    reason: str = ""


class CoverageOutcome(enum.Enum):
    """What became of a file that holds a word of the rules."""

    JUDGED = "judged"
    ABSENT = "absent"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Coverage:
    """A file that holds a word of the rules: what became of it, why where it was not judged, and how many keys and
    other blocks in it were."""

    path: str
    outcome: CoverageOutcome
    reason: str
    subjects: int


@dataclass(frozen=True)
class ScanScope:
    """Where a scan looked: everything below `folders`, and `files` that were named, as reports show paths.

    `read` are the files of its root modules, wherever they lie, and `secrets` the sums of the secrets that it met.
    """

    folders: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    secrets: frozenset[str] = frozenset()


@dataclass(frozen=True)
class AccountState:
    """What became of one account of a live run, and what it holds.

    `state` is a stable word: "evaluated" where its report was judged, else what stood in the way (stale, denied by SCP,
    role missing, throttled, suspended, timeout …), of which `cause` is the sentence. `name` is what the organisation
    calls the account. `oldest_key` is when its oldest active key was created (aware). `failed` counts what does not
    pass by severity, `unknown` what could not be judged, `errors` what was left out. `counts` has the verdicts of each
    rule of the run, in their order; nothing where the account was not evaluated.
    """

    account: str
    state: str
    cause: str = ""
    name: str = ""
    users: int = 0
    active_keys: int = 0
    oldest_key: datetime | None = None
    failed: Mapping[Severity, int] = field(default_factory=dict)
    unknown: int = 0
    errors: int = 0
    counts: tuple[Counts, ...] = ()


@dataclass(frozen=True)
class KeyAges:
    """Active access keys by age: `counts` holds buckets of limit_days / PER_LIMIT each, the last one everything older.

    A key that is exactly as old as a bucket's end is in that bucket. `undated` keys have no usable date.
    """

    PER_LIMIT: ClassVar[int] = 6

    limit_days: int
    counts: tuple[int, ...]
    undated: int


@dataclass(frozen=True)
class DeclaredAt:
    """What declares a live key, in the words of keyrules.keys.join. `path` is as reports show paths, None with `line`
    where no code was found for it; `state` is the name of the state that holds it, None where none does."""

    path: str | None
    line: int | None
    address: str
    state: str | None
    certainty: str
    evidence: str

    @property
    def sentence(self) -> str:
        """Where that is, how sure it is, and why where it is not certain."""
        sure = self.certainty if self.certainty == "certain" else f"{self.certainty} by {self.evidence}"
        where = f"at {self.path}:{self.line}" if self.path is not None else f"as {self.address} in {self.state}"
        return f"Declared {where} ({sure.replace('_', ' ')})"


@dataclass(frozen=True)
class Replacement:
    """Whole lines of a file, counted from 0, that give way to others; `end` is the first line after them, `marks` are
    the fingerprints of the findings that it is for. `open_ended` says that the last of them is the last line of the
    file and has no end."""

    start: int
    end: int
    new: tuple[str, ...]
    marks: frozenset[str]
    open_ended: bool = False


@dataclass(frozen=True)
class PatchedFile:
    """A file that a patch changes: its path as findings have it, its diff as `git apply` takes it, and its changes."""

    path: str
    diff: str
    changes: tuple[Replacement, ...]


@dataclass(frozen=True)
class PatchReport:
    """What mends the failures of a scan: by fingerprint what is done for those that it mends, why the others are
    left."""

    files: tuple[PatchedFile, ...] = ()
    mended: Mapping[str, str] = field(default_factory=dict)
    left: Mapping[str, str] = field(default_factory=dict)
