"""Lists the files of a folder and reads them, thousands in a fraction of a second."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from typing import NamedTuple

from keyrules.code.file_names import SKIPPED_FOLDERS, SOURCE_SUFFIXES, may_matter
from keyrules.code.file_paths import shown
from keyrules.files import open_regular

MAX_FILE_BYTES = 64 * 1024 * 1024
HEAD = 1024
"""The bytes at the start of a file that say whether it is text."""

_NO_FILE = "Cannot be read: it is a pipe or a device and no regular file"


class Unread(NamedTuple):
    """Something that could not be looked at: its name as reports show it, a word for the kind, and a sentence."""

    input: str
    kind: str
    message: str


def unread(path: str, error: OSError, verb: str = "read") -> Unread:
    """What the operating system said about a path."""
    return Unread(shown(path), "unreadable", f"Cannot be {verb}: {error.strerror}")


def walk_files(
    folder: str, errors: list[Unread], excluded: Callable[[str], bool] | None = None
) -> Iterator[tuple[str, str]]:
    """Folder and name of every regular file below a folder in a stable order.

    Tool folders, links to folders and what is `excluded` are left out; a folder's path ends in a slash when that is
    asked. What cannot be listed is added to `errors`, and so is a pipe or a device that Terraform would read.
    """
    todo = [folder]
    while todo:
        current = todo.pop()
        try:
            with os.scandir(current) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            errors.append(unread(current, error, "listed"))
            continue
        inside = []
        for entry in entries:
            try:
                if entry.is_dir(follow_symlinks=False):
                    if entry.name not in SKIPPED_FOLDERS and not (excluded and excluded(f"{entry.path}/")):
                        inside.append(entry.path)
                elif excluded and excluded(entry.path):
                    continue
                elif entry.is_file(follow_symlinks=False) or stat.S_ISREG(entry.stat().st_mode):
                    yield current, entry.name
                elif entry.name.endswith(SOURCE_SUFFIXES) and not entry.is_dir():
                    errors.append(Unread(shown(entry.path), "unreadable", _NO_FILE))
            except OSError as error:
                if _is_missed(entry.name, error):
                    errors.append(unread(entry.path, error))
        todo += reversed(inside)


def _is_missed(name: str, error: OSError) -> bool:
    """Whether a file that cannot be looked at matters: a link that leads nowhere does so only to Terraform, which
    refuses the module then; names with a leading dot are editors' locks."""
    if error.errno in (errno.ENOENT, errno.ELOOP):
        return name.endswith(SOURCE_SUFFIXES) and not name.startswith(".")
    return may_matter(name)


def read_file(path: str) -> bytes:
    """A file's bytes, or the first of them when it is binary and too large to be code. Raises OSError."""
    with open_regular(path) as file:
        if os.fstat(file.fileno()).st_size <= MAX_FILE_BYTES:
            return file.readall()
        head = file.read(HEAD)
    if b"\0" in head:
        return head
    raise OSError(errno.EFBIG, f"is larger than {MAX_FILE_BYTES // 2**20} MiB", path)
