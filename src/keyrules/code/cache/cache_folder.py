"""The folder of what runs keep for the next: where it is, that only its owner can have written it, how large it grows.

Nothing here raises for the state of the disk: a cache that cannot be read or written is a cache that has nothing.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple

VARIABLE = "KEYRULES_CACHE_DIR"
MAX_BYTES = 64 * 2**20
_MAX_ENTRY_BYTES = 8 * 2**20
_LEFTOVER_SECONDS = 3600
_ENTRY, _UNFINISHED = ".entry", ".unfinished"


class Usage(NamedTuple):
    """How many files the folder holds, and how many bytes."""

    files: int
    bytes: int


def cache_place(environment: Mapping[str, str]) -> str | None:
    """The folder that the environment names, or None where there is no home to put one in."""
    named = environment.get(VARIABLE)
    if named:
        return os.path.abspath(named)
    for variable, below in (("XDG_CACHE_HOME", "keyrules"), ("HOME", ".cache/keyrules")):
        folder = environment.get(variable, "")
        if os.path.isabs(folder):
            return os.path.join(folder, below)
    return None


class CacheFolder:
    """Entries by name, each a line with the hash of the rest, in a folder of mode 0700 in files of mode 0600."""

    def __init__(self, path: str) -> None:
        self.path = path

    def read(self, name: str) -> bytes | None:
        """An entry as it was written, or None: absent, damaged, or written by someone else."""
        if not self._is_own():
            return None
        path = self._entry(name)
        try:
            file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return None
        try:
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode) or not _is_ours(status) or status.st_size > _MAX_ENTRY_BYTES:
                return None
            with os.fdopen(os.dup(file), "rb") as stream:
                checksum, _, content = stream.read().partition(b"\n")
            if checksum != _checksum(content):
                return None
            # What is used stays: the oldest go first.
            os.utime(file)
        except OSError:
            return None
        finally:
            os.close(file)
        return content

    def write(self, name: str, content: bytes) -> None:
        """Writes an entry whole or not at all."""
        if len(content) > _MAX_ENTRY_BYTES:
            return
        with suppress(OSError):
            os.makedirs(self.path, mode=0o700, exist_ok=True)
        if not self._is_own():
            return
        temporary = os.path.join(self.path, f"{name}.{os.getpid()}.{os.urandom(4).hex()}{_UNFINISHED}")
        try:
            file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        except OSError:
            return
        try:
            with os.fdopen(file, "wb") as stream:
                stream.write(_checksum(content) + b"\n" + content)
            os.replace(temporary, self._entry(name))
        except OSError:
            self._remove(temporary)
        except BaseException:
            self._remove(temporary)
            raise

    def usage(self) -> Usage:
        """What the folder holds."""
        sizes = [status.st_size for _, status in self._files()]
        return Usage(len(sizes), sum(sizes))

    def clear(self) -> Usage:
        """Removes every file of ours from the folder. Returns what is gone."""
        found = list(self._files())
        gone = [status.st_size for path, status in found if self._remove(path)]
        return Usage(len(gone), sum(gone))

    def shrink(self) -> None:
        """Removes the entries that were used longest ago until the rest fits, and what killed runs left unfinished."""
        found = sorted(self._files(), key=lambda item: item[1].st_mtime_ns, reverse=True)
        newest = found[0][1].st_mtime if found else 0.0
        total = 0
        for path, status in found:
            if path.endswith(_UNFINISHED):
                if newest - status.st_mtime > _LEFTOVER_SECONDS:
                    self._remove(path)
                continue
            total += status.st_size
            if total > MAX_BYTES:
                self._remove(path)

    def _entry(self, name: str) -> str:
        return os.path.join(self.path, f"{name}{_ENTRY}")

    def _is_own(self) -> bool:
        try:
            status = os.lstat(self.path)
        except OSError:
            return False
        return stat.S_ISDIR(status.st_mode) and _is_ours(status)

    def _files(self) -> Iterator[tuple[str, os.stat_result]]:
        if not self._is_own():
            return
        with suppress(OSError), os.scandir(self.path) as entries:
            for entry in entries:
                if entry.name.endswith((_ENTRY, _UNFINISHED)):
                    with suppress(OSError):
                        yield entry.path, entry.stat(follow_symlinks=False)

    def _remove(self, path: str) -> bool:
        try:
            os.unlink(path)
        except OSError:
            return False
        return True


def _checksum(content: bytes) -> bytes:
    # The help of `keyrules cache` names the folder and reads nothing.
    import hashlib

    return hashlib.sha256(content).hexdigest().encode()


def _is_ours(status: os.stat_result) -> bool:
    """Whether nobody but this user can have written it."""
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
