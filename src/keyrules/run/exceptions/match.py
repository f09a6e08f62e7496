"""Which exception covers which finding.

A subject of the exceptions file is compared with the names that a finding goes by. Upper and lower case differ.

A code finding offers:

- its address as reports show it, `module.ci["eu"].aws_iam_access_key.deploy[0]`; in CloudFormation the logical id;
- the address without the keys of `count` and `for_each`, `module.ci.aws_iam_access_key.deploy`;
- its path from the folder of the exceptions file, `infra/ci/main.tf`, and its absolute path;
- `path:address`, with and without those keys.

A live finding offers:

- the user, `alice`; the root user is `<root_account>`, as in credential reports;
- the credential, `alice/access_key_1`, `alice/signing_certificate_2` or `alice/console_password`; a slot is a place,
  and after a rotation another key may be in it; of what else a user has the kind, and the kind with an id,
  `alice/ssh_public_key` and `alice/ssh_public_key/APKA…`; of what the account has the kind, `password_policy`;
- the account, `123456789012`, and both of the above with the account before them, `123456789012/alice`;
- the ARN, `arn:aws:iam::123456789012:user/alice`.

Access key ids are no names: only `--verify` learns them, and an exception for a key that nobody may name ends up as
one for its user anyway.

A subject with `*` (any text, `/` and `.` included) or `?` (one character) is a glob, and has to match a whole name.
Every other character stands for itself, `[` and `]` too, because addresses have them. A glob is compared with names of
its own form only, or `a*` would cover every ARN and `App*` every file below a folder App: with paths where it has a
`/`, a `:` or the ending of a file (with absolute ones where it starts with `/`), else with addresses; with ARNs where
it starts with `arn:`, with what has an account where it starts with one, else with users and credentials.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping, Sequence
from datetime import date
from fnmatch import translate
from typing import TypeAlias

from keyrules.code.addresses import without_keys
from keyrules.code.file_names import FILE_SUFFIXES
from keyrules.code.file_paths import STDIN
from keyrules.model import Finding, Location, Plane, Status, Subject
from keyrules.records import replace
from keyrules.run.exceptions.file import Entry
from keyrules.run.exceptions.paths import Ground

_ACCOUNT = re.compile(r"[0-9]{12}(?:/|\Z)")
_EXEMPTABLE = (Status.FAIL, Status.UNKNOWN)


Names: TypeAlias = "Mapping[Form, tuple[str, ...]]"


class Form(enum.Enum):
    """The forms of names that a glob tells apart."""

    ADDRESS = "address"
    PATH = "path"
    ABSOLUTE = "absolute path"
    USER = "user"
    ACCOUNT = "account"
    ARN = "ARN"


def form_of(glob_pattern: str, plane: Plane) -> Form:
    """The form of the names that a glob is compared with on a plane."""
    if plane is Plane.CODE:
        if glob_pattern.startswith("/"):
            return Form.ABSOLUTE
        return Form.PATH if path_in(glob_pattern) is not None else Form.ADDRESS
    if glob_pattern.startswith("arn:"):
        return Form.ARN
    return Form.ACCOUNT if _ACCOUNT.match(glob_pattern) else Form.USER


def path_in(subject: str) -> str | None:
    """The path in a subject on code, without the address behind it; None where it is an address alone."""
    bare = without_keys(subject)
    path, colon, _ = bare.partition(":")
    suffix = f".{path.rpartition('.')[2].lower()}"
    return path if colon or "/" in path or path == STDIN or suffix in FILE_SUFFIXES else None


def code_names(location: Location, ground: Ground) -> Names:
    """The names of a place in code, as the module says."""
    address = location.address
    bare = without_keys(address)
    addresses = (address,) if bare == address else (address, bare)
    paths = [
        name for path in ground.names(location.path) for name in (path, *(f"{path}:{address}" for address in addresses))
    ]
    return {
        Form.ADDRESS: addresses,
        Form.PATH: tuple(name for name in paths if not name.startswith("/")),
        Form.ABSOLUTE: tuple(name for name in paths if name.startswith("/")),
    }


def live_names(subject: Subject) -> Names:
    """The names of a live credential, as the module says."""
    user = subject.user or ""
    own = [user] if user else []
    if user and subject.kind != "root":
        own.append(f"{user}/{subject.kind}" + (f"_{subject.slot}" if subject.slot else ""))
        own += [f"{user}/{subject.kind}/{subject.key_id}"] if subject.key_id and not subject.slot else []
    if not user:
        own.append(subject.kind)
    return {
        Form.USER: tuple(own),
        Form.ACCOUNT: (subject.account, *(f"{subject.account}/{name}" for name in own)) if subject.account else (),
        Form.ARN: (subject.arn,) if subject.arn else (),
    }


def glob(pattern: str) -> str:
    """The regular expression of a subject with wildcards, matched with re.match."""
    # In fnmatch's language `[[]` is a bracket; it has no other special character than this, * and ?.
    return translate(pattern.replace("[", "[[]"))


class _Subjects:
    """The entries on one rule: names by text; globs by form, all in one expression and one by one."""

    def __init__(self, entries: Sequence[Entry], plane: Plane) -> None:
        self._exact: dict[str, list[Entry]] = {}
        self._globs: dict[Form, list[tuple[re.Pattern[str], Entry]]] = {}
        for entry in entries:
            if "*" in entry.pattern or "?" in entry.pattern:
                same_form = self._globs.setdefault(form_of(entry.pattern, plane), [])
                same_form.append((re.compile(glob(entry.pattern)), entry))
            else:
                self._exact.setdefault(entry.pattern, []).append(entry)
        self._any_glob = {
            form: re.compile("|".join(f"(?:{pattern.pattern})" for pattern, _ in globs))
            for form, globs in self._globs.items()
        }

    def matching(self, names: Names) -> list[Entry]:
        found = [entry for own in names.values() for name in own for entry in self._exact.get(name, ())]
        for form, any_glob in self._any_glob.items():
            if any(map(any_glob.match, names[form])):
                found += [entry for pattern, entry in self._globs[form] if any(map(pattern.match, names[form]))]
        return found


class ExceptionUse:
    """The exceptions of one run on one plane, and which of them were used.

    Costs nothing for findings of rules without an exception, and keeps only what concerns entries. `ground` is what
    the file can speak of; without it, the file lies in the working directory.
    """

    def __init__(self, entries: Sequence[Entry], plane: Plane, ground: Ground | None = None) -> None:
        self.entries = tuple(entry for entry in entries if entry.plane in (None, plane))
        self.plane = plane
        self._ground = ground or Ground()
        self.matched: set[int] = set()
        """The numbers of entries that match a finding."""
        self.lapsed: dict[int, int] = {}
        """By the number of an entry that expired, how many findings are no longer exempt."""
        by_rule: dict[str, list[Entry]] = {}
        for entry in self.entries:
            by_rule.setdefault(entry.exemption.rule, []).append(entry)
        self._rules = {rule: _Subjects(own, plane) for rule, own in by_rule.items()}

    def concerns(self, rule: str) -> bool:
        """Whether there is an entry on a rule at all."""
        return rule in self._rules

    def matching(self, finding: Finding) -> list[Entry]:
        """The entries that match a finding, expired ones too, whatever its status; uses none of them."""
        subjects = self._rules.get(finding.rule)
        if subjects is None:
            return []
        if finding.location is not None:
            return subjects.matching(code_names(finding.location, self._ground))
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

    def covering(self, rule: str, subject: Subject, day: date) -> Entry | None:
        """The entry by which a live credential that fails a rule, or is UNKNOWN, is exempt on a day (UTC)."""
        found = self._rules[rule].matching(live_names(subject)) if rule in self._rules else []
        self.matched.update(entry.number for entry in found)
        return self._used(found, day)

    def _used(self, found: Sequence[Entry], day: date) -> Entry | None:
        """The entry that holds: a name before a glob, then the first of the file. None lets the expired ones lapse."""
        holding = next((entry for entry in found if entry.holds(day)), None)
        if holding is None:
            for entry in found:
                self.lapsed[entry.number] = self.lapsed.get(entry.number, 0) + 1
        return holding
