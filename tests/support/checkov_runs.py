"""Runs the real Checkov with this pack and reads its JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from scanning import PROJECT, run

from keyrules.pack.catalog import load_pack

Found: TypeAlias = tuple[str, str, str, str, str]
"""Rule, severity, path, address and status: FAIL, or UNKNOWN where nothing could be decided."""

LITERALS = "KEY_AWS_011"
FRAMEWORKS = ("terraform", "terraform_json", "terraform_plan", "cloudformation")
CHECKOUT = [word for name in ("rules", "checks") for word in ("--external-checks-dir", str(PROJECT / name))]


@dataclass(frozen=True)
class CheckovRun:
    """One finished run."""

    code: int
    reports: Sequence[Mapping[str, Any]]
    stdout: str
    stderr: str

    def records(self, kind: str = "failed_checks") -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The pack's records with the framework that each is of."""
        for report in self.reports:
            for record in report.get("results", {}).get(kind, ()):
                if record["check_id"].startswith("KEY_AWS_"):
                    yield report["check_type"], record

    def found(self, folder: Path) -> set[Found]:
        """What failed or was left undecided below a folder."""
        return {
            (
                record["check_id"],
                record["severity"],
                os.path.relpath(record["file_abs_path"], folder),
                # A template's resource is TYPE.LOGICAL_ID.
                record["resource"].rsplit(".", 1)[-1] if framework == "cloudformation" else record["resource"],
                "UNKNOWN" if "(UNKNOWN: " in record["check_name"] else "FAIL",
            )
            for framework, record in self.records()
        }


def checkov(
    folder: Path | str,
    *arguments: str,
    cwd: Path | None = None,
    frameworks: Sequence[str] = FRAMEWORKS,
    python: Sequence[str] = (sys.executable,),
    env: Mapping[str, str] | None = None,
) -> CheckovRun:
    """Checkov on a folder, without network and without anything of keyrules on the path."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [*python, "-m", "checkov.main", "--skip-download", "--compact", "-o", "json", "-d", str(folder), *arguments]
        + (["--framework", *frameworks] if frameworks else []),
        capture_output=True,
        text=True,
        env={**environment, **(env or {})},
        cwd=cwd or folder,
        check=False,
    )
    reports = json.loads(done.stdout) if done.stdout.startswith(("{", "[")) else []
    return CheckovRun(done.returncode, reports if isinstance(reports, list) else [reports], done.stdout, done.stderr)


def scanned(folder: Path) -> set[Found]:
    """What `keyrules scan` finds below a folder with every rule on, but for literals, which Checkov does not look for.

    Checkov knows no --as-of; both count ages to now.
    """
    every_rule = [word for rule in load_pack().rules for word in ("--rule", rule.id)]
    report = run("scan", "--no-config", "--format", "json", *every_rule, cwd=folder).report
    return {
        (
            finding["rule"],
            finding["severity"],
            finding["location"]["path"],
            # Checkov knows of a key in a template that Terraform deploys (STACK/KEY) the stack only.
            finding["location"]["address"].partition("/")[0],
            finding["status"],
        )
        for finding in report["findings"]
        if finding["status"] in ("FAIL", "UNKNOWN") and finding["rule"] != LITERALS
    }
