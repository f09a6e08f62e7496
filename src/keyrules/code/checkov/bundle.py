"""A folder that gives Checkov the pack where keyrules is not installed: rules, loader, and the engine as one zip.

Checkov executes every module of every package that it finds below a folder of checks, hence one file for the engine.
It also clones a whole repository for --external-checks-git and walks all of it, which a repository of this folder is
made for.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from pathlib import Path

from keyrules.code.checkov.folders import PACKAGE, check_folders
from keyrules.model import PackStamp
from keyrules.terms import InputError, UsageError

ENTRIES = ("LICENSE", "README.md", "checks", "keyrules.zip", "rules")
"""All that a bundle holds."""

_README = """\
# keyrules {version} for Checkov

Written by `keyrules dirs --bundle` (pack {digest}); do not edit, write it anew. `rules/` and `checks/` are what Checkov
loads, `keyrules.zip` is the engine that decides.

    checkov -d infra/ --external-checks-dir .
    checkov -d infra/ --external-checks-git https://git.example.com/security/keyrules-checks.git

Rules that are off by default run here; `keyrules dirs` prints the --skip-check that leaves them out.
"""
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can hold; the same engine gives the same bytes."""


def write_bundle(name: str, stamp: PackStamp) -> Path:
    """Writes the folder, whole or not at all, and returns its absolute path.

    Raises UsageError where something else lies there: only a folder that is new, empty or an earlier bundle, perhaps a
    git repository of one, is written; InputError where a part of the pack is missing.
    """
    if not name:
        raise UsageError("--bundle needs the name of a folder")
    target = Path(name).resolve()
    _check(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        try:
            new = stage / "new"
            _fill(new, stamp)
            _put(new, target, stage / "old")
        finally:
            shutil.rmtree(stage, ignore_errors=True)
    except OSError as error:
        raise UsageError(f"--bundle {name}: {error.strerror or type(error).__name__}; nothing was written") from None
    return target


def _check(target: Path) -> None:
    try:
        present = {entry.name for entry in os.scandir(target)}
    except FileNotFoundError:
        return
    except NotADirectoryError:
        raise UsageError(f"--bundle {target}: is a file; name a folder that is new or empty") from None
    foreign = sorted(present - {*ENTRIES, ".git"})
    if foreign:
        raise UsageError(f"--bundle {target}: {foreign[0]} lies there; name a folder that is new, empty or a bundle")
    ours = {"keyrules.zip", "checks"} <= present
    if present - {".git"} and not ours:
        raise UsageError(f"--bundle {target}: is not empty and no earlier bundle; name another folder")


def _fill(new: Path, stamp: PackStamp) -> None:
    rules, checks = check_folders()
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(rules, new / "rules", ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    shutil.copytree(checks, new / "checks", ignore=ignored)
    shutil.copyfile(_license(), new / "LICENSE")
    text = _README.format(version=stamp.version, digest=stamp.sha256[:12])
    (new / "README.md").write_text(text, encoding="utf-8")
    with zipfile.ZipFile(new / "keyrules.zip", "w") as archive:
        # A folder of this name beside the package is what says the version of an installed one, too.
        archive.writestr(_member(f"keyrules-{stamp.version}.dist-info/"), b"")
        for path in sorted((*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.jsonschema"))):
            inside = path.relative_to(PACKAGE)
            if inside.parts[0] not in ("checks", "rules"):
                archive.writestr(_member(f"keyrules/{inside.as_posix()}"), path.read_bytes(), zipfile.ZIP_DEFLATED)


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _EPOCH)
    member.external_attr = (0o40755 << 16) | 0x10 if name.endswith("/") else 0o100644 << 16
    return member


def _license() -> Path:
    """At the top of a checkout, else where installers put it, which changed with the version of setuptools."""
    candidates = (PACKAGE.parent.parent / "LICENSE", *PACKAGE.parent.glob("keyrules-*.dist-info/**/LICENSE"))
    for path in candidates:
        if path.is_file():
            return path
    raise InputError(f"the LICENSE of {PACKAGE} is missing; install keyrules again")


def _put(new: Path, target: Path, old: Path) -> None:
    """Moves the new folder into place; a bundle that is there keeps its .git, and all of it if a move fails."""
    if not target.is_dir():
        new.rename(target)
        return
    old.mkdir()
    moved: list[str] = []
    placed: list[str] = []
    try:
        for entry in ENTRIES:
            if os.path.lexists(target / entry):
                (target / entry).rename(old / entry)
                moved.append(entry)
            (new / entry).rename(target / entry)
            placed.append(entry)
    except OSError:
        for entry in placed:
            (target / entry).rename(new / entry)
        for entry in moved:
            (old / entry).rename(target / entry)
        raise
