"""No report and no baseline replaces what a run reads, or source code."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from credential_reports import ROOT, line, report
from scanning import AS_OF, run, write

from keyrules.model import UsageError
from keyrules.run.overwriting import refuse_overwriting

KEY = 'resource "aws_iam_access_key" "k" {\n  user = "svc"\n}\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files: dict[str, str | bytes] = {
        "ex/deploy.tf": KEY,
        "june.csv": report(line(ROOT, mfa_active="true")),
        ".keyrules.yaml": "fail_on: high\n",
        "own.txt": "fail_on: high\n",
        "accepted.txt": "exceptions: []\n",
        "plan.json": "{}",
        "reports/a.csv": report(line(ROOT, mfa_active="true")),
    }
    return write(tmp_path, files)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("audit june.csv --format csv=june.csv", "--format: june.csv is a report to evaluate and would be replaced;"),
        ("audit june.csv --format json=ex/../june.csv", "is a report to evaluate"),
        ("audit reports --format csv=reports/a.csv", "--format: reports/a.csv is a report to evaluate"),
        ("audit june.csv --format csv=link.csv", "--format: link.csv is a report to evaluate"),
        ("audit june.csv --write-baseline june.csv", "--write-baseline: june.csv is a report to evaluate"),
        ("scan ex --write-baseline ex/deploy.tf", "--write-baseline: ex/deploy.tf exists and is source code"),
        ("scan ex --format json=ex/deploy.tf", "--format: ex/deploy.tf exists and is source code by its name;"),
        ("scan plan.json ex --format json=plan.json", "--format: plan.json is a file to evaluate"),
        ("scan ex --format json=.keyrules.yaml", "--format: .keyrules.yaml is the configuration and would"),
        ("scan ex --config own.txt --format json=own.txt", "--format: own.txt is the configuration"),
        ("scan ex --exceptions accepted.txt --format json=accepted.txt", "accepted.txt is the file of exceptions"),
        ("scan ex --config own.txt --write-baseline own.txt", "--write-baseline: own.txt is the configuration"),
    ],
)
def test_it_is_refused_before_anything_is_evaluated(folder: Path, command: str, sentence: str) -> None:
    (folder / "link.csv").symlink_to("june.csv")
    before = contents(folder)
    done = run(*command.split(), "--as-of", AS_OF, cwd=folder)
    assert done.code == 2 and sentence in done.stderr and done.stdout == ""
    assert contents(folder) == before


def test_a_baseline_is_replaced_by_its_successor_only(folder: Path) -> None:
    common = ("scan", "ex", "--as-of", AS_OF)
    assert run(*common, "--write-baseline", "known.json", cwd=folder).code == 0
    assert run(*common, "--baseline", "known.json", "--write-baseline", "known.json", cwd=folder).code == 0
    refused = run(*common, "--baseline", "known.json", "--format", "json=known.json", cwd=folder)
    assert refused.code == 2 and "known.json is the baseline and would be replaced" in refused.stderr


@pytest.mark.parametrize(
    "suffix", [".tf", ".TF", ".tofu", ".tf.json", ".tfvars", ".tfvars.json", ".hcl", ".yml", ".py"]
)
def test_source_code_is_known_by_its_suffix_where_it_exists(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    refuse_overwriting([("--format", path)], [])
    path.touch()
    with pytest.raises(UsageError, match="exists and is source code by its name"):
        refuse_overwriting([("--format", path)], [])


@pytest.mark.parametrize("name", ["a.json", "a.csv", "a.md", "a.sarif", "a.html", "a.xml", "a.txt", "a"])
def test_yesterdays_report_is_replaced(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    refuse_overwriting([("--format", tmp_path / name)], [("a file to evaluate", tmp_path), ("x", tmp_path / "absent")])


def test_devices_and_pipes_are_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.tf")
    for path in (tmp_path / "pipe.tf", Path(os.devnull)):
        refuse_overwriting([("--format", path)], [("a file to evaluate", path)])
