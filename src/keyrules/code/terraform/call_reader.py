"""Which folders the modules in folders call, by their syntax and the values of their sources."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from keyrules.code.file_names import DOWNLOADED_MODULES
from keyrules.code.terraform.known_modules import known_call
from keyrules.code.terraform.module import Declaration, ModuleReader
from keyrules.code.terraform.scope import Scope, walk
from keyrules.code.terraform.sources import module_source


class CallReader:
    """Which folders the modules in folders call. `open` has those that could matter for what their bytes do not show: a
    source that does not resolve there, or that comes to a module which creates a key."""

    def __init__(self, read: Callable[[str], bytes]) -> None:
        self._reader = ModuleReader(read)
        self.open: set[str] = set()

    def called(self, folder: str) -> tuple[set[str], bool]:
        """The folders that the module in a folder calls by itself, with what was downloaded for it and below that;
        and whether all its files could be read."""
        root = self._root(folder)
        calls = [call for call in root.module.calls.values() if call.value("source") is not None]
        sources = [module_source(call, root) for call in calls]
        if any(source.text is None for source in sources) or any(_creates_key(call, root) for call in calls):
            self.open.add(folder)
        folders = {source.folder for source in sources if source.folder is not None}
        if Path(folder, DOWNLOADED_MODULES).exists():
            folders |= {scope.module.path for scope in walk(root)} - {folder}
        return folders, not root.module.errors

    def below(self, folder: str) -> Iterator[tuple[str, set[str]]]:
        """Every module that is reached from a folder with the folders that it calls there."""
        for scope in walk(self._root(folder)):
            sources = [module_source(call, scope).folder for call in scope.module.calls.values()]
            yield scope.module.path, {source for source in sources if source is not None}

    def _root(self, folder: str) -> Scope:
        return Scope(self._reader.module(folder), self._reader)


def _creates_key(call: Declaration, scope: Scope) -> bool:
    known = known_call(call, scope)
    return known is not None and bool(known.modules or known.hinted)
