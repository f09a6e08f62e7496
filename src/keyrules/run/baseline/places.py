"""Where a baseline's paths start, so that it means the same from whatever folder a run is started.

A baseline that was written into the tree of the working directory records, as `base`, the folder where its paths start,
relative to its own folder. The paths of an ordinary JSON report, and those of a baseline that is kept elsewhere, start
at the working directory of the run that reads it: such files are made in one checkout and read in another.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from keyrules.code.file_paths import STDIN, below, shown
from keyrules.model import Evaluation, Finding
from keyrules.records import replace


class Places:
    """Paths as a baseline states them: relative to `start`, an absolute folder without links, in their real form.

    Links to folders are followed; a file that is a link keeps its own name, because two modules may share one file. A
    path on the other side of `start` begins with `..`, one that shares nothing but the root with it is absolute.
    """

    def __init__(self, start: str) -> None:
        self.start = start
        self._here = str(Path.cwd())
        self._real: dict[Path, Path] = {}

    def entered(self, path: str) -> str:
        """The baseline's form of a path of this run, which is relative to the working directory."""
        return self._stated(path, self._here)

    def settled(self, path: str) -> str:
        """The baseline's form of a path that a baseline states."""
        return self._stated(path, self.start)

    def carried(self, path: str, other: Places) -> str:
        """This form of a path in the form of another baseline."""
        return self._stated(path, other.start)

    def absolute(self, path: str) -> str:
        """A path in the baseline's form as an absolute one."""
        return os.path.normpath(Path(self.start, path))

    def shown(self, path: str) -> str:
        """A path in the baseline's form as this run shows paths."""
        return path if path == STDIN else shown(self.absolute(path))

    def gone(self, path: str) -> bool:
        """Whether nothing has that path, in the baseline's form, any more.

        False where the system cannot tell, and for standard input.
        """
        if path == STDIN:
            return False
        try:
            os.lstat(self.absolute(path))
        except OSError as error:
            return error.errno in (errno.ENOENT, errno.ENOTDIR)
        except ValueError:
            return False
        return False

    def entered_evaluation(self, evaluation: Evaluation) -> Evaluation:
        """An evaluation of code whose findings, inputs and errors have the baseline's paths."""
        return replace(
            evaluation,
            findings=tuple(at(finding, self.entered(path_of(finding))) for finding in evaluation.findings),
            inputs=tuple(replace(item, name=self.entered(item.name)) for item in evaluation.inputs),
            errors=tuple(replace(error, input=self.entered(error.input)) for error in evaluation.errors),
        )

    def _stated(self, path: str, root: str) -> str:
        if path == STDIN:
            return path
        real = self._really(Path(root, path))
        if below(real, [self.start]) or os.path.commonpath([real, self.start]) != os.sep:
            return os.path.relpath(real, self.start)
        return real

    def _really(self, path: Path) -> str:
        try:
            if path.name in ("", "..") or path.is_dir():
                return os.path.realpath(path)
            if path.parent not in self._real:
                self._real[path.parent] = Path(os.path.realpath(path.parent))
        except (OSError, ValueError):
            # No file can have such a name.
            return os.path.normpath(path)
        return str(self._real[path.parent] / path.name)


def path_of(finding: Finding) -> str:
    """The path of a finding in code; empty for any other."""
    return finding.location.path if finding.location is not None else ""


def at(finding: Finding, path: str) -> Finding:
    """The finding in code with another path."""
    location = finding.location
    if location is None or location.path == path:
        return finding
    return replace(finding, location=replace(location, path=path))


def start_of(file: Path, base: str | None) -> str | None:
    """The absolute folder where the paths of a baseline start; None where the working directory decides."""
    if base is None or not file.is_file():
        return None
    return os.path.realpath(file.resolve().parent / base)


def start_for(file: Path, earlier: str | None) -> str | None:
    """The same for a baseline that is to be written: `earlier`, the start of the one before, where that is possible.

    Otherwise the working directory, or the file's folder where that is above it and in the same checkout.
    """
    if file.exists() and not file.is_file():
        return None
    folder, here = str(file.resolve().parent), str(Path.cwd())
    if earlier is not None and (below(folder, [earlier]) or below(earlier, [folder])):
        return earlier
    if below(folder, [here]):
        return here
    between = [step for step in (Path(here), *Path(here).parents) if below(str(step), [folder]) and str(step) != folder]
    return folder if between and not any((step / ".git").exists() for step in between) else None


def base_of(file: Path, start: str) -> str:
    """What a baseline in that file records of the folder where its paths start."""
    return os.path.relpath(start, file.resolve().parent)
