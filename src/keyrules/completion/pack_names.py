"""The names in the pack that can be typed: rule ids, their parameters, framework editions.

They are taken from the file names and from single lines, because keyrules.pack.catalog takes longer to check the files
than a shell may wait for its completions when it starts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from keyrules.pack.csv_table import read_table
from keyrules.terms import UsageError

FRAMEWORK_COLUMNS = (
    *("key", "title", "edition", "publisher", "url", "published", "checked_on"),
    *("status", "superseded_by", "retired_on", "note"),
)
"""The header of controls/frameworks.csv."""

_VERSION = re.compile(r"_[vr]?[0-9][0-9.]*\Z")

_RULE_FILE = ".yaml"
_PARAMETERS = re.compile(rb"^parameters:(?: \{\}\n|\n((?: .*\n)+))", re.MULTILINE)
_PARAMETER = re.compile(rb"  ([a-z][a-z0-9_]*): \S.*")


class PackNames(NamedTuple):
    """The names of each rule's parameters by its id, and what `--framework` takes: keys of editions, then aliases."""

    parameters: Mapping[str, tuple[str, ...]]
    editions: tuple[str, ...]


def read_names(folder: str) -> PackNames:
    """The names in a folder of rule files. Raises UsageError where a file does not show them line by line."""
    rules = sorted(name.removesuffix(_RULE_FILE) for name in os.listdir(folder) if name.endswith(_RULE_FILE))
    parameters = {rule: _parameters(os.path.join(folder, rule + _RULE_FILE)) for rule in rules}
    return PackNames(parameters, read_editions(folder))


def read_editions(folder: str | os.PathLike[str]) -> tuple[str, ...]:
    """What names a framework edition: its key or an alias. Raises UsageError where frameworks.csv cannot be read."""
    keys = [line.cells[0] for line in read_table(os.path.join(folder, "controls", "frameworks.csv"), FRAMEWORK_COLUMNS)]
    return (*keys, *latest_editions(keys))


def latest_editions(keys: Sequence[str]) -> dict[str, str]:
    """The key behind each alias, as in `cis_aws_latest`; `keys` are sorted, and those of one framework differ in their
    version alone. A framework of which there is one edition has no alias."""
    series: dict[str, list[str]] = {}
    for key in keys:
        if found := _VERSION.search(key):
            series.setdefault(key[: found.start()], []).append(key)
    return {f"{stem}_latest": found[-1] for stem, found in series.items() if len(found) > 1}


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
