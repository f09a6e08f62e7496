"""The names in the pack that can be typed: rule ids, their parameters, framework editions.

They are taken from the file names and from single lines, because keyrules.pack.catalog takes longer to check the files
than a shell may wait for its completions when it starts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import NamedTuple

from keyrules.pack.csv_table import read_table
from keyrules.terms import UsageError

FRAMEWORK_COLUMNS = ("key", "title", "edition", "publisher", "url", "published", "checked_on")
"""The header of controls/frameworks.csv."""

_RULE_FILE = ".yaml"
_PARAMETERS = re.compile(rb"^parameters:(?: \{\}\n|\n((?: .*\n)+))", re.MULTILINE)
_PARAMETER = re.compile(rb"  ([a-z][a-z0-9_]*): \S.*")


class PackNames(NamedTuple):
    """The names of each rule's parameters by its id, and the keys of the framework editions; ids and keys in order."""

    parameters: Mapping[str, tuple[str, ...]]
    editions: tuple[str, ...]


def read_names(folder: str) -> PackNames:
    """The names in a folder of rule files. Raises UsageError where a file does not show them line by line."""
    rules = sorted(name.removesuffix(_RULE_FILE) for name in os.listdir(folder) if name.endswith(_RULE_FILE))
    parameters = {rule: _parameters(os.path.join(folder, rule + _RULE_FILE)) for rule in rules}
    frameworks = read_table(os.path.join(folder, "controls", "frameworks.csv"), FRAMEWORK_COLUMNS)
    return PackNames(parameters, tuple(line.cells[0] for line in frameworks))


def _parameters(path: str) -> tuple[str, ...]:
    with open(path, "rb") as file:
        found = _PARAMETERS.search(file.read())
    lines = [_PARAMETER.fullmatch(line) for line in (found[1] or b"").splitlines()] if found else [None]
    names = tuple(line[1].decode() for line in lines if line)
    if len(names) < len(lines):
        raise UsageError(
            f"{path}: `parameters` must be {{}} or hold one parameter on each line, as in `  days: {{...}}`."
        )
    return names
