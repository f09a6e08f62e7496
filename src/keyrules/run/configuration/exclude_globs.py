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
from collections.abc import Callable, Sequence

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


def excluder(globs: Sequence[str], base: str) -> Callable[[str], bool]:
    """Says of an absolute path whether a glob leaves it out; a folder's path ends in a slash.

    `base` is the absolute folder that the globs are relative to. Nothing outside of it is ever left out. Each glob
    must satisfy is_glob.
    """
    matches = re.compile("|".join(_expression(glob) for glob in globs), re.DOTALL).fullmatch
    prefix = base.rstrip("/") + "/"

    def excluded(path: str) -> bool:
        return path.startswith(prefix) and matches(path, len(prefix)) is not None

    return excluded


def excluded_paths(settings: Settings) -> Callable[[str], bool] | None:
    """Whether an absolute path is to be left out (a folder's ends in a slash); None where nothing is.

    Raises UsageError for a glob of the command line that is none.
    """
    globs = settings.exclude.value
    for glob in globs:
        if not is_glob(glob):
            raise UsageError(f"--exclude: {glob!r} is not {GLOB_RULES}")
    return excluder(globs, settings.exclude_base) if globs else None


def _expression(glob: str) -> str:
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
    steps = "" if anchored else "(?:[^/]+/)*"
    for part in parts[:-1]:
        steps += "(?:[^/]+/)*" if part == "**" else _name(part) + "/"
    last = ".+" if parts[-1] == "**" else _name(parts[-1])
    return steps + last + ("/.*" if folder_only else "(?:/.*)?")


def _name(part: str) -> str:
    marks = {"*": "[^/]*", "?": "[^/]"}
    return "".join(marks.get(char) or re.escape(char) for char in part)
