"""Where the pack lies, in a checkout, an editable install and an installed wheel alike."""

from __future__ import annotations

from pathlib import Path

from keyrules.pack_stamp import rules_path
from keyrules.terms import InputError

_HERE = Path(__file__).resolve()


def source_root() -> Path:
    """The folder that makes `import keyrules` work: `checks/` of a checkout, or site-packages."""
    return _HERE.parents[2]


def check_folders() -> list[Path]:
    """The folders that Checkov needs as external checks: the rules, and the Python checks of each framework.

    Raises InputError when one is missing, because Checkov would run without it and find nothing.
    """
    installed = _HERE.parents[1]
    if (installed / "terraform").is_dir():
        folders = [Path(rules_path()), installed / "terraform", installed / "cloudformation"]
    else:
        # Checkov puts every folder that it walks on sys.path, and with checks/ itself `import keyrules` works.
        folders = [Path(rules_path()), source_root()]
        _require(source_root() / "terraform")
        _require(source_root() / "cloudformation")
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
