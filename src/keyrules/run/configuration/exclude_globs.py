"""Globs that leave files and folders out of a scan, written as in a .gitignore.

- `*` and `?` stand for characters within one name, `**` between slashes for any number of folders; nothing else is
  special.
- A glob with a slash before its end is relative to the base folder; one without matches a name at any depth.
- What matches a folder leaves out all that is in it; a glob that ends in a slash matches folders only.

https://git-scm.com/docs/gitignore#_pattern_format has the same rules, with negation, escapes and character classes
added, which are refused here or mean themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from keyrules.run.settings import Settings
from keyrules.terms import UsageError

GLOB_PATTERN = (
    r"^(?!!)(?!/*$)(?!.*//)(?!\./?$)(?!.*/\.(?:/|$))(?!(?:.*/)?\.\.(?:/|$))(?!.*[^/]\*\*)(?!.*\*\*[^/])[^\\\x00-\x1f]+$"
)
"""What a glob looks like, as JSON Schema and Python read it alike."""

GLOB_RULES = "a glob as in a .gitignore, like examples/** or **/testdata, without !, .. and backslashes"

_GLOB = re.compile(GLOB_PATTERN)


def is_glob(text: str) -> bool:
    """Whether a text is a glob as described above."""
    return "\n" not in text and _GLOB.match(text) is not None


class Excluder:
    """Says of an absolute path whether a glob leaves it out; a folder's path ends in a slash.

    `base` is the absolute folder that the globs are relative to. Nothing outside of it is ever left out. Each glob
    must satisfy is_glob. However many stars there are, the time grows with the length of the path alone.
    """

    def __init__(self, globs: Sequence[str], base: str) -> None:
        expression = _Expression()
        self._matches = re.compile("|".join(map(expression.of, globs)), re.DOTALL).fullmatch
        self._prefix = base.rstrip("/") + "/"
        self._hits: set[str] = set()

    def __call__(self, path: str) -> bool:
        """Whether it is left out."""
        if not path.startswith(self._prefix) or self._matches(path, len(self._prefix)) is None:
            return False
        self._hits.add(path)
        return True

    @property
    def left_out(self) -> int:
        """How many files and folders that was; what lies in such a folder is not counted by itself."""
        return sum(not any(folder in self._hits for folder in _folders_of(path)) for path in self._hits)


def excluded_paths(settings: Settings) -> Excluder | None:
    """What the settings leave out, None where that is nothing. Raises UsageError for a wrong glob of --exclude."""
    globs = settings.exclude.value
    for glob in globs:
        if not is_glob(glob):
            raise UsageError(f"--exclude: {glob!r} is not {GLOB_RULES}")
    return Excluder(globs, settings.exclude_base) if globs else None


def _folders_of(path: str) -> Iterator[str]:
    """The folders that a path lies in, each with a slash at its end."""
    end = path.rfind("/", 0, len(path) - 1)
    while end > 0:
        yield path[: end + 1]
        end = path.rfind("/", 0, end)


class _Expression:
    """Makes regular expressions that never go back: what follows a star is taken where it is found first.

    That is enough for a match, because a later place leaves less of the path to what follows. Python has atomic groups
    from 3.11 on; a lookahead and a reference to what it found is one that 3.10 has, too.
    """

    def __init__(self) -> None:
        self._groups = 0

    def of(self, glob: str) -> str:
        """The expression that matches what a glob names and all that lies below it."""
        parts = glob.removeprefix("./").removeprefix("/").split("/")
        folder_only = parts[-1] == ""
        if folder_only:
            parts.pop()
        anchored = len(parts) > 1 or glob.startswith(("/", "./"))
        if not folder_only:
            while len(parts) > 1 and parts[-1] == "**":
                # `examples/**` is all that is in the folder, so the folder need not be entered.
                folder_only = True
                parts.pop()
        steps, run, floating = "", "", not anchored
        for part in parts[:-1]:
            if part == "**":
                steps += self._anywhere(run) if floating and run else run
                run, floating = "", True
            else:
                run += self._name(part) + "/"
        run += "[^/]+" if parts[-1] == "**" else self._name(parts[-1])
        run += "/" if folder_only else r"(?:/|\Z)"
        return steps + (self._anywhere(run) if floating else run) + ".*"

    def _anywhere(self, run: str) -> str:
        """Some names in a row, after any number of folders."""
        return self._first(f"(?:[^/]+/)*?{run}")

    def _name(self, part: str) -> str:
        start, *rest = (
            "".join("[^/]" if char == "?" else re.escape(char) for char in text) for text in part.split("*")
        )
        if not rest:
            return start
        *middle, end = rest
        return start + "".join(self._first(f"[^/]*?{text}") for text in middle if text) + f"[^/]*{end}"

    def _first(self, expression: str) -> str:
        self._groups += 1
        return f"(?=(?P<g{self._groups}>{expression}))(?P=g{self._groups})"
