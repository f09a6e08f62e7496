"""Reads files that a folder holds or somebody names, and never waits for a pipe that nobody may ever write to."""

from __future__ import annotations

import errno
import os
import stat
from io import FileIO

_DESCRIPTORS = ("/dev/fd/", "/proc/self/fd/")
_STDIN = "/dev/stdin"


def open_regular(path: str) -> FileIO:
    """A regular file, open for reading. Raises OSError, for pipes, sockets and devices too."""
    file = FileIO(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK))
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "it is a pipe or a device and no regular file", path)
    return file


def read_regular(path: str) -> bytes:
    """The bytes of a regular file. Raises OSError as open_regular does."""
    with open_regular(path) as file:
        return file.readall()


def read_named(path: str) -> bytes:
    """The bytes of a file that somebody names, which may be what a shell writes for `<(command)`. Raises OSError."""
    if not is_given_pipe(path):
        return read_regular(path)
    with open(path, "rb") as pipe:
        return pipe.read()


def is_given_pipe(path: str) -> bool:
    """Whether a path is a pipe that this process was started with: somebody writes to it already."""
    if path != _STDIN and not path.startswith(_DESCRIPTORS):
        return False
    try:
        return stat.S_ISFIFO(os.stat(path).st_mode)
    except OSError:
        return False
