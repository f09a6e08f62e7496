"""The exceptions that a run is to use; their file is read where there is one, which most runs of the hook have not."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from keyrules.run.settings import Settings
from keyrules.terms import UsageError

if TYPE_CHECKING:
    from keyrules.pack.pack import Pack
    from keyrules.run.exceptions.file import Entry
    from keyrules.run.exceptions.paths import Ground


def chosen_exceptions(settings: Settings, pack: Pack, now: datetime) -> tuple[Entry, ...]:
    """The entries of the file that the settings name.

    `now` is the time of the run, whatever moment it judges at: how far away an end may be is a promise made today.
    Raises UsageError for a file that is named and does not exist, and for whatever is wrong in the file.
    """
    path = exceptions_path(settings)
    if path is None:
        return ()
    from keyrules.run.exceptions.file import load_exceptions

    return load_exceptions(path, pack, now, settings.max_exception_days.value)


def exceptions_ground(settings: Settings, excluded: Callable[[str], bool] | None) -> Ground:
    """The code that the exceptions file can speak of. `excluded` is what the run leaves out.

    What the configuration leaves out is left out of every run, so no exception is needed there; what --exclude leaves
    out was only not looked at.
    """
    from keyrules.run.exceptions.paths import Ground

    folder = Path(settings.exceptions.value or "").parent
    return Ground(str(folder), None if settings.exclude.from_file else excluded)


def exceptions_path(settings: Settings) -> Path | None:
    """The file to read, or None where there is none. Raises UsageError for one that is named and does not exist."""
    name = settings.exceptions.value
    if name is None:
        return None
    if not name or not os.path.lexists(name):
        shown = name or "the empty name"
        raise UsageError(f"--exceptions: {shown} does not exist; name a file of exceptions, or leave the option out")
    return Path(name)
