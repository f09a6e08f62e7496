"""The ways to read one root module: by which program, with which values.

Terraform and OpenTofu read different files where a `.tofu` file stands beside a `.tf` file of the same name, and values
come from files that somebody names on a command line. The first reading is with the defaults; a set of values counts as
another one only if it changes an input that judging the first one asked for, so that a root without such inputs is read
once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from pathlib import Path

from keyrules.code.file_names import calls_with_values
from keyrules.code.terraform.hcl.ast import Expr
from keyrules.code.terraform.module import OPENTOFU, TERRAFORM, Declaration, Module, ModuleReader, SourceError
from keyrules.code.terraform.scope import Scope, walk
from keyrules.code.terraform.units import calling_units, unread_calls
from keyrules.code.terraform.values_files import ValueSet, values_files
from keyrules.code.verdict import listed
from keyrules.files import read_regular
from keyrules.records import dataclass, replace

MAX_SETS = 64
"""How many different sets of values one root module is judged with."""


@dataclass(frozen=True)
class Reading:
    """One way to read a root module. `program` is "" where both programs read the same; `values` names sets of values
    for messages, "" for the defaults.

    `instead` says that the defaults are no way to read the root: an input that matters has none, and every set has it.
    """

    root: Scope
    program: str = ""
    values: str = ""
    instead: bool = False


class _Asked(dict[str, Declaration]):
    """The inputs of a root module, which notes those that somebody asks for."""

    def __init__(self, declared: Mapping[str, Declaration]) -> None:
        super().__init__(declared)
        self.names: set[str] = set()

    def get(self, name: str, default: object = None) -> Declaration | None:  # type: ignore[override]
        self.names.add(name)
        return super().get(name)


class Readings:
    """The readings of the root module in a folder. `callers` are files that call it with values without being modules;
    such a file in place of a folder is read for the calls of modules that are not here. `read` gives a file's bytes.

    `readers` are those that read the files, `errors` what they could not read of the values.
    """

    def __init__(self, folder: str, callers: Sequence[str] = (), read: Callable[[str], bytes] = read_regular) -> None:
        self._folder = folder
        self._callers = callers
        self._read = read
        self.readers: list[ModuleReader] = []
        self.errors: list[SourceError] = []

    def __iter__(self) -> Iterator[Reading]:
        """Each reading in turn; it has to be judged before the next one is asked for."""
        if calls_with_values(Path(self._folder).name):
            reader = ModuleReader(self._read)
            self.readers.append(reader)
            module = unread_calls(self._folder, reader)
            self.errors += module.errors
            yield Reading(Scope(replace(module, errors=()), reader))
            return
        programs = self._programs()
        for program, reader in programs.items():
            yield from self._with_values(reader, program if len(programs) > 1 else "")

    def _programs(self) -> Mapping[str, ModuleReader]:
        """The programs that read this root each in its own way; a root of `.tofu` files only is OpenTofu's."""
        tofu = ModuleReader(self._read)
        self.readers.append(tofu)
        if not any(scope.module.for_tofu for scope in walk(Scope(tofu.module(self._folder), tofu))):
            return {OPENTOFU: tofu}
        plain = ModuleReader(self._read, program=TERRAFORM)
        if not plain.module(self._folder).files:
            return {OPENTOFU: tofu}
        self.readers.append(plain)
        return {TERRAFORM: plain, OPENTOFU: tofu}

    def _with_values(self, reader: ModuleReader, program: str) -> Iterator[Reading]:
        module = reader.module(self._folder)
        asked = _Asked(module.variables)
        yield Reading(Scope(replace(module, variables=asked), reader), program)
        names = asked.names & module.variables.keys()
        if not names:
            return
        sets = list(values_files(self._folder, frozenset(module.variables), reader))
        for unit in [unit for path in self._callers for unit in calling_units(path, reader)]:
            if unit.folder == self._folder:
                sets.append(unit.values)
                if unit.values.open and names - unit.values.values.keys():
                    message = f"line {unit.line}: not all inputs resolve here, so what they turn on is not judged"
                    self.errors.append(SourceError(unit.path, unit.line, f"{message}; scan the plan"))
        self.errors += [error for one in sets for error in one.errors]
        sets = [one for one in sets if names & one.values.keys()]
        needed = {name for name in names - module.values.keys() if module.variables[name].value("default") is None}
        instead = bool(sets and needed) and all(needed <= one.values.keys() for one in sets)
        different = _different(sets, names, module)
        if len(different) > MAX_SETS:
            message = f"has more than {MAX_SETS} different sets of values that matter; those after them are not judged"
            self.errors.append(SourceError(self._folder, 0, message))
        for labels, one in different[:MAX_SETS]:
            files = dict.fromkeys(one.values, one.path) if one.path else {}
            changed = replace(
                module, values={**module.values, **one.values}, value_files={**module.value_files, **files}
            )
            yield Reading(Scope(changed, reader), program, listed(labels), instead)


def _different(sets: Sequence[ValueSet], names: Set[str], module: Module) -> list[tuple[list[str], ValueSet]]:
    """The sets that differ from the defaults in an input that matters, those that are the same there joined."""
    found: dict[object, tuple[list[str], ValueSet]] = {}
    usual = {name: _usual(name, module) for name in names}
    for one in sets:
        changed = {name: one.values[name].value for name in sorted(names & one.values.keys())}
        changed = {name: value for name, value in changed.items() if value != usual[name]}
        if changed:
            found.setdefault(repr(changed), ([], one))[0].append(one.label)
    return list(found.values())


def _usual(name: str, module: Module) -> Expr | None:
    given = module.values.get(name)
    return given.value if given is not None else module.variables[name].value("default")
