"""A hash of the code that gives verdicts: this package's own files, and the versions of all that is installed."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Sequence

from keyrules.code.host.pack_folders import source_root

_OWN = ("keyrules", "terraform", "cloudformation")
_DISTRIBUTIONS = (".dist-info", ".egg-info", ".egg-link", ".pth")


def code_version(path: Sequence[str]) -> str | None:
    """The hash for a module search path, or None where it does not show which Checkov it leads to.

    A version number is not enough, because a checkout changes without one. Of what is installed the folder names tell
    the versions, those of Checkov's own parsers included.
    """
    total = hashlib.sha256(f"{sys.version}\0{sys.executable}\0".encode())
    for name, content in _own_files():
        total.update(b"%d %d " % (len(name), len(content)) + name + content)
    names = [name for folder in path for name in _distributions(folder)]
    if not any(os.path.basename(name).startswith("checkov-") for name in names):
        return None
    total.update("\0".join(names).encode("utf-8", "surrogateescape"))
    return total.hexdigest()


def _own_files() -> Iterator[tuple[bytes, bytes]]:
    root = str(source_root())
    folders = [os.path.join(root, name) for name in _OWN]
    while folders:
        folder = folders.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except FileNotFoundError:
            # Where the package is installed, what lies beside it in a checkout is part of it.
            continue
        for entry in entries:
            if entry.name.endswith(".py"):
                with open(entry.path, "rb") as file:
                    yield os.fsencode(os.path.relpath(entry.path, root)), file.read()
            elif entry.name != "__pycache__" and entry.is_dir():
                folders.append(entry.path)


def _distributions(folder: str) -> list[str]:
    try:
        names = os.listdir(folder or ".")
    except OSError:
        return []
    return sorted(os.path.join(folder, name) for name in names if name.endswith(_DISTRIBUTIONS))
