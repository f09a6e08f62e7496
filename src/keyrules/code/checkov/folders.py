"""Where the pack lies, in a checkout, an editable install and an installed wheel alike."""

from __future__ import annotations

from pathlib import Path

from keyrules.pack.stamp import rules_path
from keyrules.terms import InputError

_HERE = Path(__file__).resolve()


def source_root() -> Path:
    """The folder that makes `import keyrules` work: `src/` of a checkout, or site-packages."""
    return _HERE.parents[3]


def check_folders() -> list[Path]:
    """The folders that Checkov needs as external checks: the rules, and the Python checks of each framework.

    Raises InputError when one is missing, because Checkov would run without it and find nothing.
    """
    package = _HERE.parents[2]
    beside = package / "checks"
    folders = [Path(rules_path()), beside if beside.is_dir() else package.parent.parent / "checks"]
    for folder in folders:
        _require(folder)
    return folders


def _require(folder: Path) -> None:
    if not folder.is_dir():
        raise InputError(f"{folder} is missing, so nothing can be evaluated; install keyrules again")


def checkov_arguments(opt_in: list[str]) -> list[str]:
    """The command-line arguments that give plain Checkov this pack; opt-in rules are skipped by id."""
    arguments: list[str] = []
    for folder in check_folders():
        arguments += ["--external-checks-dir", str(folder)]
    return arguments + (["--skip-check", ",".join(opt_in)] if opt_in else [])
