"""Ends a scan that has nothing to evaluate before the command line is parsed and the rules are read.

Nearly every commit is such a scan. Only a run is ended here that asks for nothing but text on standard output and says
nothing that has to be checked against the rules; every other run, and every refusal, is for keyrules.commands.scan.
What is printed here is what it would print. Nothing on the way imports argparse, typing or dataclasses.
"""

from __future__ import annotations

import os
import stat
import sys

from keyrules.code.discovery import Discovery, discover, note_on_nothing
from keyrules.code.other_languages import not_read_notes
from keyrules.records import TYPE_CHECKING
from keyrules.terminal import text_width
from keyrules.terms import CONFIGURATION_FILE, EXCEPTIONS_FILE, MISSPELT_FILE, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

_QUIET = {"--quiet", "-q"}
_HARMLESS = (
    _QUIET
    | {"--no-color", "--show-passing", "-v"}
    | {f"--fail-on={word}" for name in Severity.__members__ for word in (name, name.lower())}
)
"""Options that change nothing about a run that finds nothing."""

_FILES = (CONFIGURATION_FILE, MISSPELT_FILE, EXCEPTIONS_FILE)
"""What such a file says has to be checked whatever there is to evaluate."""


def first_look(words: Sequence[str]) -> Discovery | None:
    """What there is to evaluate for what stands after `keyrules scan`, or None where that has to be checked first."""
    paths = _paths(words)
    if not paths or not all(map(_is_readable, paths)) or _concerned(paths):
        return None
    return discover(paths, os.getcwd())


def say_nothing(words: Sequence[str], found: Discovery) -> int:
    """Prints that there is nothing to evaluate, and returns the exit code."""
    if not _QUIET.intersection(words):
        from keyrules.reports.text_style import NOTHING_TO_EVALUATE, remarks

        notes = [note_on_nothing(found, _paths(words)), *not_read_notes(found.not_read)]
        lines = remarks("Note", notes, text_width(sys.stdout))
        sys.stdout.buffer.write("\n".join([*lines, "", NOTHING_TO_EVALUATE, ""]).encode())
    return 0


def _paths(words: Sequence[str]) -> list[str]:
    """The paths among words that say nothing else that matters; none where argparse has to read them.

    Options stand before the paths or after them: what argparse makes of paths on both sides is its own business.
    """
    rest = iter(words)
    whole = [f"{word}={next(rest, '')}" if word == "--fail-on" else word for word in rest]
    paths = [word for word in whole if not word.startswith("-")]
    start = whole.index(paths[0]) if paths else 0
    together = whole[start : start + len(paths)] == paths
    return (paths or ["."]) if together and _HARMLESS.issuperset(set(whole).difference(paths)) else []


def _is_readable(name: str) -> bool:
    """Whether a path is a file or folder that can be read; `-` and what is wrong is not looked at here."""
    if name in ("", "-"):
        return False
    try:
        mode = os.stat(name).st_mode
    except OSError:
        return False
    if stat.S_ISDIR(mode):
        return os.access(name, os.R_OK | os.X_OK)
    return stat.S_ISREG(mode) and os.access(name, os.R_OK)


def _concerned(paths: Sequence[str]) -> bool:
    """Whether the working directory, a path or a folder around one holds such a file."""
    named = map(os.path.abspath, paths)
    todo = {os.getcwd(), *(path if os.path.isdir(path) else os.path.dirname(path) for path in named)}
    done: set[str] = set()
    while todo:
        folder = todo.pop()
        if any(os.path.lexists(os.path.join(folder, name)) for name in _FILES):
            return True
        done.add(folder)
        todo |= {os.path.dirname(folder)} - done
    return False
