"""Where values files stand that somebody names with `-var-file`, and which roots they may be meant for.

Terraform loads `terraform.tfvars` and `*.auto.tfvars` of the root by itself; every other `.tfvars` file is meant for a
run that names it. People keep those beside the root, in folders below it, or in a folder such as `environments` that
stands beside it or above, for several roots.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from keyrules.code.file_names import SKIPPED_FOLDERS, SOURCE_SUFFIXES, holds_root_values
from keyrules.code.file_paths import below

VALUE_SUFFIXES = (".tfvars", ".tfvars.json")

SHARED_FOLDERS = frozenset(
    {"conf", "config", "configs", "configuration", "env", "environment", "environments", "envs", "inventories"}
    | {"inventory", "params", "parameters", "stages", "tfvars", "values", "var", "variables", "vars", "workspaces"}
)
"""Names of folders that hold values for the modules beside them."""

_MAX_DEPTH = 4
_LEVELS_UP = 2


def own_values(folder: str) -> Iterator[str]:
    """The values files of a root itself: in its folder those that are not loaded anyway, and all in folders below that
    hold no module of their own."""
    for name in _names(folder):
        if name.endswith(VALUE_SUFFIXES) and not holds_root_values(name):
            yield os.path.join(folder, name)
    yield from _below(folder, _MAX_DEPTH)


def _below(folder: str, depth: int) -> Iterator[str]:
    if depth == 0:
        return
    for name in _names(folder):
        path = os.path.join(folder, name)
        if name in SKIPPED_FOLDERS or os.path.islink(path) or not os.path.isdir(path):
            continue
        names = _names(path)
        if not any(inner.endswith(SOURCE_SUFFIXES) for inner in names):
            yield from (os.path.join(path, inner) for inner in names if inner.endswith(VALUE_SUFFIXES))
            yield from _below(path, depth - 1)


def shared_values(folder: str) -> Iterator[str]:
    """The values files in folders for values that stand beside a root or above it, within the working directory."""
    here = os.getcwd()
    for _ in range(_LEVELS_UP):
        folder, inner = os.path.dirname(folder), folder
        if not below(folder, [here]) or folder == inner:
            return
        for name in _names(folder):
            path = os.path.join(folder, name)
            if name.lower() in SHARED_FOLDERS and path != inner and os.path.isdir(path):
                names = _names(path)
                yield from (os.path.join(path, found) for found in names if found.endswith(VALUE_SUFFIXES))
                yield from _below(path, _MAX_DEPTH)


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        # Whoever walks the folder says that it cannot be listed.
        return []


def roots_of_values(path: str) -> set[str]:
    """The folders with Terraform files that a named values file may be meant for."""
    folder = os.path.dirname(path)
    found, here = {folder}, os.getcwd()
    for _ in range(_MAX_DEPTH):
        folder, inner = os.path.dirname(folder), folder
        if not below(folder, [here]) or folder == inner:
            break
        found.add(folder)
        if os.path.basename(inner).lower() in SHARED_FOLDERS:
            beside = [os.path.join(folder, name) for name in _names(folder) if name not in SKIPPED_FOLDERS]
            found.update(beside)
            found.update(os.path.join(path, name) for path in beside for name in _names(path))
    return {folder for folder in found if any(name.endswith(SOURCE_SUFFIXES) for name in _names(folder))}
