"""What tests build distributions from, and whether they can without the network."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shutil
from pathlib import Path

from scanning import PROJECT


def copy_of_the_project(folder: Path) -> Path:
    """A copy of the project's own files, so that a build leaves nothing in the checkout."""
    folder.mkdir(exist_ok=True)
    for name in ("checks", "deploy", "docs", "rules", "src"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in ("setup.cfg", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(PROJECT / name, folder)
    return folder


def without_network() -> bool:
    """Whether this environment can build by itself, which takes setuptools 70.1 or the wheel package."""
    try:
        version = tuple(int(part) for part in importlib.metadata.version("setuptools").split(".")[:2])
    except importlib.metadata.PackageNotFoundError:
        return False
    return version >= (70, 1) or (version >= (69, 0) and importlib.util.find_spec("wheel") is not None)
