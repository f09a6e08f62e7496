"""Runs `keyrules scan` the way a user does and reads its JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
FIXTURES = PROJECT / "fixtures"
AS_OF = "2026-06-01T00:00:00Z"


@dataclass(frozen=True)
class Scanned:
    """One finished run. `report` is the JSON output, empty when there is none."""

    code: int
    stdout: str
    stderr: str
    report: Mapping[str, Any]

    def status(self, rule: str, address: str) -> str | None:
        """The status of one rule on one address, None when there is no such finding; passes need --show-passing."""
        found = {f["status"] for f in self.findings(rule) if f["location"]["address"] == address}
        assert len(found) <= 1, found
        return found.pop() if found else None

    def findings(self, rule: str | None = None) -> list[Mapping[str, Any]]:
        """The findings, of one rule or all."""
        return [f for f in self.report.get("findings", ()) if rule in (None, f["rule"])]

    def errors(self) -> dict[str, str]:
        """The messages of what could not be evaluated, by input."""
        return {e["input"]: e["message"] for e in self.report.get("errors", ())}


def run(*arguments: str, cwd: Path, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> Scanned:
    """`keyrules ARGUMENTS` from this checkout in a process of its own."""
    environment = {**os.environ, **(env or {}), "PYTHONPATH": str(PROJECT / "src")}
    done = subprocess.run(
        [sys.executable, "-m", "keyrules", *arguments],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        env=environment,
        check=False,
        timeout=400,
    )
    stdout = done.stdout.decode("utf-8", "surrogateescape")
    report = json.loads(stdout) if stdout.startswith("{") else {}
    return Scanned(done.returncode, stdout, done.stderr.decode("utf-8", "surrogateescape"), report)


def scan(folder: Path, *arguments: str, paths: Iterable[str] = (".",), **kwargs: Any) -> Scanned:
    """`keyrules scan` with JSON output and passes shown."""
    return run("scan", "--format", "json", "--show-passing", "--as-of", AS_OF, *arguments, *paths, cwd=folder, **kwargs)


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Writes files below a folder and returns the folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder
