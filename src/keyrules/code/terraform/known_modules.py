"""Calls of modules that are not here to be read: what rules/known_modules.csv says of them, and what nobody knows.

A row of the table is about a module in a range of versions. Its columns:

- `owner`, `repository`, `folder`: where the module lies. A registry's `NAME/PROVIDER` is the repository
  `terraform-PROVIDER-NAME`. Without an owner the row holds for forks, too; what keeps the
  folder under another name is judged like a module that nobody knows and is asked for a key.
- `versions`: a constraint; empty for all.
- `creates`: the arguments with their defaults that all have to be true for a key to be created; empty for always.
- `pgp_key`: the argument that encrypts the secret; `max_age`: the argument and default after how many seconds the key
  is replaced by itself; empty for never.
- `secrets`: the outputs that carry the secret; `stored`: the argument with its default that empties them when true.
- `source`: the code that the row was checked against.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from functools import cache
from typing import NamedTuple

from keyrules.code.key_words import KEY_ARGUMENTS
from keyrules.code.terraform.evaluate import UNKNOWN, evaluate, instance_keys, number, truth
from keyrules.code.terraform.module import Declaration
from keyrules.code.terraform.references import depends_on_inputs
from keyrules.code.terraform.scope import Frame, Scope
from keyrules.code.terraform.sources import module_source
from keyrules.code.terraform.versions import is_constraint, is_open_above, overlap
from keyrules.pack.catalog import rules_folder
from keyrules.pack.csv_table import read_table
from keyrules.records import dataclass

COLUMNS = ("owner", "repository", "folder", "versions", "creates", "pgp_key", "max_age", "secrets", "stored", "source")

SET = object()
"""Some value that the code does not show."""

_NOTHING = (None, "", UNKNOWN)
"""What an argument is worth that may leave the secret as it is."""

_ANY_VERSION = "?"
"""Stands for a constraint that is not resolved."""

_PLACE = re.compile(
    r"(?:git::|tfr::?)?(?:[a-z][a-z0-9+.-]*://)?(?:[\w.-]+@)?(?P<path>[^?]*)(?:\?(?P<query>.*))?", re.DOTALL
)
_REFERENCE = re.compile(r"(?:^|&)(?:ref|version)=(?:tags/)?([^&]*)")


class KnownModule(NamedTuple):
    """A row of the table."""

    owner: str
    repository: str
    folder: str
    versions: str
    creates: tuple[tuple[str, bool], ...]
    pgp_key: str
    max_age: tuple[str, int] | None
    secrets: frozenset[str]
    stored: tuple[str, bool] | None
    source: str


class _Address(NamedTuple):
    """Where a module's code lies, and the version that the source names itself."""

    owner: str
    repository: str
    folder: str
    version: str


@cache
def known_modules() -> tuple[KnownModule, ...]:
    """The table. Raises UsageError where it is not as it should be."""
    return tuple(_row(line.cells) for line in read_table(rules_folder() / "known_modules.csv", COLUMNS))


def _row(cells: Sequence[str]) -> KnownModule:
    owner, repository, folder, versions, creates, pgp_key, max_age, secrets, stored, source = cells
    name, _, seconds = max_age.partition("=")
    return KnownModule(
        owner,
        repository,
        folder,
        versions,
        tuple(map(_switch, creates.split())),
        pgp_key,
        (name, int(seconds)) if max_age else None,
        frozenset(secrets.split()),
        _switch(stored) if stored else None,
        source,
    )


def _switch(cell: str) -> tuple[str, bool]:
    name, _, default = cell.partition("=")
    return name, default == "true"


@dataclass(frozen=True)
class KnownCall:
    """A call of a module that is not here to be read and creates, or may create, a key.

    `creates` is None where an input decides; `modules` are the rows that it may be a call of, none for a module that
    nobody knows. Its arguments or outputs are then all that speaks of a key: `hinted` says that arguments do.
    `open_version` says that the call may also be of a version that creates none.
    """

    call: Declaration
    scope: Scope
    creates: bool | None
    modules: tuple[KnownModule, ...]
    hinted: bool = False
    open_version: bool = False

    @property
    def address(self) -> str:
        """The address of the call."""
        return f"{self.scope.prefix}module.{self.call.name}"

    def carries_secret(self, output: str) -> bool:
        """Whether an output carries the secret, as far as the module is known."""
        if self.creates is False or any(self.argument(name) not in _NOTHING for name in self.pgp_arguments):
            return False
        # Of several versions that it may be, the default of one does not speak for the others.
        certain = len(self.modules) == 1
        return any(
            output in row.secrets
            and not (row.stored and truth(self.argument(row.stored[0], certain and row.stored[1])) is True)
            for row in self.modules
        )

    @property
    def may_guess(self) -> bool:
        """Whether nothing but its name says whether an output carries the secret."""
        return not self.modules and self.creates is not False

    @property
    def secrets(self) -> list[str]:
        """The outputs that carry the secret, as far as the module is known."""
        return sorted(name for row in self.modules for name in row.secrets if self.carries_secret(name))

    @property
    def periods(self) -> list[float | None]:
        """After how many seconds the key is replaced in each version it may be: 0 for never, None for what is open."""
        found = [self.argument(*row.max_age) if row.max_age is not None else 0 for row in self.modules]
        return [None if value is UNKNOWN else max(number(value) or 0, 0) for value in found]

    @property
    def pgp_arguments(self) -> list[str]:
        """The arguments that encrypt the secret in the versions it may be."""
        return sorted({row.pgp_key for row in self.modules if row.pgp_key})

    def argument(self, name: str, default: object = None) -> object:
        """The value of one of its arguments, the default for one that is not given or null.

        UNKNOWN where only an input of the root decides; what some attribute decides is `SET`.
        """
        expr = self.call.value(name)
        value = evaluate(expr, Frame(self.scope, None, self.call))
        if value is UNKNOWN:
            return UNKNOWN if depends_on_inputs(expr, self.scope) else SET
        return default if value is None else value


def known_call(call: Declaration, scope: Scope) -> KnownCall | None:
    """What is known of a module call, None for one whose code is here or whose source does not resolve.

    A call without instances creates nothing.
    """
    node = ("known call", call.name)
    if node not in scope.memo:
        scope.memo[node] = _known_call(call, scope)
    found: KnownCall | None = scope.memo[node]
    return found


def _known_call(call: Declaration, scope: Scope) -> KnownCall | None:
    source = module_source(call, scope)
    if source.text is None or source.folder is not None:
        return None
    version = evaluate(call.value("version"), Frame(scope))
    wanted = "" if version is None else version if isinstance(version, str) else _ANY_VERSION
    rows = matching(source.text, wanted, call.body.attributes.keys())
    if rows is not None and not rows:
        return KnownCall(call, scope, False, ())
    frame, keys = Frame(scope, None, call), instance_keys(call, scope)
    hints = [(name, True) for name in KEY_ARGUMENTS if name in call.body.attributes]
    switches = hints if rows is None else [switch for row in rows for switch in row.creates]
    truths = [_decided(evaluate(call.value(name), frame), default) for name, default in switches]
    truths += [False] if keys == () else [None] if keys is None else []
    creates = False if False in truths else None if None in truths or (rows is None and not hints) else True
    if rows and creates is not False and not _is_named(rows, source.text):
        # A fork under another name is known by its folder only, and may have become something else.
        return KnownCall(call, scope, None, (), True)
    # Versions that no row is about create no key; a branch or a commit may be one of those.
    open_version = bool(rows) and not _newest(rows or ()) and not is_constraint(_address(source.text).version or wanted)
    return KnownCall(call, scope, creates, rows or (), bool(hints), open_version)


def _decided(value: object, default: bool) -> bool | None:
    return default if value is None else truth(value)


def matching(source: str, version: str = "", given: Set[str] = frozenset()) -> tuple[KnownModule, ...] | None:
    """The rows that a source may be a call of, None for a module that the table does not have.

    `version` is the call's constraint; one that is none, such as a branch, may be any. Of several versions those are
    meant that take the arguments that are `given`. A constraint that allows the newest version means that one where no
    row holds for it: `terraform init` brings it, and it creates no key.
    """
    address = _address(source)
    wanted = address.version or version
    open_to_forks = [
        row for row in known_modules() if row.folder == address.folder and row.owner in ("", address.owner)
    ]
    known = [row for row in open_to_forks if row.repository == address.repository]
    known = known or [row for row in open_to_forks if row.folder and not row.owner]
    if not known:
        return None
    rows = [row for row in known if not row.versions or not wanted or overlap(wanted, row.versions) is not False]
    telling = given & {name for row in rows for name in _arguments(row)}
    if not telling and is_open_above(wanted) and not _newest(rows):
        return ()
    return tuple([row for row in rows if telling <= _arguments(row)] or rows)


def _is_named(rows: Sequence[KnownModule], source: str) -> bool:
    return any(row.repository == _address(source).repository for row in rows)


def _newest(rows: Sequence[KnownModule]) -> list[KnownModule]:
    """Those of some rows that hold for versions to come."""
    return [row for row in rows if "<" not in row.versions]


def _arguments(row: KnownModule) -> set[str]:
    others = (row.pgp_key, row.max_age and row.max_age[0], row.stored and row.stored[0])
    return {name for name, _ in row.creates} | {name for name in others if name}


def _address(source: str) -> _Address:
    found = _PLACE.fullmatch(source)
    if found is None:
        return _Address("", "", "", "")
    reference = _REFERENCE.search(found["query"] or "")
    path, _, folder = found["path"].strip("/").partition("//")
    # `git@github.com:owner/repository` separates by a colon.
    parts = [part for part in re.split(r"[/:]", path) if part]
    bare = "://" not in source and "@" not in source
    if source.startswith("tfr:") or (bare and not source.startswith("git::") and _is_registry(parts)):
        owner, name, provider = parts[-3:]
        repository = f"terraform-{provider}-{name}"
    elif len(parts) >= 2:
        if parts[0] in ("github.com", "bitbucket.org") and len(parts) > 3:
            parts, folder = parts[:3], "/".join([*parts[3:], *([folder] if folder else [])])
        owner, repository = parts[-2], parts[-1].removesuffix(".git")
    else:
        return _Address("", "", "", "")
    return _Address(owner, repository, folder.strip("/"), reference[1] if reference else "")


def _is_registry(parts: Sequence[str]) -> bool:
    return (len(parts) == 3 and "." not in parts[0]) or (
        len(parts) == 4 and "." in parts[0] and parts[0] != "github.com"
    )
