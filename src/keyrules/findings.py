"""What reports ask of the findings of a run, whether a tuple holds them or they are made when they are asked for."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias, overload

from keyrules.model import Finding, Severity, Status, Subject

Tally: TypeAlias = Mapping[tuple[str, Severity, Status], int]
"""How many findings there are of each rule, severity and status."""


class Group(NamedTuple):
    """Findings that belong together, as they are asked for: `name` is a rule's id, a user, an account or an owner.

    `account` is that of a user, `numbers` are those of all findings, by severity and status. `findings` are to be
    iterated before the next group is.
    """

    name: str
    account: str
    numbers: Mapping[tuple[Severity, Status], int]
    findings: Iterator[Finding]


class Listing(Sequence[Finding]):
    """Findings that are made when they are asked for, the worst first, so that no run has to hold all of them.

    Each iteration begins anew; a position costs the way there. What is asked often is answered without making any.
    """

    @property
    @abstractmethod
    def tally(self) -> Tally:
        """How many there are."""

    def __len__(self) -> int:
        return sum(self.tally.values())

    @overload
    def __getitem__(self, index: int) -> Finding: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Finding]: ...
    def __getitem__(self, index: int | slice) -> Finding | Sequence[Finding]:
        return tuple(self)[index]

    @abstractmethod
    def __iter__(self) -> Iterator[Finding]: ...

    @property
    @abstractmethod
    def owners(self) -> Mapping[str, int]:
        """How many that fail or are UNKNOWN each owner has; empty where nobody asked for owners."""

    @abstractmethod
    def only(self, statuses: Iterable[Status], rule: str | None = None) -> Iterator[Finding]:
        """Those of the statuses, and of the rule, in their order."""

    @abstractmethod
    def grouped(self, by: str, statuses: Iterable[Status]) -> Iterator[Group]:
        """Those of the statuses by one of keyrules.terms.GROUPINGS, the group of the worst finding first."""


def tally_of(findings: Sequence[Finding]) -> Tally:
    """How many findings there are of each rule, severity and status."""
    if isinstance(findings, Listing):
        return findings.tally
    return Counter((finding.rule, finding.severity, finding.status) for finding in findings)


def owners_of(findings: Sequence[Finding]) -> Mapping[str, int]:
    """How many that fail or are UNKNOWN each owner has."""
    if isinstance(findings, Listing):
        return findings.owners
    return Counter(
        finding.subject.owner
        for finding in findings
        if finding.status in (Status.FAIL, Status.UNKNOWN) and finding.subject is not None and finding.subject.owner
    )


def grouped(findings: Sequence[Finding], by: str, statuses: Iterable[Status]) -> Iterator[Group]:
    """The findings of the statuses by one of keyrules.terms.GROUPINGS, in the order of the first of each group.

    Those of a rule that have different statuses are different groups.
    """
    wanted = frozenset(statuses)
    if isinstance(findings, Listing):
        yield from findings.grouped(by, wanted)
        return
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        if finding.status in wanted:
            groups.setdefault(_group(finding, by), []).append(finding)
    for (name, account, *_), own in groups.items():
        yield Group(name, account, Counter((each.severity, each.status) for each in own), iter(own))


def _group(finding: Finding, by: str) -> tuple[str, ...]:
    subject = finding.subject or Subject(kind="", name="")
    if by == "rule":
        return (finding.rule, "", finding.status.value)
    if by == "user":
        return (subject.user or subject.name, subject.account or "")
    return ((subject.account if by == "account" else subject.owner) or "", "")


def findings_of(findings: Sequence[Finding], statuses: Iterable[Status], rule: str | None = None) -> Iterator[Finding]:
    """The findings of the statuses, and of the rule, in their order."""
    wanted = frozenset(statuses)
    if isinstance(findings, Listing):
        return findings.only(wanted, rule)
    return (each for each in findings if each.status in wanted and rule in (None, each.rule))


class _Without(Listing):
    """A listing but for what stands at some positions."""

    def __init__(self, findings: Listing, positions: Collection[int]) -> None:
        self._findings = findings
        self._positions = positions
        self._tally, self._owners = Counter(findings.tally), Counter(findings.owners)
        for at, finding in enumerate(findings):
            if at in positions:
                self._tally[finding.rule, finding.severity, finding.status] -= 1
                if finding.subject is not None and finding.subject.owner:
                    self._owners[finding.subject.owner] -= 1

    @property
    def tally(self) -> Tally:
        return +self._tally

    def only(self, statuses: Iterable[Status], rule: str | None = None) -> Iterator[Finding]:
        wanted = frozenset(statuses)
        return (finding for finding in self if finding.status in wanted and rule in (None, finding.rule))

    @property
    def owners(self) -> Mapping[str, int]:
        return +self._owners

    def grouped(self, by: str, statuses: Iterable[Status]) -> Iterator[Group]:
        return grouped(tuple(self), by, statuses)

    def __iter__(self) -> Iterator[Finding]:
        return (finding for at, finding in enumerate(self._findings) if at not in self._positions)


def without(findings: Sequence[Finding], positions: Collection[int]) -> Sequence[Finding]:
    """The findings but for those at some positions."""
    if isinstance(findings, Listing):
        return _Without(findings, positions)
    return tuple(finding for at, finding in enumerate(findings) if at not in positions)
