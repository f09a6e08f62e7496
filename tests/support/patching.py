"""Scans a folder, makes the patch for it and applies it with git, in this process."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from scanning import AS_OF, write

from keyrules.code.patches.proposing import proposed
from keyrules.code.scan import Scanned, ScanRequest, scanned
from keyrules.model import Finding, PatchReport, Status
from keyrules.pack.catalog import load_pack
from keyrules.pack.selection import select

Subject = tuple[str, str, str]


@dataclass(frozen=True)
class Patched:
    """A folder, its patch, and what the rules find before it. `after` has the files once the patch is applied."""

    folder: Path
    patch: PatchReport
    found: tuple[Finding, ...]

    @property
    def diff(self) -> str:
        return "".join(file.diff for file in self.patch.files)

    @property
    def mended(self) -> set[Subject]:
        return {subject(finding) for finding in self.found if finding.fingerprint in self.patch.mended}

    def left(self, rule: str = "KEY_AWS_001") -> dict[str, str]:
        """By address why a finding is left."""
        return {
            finding.location.address: self.patch.left[finding.fingerprint]
            for finding in self.found
            if finding.rule == rule and finding.location and finding.fingerprint in self.patch.left
        }

    def apply(self) -> None:
        subprocess.run(["git", "init", "-q"], cwd=self.folder, check=True)
        self._git("apply")

    def revert(self) -> None:
        self._git("apply", "-R")

    def _git(self, *command: str) -> None:
        done = subprocess.run(
            ["git", *command], cwd=self.folder, input=self.diff.encode(), capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode() + self.diff

    def read(self, name: str) -> str:
        return (self.folder / name).read_bytes().decode()


def subject(finding: Finding) -> Subject:
    assert finding.location is not None
    return finding.rule, finding.location.path, finding.location.address


def open_findings(evaluated: Scanned) -> set[Subject]:
    """What is neither passed nor exempt."""
    return {subject(f) for f in evaluated.evaluation.findings if f.status in (Status.FAIL, Status.UNKNOWN)}


def scan_here(*paths: str, settings: tuple[str, ...] = (), only: tuple[str, ...] = ()) -> tuple[ScanRequest, Scanned]:
    """Scans paths of the working directory."""
    pack = load_pack()
    request = ScanRequest(
        paths=tuple(Path(path) for path in paths or (".",)),
        pack=pack,
        selection=select(pack, only=only, settings=settings),
        as_of=datetime.fromisoformat(AS_OF.replace("Z", "+00:00")).astimezone(timezone.utc),
        context=Path.cwd(),
    )
    return request, scanned(request)


def patch_here(*paths: str, settings: tuple[str, ...] = (), only: tuple[str, ...] = ()) -> Patched:
    """The patch for paths of the working directory."""
    request, done = scan_here(*paths, settings=settings, only=only)
    return Patched(Path.cwd(), proposed(request, done, done.evaluation), tuple(done.evaluation.findings))


def mended(files: Mapping[str, str | bytes], folder: Path, **options: tuple[str, ...]) -> Patched:
    """Writes files into the working directory, patches and applies; the findings that are mended are gone after it."""
    write(folder, files)
    done = patch_here(**options)
    if done.diff:
        done.apply()
        _, after = scan_here(**options)
        assert not done.mended & open_findings(after)
    return done
