"""How far a configuration goes that nobody named: who can change a checkout must not rule the machine that scans it.

- It is looked for within the repository that holds the working directory, not in another one inside of it, or in the
  working directory where there is none, and obeyed only if its owner is the user or root, as git does it since
  CVE-2022-24765.
- What it names lies below its own folder: files to read after links were followed; reports without a link on the way,
  never in `.git`, and new or earlier reports of the same format.

`--config FILE` is a person's word, and goes as far as that person does.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from keyrules.code.file_paths import below
from keyrules.files import open_regular
from keyrules.reports.report_formats import FORMATS
from keyrules.terms import CONFIGURATION_FILE, MISSPELT_FILE, UsageError

_HEAD, _TAIL = 16 * 1024, 1024
"""The bytes at the start and at the end of a file that say whether it is a report."""

_OTHERWISE = "move it there, or name the configuration with --config"


class Found(NamedTuple):
    """The configuration file to use, absolute, and those that lie nearer to what is scanned and are not used."""

    path: Path | None
    unused: tuple[Path, ...] = ()


def find_configuration(scanned: Sequence[str] = ()) -> Found:
    """The nearest configuration file: from the folder that holds all that is scanned, where folders are named.

    Where files are named, as a hook does it, and where nothing is found, it is that of the working directory, because
    which files a commit touches must not decide on its rules. Raises UsageError where the search meets the file under a
    name that would be passed over, and for a file of another owner.
    """
    here = Path.cwd()
    repository = _repository(here)
    top = repository or here
    folders = [Path(os.path.realpath(name)) for name in scanned if os.path.isdir(name)]
    starts = [here]
    if repository is not None and folders and len(folders) == len(scanned):
        common = Path(os.path.commonpath(folders))
        if _same(repository, _repository(common)):
            starts.insert(0, top / os.path.relpath(common, os.path.realpath(top)))
    path = next((path for start in starts for path in (_nearest(start, top),) if path is not None), None)
    if path is not None:
        refuse_other_owners(path, "--config")
    nearer = (_nearer(Path(os.path.abspath(name)), top) for name in scanned)
    unused = dict.fromkeys(other for other in nearer if other is not None and not _same(other, path))
    return Found(path, tuple(unused))


def refuse_other_owners(path: Path, option: str) -> None:
    """Raises UsageError for a file, or a link to one, that belongs neither to the user nor to root."""
    if not hasattr(os, "geteuid"):
        return
    for look in (os.lstat, os.stat):
        try:
            owner = look(path).st_uid
        except OSError:
            # Reading it says what is wrong.
            return
        if owner not in (os.geteuid(), 0):
            raise UsageError(
                f"{os.path.relpath(path)} belongs to another user (uid {owner}) and was found by itself, so it is not "
                f"obeyed; name it with {option} where it is to be"
            )


def refuse_reading(what: str, path: Path, folder: Path) -> None:
    """Raises UsageError for a file that does not lie below a folder; `what` says who names it."""
    if not below(os.path.realpath(path), [os.path.realpath(folder)]):
        raise UsageError(
            f"{what} names {path}, which lies outside of the configuration's folder; a configuration that is found by "
            f"itself reads only below it: {_OTHERWISE}"
        )


def refuse_writing(what: str, form: str, path: Path, folder: Path, folder_asked: bool = False) -> None:
    """Raises UsageError for a report in `path` that a configuration in `folder` must not write.

    `folder_asked` says that the report is a folder of files.
    """
    home = os.path.realpath(folder)
    wanted = os.path.normpath(os.path.join(home, os.path.relpath(path, folder)))
    place = f"{what}: `format` names {path}"
    limit = "a configuration that is found by itself writes only"
    if folder_asked:
        raise UsageError(f"{place}, a folder; {limit} single files: give --format, or name the file with --config")
    if not below(wanted, [home]):
        raise UsageError(f"{place}, which lies outside of the configuration's folder; {limit} below it: {_OTHERWISE}")
    if os.path.realpath(path) != wanted:
        raise UsageError(f"{place}, which a symbolic link leads to; {limit} where no link leads: {_OTHERWISE}")
    if any(part.lower() == ".git" for part in Path(wanted).relative_to(home).parts):
        raise UsageError(f"{place}, which lies in a `.git` folder; {limit} elsewhere: give the report another file")
    if os.path.lexists(wanted) and not _is_report(form, wanted):
        raise UsageError(
            f"{place}, which exists and is no earlier {form} report of keyrules; {limit} new files and over its own "
            "reports: give the report another file, or remove that one"
        )


def _repository(folder: Path) -> Path | None:
    """The work tree of git that holds an absolute folder."""
    return next((each for each in (folder, *folder.parents) if os.path.lexists(each / ".git")), None)


def _nearest(start: Path, top: Path) -> Path | None:
    for folder in _upwards(start, top):
        if os.path.lexists(folder / CONFIGURATION_FILE):
            return folder / CONFIGURATION_FILE
        if os.path.lexists(folder / MISSPELT_FILE):
            name = os.path.relpath(folder / MISSPELT_FILE)
            raise UsageError(f"{name} is not read; rename it to {CONFIGURATION_FILE}, or give --no-config")
    return None


def _upwards(start: Path, top: Path) -> Iterator[Path]:
    for folder in (start, *start.parents):
        yield folder
        if folder == top:
            return


def _nearer(path: Path, top: Path) -> Path | None:
    """The configuration that somebody may expect to hold for a path: the nearest one, within its own repository."""
    folder = path if os.path.isdir(path) else path.parent
    end = top if below(str(folder), [str(top)]) else _repository(folder) or folder
    for each in _upwards(folder, end):
        if os.path.lexists(each / CONFIGURATION_FILE):
            return each / CONFIGURATION_FILE
    return None


def _same(path: Path, other: Path | None) -> bool:
    return other is not None and os.path.realpath(path) == os.path.realpath(other)


def _is_report(form: str, path: str) -> bool:
    """Whether a file is empty, or one of our reports in that format by its first and last lines."""
    try:
        with open_regular(path) as file:
            data = file.read(_HEAD) or b""
            size = os.fstat(file.fileno()).st_size
            if size > len(data):
                file.seek(max(len(data), size - _TAIL))
                data += file.read(_TAIL) or b""
    except OSError:
        return False
    return not data or re.match(FORMATS[form].mark, data.decode("utf-8", "replace"), re.DOTALL) is not None
