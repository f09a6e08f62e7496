"""The folder of a package: written whole or not at all, and read as what somebody else may have put together."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from keyrules.model import InputError, UsageError
from keyrules.records import dataclass
from keyrules.reports.text_style import printable

MANIFEST: Final = "manifest.json"
STATEMENT: Final = "statement.intoto.json"
SIGNATURE: Final = f"{STATEMENT}.sig"
"""What `ssh-keygen -Y sign` calls the signature of the statement."""

BESIDE: Final = frozenset({MANIFEST, STATEMENT, SIGNATURE, f"{STATEMENT}.sigstore.json"})
"""What no manifest can list: itself, and what is made of it later."""

RECEIVED: Final = ("inputs", "configuration")
"""The folders of what a judgement rests on."""

REPORTS: Final = "inputs/reports"
ACCOUNTS: Final = "inputs/accounts.json"
CODE: Final = "inputs/code.csv"
RESULTS: Final = "results"

_BLOCK: Final = 1 << 20
_MOST_FILES: Final = 200_000
_LONGEST_NAME: Final = 400
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._=-]+")


@dataclass(frozen=True)
class Held:
    """A file of a package."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Listing:
    """What a folder holds: the regular files by their path in it, and the paths of what is none, such as links."""

    files: tuple[str, ...]
    others: tuple[str, ...]


@contextmanager
def built(path: Path) -> Iterator[Path]:
    """A folder to fill, which becomes `path` when the block ends without an exception, and is gone otherwise.

    Nobody else can read it. Raises UsageError where `path` is there already or cannot be made.
    """
    shown = printable(str(path))
    if path.is_symlink() or (path.exists() and not path.is_dir()) or (path.is_dir() and any(path.iterdir())):
        raise UsageError(f"{shown} is there already, and a package is never changed; name a folder that is not there")
    parent = path.parent
    if not parent.is_dir():
        raise UsageError(f"{shown} cannot be made, since {printable(str(parent))} is no folder; create that first")
    try:
        temporary = Path(tempfile.mkdtemp(prefix=".", suffix=".keyrules-tmp", dir=parent))
    except OSError as error:
        raise UsageError(f"{shown} cannot be made: {error.strerror or type(error).__name__}") from None
    try:
        yield temporary
        try:
            temporary.rename(path)
        except OSError as error:
            raise UsageError(f"{shown} cannot be made: {error.strerror or type(error).__name__}") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def within(folder: Path) -> Iterator[None]:
    """Makes a folder the working directory, so that what a package says names its files as it holds them."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def write(path: Path, blocks: Iterable[bytes]) -> None:
    """Writes a new file, which is on disk when this returns, with the folders around it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.writelines(blocks)
        file.flush()
        os.fsync(file.fileno())


def write_text(path: Path, pieces: Iterable[str]) -> None:
    """The same with text, as UTF-8."""
    write(path, (piece.encode() for piece in pieces))


def safe_name(text: str) -> str:
    """A path as a package can hold it: letters, digits and `.-_=` in each of its names, none hidden or empty."""
    parts = [_UNSAFE.sub("_", part).lstrip(".")[-80:] for part in text.split("/")]
    return "/".join(part for part in parts if part) or "input"


def is_inside(path: str) -> bool:
    """Whether a path is one that a package can list: relative, plain, and below the package whatever is done to it."""
    parts = path.split("/")
    plain = path.isprintable() and path.isascii() and "\\" not in path and len(path) <= _LONGEST_NAME
    return plain and all(part not in ("", ".", "..") for part in parts)


def listing(folder: Path) -> Listing:
    """What a folder holds; links are not followed. Raises InputError where it cannot be listed or holds too much."""
    files: list[str] = []
    others: list[str] = []
    todo = [""]
    while todo:
        below = todo.pop()
        try:
            with os.scandir(folder / below) as entries:
                for entry in entries:
                    name = f"{below}{entry.name}"
                    if entry.is_dir(follow_symlinks=False):
                        todo.append(f"{name}/")
                    elif entry.is_file(follow_symlinks=False):
                        files.append(name)
                    else:
                        others.append(name)
        except OSError as error:
            raise InputError(f"{_shown(folder / below)} cannot be listed: {error.strerror or 'error'}") from None
        if len(files) + len(others) + len(todo) > _MOST_FILES:
            raise InputError(f"{_shown(folder)} holds more than {_MOST_FILES:,} files, which no package does")
    return Listing(tuple(sorted(files)), tuple(sorted(others)))


@contextmanager
def opened(folder: Path, name: str) -> Iterator[BinaryIO]:
    """A regular file of a package, reached without following a link. Raises InputError."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    *folders, last = name.split("/")
    held: list[int] = []
    try:
        held.append(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        for part in folders:
            held.append(os.open(part, flags | os.O_DIRECTORY, dir_fd=held[-1]))
        with os.fdopen(os.open(last, flags, dir_fd=held[-1]), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise InputError(f"{_shown(folder / name)} is no regular file")
            yield file
    except OSError as error:
        raise InputError(f"{_shown(folder / name)} cannot be read: {error.strerror or type(error).__name__}") from None
    finally:
        for descriptor in held:
            with suppress(OSError):
                os.close(descriptor)


def held(folder: Path, name: str) -> Held:
    """Size and sum of a file of a package. Raises InputError."""
    with opened(folder, name) as file:
        return summed(file)


def is_held(folder: Path, name: str, listed: Held) -> bool:
    """Whether a file of a package is the one that is listed; one of another size is not read. Raises InputError."""
    with opened(folder, name) as file:
        return os.fstat(file.fileno()).st_size == listed.size and summed(file) == listed


def refuse_changed(folder: Path, names: Iterable[str], listed: Mapping[str, Held]) -> None:
    """Raises InputError for a file of a package that is not the one that its manifest lists."""
    for name in names:
        if name not in listed or not is_held(folder, name, listed[name]):
            raise InputError(
                f"{_shown(folder / name)} is not what the manifest lists, so nothing is said of it; "
                "`keyrules evidence verify` says what was changed"
            )


def summed(file: BinaryIO) -> Held:
    """Size and sum of what is left of an open file."""
    total, size = hashlib.sha256(), 0
    for block in iter(lambda: file.read(_BLOCK), b""):
        total.update(block)
        size += len(block)
    return Held(size, total.hexdigest())


def content(folder: Path, name: str, most: int) -> bytes:
    """The bytes of a file of a package. Raises InputError, also where there are more than `most`."""
    with opened(folder, name) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise InputError(f"{_shown(folder / name)} is larger than {most >> 20} MiB, which no package has it")
    return data


def _shown(path: Path) -> str:
    return printable(str(path))
