"""What each statement of a control comes to, in every view that goes by control."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from credential_reports import ROOT, key, line, report
from scanning import AS_OF, write

from keyrules.cli import main

LEAKS = """\
resource "aws_iam_access_key" "k" {
  user = "svc"
}
"""
IA_5 = ("--control", "nist_800_53_r5:IA-5")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "report.csv").write_bytes(report(line(ROOT, mfa_active="true"), line("ann", **key(1, 91, used=1))))
    return write(tmp_path, {"main.tf": LEAKS})


def shown(capfd: pytest.CaptureFixture[str], *argv: str) -> str:
    main(argv)
    return capfd.readouterr().out


def statements(document: str) -> dict[str, str]:
    (control,) = json.loads(document)["controls"]
    return {each["statement"]: each["verdict"] for each in control["statements"]}


def test_rotation_and_leaks_decide_statements_of_ia_5(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    live = shown(capfd, "audit", "report.csv", "--as-of", AS_OF, *IA_5, "--format", "json")
    assert statements(live)["ia-5_smt.f"] == "not satisfied"
    assert statements(live)["ia-5_smt.g"] == "not assessed", "a report tells no secrets"
    code = shown(capfd, "scan", "main.tf", "--as-of", AS_OF, *IA_5, "--format", "json")
    assert statements(code)["ia-5_smt.f"] == "evidence only, adverse"
    assert statements(code)["ia-5_smt.g"] == "not satisfied"


def test_each_view_has_them(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    asked = ("audit", "report.csv", "--as-of", AS_OF, *IA_5)
    assert "ia-5_smt.f: not satisfied. KEY_AWS_001: 1 failed" in " ".join(shown(capfd, *asked).split())
    page = shown(capfd, *asked, "--format", "html")
    assert "ia-5_smt.f: " in page
    rows = list(csv.DictReader(io.StringIO(shown(capfd, *asked, "--format", "csv"))))
    found = {row["statement"]: row["verdict"] for row in rows if row["status"] == "STATEMENT"}
    assert found["ia-5_smt.f"] == "not satisfied"
    assert {row["statement"] for row in rows if row["rule"] == "KEY_AWS_001" and row["status"] == "FAIL"} == {
        "ia-5_smt.f"
    }
