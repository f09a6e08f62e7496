"""Which Terraform folders call which, what of that could matter, and which of them are root modules then."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Set
from contextlib import suppress

from keyrules.code.file_names import DOWNLOADED_MODULES, SOURCE_SUFFIXES, calls_with_values
from keyrules.code.file_paths import below, module_folder
from keyrules.code.file_walk import read_file, walk_files
from keyrules.code.key_words import KEY_ARGUMENTS
from keyrules.code.relevance import calls_key_module, computes_sources, concerns_terraform, local_sources, reads_files
from keyrules.records import TYPE_CHECKING

if TYPE_CHECKING:
    from keyrules.code.terraform.units import CallingUnit


class ModuleCalls:
    """Terraform folders as their files' bytes show them.

    `calls` has the folders that each folder calls, `relevant` those with a word of the rules or an unreadable file;
    `callers` the files that call a folder without being a module, `alone` those that call what is not here. `bearing`
    has the folders and files of those two kinds on which something bears that was asked for and calls nothing itself.
    `excluded` says of an absolute path whether the run leaves it out; a folder's path ends in a slash.
    """

    def __init__(self, excluded: Callable[[str], bool] | None = None) -> None:
        self._excluded = excluded
        self.calls: dict[str, set[str]] = {}
        self.relevant: set[str] = set()
        self._own: set[str] = set()
        self._computing: set[str] = set()
        self._initialised: set[str] = set()
        self._units: dict[str, bytes] = {}
        self.callers: dict[str, set[str]] = {}
        self.alone: set[str] = set()
        self.bearing: set[str] = set()
        self._seen: set[str] = set()

    def add(self, folder: str, path: str, data: bytes) -> None:
        """Notes what one file of a folder says that the run looks at for itself."""
        self._own.add(folder)
        self._note(folder, path, data)

    def add_unit(self, path: str, data: bytes) -> None:
        """Notes a file that calls modules without being one."""
        self._units[path] = data

    def _note(self, folder: str, path: str, data: bytes) -> None:
        self._seen.add(path)
        called = self.calls.setdefault(folder, set())
        if b"source" in data or b"\\" in data or b"\0" in data:
            called.update(filter(None, (module_folder(folder, source) for source in local_sources(data))))
            if computes_sources(data):
                self._computing.add(folder)
            if folder not in self._initialised:
                self._initialised.add(folder)
                called.update(_listed(folder))
        if concerns_terraform(data):
            self.relevant.add(folder)

    def add_around(self, folders: Iterable[str], context: str) -> None:
        """Notes the modules of single files, and everything below `context` (the working directory) if one of them is
        there, because a module is evaluated as its callers call it."""
        wanted = sorted(folders)
        self._own.update(wanted)
        for folder in wanted:
            self._add_folder(folder)
        inside = context.rstrip("/") + "/"
        if any(f"{folder}/".startswith(inside) for folder in wanted):
            # What cannot be listed around the files that were asked for is none of theirs.
            for folder, name in walk_files(context, [], self._excluded):
                if name.endswith(SOURCE_SUFFIXES):
                    self._own.add(folder)
                    self._read(folder, name)
                elif calls_with_values(name):
                    with suppress(OSError):
                        self.add_unit(os.path.join(folder, name), read_file(os.path.join(folder, name)))

    def add_readers(self, files: Set[str], context: str) -> None:
        """Notes the units below `context` (the working directory) that read one of these files: they include it."""
        from keyrules.code.terraform.module import ModuleReader
        from keyrules.code.terraform.units import calling_units

        for folder, name in walk_files(context, [], self._excluded):
            path = os.path.join(folder, name)
            if calls_with_values(name):
                reader = ModuleReader(read_file)
                calls = calling_units(path, reader)
                if not files.isdisjoint(reader.digests.keys() - {path}):
                    self.add_unit(path, reader.read(path))
                    self.bearing.update(call.folder or path for call in calls)

    def around_data(self, files: Set[str], context: str) -> set[str]:
        """The folders with modules that may read one of these files: those around it, below `context` (the working
        directory), that read files at all."""
        around: set[str] = set()
        todo = {os.path.dirname(file) for file in files}
        while todo:
            folder = todo.pop()
            if folder not in around and below(folder, [context]):
                around.add(folder)
                todo.add(os.path.dirname(folder))
        return {folder for folder in around if _reads_files(folder)}

    def roots(self, scanned: Set[str], values: Set[str]) -> list[str]:
        """The folders to evaluate: each that nobody calls, if it or anything that it calls could matter, and it is
        scanned, calls what is scanned, or takes its values from what is.

        A folder that is left out is no root, and calls only as far as a folder calls it that is not. What a unit calls
        is a root, too, whoever else calls it.
        """
        self._read_units()
        if self._excluded is not None:
            # Terraform takes a folder as a whole, so the files count that are left out beside others that are not.
            for folder in list(self.calls):
                self._add_folder(folder)
        self._follow()
        confirmed = self._confirmed()
        if not self.relevant:
            return []
        # What only a comment led to calls nobody, and neither does what is left out.
        own = [folder for folder in sorted(self._own) if self._excluded is None or not self._excluded(f"{folder}/")]
        callers = {caller for folder in own for caller in _reachable(folder, confirmed)}
        called = {target for folder in callers for target in confirmed.get(folder, ()) if target != folder}
        reach = {folder: _reachable(folder, self.calls) for folder in self.calls}
        roots = [folder for folder in own if folder not in called]
        covered = {folder for root in roots for folder in reach[root]}
        # Modules that call each other in a ring have no root; each of them is one then.
        roots += [folder for folder in own if folder not in covered]
        roots += [folder for folder in self.callers if folder in self.calls and folder not in roots]
        asked = [root for root in roots if root in values or root in self.callers or reach[root] & scanned]
        relevant = [root for root in asked if reach[root] & self.relevant]
        # Below a link that was named on the command line a module has another name than where it is called.
        real = {os.path.realpath(folder) for folder in called} if relevant else set()
        return sorted(
            root for root in relevant if root in called or root in self.callers or os.path.realpath(root) not in real
        )

    def _read_units(self) -> None:
        """Finds the folders that units call. What calls a module that is not here, or cannot be read, is looked at by
        itself if it could matter."""
        if not self._units:
            return
        from keyrules.code.terraform.module import ModuleReader
        from keyrules.code.terraform.units import calling_units

        reader = ModuleReader(read_file)
        for path, data in sorted(self._units.items()):
            for call in calling_units(path, reader):
                if call.folder is not None:
                    self.callers.setdefault(call.folder, set()).add(path)
                    self.calls.setdefault(call.folder, set())
                    self._add_folder(call.folder)
                elif calls_key_module(data) or _asks_for_key(call):
                    self.alone.add(path)
            if reader.hcl_file(path)[1] and (local_sources(data) or calls_key_module(data)):
                self.alone.add(path)

    def _confirmed(self) -> dict[str, set[str]]:
        """The calls that the syntax confirms; bytes alone also find one in a comment, and then nobody evaluates the
        module.

        A folder with a file that cannot be parsed keeps its other calls in `calls`, but confirms none of them. One
        with a source that has no value could matter.
        """
        confirmed: dict[str, set[str]] = {}
        reader = None
        while unsure := sorted((_callers(self.relevant, self.calls) | self._computing) - confirmed.keys()):
            from keyrules.code.terraform.call_reader import CallReader

            reader = reader or CallReader(read_file)
            for folder in unsure:
                targets, complete = reader.called(folder)
                confirmed[folder] = targets
                self.calls[folder] = targets | (set() if complete else self.calls[folder])
            self._follow()
        if reader is not None and reader.open:
            # What has no value in a module alone may have one where it is called.
            for folder in sorted(self._own):
                if _reachable(folder, self.calls) & reader.open:
                    for caller, targets in reader.below(folder):
                        confirmed[caller] = confirmed.get(caller, set()) | targets
                        self.calls[caller] = self.calls.get(caller, set()) | targets
            self.relevant |= reader.open
            self._follow()
        return {**self.calls, **confirmed}

    def _follow(self) -> None:
        """Adds the called folders that lie outside of what was walked."""
        todo = [target for targets in self.calls.values() for target in targets if target not in self.calls]
        while todo:
            folder = todo.pop()
            if folder not in self.calls:
                self._add_folder(folder)
                todo += [target for target in self.calls[folder] if target not in self.calls]

    def _add_folder(self, folder: str) -> None:
        self.calls.setdefault(folder, set())
        try:
            names = sorted(os.listdir(folder))
        except (FileNotFoundError, NotADirectoryError):
            # Many arguments are called `source`; where it is a module, its caller says that it is missing.
            return
        except OSError:
            self.relevant.add(folder)
            return
        for name in names:
            if name.endswith(SOURCE_SUFFIXES):
                self._read(folder, name)

    def _read(self, folder: str, name: str) -> None:
        path = os.path.join(folder, name)
        if path in self._seen or os.path.isdir(path):
            return
        try:
            self._note(folder, path, read_file(path))
        except OSError:
            # The module reader meets the same file again and reports it.
            self.calls.setdefault(folder, set())
            self.relevant.add(folder)


def _reads_files(folder: str) -> bool:
    with suppress(OSError):
        for name in sorted(os.listdir(folder)):
            if name.endswith(SOURCE_SUFFIXES) and reads_files(read_file(os.path.join(folder, name))):
                return True
    return False


def _asks_for_key(call: CallingUnit) -> bool:
    """Whether a unit calls a module that creates a key, or asks for one, whichever file says so."""
    return calls_key_module((call.source or "").encode()) or not call.values.values.keys().isdisjoint(KEY_ARGUMENTS)


def _callers(wanted: Set[str], calls: Mapping[str, Set[str]]) -> set[str]:
    """The folders that call one of those that are wanted, at any distance."""
    callers: dict[str, list[str]] = {}
    for folder, targets in calls.items() if wanted else ():
        for target in targets:
            callers.setdefault(target, []).append(folder)
    seen: set[str] = set()
    todo = [caller for folder in wanted for caller in callers.get(folder, ())]
    while todo:
        current = todo.pop()
        if current not in seen:
            seen.add(current)
            todo += callers.get(current, ())
    return seen


def _listed(folder: str) -> set[str]:
    """The folders of a root's downloaded modules, none where nothing was downloaded."""
    if not os.path.exists(os.path.join(folder, DOWNLOADED_MODULES)):
        return set()
    from keyrules.code.terraform.downloaded import manifest

    found = (str(entry.get("Dir", "")) for entry in manifest(folder, read_file).values())
    return {os.path.normpath(os.path.join(folder, path)) for path in found if path.startswith(".terraform/")}


def _reachable(folder: str, calls: Mapping[str, Set[str]]) -> set[str]:
    seen: set[str] = set()
    todo = [folder]
    while todo:
        current = todo.pop()
        if current not in seen:
            seen.add(current)
            todo += calls.get(current, ())
    return seen
