"""Lists the files of a folder and reads them, thousands in a fraction of a second."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator

from keyrules.code.file_names import SKIPPED_FOLDERS, SOURCE_SUFFIXES, may_matter
from keyrules.code.file_paths import shown
from keyrules.files import open_regular
from keyrules.records import dataclass

MAX_FILE_BYTES = 64 * 1024 * 1024
GZIP = b"\x1f\x8b"
_HEAD = 1024
_SMALL = 2**20

_NO_FILE = "Cannot be read: it is a pipe or a device and no regular file"


@dataclass(frozen=True)
class Unread:
    """Something that could not be looked at: its name as reports show it, a word for the kind, and a sentence."""

    input: str
    kind: str
    message: str


def unread(path: str, error: OSError, verb: str = "read") -> Unread:
    """What the operating system said about a path."""
    return Unread(shown(path), "unreadable", f"Cannot be {verb}: {error.strerror}")


def walk_files(
    folder: str,
    errors: list[Unread],
    excluded: Callable[[str], bool] | None = None,
    skipped: set[str] | None = None,
) -> Iterator[tuple[str, str]]:
    """Folder and name of every regular file below a folder in a stable order.

    Tool folders, whose names are added to `skipped`, and what is `excluded` are left out; a folder's path ends in a
    slash when that is asked. Of a link to a folder that is not walked itself, because it lies elsewhere or is a tool's,
    only the Terraform files directly in it count: that makes it a root module, and what lies around it belongs to
    somebody else. What cannot be listed is added to `errors`, and so is a pipe or a device that Terraform would read.
    """
    todo = [folder]
    walked: set[str] = set()
    links: list[str] = []
    while todo:
        current = todo.pop()
        walked.add(current)
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
                    if entry.name in SKIPPED_FOLDERS:
                        if skipped is not None:
                            skipped.add(entry.name)
                    elif not (excluded and excluded(f"{entry.path}/")):
                        inside.append(entry.path)
                elif excluded and excluded(entry.path):
                    continue
                elif entry.is_file(follow_symlinks=False) or stat.S_ISREG(entry.stat().st_mode):
                    yield current, entry.name
                elif entry.is_dir():
                    links.append(entry.path)
                elif entry.name.endswith(SOURCE_SUFFIXES):
                    errors.append(Unread(shown(entry.path), "unreadable", _NO_FILE))
            except OSError as error:
                if _is_missed(entry.name, error):
                    errors.append(unread(entry.path, error))
        todo += reversed(inside)
    if links:
        real = {os.path.realpath(path) for path in walked}
        for link in links:
            if os.path.realpath(link) not in real:
                yield from _linked(link, errors, excluded)


def _linked(link: str, errors: list[Unread], excluded: Callable[[str], bool] | None) -> Iterator[tuple[str, str]]:
    """Folder and name of the Terraform files directly in a folder behind a link."""
    if excluded and excluded(f"{link}/"):
        return
    try:
        names = sorted(os.listdir(link))
    except OSError as error:
        errors.append(unread(link, error, "listed"))
        return
    for name in names:
        path = os.path.join(link, name)
        if name.endswith(SOURCE_SUFFIXES) and os.path.isfile(path) and not (excluded and excluded(path)):
            yield link, name


def _is_missed(name: str, error: OSError) -> bool:
    """Whether a file that cannot be looked at matters: a link that leads nowhere does so only to Terraform, which
    refuses the module then; names with a leading dot are editors' locks."""
    if error.errno in (errno.ENOENT, errno.ELOOP):
        return name.endswith(SOURCE_SUFFIXES) and not name.startswith(".")
    return may_matter(name)


def is_binary(data: bytes) -> bool:
    """Whether the first bytes are no text: NULs, but not those of UTF-16, which stand beside ASCII characters."""
    head = data[:_HEAD]
    if b"\0" not in head:
        return False
    return max(head[::2].count(0), head[1::2].count(0)) * 3 < len(head) or head.count(0) * 8 > len(head) * 7


def read_file(path: str) -> bytes:
    """A file's bytes, or the first of them where it is large and they are no text. Raises OSError.

    A plan may be packed, up to a size.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size <= _SMALL:
            return file.readall()
        head = file.read(_HEAD)
        if is_binary(head) and (size > MAX_FILE_BYTES or not head.startswith(GZIP)):
            return head
        if size <= MAX_FILE_BYTES:
            return head + file.readall()
    raise OSError(errno.EFBIG, f"is larger than {MAX_FILE_BYTES // 2**20} MiB", path)
