"""Packages that are made in process, at a fixed time."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from account_folders import passing_documents
from packages import CIS, EXCEPTIONS, FIRST, MAIN, MODULE, NOW, SECOND, Ran, Run, git

from keyrules import cli


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `keyrules evidence WORDS` at NOW."""
    monkeypatch.setattr(cli, "current_time", lambda: NOW)

    def running(*words: str) -> Ran:
        capfd.readouterr()
        code = cli.main(["evidence", *words])
        printed = capfd.readouterr()
        return Ran(code, printed.out, printed.err)

    return running


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: reports/ with a folder for each account, exceptions, and a repository."""
    for account, report in (("first", FIRST), ("second", SECOND)):
        (tmp_path / "reports" / account).mkdir(parents=True)
        for name, document in passing_documents(report).items():
            (tmp_path / "reports" / account / name).write_text(json.dumps(document), "utf-8")
    (tmp_path / "reports/first/first.csv").write_bytes(FIRST)
    document = {"Content": base64.b64encode(SECOND).decode(), "ReportFormat": "text/csv"}
    text = json.dumps(document | {"GeneratedTime": "2026-06-01T09:00:00+00:00"}, indent=4)
    (tmp_path / "reports/second/second.json").write_text(text, "utf-8")
    (tmp_path / "accepted.yaml").write_text(EXCEPTIONS, "utf-8")
    for name, content in {"infra/main.tf": MAIN, "modules/user/main.tf": MODULE, "README.md": "Ours.\n"}.items():
        (tmp_path / "repo" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "repo" / name).write_text(content, "utf-8")
    git(tmp_path / "repo", "init", "-q", "-b", "main")
    git(tmp_path / "repo", "add", "-A")
    git(tmp_path / "repo", "commit", "-q", "-m", "x")
    git(tmp_path / "repo", "remote", "add", "origin", "https://user:t0ken@git.example.com/acme/infra.git?x=y")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def package(work: Path, run: Run) -> Path:
    """A package of the reports alone."""
    made = run("pkg", "--framework", CIS, "reports", "--exceptions", "accepted.yaml", "--assessor", "Ann Auditor")
    assert made.code == 0, made
    return work / "pkg"
