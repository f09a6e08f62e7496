"""Ends a scan that has nothing to evaluate before the rules, PyYAML or Checkov are imported.

Nearly every commit is such a scan. Only a run is ended here that asks for nothing but text on standard output and says
nothing that has to be checked against the rules; every other run, and every refusal, is for keyrules.commands.scan.
What is printed here is what it would print.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Sequence

from keyrules.code.discovery import Discovery, discover, note_on_nothing
from keyrules.code.other_languages import not_read_notes
from keyrules.run.options import CONFIGURATION_FILE, EXCEPTIONS_FILE, MISSPELT_FILE, Asked
from keyrules.terminal import text_width
from keyrules.terms import Severity

_HARMLESS = frozenset({"quiet", "no_color", "show_passing", "fail_on"})
"""Options that change nothing about a run that finds nothing."""

_FILES = (CONFIGURATION_FILE, MISSPELT_FILE, EXCEPTIONS_FILE)
"""What such a file says has to be checked whatever there is to evaluate."""


def first_look(paths: Sequence[str], asked: Asked) -> Discovery | None:
    """What there is to evaluate, or None where the run has to be checked first."""
    if asked.in_use() - _HARMLESS or (asked.fail_on is not None and asked.fail_on.upper() not in Severity.__members__):
        return None
    if not all(map(_is_readable, paths)) or _concerned(paths):
        return None
    return discover(paths, os.getcwd())


def say_nothing(paths: Sequence[str], asked: Asked, found: Discovery) -> int:
    """Prints that there is nothing to evaluate, and returns the exit code."""
    if not asked.quiet:
        from keyrules.reports.text_style import NOTHING_TO_EVALUATE, remarks

        notes = [note_on_nothing(found, paths), *not_read_notes(found.not_read)]
        lines = remarks("Note", notes, text_width(sys.stdout))
        sys.stdout.buffer.write("\n".join([*lines, "", NOTHING_TO_EVALUATE, ""]).encode())
    return 0


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
