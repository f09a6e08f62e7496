"""Where the paths of an exceptions file lead: they are relative to the folder that the file lies in.

Reports show paths as the working directory sees them, which may be another folder. So a file goes by its path from the
exceptions file's folder and by its absolute path; where a link leads to it, each also as what the link leads to.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from keyrules.code.file_paths import STDIN, below

_WILDCARD = re.compile(r"[*?]")


class Ground:
    """The code that an exceptions file in `folder` can speak of, seen from the working directory.

    `whole` is the absolute folder that holds all of it: that of the file, or one above that holds the working directory
    as well. `leaves_out` says of an absolute path that this run leaves it out and another one would not; None where
    there is no such path.
    """

    def __init__(self, folder: str = ".", leaves_out: Callable[[str], bool] | None = None) -> None:
        self._here = os.path.realpath(".")
        self._home = os.path.realpath(folder or ".")
        self._names: dict[str, tuple[str, ...]] = {}
        self.whole = os.path.commonpath([self._home, self._here])
        self.leaves_out = leaves_out

    def names(self, path: str) -> tuple[str, ...]:
        """What a subject may call the file that reports show as `path`."""
        if path == STDIN:
            return (path,)
        if path not in self._names:
            absolute = str(Path(self._here, path))
            places = dict.fromkeys((absolute, os.path.realpath(absolute)))
            relative = [os.path.relpath(place, self._home) for place in places]
            self._names[path] = (*dict.fromkeys(relative), *places)
        return self._names[path]

    def seen(self, path: str | None, folders: tuple[str, ...]) -> bool:
        """Whether a scan of absolute `folders` met all that a subject can mean: a path, a glob of paths or, with None,
        whatever has an address."""
        wildcard = _WILDCARD.search(path or "")
        if path is not None and wildcard is None:
            place = os.path.realpath(Path(self._home, path))
            left_out = path == STDIN or (self.leaves_out is not None and self.leaves_out(place))
            return below(place, folders) and not left_out
        # A glob that does not name the first folder can match any path.
        start = path[: path.rfind("/", 0, wildcard.start()) + 1] if path is not None and wildcard is not None else ""
        area = os.path.realpath(Path(self._home, start)) if start else self.whole
        return below(area, folders) and self.leaves_out is None
