"""What a unit's verdicts rest on: every file, folder and missing name that was looked at while they were made.

Nobody has to know what the readers read. The process that evaluates a unit notes each look, and the state that it found
there; as long as every noted place is in that state, the same readers see the same things.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

READ, LISTED, ASKED = "read", "listed", "asked"
"""How a place was looked at: its bytes, the names in it, or what it is."""


class Look(NamedTuple):
    """One look at one absolute path."""

    how: str
    path: str


def state_of(look: Look) -> str:
    """What a look finds now, as a hash or as words. Raises OSError for what cannot be compared, such as a pipe."""
    words = [_kind(look.path)]
    try:
        if look.how == READ:
            if not stat.S_ISREG(os.stat(look.path).st_mode):
                raise OSError(f"{look.path} is no regular file")
            words.append(hashlib.sha256(_content(look.path)).hexdigest())
        elif look.how == LISTED:
            words.append(_names(look.path))
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        words.append(f"error {error.errno}")
    return " ".join(words)


def digest_of(states: Mapping[Look, str]) -> str:
    """One hash over all looks and states; from it no single file's hash can be had."""
    total = hashlib.sha256()
    for look in sorted(states):
        for word in (look.how, look.path, states[look]):
            data = os.fsencode(word)
            total.update(b"%d " % len(data) + data)
    return total.hexdigest()


def _kind(path: str) -> str:
    """What a path is and where a link leads; the size of a file, because readers refuse large ones."""
    try:
        target = os.readlink(path)
    except OSError:
        target = ""
    try:
        status = os.stat(path)
    except OSError as error:
        return f"link {target!r} error {error.errno}"
    size = status.st_size if stat.S_ISREG(status.st_mode) else 0
    return f"link {target!r} kind {stat.S_IFMT(status.st_mode):o} size {size}"


def _content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _names(path: str) -> str:
    total = hashlib.sha256()
    with os.scandir(path) as entries:
        for entry in sorted(entries, key=lambda entry: os.fsencode(entry.name)):
            kind = f"{entry.is_symlink():d}{entry.is_dir():d}{entry.is_file():d}"
            total.update(os.fsencode(f"{kind} {entry.name}/"))
    return total.hexdigest()


_READING = frozenset({"open"})
_LISTING = frozenset({"os.listdir", "os.scandir"})
_ELSEWHERE = frozenset(
    {"os.fork", "os.forkpty", "os.posix_spawn", "os.exec", "os.system", "subprocess.Popen", "os.chdir", "os.fchdir"}
    | {"socket.connect", "socket.getaddrinfo", "_posixsubprocess.fork_exec"}
)
"""Events after which looks could go unnoticed, or a relative path mean something else."""

_WRITING = os.O_WRONLY | os.O_RDWR


class Recorder:
    """Notes the looks of this process from `start` on, for as long as it lives: Python has no way to stop it."""

    def __init__(self) -> None:
        self._states: dict[Look, str] = {}
        self._complete = True
        self._busy = False

    def start(self) -> None:
        """Begins. Python tells of every opened file and listed folder, but not of questions about a path."""
        sys.addaudithook(self._heard)
        for name in ("stat", "lstat", "access", "readlink"):
            setattr(os, name, self._asking(getattr(os, name)))
        self._complete = self._hears_questions()
        self._states.clear()

    def states(self) -> dict[Look, str] | None:
        """Each look with the state found at the first, or None where some look may have gone unnoticed."""
        return dict(self._states) if self._complete else None

    def _hears_questions(self) -> bool:
        """Whether the usual ways to ask end in what was replaced; a Python in which one does not gets no record."""
        ways: tuple[Callable[[str], object], ...] = (
            os.path.exists,
            os.path.lexists,
            os.path.isfile,
            os.path.isdir,
            os.path.islink,
            os.path.realpath,
            lambda path: Path(path).exists(),
            lambda path: Path(path).is_file(),
            lambda path: Path(path).is_dir(),
            lambda path: Path(path).resolve(),
        )
        for number, way in enumerate(ways):
            path = f"/nothing-of-this-name/{number}"
            way(path)
            if not any(look.path.startswith("/nothing-of-this-name") for look in self._states):
                return False
            self._states.clear()
        return True

    def _heard(self, event: str, details: tuple[Any, ...]) -> None:
        if self._busy:
            return
        if event in _READING:
            path, mode, flags = details
            # Without a mode it is os.open, where only the flags tell; builtin open has both.
            writes = bool(flags & _WRITING) if isinstance(flags, int) else False
            if writes or (isinstance(mode, str) and set(mode) & set("wax+")):
                self._complete = self._complete and path == os.devnull
            else:
                self._note(READ, path)
        elif event in _LISTING:
            self._note(LISTED, details[0] if details[0] is not None else ".")
        elif event in _ELSEWHERE:
            self._complete = False

    def _asking(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def ask(path: Any, *arguments: Any, **named: Any) -> Any:
            if not self._busy:
                if named.get("dir_fd") is not None:
                    self._complete = False
                self._note(ASKED, path)
            return function(path, *arguments, **named)

        return ask

    def _note(self, how: str, path: Any) -> None:
        if isinstance(path, int):
            # A file or folder that is open already: the ones of a pipe, or opened under a name that was noted.
            self._complete = self._complete and how != LISTED
            return
        self._busy = True
        try:
            look = Look(how, os.path.join(os.getcwd(), os.fsdecode(path)))
            if look not in self._states:
                self._states[look] = state_of(look)
        except (OSError, ValueError):
            self._complete = False
        finally:
            self._busy = False
