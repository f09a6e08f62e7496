"""The sets of values that stand around a root module in files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from keyrules.code.file_paths import shown
from keyrules.code.terraform.hcl.ast import Attribute
from keyrules.code.terraform.module import ModuleReader, SourceError
from keyrules.code.values_places import own_values, shared_values
from keyrules.records import dataclass

MAX_FILES = 400
"""How many values files of a root, and of those for several roots, are read."""


@dataclass(frozen=True)
class ValueSet:
    """Values for a root module's inputs, how messages name where they come from, and the file that holds them.

    `errors` are of files that cannot be read, and `open` says that there are values that do not resolve.
    """

    label: str
    values: Mapping[str, Attribute]
    errors: tuple[SourceError, ...] = ()
    open: bool = False
    path: str = ""


def values_files(folder: str, inputs: frozenset[str], reader: ModuleReader) -> Iterator[ValueSet]:
    """The values files around a root module with these inputs, in a stable order; one that several roots may share
    counts where the root declares every input that it sets."""
    own, shared = list(own_values(folder)), list(shared_values(folder))
    for path in own[:MAX_FILES]:
        yield _read(path, reader)
    for path in shared[:MAX_FILES]:
        found = _read(path, reader)
        if found.values and found.values.keys() <= inputs:
            yield found
    if len(own) > MAX_FILES or len(shared) > MAX_FILES:
        message = f"has more than {MAX_FILES} files of values; those after them are not judged"
        yield ValueSet(shown(folder), {}, (SourceError(folder, 0, message),))


def _read(path: str, reader: ModuleReader) -> ValueSet:
    values, errors = reader.values_file(path)
    return ValueSet(shown(path), values, tuple(errors), path=path)
