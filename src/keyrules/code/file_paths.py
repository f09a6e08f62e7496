"""Paths as a scan compares and shows them: absolute, without `..`, with forward slashes."""

from __future__ import annotations

import os
from collections.abc import Sequence

STDIN = "<stdin>"
"""What reports show in place of the file that stands for standard input."""


def absolute(path: str) -> str:
    """An absolute path without `..`. A link to a folder keeps its name, unless `..` leads out of where it points to."""
    lexical = os.path.abspath(path)
    try:
        return lexical if os.path.samefile(lexical, path) else os.path.realpath(path)
    except OSError:
        return os.path.realpath(path)


def shown(path: str) -> str:
    """A path for people and reports: relative to the working directory where it is below it."""
    here = os.getcwd()
    return os.path.relpath(path, here) if below(path, [here]) else path


def below(path: str, folders: Sequence[str]) -> bool:
    """Whether an absolute path is one of the folders or lies below one."""
    return any(path == folder or path.startswith(folder.rstrip("/") + "/") for folder in folders)
