"""Where the pack lies, in a checkout, an editable install and an installed wheel alike."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from keyrules.pack.stamp import rules_path
from keyrules.terms import InputError

PACKAGE = Path(__file__).resolve().parents[2]
"""The folder of the package keyrules."""


def check_folders() -> list[Path]:
    """The folders that Checkov needs as external checks: the rules, and the loader of the Python checks.

    Raises InputError when one is missing, because Checkov would run without it and find nothing.
    """
    beside = PACKAGE / "checks"
    folders = [Path(rules_path()), beside if beside.is_dir() else PACKAGE.parent.parent / "checks"]
    for folder in folders:
        if not folder.is_dir():
            raise InputError(f"{folder} is missing, so nothing can be evaluated; install keyrules again")
    return folders


def checkov_arguments(opt_in: Sequence[str]) -> list[str]:
    """The command-line arguments that give Checkov this pack; opt-in rules are skipped by id."""
    return [word for folder in check_folders() for word in ("--external-checks-dir", str(folder))] + skip_arguments(
        opt_in
    )


def skip_arguments(opt_in: Sequence[str]) -> list[str]:
    """The arguments with which Checkov leaves these rules out."""
    return ["--skip-check", ",".join(opt_in)] if opt_in else []
