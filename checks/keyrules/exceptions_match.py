"""Which exception covers which finding.

A subject of the exceptions file is compared with every name that a finding goes by. Upper and lower case differ.

A code finding offers:

- its address as reports show it, `module.ci["eu"].aws_iam_access_key.deploy[0]`; in CloudFormation the logical id;
- the address without the keys of `count` and `for_each`, `module.ci.aws_iam_access_key.deploy`;
- its path as reports show it, `infra/ci/main.tf`;
- `path:address`, with and without those keys.

A live finding offers:

- the account, `123456789012`;
- the user, `alice`; the root user is `<root_account>`, as in credential reports;
- the ARN, `arn:aws:iam::123456789012:user/alice`;
- the credential, `alice/access_key_1`, `alice/signing_certificate_2` or `alice/console_password`, and its name in
  reports, `access key 1 of alice`; a slot is a place, and after a rotation another key may be in it;
- the user and the credential with the account before them, `123456789012/alice/access_key_1`.

Access key ids are no names: only `--verify` learns them, and an exception for a key that nobody may name ends up as
one for its user anyway.

A subject with `*` (any text, `/` and `.` included) or `?` (one character) is a glob, and has to match a whole name.
Every other character stands for itself, `[` and `]` too, because addresses have them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fnmatch import translate

from keyrules.exceptions_file import Entry
from keyrules.iac.host.checkov_graph import without_keys
from keyrules.model import Finding, Location, Plane, Status, Subject

_EXEMPTABLE = (Status.FAIL, Status.UNKNOWN)


def code_names(location: Location) -> tuple[str, ...]:
    """The names of a place in code, as the module says."""
    path, address = location.path, location.address
    bare = without_keys(address)
    return tuple(dict.fromkeys((address, bare, path, f"{path}:{address}", f"{path}:{bare}")))


def live_names(subject: Subject) -> tuple[str, ...]:
    """The names of a live credential, as the module says."""
    account, user = subject.account or "", subject.user or ""
    own = [user] if user else []
    if user and subject.kind != "root":
        own.append(f"{user}/{subject.kind}" + (f"_{subject.slot}" if subject.slot else ""))
    within = [f"{account}/{name}" for name in own] if account else []
    names = (account, *own, subject.arn or "", subject.name, *within)
    return tuple(name for name in dict.fromkeys(names) if name)


def glob(pattern: str) -> str:
    """The regular expression of a subject with wildcards, matched with re.match."""
    # In fnmatch's language `[[]` is a bracket; it has no other special character than this, * and ?.
    return translate(pattern.replace("[", "[[]"))


@dataclass
class _Subjects:
    """The entries on one rule: names by text, globs together in one expression and one by one."""

    exact: dict[str, list[Entry]] = field(default_factory=dict)
    globs: list[tuple[re.Pattern[str], Entry]] = field(default_factory=list)
    any_glob: re.Pattern[str] | None = None

    def add(self, entry: Entry) -> None:
        if "*" in entry.pattern or "?" in entry.pattern:
            self.globs.append((re.compile(glob(entry.pattern)), entry))
        else:
            self.exact.setdefault(entry.pattern, []).append(entry)

    def close(self) -> None:
        if self.globs:
            self.any_glob = re.compile("|".join(f"(?:{pattern.pattern})" for pattern, _ in self.globs))

    def matching(self, names: Sequence[str]) -> list[Entry]:
        found = [entry for name in names for entry in self.exact.get(name, ())]
        if self.any_glob is not None and any(map(self.any_glob.match, names)):
            found += [entry for pattern, entry in self.globs if any(map(pattern.match, names))]
        return found


class ExceptionUse:
    """The exceptions of one run on one plane, and which of them were used.

    Costs nothing for findings of rules without an exception, and keeps only what concerns entries.
    """

    def __init__(self, entries: Sequence[Entry], plane: Plane) -> None:
        self.entries = tuple(entry for entry in entries if entry.plane in (None, plane))
        self.plane = plane
        self.matched: set[int] = set()
        """The numbers of entries that match a finding."""
        self.lapsed: dict[int, int] = {}
        """By the number of an entry that expired, how many findings count again."""
        self._rules: dict[str, _Subjects] = {}
        for entry in self.entries:
            self._rules.setdefault(entry.exemption.rule, _Subjects()).add(entry)
        for subjects in self._rules.values():
            subjects.close()

    def concerns(self, rule: str) -> bool:
        """Whether there is an entry on a rule at all."""
        return rule in self._rules

    def matching(self, finding: Finding) -> list[Entry]:
        """The entries that match a finding, expired ones too, whatever its status; uses none of them."""
        subjects = self._rules.get(finding.rule)
        if subjects is None:
            return []
        if finding.location is not None:
            return subjects.matching(code_names(finding.location))
        return subjects.matching(live_names(finding.subject)) if finding.subject is not None else []

    def applied(self, finding: Finding, day: date) -> Finding:
        """A finding as it counts on a day (UTC): EXEMPT where it was FAIL or UNKNOWN and an entry that holds covers it.

        An EXEMPT finding keeps the reason of its skip comment.
        """
        if finding.rule not in self._rules or finding.status is Status.PASS:
            return finding
        found = self.matching(finding)
        entry = self._used(found, day) if finding.status in _EXEMPTABLE else None
        self.matched.update(other.number for other in found)
        if entry is None:
            return finding
        exemption = entry.exemption
        return replace(finding, status=Status.EXEMPT, exemption=exemption.reason, exception=exemption)

    def covers(self, rule: str, subject: Subject, day: date) -> bool:
        """Whether a live credential that fails a rule is exempt, for whoever keeps no findings."""
        found = self._rules[rule].matching(live_names(subject)) if rule in self._rules else []
        self.matched.update(entry.number for entry in found)
        return self._used(found, day) is not None

    def _used(self, found: Sequence[Entry], day: date) -> Entry | None:
        """The entry that holds: a name before a glob, then the first of the file. None lets the expired ones lapse."""
        holding = next((entry for entry in found if entry.holds(day)), None)
        if holding is None:
            for entry in found:
                self.lapsed[entry.number] = self.lapsed.get(entry.number, 0) + 1
        return holding
