"""Compares a run with a baseline. Pure: findings and entries in, their partition out.

Every FAIL and UNKNOWN of the run is new or known; every entry of the baseline is known, changed, resolved or unseen.

- Fingerprints decide. A FAIL is known where the baseline has a FAIL; an UNKNOWN where it has either, because both were
  accepted in the open. A FAIL where the baseline has only an UNKNOWN is new: nobody has accepted that. The severity has
  no part in it: a pack that raises one makes no old finding new.
- A finding in code may have moved: to another Terraform file of the same folder, which is the same module, so that the
  address names the same resource; or out of a file that is gone. It is known where rule and address are the same and
  there is one candidate on each side. While the old file exists, the same address in another folder is a copy, and new.
- A hard-coded credential moves only with its key id: its address is where it stands, not what it is.
- A verdict on a user that hangs on one of the user's keys stays known when that key is another one now.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple

from keyrules.code.file_names import SOURCE_SUFFIXES
from keyrules.model import Finding, Location, Status
from keyrules.records import dataclass
from keyrules.run.baseline.places import path_of
from keyrules.run.baseline.reading import COUNTED, KEY_IDS, Entry

_OF_USERS = ("KEY_AWS_003",)
"""Rules that give one verdict for all keys of a user, on the key that should go."""


@dataclass(frozen=True)
class Known:
    """A finding of the run with its entry in the baseline. `moved` says that it was found elsewhere then."""

    finding: Finding
    entry: Entry
    moved: bool = False


class Partner(NamedTuple):
    """The entry of the baseline that a finding of the run is; `moved` as in Known."""

    entry: Entry
    moved: bool = False


@dataclass(frozen=True)
class Comparison:
    """The partition of `findings`, by their positions. The entries are in the order of the baseline.

    `changed` entries are exempt now, or fail where they were UNKNOWN; `unseen` are those that the run cannot judge.
    Beside it, `exempt_at` are the exempt findings of the run that the baseline holds.
    """

    findings: Sequence[Finding]
    partners: Mapping[int, Partner]
    changed: tuple[Entry, ...] = ()
    resolved: tuple[Entry, ...] = ()
    unseen: tuple[Entry, ...] = ()
    exempt_at: frozenset[int] = frozenset()

    @property
    def new(self) -> tuple[Finding, ...]:
        """What counts and the baseline does not hold, in the order of the run."""
        return tuple(
            each for at, each in enumerate(self.findings) if each.status in COUNTED and at not in self.partners
        )

    @property
    def known(self) -> tuple[Known, ...]:
        """What the baseline holds, in the order of the run."""
        return tuple(Known(each, *self.partners[at]) for at, each in enumerate(self.findings) if at in self.partners)

    @property
    def exempt(self) -> tuple[Finding, ...]:
        """The exempt findings that the baseline holds, in the order of the run."""
        return tuple(each for at, each in enumerate(self.findings) if at in self.exempt_at)


def compare(
    findings: Sequence[Finding],
    entries: Mapping[str, Entry],
    seen: Callable[[Entry], bool],
    gone: Callable[[str], bool],
) -> Comparison:
    """Puts a run's findings against the entries of a baseline, which are by fingerprint.

    `seen` says whether the run would have found an entry that were still there; `gone` whether a path is no more.
    """
    partners: dict[int, Partner] = {}
    strangers: dict[int, Finding] = {}
    met: set[str] = set()
    exempt_at: set[int] = set()
    for at, finding in enumerate(findings):
        if finding.status is Status.PASS:
            continue
        entry = entries.get(finding.fingerprint)
        if entry is not None:
            met.add(entry.fingerprint)
            if finding.status is Status.EXEMPT:
                exempt_at.add(at)
            elif _accepts(entry, finding):
                partners[at] = Partner(entry)
        elif finding.status in COUNTED and (finding.location is not None or _of_user(finding) is not None):
            strangers[at] = finding
    left = {fingerprint: entry for fingerprint, entry in entries.items() if fingerprint not in met}
    for at, entry in _moves(strangers, left, gone):
        partners[at] = Partner(entry, moved=True)
        del left[entry.fingerprint]
    known = {partner.entry.fingerprint for partner in partners.values()}
    resolved = {fingerprint for fingerprint, entry in left.items() if seen(entry)}
    return Comparison(
        findings,
        partners,
        changed=tuple(
            entry for fingerprint, entry in entries.items() if fingerprint not in known and fingerprint not in left
        ),
        resolved=tuple(entry for fingerprint, entry in left.items() if fingerprint in resolved),
        unseen=tuple(entry for fingerprint, entry in left.items() if fingerprint not in resolved),
        exempt_at=frozenset(exempt_at),
    )


def _accepts(entry: Entry, finding: Finding) -> bool:
    return finding.status is Status.UNKNOWN or entry.finding.status is Status.FAIL


def _moves(
    strangers: Mapping[int, Finding], left: Mapping[str, Entry], gone: Callable[[str], bool]
) -> list[tuple[int, Entry]]:
    """The pairs of a finding and the entry that it was. Moves within a module come first, because they are certain."""
    pairs: list[tuple[int, Entry]] = []
    for identity, moved_away in ((_within_module, None), (_of_user, None), (_anywhere, gone)):
        taken_findings, taken_entries = {index for index, _ in pairs}, {entry.fingerprint for _, entry in pairs}
        candidates: dict[Hashable, list[int]] = defaultdict(list)
        for index, finding in strangers.items():
            if index not in taken_findings and (key := identity(finding)) is not None:
                candidates[key].append(index)
        origins: dict[Hashable, list[Entry]] = defaultdict(list)
        for entry in left.values():
            if entry.fingerprint in taken_entries or (moved_away and not moved_away(path_of(entry.finding))):
                continue
            if (key := identity(entry.finding)) is not None:
                origins[key].append(entry)
        pairs += [
            (found[0], origins[key][0])
            for key, found in candidates.items()
            if len(found) == 1 and len(origins[key]) == 1 and _accepts(origins[key][0], strangers[found[0]])
        ]
    return pairs


def _anywhere(finding: Finding) -> Hashable | None:
    """What a finding is apart from its place; None where nothing but the place says that."""
    location = finding.location
    if location is None or location.address.startswith("line "):
        return None
    key_ids = [finding.facts[name] for name in KEY_IDS if name in finding.facts]
    if None in key_ids:
        return None
    return (finding.rule, location.address, _is_terraform(location), *key_ids)


def _within_module(finding: Finding) -> Hashable | None:
    identity, location = _anywhere(finding), finding.location
    if identity is None or location is None or not _is_terraform(location):
        return None
    return (location.path.rpartition("/")[0], identity)


def _of_user(finding: Finding) -> Hashable | None:
    subject = finding.subject
    if subject is None or finding.rule not in _OF_USERS or not (subject.account and subject.arn):
        return None
    return (finding.rule, subject.account, subject.arn)


def _is_terraform(location: Location) -> bool:
    return location.path.endswith(SOURCE_SUFFIXES)


def worst_first(entries: Iterable[Entry]) -> list[Entry]:
    """Entries by severity, then by where they are and by rule."""
    return sorted(entries, key=lambda entry: (-entry.finding.severity, *place_order(entry.finding), entry.fingerprint))


def place_order(finding: Finding) -> tuple[str, str, str, str, str]:
    """A sort key that line moves and swapped key slots leave alone."""
    location, subject = finding.location, finding.subject
    if location is not None:
        return (location.path, location.address, "", "", finding.rule)
    if subject is None:
        return ("", "", "", "", finding.rule)
    created = subject.created_at.isoformat() if subject.created_at else ""
    return (subject.account or "", subject.arn or subject.name, subject.kind, created, finding.rule)
