"""A code tree as evidence: the sum of each file that was looked at, and the commit; the files themselves stay away.

What a repository says of itself is not obeyed: git is asked to read objects only, with nothing of its configuration
that starts a program, and the files are compared with the commit here.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from keyrules.code.file_paths import below, shown
from keyrules.code.file_walk import Unread, walk_files
from keyrules.code.literals.masking import KnownSecrets
from keyrules.evidence.folder import Held, summed
from keyrules.files import open_regular
from keyrules.model import InputError, ScanScope, UsageError
from keyrules.reports.text_style import printable

COLUMNS: Final = ("path", "size", "sha256")
_SECONDS: Final = 60
_SAFE: Final = (
    "--no-optional-locks",
    "-c", "core.fsmonitor=false",
    "-c", "core.hooksPath=/dev/null",
    "-c", "protocol.allow=never",
    "-c", "core.quotePath=false",
)  # fmt: skip
_USER_INFO: Final = re.compile(r"^([a-z][a-z0-9+.-]*://)(?:[^/@]*@)+", re.IGNORECASE)
_SCP: Final = re.compile(r"^(?:[^/@]*@)+(?=[^/:]+:)")
_MOST_NAMED: Final = 20


class CodeFile(NamedTuple):
    """A file of a tree: its name as reports show it, its absolute path, and its sum."""

    name: str
    path: str
    held: Held


def tree_around(folders: Sequence[str]) -> str:
    """The absolute folder that a package's paths of code count from: that of the repository, or the one that holds all
    `folders`. Raises UsageError for what is no folder."""
    for name in folders:
        if not Path(name).is_dir():
            raise UsageError(f"--code: {printable(name)} is no folder; name the folder of a repository, or one in it")
    common = os.path.commonpath([os.path.realpath(name) for name in folders])
    return next((path for path in (common, *map(str, Path(common).parents)) if os.path.lexists(f"{path}/.git")), common)


def inventory(folders: Sequence[str], scope: ScanScope, excluded: Callable[[str], bool] | None) -> Iterator[CodeFile]:
    """Every file below absolute folders that a scan of them can see, and what it read elsewhere, with its sum, sorted.

    `scope` is that of the scan. Names are as reports show them, without the secrets that the scan met. Raises
    InputError for a file that cannot be read.
    """
    errors: list[Unread] = []
    mask = KnownSecrets(scope.secrets).masked
    walked = (f"{where}/{name}" for folder in folders for where, name in walk_files(folder, errors, excluded))
    paths = {mask(shown(path)): path for path in walked}
    paths |= {name: str(Path.cwd() / name) for name in scope.read if name not in paths}
    for name, path in sorted(paths.items()):
        try:
            with open_regular(path) as file:
                yield CodeFile(name, path, summed(file))
        except OSError as error:
            raise InputError(f"{printable(name)} cannot be read: {error.strerror or type(error).__name__}") from None


def commit_of(tree: str) -> str | None:
    """The commit that is checked out, None where there is no repository."""
    commit = _git(tree, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    return commit.strip() if commit is not None else None


def repository(tree: str, files: Sequence[CodeFile]) -> dict[str, Any]:
    """What git says of a tree: its commit, its remote without credentials, and how the listed files differ from it.

    Empty where there is no repository.
    """
    commit = commit_of(tree)
    if commit is None:
        unread = os.path.lexists(f"{tree}/.git")
        return {"commit": None, "why": "git is not there, or refused to read the repository"} if unread else {}
    listed = _git(tree, "ls-tree", "-r", "-z", "--full-tree", commit)
    committed = dict(_entries(listed or ""))
    top = (_git(tree, "rev-parse", "--show-toplevel") or tree).rstrip("\n")
    changed, unknown = [], []
    for name, path, _ in files:
        blob = committed.get(os.path.relpath(path, top))
        if blob is None:
            unknown.append(name)
        elif blob not in _blobs(path, len(blob)):
            changed.append(name)
    gone = [
        path for path in sorted(committed) if below(f"{top}/{path}", [tree]) and not os.path.lexists(f"{top}/{path}")
    ]
    remote = _git(tree, "config", "--local", "--get", "remote.origin.url")
    return {
        "commit": commit,
        "dirty": bool(changed or unknown or gone),
        "changed_since": _some(changed),
        "not_in_commit": _some(unknown),
        "missing": _some(gone),
        "remote": without_credentials(remote.strip()) if remote else None,
    }


def without_credentials(remote: str) -> str:
    """An address of a repository without user, password, token, query and fragment."""
    if _USER_INFO.match(remote) or "://" in remote:
        return printable(_USER_INFO.sub(r"\1", remote).partition("?")[0].partition("#")[0])
    return printable(_SCP.sub("", remote))


def _some(names: Sequence[str]) -> list[str]:
    more = len(names) - _MOST_NAMED
    return [*names[:_MOST_NAMED], *([f"and {more:,} more"] if more > 0 else [])]


def _git(tree: str, *arguments: str) -> str | None:
    """What git prints, None where it says no or is not there."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["git", *_SAFE, "-C", tree, *arguments],
            capture_output=True,
            env=environment,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "surrogateescape") if done.returncode == 0 else None


def _entries(listed: str) -> Iterator[tuple[str, str]]:
    """Path and blob of each file in a tree as `git ls-tree -z` lists them; submodules and links are none."""
    for line in listed.split("\0"):
        about, tab, path = line.partition("\t")
        mode, _, rest = about.partition(" ")
        if tab and mode.startswith("100"):
            yield path, rest.partition(" ")[2]


def _blobs(path: str, length: int) -> Iterable[str]:
    """The names that git may have for a file's bytes: as they are, and with the line ends that git stores."""
    try:
        with open_regular(path) as file:
            data = file.readall()
    except OSError:
        return ()
    make = hashlib.sha256 if length == 64 else hashlib.sha1
    return {make(b"blob %d\0" % len(each) + each).hexdigest() for each in (data, data.replace(b"\r\n", b"\n"))}
