"""Exceptions files and runs of both commands beside them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from scanning import FIXTURES

from keyrules import cli
from keyrules.cli import main

AS_OF = "2026-06-01T00:00:00Z"
REPORT = "report.csv"


def entry(rule: int, subject: str, expires: str = "2026-08-30", **more: str) -> str:
    keys = {"reason": "The appliance is replaced in May", "owner": "storage@example.com", "expires": expires, **more}
    head = f"  - rule: KEY_AWS_{rule:03d}\n    subject: '{subject}'\n"
    return head + "".join(f"    {name}: {value}\n" for name, value in keys.items())


def exceptions(*entries: str) -> str:
    return "exceptions:\n" + "".join(entries) if entries else "exceptions: []\n"


def use_exceptions(*entries: str, name: str = ".keyrules-exceptions.yaml") -> None:
    Path(name).write_text(exceptions(*entries), encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the examples of both planes."""
    shutil.copytree(FIXTURES / "example", tmp_path / "infra")
    shutil.copy(FIXTURES / "example_report" / REPORT, tmp_path / REPORT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "current_time", lambda: datetime(2026, 6, 1, tzinfo=timezone.utc))
    return tmp_path


def run(capfd: pytest.CaptureFixture[str], *arguments: str, as_of: str = AS_OF) -> tuple[int, str, str]:
    code = main([arguments[0], "--as-of", as_of, *arguments[1:]])
    out, err = capfd.readouterr()
    return code, out, err


def run_json(capfd: pytest.CaptureFixture[str], *arguments: str, as_of: str = AS_OF) -> tuple[int, Mapping[str, Any]]:
    code, out, _ = run(capfd, *arguments, "--format", "json", as_of=as_of)
    return code, json.loads(out)
