"""What both planes and every report share: rules, subjects, findings and evaluations.

Plain data without behaviour that reaches outside: nothing here reads a file, a clock or the network. The words that the
start of a run needs already (severities, verdicts, planes, refusals) stand in keyrules.terms and are found here, too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeAlias

from keyrules.control_results import ControlResult as ControlResult
from keyrules.control_results import Counts as Counts
from keyrules.control_results import FrameworkReport as FrameworkReport
from keyrules.control_results import Outcome as Outcome
from keyrules.control_results import RulePart as RulePart
from keyrules.records import dataclass, field
from keyrules.run_facts import AccountState as AccountState
from keyrules.run_facts import ConfigurationUse as ConfigurationUse
from keyrules.run_facts import Coverage as Coverage
from keyrules.run_facts import CoverageOutcome as CoverageOutcome
from keyrules.run_facts import DeclaredAt as DeclaredAt
from keyrules.run_facts import Demand as Demand
from keyrules.run_facts import KeyAges as KeyAges
from keyrules.run_facts import ParameterInForce as ParameterInForce
from keyrules.run_facts import PatchedFile as PatchedFile
from keyrules.run_facts import PatchReport as PatchReport
from keyrules.run_facts import Replacement as Replacement
from keyrules.run_facts import ScanScope as ScanScope
from keyrules.terms import InputError as InputError
from keyrules.terms import Plane as Plane
from keyrules.terms import Severity as Severity
from keyrules.terms import Status as Status
from keyrules.terms import UsageError as UsageError

FactValue: TypeAlias = str | int | float | bool | None
"""A value that a report can print in any format; durations are numbers with their unit in the fact's name."""

ParameterValue: TypeAlias = int | tuple[int, ...]


@dataclass(frozen=True)
class Parameter:
    """A threshold of a rule: an integer in [minimum, maximum], or a list out of `allowed`."""

    name: str
    default: ParameterValue
    unit: str
    minimum: int = 0
    maximum: int | None = None
    allowed: tuple[int, ...] = ()


@dataclass(frozen=True)
class Lifecycle:
    """`status` is experimental, stable or deprecated; `default_on` is False for opt-in rules."""

    status: str
    since: str
    default_on: bool = True


@dataclass(frozen=True)
class Rule:
    """One rule as its YAML file states it. `runtime` is None where the rule has no live plane."""

    id: str
    name: str
    category: str
    severity: Severity
    guideline: str
    provider: str
    definition: Mapping[str, Any]
    runtime: Mapping[str, Any] | None
    parameters: Mapping[str, Parameter]
    rationale: str
    remediation: str
    limits: Mapping[str, str]
    references: tuple[str, ...]
    lifecycle: Lifecycle
    planes: frozenset[Plane]
    path: Path

    @property
    def default_on(self) -> bool:
        """Whether the rule runs when nobody asks for it by name."""
        return self.lifecycle.default_on


@dataclass(frozen=True)
class PackStamp:
    """Ties a verdict to the pack that gave it; `sha256` covers every file of the rules folder."""

    version: str
    sha256: str


@dataclass(frozen=True)
class Selection:
    """The rules of one run, sorted by id, and the parameter values that override their defaults."""

    rules: tuple[Rule, ...]
    overrides: Mapping[tuple[str, str], ParameterValue] = field(default_factory=dict)

    def rule(self, rule_id: str) -> Rule | None:
        """The selected rule of that id, or None when this run does not evaluate it."""
        return next((rule for rule in self.rules if rule.id == rule_id), None)

    def value(self, rule: Rule, parameter: str) -> ParameterValue:
        """The value in force for a parameter of a rule. Raises KeyError when the rule has no such parameter."""
        return self.overrides.get((rule.id, parameter), rule.parameters[parameter].default)


@dataclass(frozen=True)
class Subject:
    """A live credential. `slot` is 1 or 2 for access keys and certificates; `created_at` is part of its identity.

    `twin` numbers what has the same identity otherwise, such as two keys of one user created in the same second.
    `created_text` is `created_at` in ISO 8601 with `Z`, for whom it was that before: to write a time takes longer than
    to read it.
    """

    kind: str
    name: str
    account: str | None = None
    arn: str | None = None
    user: str | None = None
    slot: int | None = None
    key_id: str | None = None
    owner: str | None = None
    created_at: datetime | None = None
    twin: int = 0
    created_text: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True)
class Location:
    """A place in code. `path` has forward slashes, relative to the working directory where that is possible."""

    path: str
    start_line: int
    end_line: int
    address: str


@dataclass(frozen=True)
class TraceStep:
    """One stop on the way of a secret, in order from the key to the sink, or of a rotation, from the clock to the key.

    `line` is 0 where none is known.
    """

    label: str
    path: str
    line: int


@dataclass(frozen=True)
class Exemption:
    """An entry of the exceptions file. `subject` is the pattern as written; the entry holds through `expires` (UTC).

    `place` is the file and line of the entry.
    """

    rule: str
    subject: str
    reason: str
    owner: str
    expires: date
    place: str
    ticket: str | None = None


@dataclass(frozen=True)
class Finding:
    """One rule's verdict on one subject. Exactly one of `subject` (live) and `location` (code) is set.

    `exemption` is why an EXEMPT finding does not count; `exception` the entry that says so, None for a skip comment.
    `declared` is what declares a live key, the surest first; None where nobody asked, and for other credentials.
    """

    rule: str
    severity: Severity
    status: Status
    plane: Plane
    message: str
    reason: str
    remediation: str
    subject: Subject | None = None
    location: Location | None = None
    facts: Mapping[str, FactValue] = field(default_factory=dict)
    trace: tuple[TraceStep, ...] = ()
    exemption: str | None = None
    exception: Exemption | None = None
    declared: tuple[DeclaredAt, ...] | None = None

    @property
    def exemption_text(self) -> str:
        """Why an EXEMPT finding does not count, in one line, with who answers for it and until when."""
        reason = self.exemption or "no reason given"
        if self.exception is None:
            return reason
        ticket = f", {self.exception.ticket}" if self.exception.ticket else ""
        return f"{reason} (exception of {self.exception.owner} until {self.exception.expires.isoformat()}{ticket})"

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 over what identifies the finding and survives line moves and swapped key slots."""
        subject = self.subject
        if subject is not None:
            if subject.created_text:
                created = f"{subject.created_text[:-1]}+00:00"
            else:
                created = subject.created_at.isoformat() if subject.created_at else ""
            identity = [subject.account or "", subject.arn or subject.name, subject.kind, created]
            if subject.twin:
                identity.append(str(subject.twin))
        elif self.location is not None:
            identity = [self.location.path, self.location.address]
        else:
            identity = []
        parts = "\0".join(["keyrules/1", self.plane.value, self.rule, *identity])
        # A path whose bytes are not UTF-8 carries surrogates; strict encoding would raise on it.
        return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class Input:
    """Something that was evaluated: kind is terraform, plan, cloudformation, text or credential_report."""

    kind: str
    name: str
    sha256: str | None = None
    account: str | None = None
    generated_at: datetime | None = None


@dataclass(frozen=True)
class EvaluationError:
    """Something that could not be evaluated; any one of these makes the run exit 3."""

    input: str
    kind: str
    message: str


@dataclass(frozen=True)
class KnownFinding:
    """A finding that the baseline holds and that is still there; `moved_from` is its former path, if that changed."""

    finding: Finding
    first_seen: datetime
    moved_from: str | None = None


@dataclass(frozen=True)
class ResolvedFinding:
    """A finding of the baseline that is gone: what identified it, and when it was first seen.

    `subject` is the credential that a live finding was about, None for code; `file_gone` says that nothing has `path`.
    """

    rule: str
    severity: str
    name: str
    path: str | None
    fingerprint: str
    first_seen: datetime
    subject: Subject | None = None
    file_gone: bool = False


@dataclass(frozen=True)
class BaselineReport:
    """A run against an earlier one. `kept` counts findings of the baseline that this run did not look at.

    `changed` counts those that got another verdict: exempt now, or failing, which is new, where they were UNKNOWN.
    `exempt` has the fingerprints of exempt findings that the baseline holds. `as_of` is the time of the earlier run,
    None where that is a baseline, whose findings have each their own.
    """

    name: str
    as_of: datetime | None
    known: tuple[KnownFinding, ...]
    resolved: tuple[ResolvedFinding, ...]
    kept: int = 0
    changed: int = 0
    exempt: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Evaluation:
    """The whole result of one run. `findings` is in stable order and holds PASS only when the run was asked to; those
    of a live run are made when they are iterated (keyrules.findings).

    `rule_counts` has the verdicts of every rule, PASS included, by id. `gaps` names, by rule id, the accounts that hold
    nothing from which the rule could judge. `population` says how much of what was there, whatever the verdicts.
    `warnings` are about the exceptions; `urgent_warnings` are those that a quiet run shows, too. With a `baseline`,
    `findings` leave out what that holds, `counts` have it as known, and `rule_counts` are of all findings. `scope` is
    None on the live plane.
    `controls` has, by rule id, the (framework key, control) pairs that a rule bears on, the most telling first; it is
    empty unless a format of the run cites them. `coverage` has the files that hold a word of the rules, in the order of
    the paths; `rules_off` are the rules that could have been asked and were not, each with why. `configuration` is None
    where the run had no configuration file. `accounts` has the accounts of a live run, those that were not reached too.
    `source_lines` has the first line of what fails in code by `path:line`, without what looks like a secret.
    `parameters` has what each parameter of each of `rules` is set to, each followed by what holds for some users.
    `ran` is when the run began and ended by the clock, whatever `as_of` is; None where it was to be as at `as_of`.
    `patch` is None unless a format of the run shows it.
    """

    plane: Plane
    as_of: datetime
    pack: PackStamp
    rules: tuple[Rule, ...]
    inputs: tuple[Input, ...]
    findings: Sequence[Finding]
    counts: Counts
    errors: tuple[EvaluationError, ...] = ()
    notes: tuple[str, ...] = ()
    rule_counts: Mapping[str, Counts] = field(default_factory=dict)
    gaps: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    population: Mapping[str, int] = field(default_factory=dict)
    key_ages: KeyAges | None = None
    framework: FrameworkReport | None = None
    warnings: tuple[str, ...] = ()
    urgent_warnings: tuple[str, ...] = ()
    baseline: BaselineReport | None = None
    scope: ScanScope | None = None
    controls: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    coverage: tuple[Coverage, ...] = ()
    rules_off: tuple[tuple[str, str], ...] = ()
    configuration: ConfigurationUse | None = None
    accounts: tuple[AccountState, ...] = ()
    source_lines: Mapping[str, str] = field(default_factory=dict)
    parameters: tuple[ParameterInForce, ...] = ()
    ran: tuple[datetime, datetime] | None = None
    patch: PatchReport | None = None
