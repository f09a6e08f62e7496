"""What holds of every patch: it applies, what it says is mended is gone, nothing new is there, and all else stays.

The subjects are the fixtures, written in several ways, and ways to tie a key to a clock of which Terraform says whether
they rotate.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from patching import open_findings, patch_here, scan_here
from rotation_idioms import SURE
from rotation_twins import Twins
from scanning import FIXTURES, write
from terraform_accounts import TERRAFORM

from keyrules.code.patches.reasons import may_be_mended

REFUSED = {"no clock, named", "a counted clock without its index"}
"""What Terraform refuses whatever the key does."""

IDIOMS = {name: SURE[name] for name in [*SURE][::14] if name not in REFUSED}
FOLDERS = ("KEY_AWS_001/terraform", "KEY_AWS_001/cloudformation", "KEY_AWS_009/terraform", "KEY_AWS_009/cloudformation")
STYLES: Mapping[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "carriage returns": lambda text: text.replace("\n", "\r\n"),
    "a mark of byte order": lambda text: f"\ufeff{text}",
    "no end": lambda text: text.rstrip("\n"),
    "tabs": lambda text: text.replace("  ", "\t"),
    "crowded": lambda text: text.replace("\n\n", "\n"),
}


def unformatted(folder: Path) -> set[str]:
    """The files that `terraform fmt` would change; none where it is not at hand."""
    if TERRAFORM is None:
        return set()
    done = subprocess.run(
        [TERRAFORM, "fmt", "-check", "-recursive", "."], cwd=folder, capture_output=True, text=True, check=False
    )
    return set(done.stdout.split())


def check(folder: Path) -> set[str]:
    """What holds of the patch for a folder that is the working directory. Gives the addresses that it mends."""
    files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    crooked = unformatted(folder)
    done = patch_here()
    before = open_findings(scan_here()[1])
    done.apply()
    after = open_findings(scan_here()[1])
    assert done.mended and not done.mended & after
    assert all(may_be_mended(finding) for finding in done.found if finding.fingerprint in done.patch.mended)
    assert after <= before
    assert unformatted(folder) <= crooked
    again = patch_here()
    assert (again.diff, again.mended) == ("", set())
    for path, data in files.items():
        if path.read_bytes() != data and b"\r\n" in data:
            assert b"\n" not in path.read_bytes().replace(b"\r\n", b"")
    done.revert()
    assert {path: path.read_bytes() for path in files} == files
    return {address for _, _, address in done.mended}


@pytest.mark.parametrize("source", FOLDERS)
def test_fixtures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    shutil.copytree(FIXTURES / source, tmp_path / "code")
    monkeypatch.chdir(tmp_path / "code")
    check(tmp_path / "code")


@pytest.mark.parametrize("style", STYLES)
def test_styles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, style: str) -> None:
    monkeypatch.chdir(tmp_path)
    sources = ["001/terraform/constants", "001/terraform/r2_direct", "001/terraform/r8_lifecycle_only"]
    sources += ["001/terraform/lifecycle_arguments", "009/terraform/outputs"]
    for number, source in enumerate(sources):
        text = (FIXTURES / f"KEY_AWS_{source}/main.tf").read_text(encoding="utf-8")
        write(tmp_path, {f"m{number}/main.tf": STYLES[style](text).encode()})
    assert len(check(tmp_path)) > 30


def test_idioms_rotate_in_terraform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each way to tie a key to a clock that does not rotate, a patch makes one that does, as Terraform plans it."""
    (tmp_path / "code").mkdir()
    monkeypatch.chdir(tmp_path / "code")
    names = list(IDIOMS)
    for number, name in enumerate(names):
        write(tmp_path / f"code/c{number}", IDIOMS[name])
    done = patch_here(only=("KEY_AWS_001",))
    assert not done.left()
    done.apply()
    if TERRAFORM is None:
        pytest.skip("terraform is not on PATH, and nothing else says whether a rotation fires")
    mended = {names[int(path.split("/")[0][1:])] for _, path, _ in done.mended}
    assert len(mended) > 15
    patched = {
        name: {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*.tf")}
        for name, folder in ((name, tmp_path / f"code/c{names.index(name)}") for name in sorted(mended))
    }
    assert Twins(tmp_path / "twins", patched).replaced() == dict.fromkeys(patched, True)
