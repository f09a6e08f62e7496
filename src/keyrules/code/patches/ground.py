"""Which files a patch may change: those that were scanned, that somebody writes by hand, and that git can reach."""

from __future__ import annotations

from pathlib import Path

from keyrules.code.file_names import SKIPPED_FOLDERS
from keyrules.code.file_paths import absolute, below, shown
from keyrules.code.scan import ScanRequest


class Ground:
    """What a patch may reach."""

    def __init__(self, request: ScanRequest) -> None:
        named = [absolute(str(path)) for path in request.paths]
        self._folders = [path for path in named if Path(path).is_dir()]
        self._beside = {str(Path(path).parent) for path in named if path not in self._folders}
        self._excluded = request.excluded or (lambda path: False)
        self._here = Path.cwd()

    def refusal(self, path: str) -> str:
        """Why a file must not be changed, or nothing."""
        if not below(path, [str(self._here)]):
            return "it lies outside of the working directory, where `git apply` does not reach"
        if not below(path, self._folders) and str(Path(path).parent) not in self._beside:
            return f"{shown(path)} lies outside of what was scanned"
        relative = Path(path).relative_to(self._here)
        if not SKIPPED_FOLDERS.isdisjoint(relative.parts):
            return f"{shown(path)} lies in a folder that a tool fills"
        if Path(path).resolve() != self._here.resolve() / relative:
            return f"{shown(path)} is reached through a symbolic link"
        return f"{shown(path)} is excluded from the scan" if self._excluded(path) else ""
