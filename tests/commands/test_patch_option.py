"""`keyrules scan --patch` as a command: what it prints, what it leaves alone, and what its exit code says."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from scanning import AS_OF, Scanned, run, write

KEY = 'resource "aws_iam_access_key" "a" {\n  user = "a"\n}\n'
TWO = KEY + "\n" + KEY.replace('"a"', '"b"')
SECRET = 'output "secret" {\n  value = aws_iam_access_key.a.secret\n}\n'


def scan(folder: Path, *options: str) -> Scanned:
    return run("scan", "--as-of", AS_OF, *options, cwd=folder)


def test_it_prints_a_diff_that_git_takes_and_writes_nothing(tmp_path: Path) -> None:
    write(tmp_path, {"infra/main.tf": KEY + SECRET})
    done = scan(tmp_path, "--patch", "--rule", "KEY_AWS_001", "--rule", "KEY_AWS_009", "infra")
    assert done.code == 1
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["main.tf"]
    assert (tmp_path / "infra/main.tf").read_text() == KEY + SECRET
    assert "2 of 2" in done.stderr
    subprocess.run(["git", "apply"], cwd=tmp_path, input=done.stdout, text=True, check=True)
    again = scan(tmp_path, "--patch", "--rule", "KEY_AWS_001", "--rule", "KEY_AWS_009", "infra")
    assert (again.code, again.stdout, again.stderr) == (0, "# keyrules: nothing to mend\n", "")


def test_git_finds_the_files_from_a_folder_of_the_repository(tmp_path: Path) -> None:
    write(tmp_path, {"team/infra/main.tf": KEY})
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    done = scan(tmp_path / "team", "--patch")
    subprocess.run(["git", "apply"], cwd=tmp_path / "team", input=done.stdout, text=True, check=True)
    assert "time_rotating" in (tmp_path / "team/infra/main.tf").read_text()


def test_what_is_left_is_said_with_why(tmp_path: Path) -> None:
    write(tmp_path, {"main.tf": KEY})
    done = scan(tmp_path, "--patch")
    left = [line for line in done.stdout.splitlines() if line.startswith("# left: KEY_AWS_008 main.tf:1 ")]
    assert len(left) == 1 and "PGP key" in left[0]
    assert scan(tmp_path, "--patch", "--quiet").stderr == ""


class TestOnlyWhatCountsIsMended:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return write(tmp_path, {"main.tf": TWO})

    def mended(self, folder: Path, *options: str) -> set[str]:
        done = scan(folder, "--patch", "--rule", "KEY_AWS_001", *options)
        lines = [line.split() for line in done.stdout.splitlines() if line.startswith("# KEY_AWS_001 ")]
        return {line[3].rstrip(":").removeprefix("aws_iam_access_key.") for line in lines}

    def test_all(self, folder: Path) -> None:
        assert self.mended(folder) == {"a", "b"}

    def test_a_baseline(self, folder: Path) -> None:
        write(folder, {"main.tf": KEY})
        scan(folder, "--rule", "KEY_AWS_001", "--write-baseline", "base.json")
        write(folder, {"main.tf": TWO})
        assert self.mended(folder, "--baseline", "base.json") == {"b"}

    def test_an_exception(self, folder: Path) -> None:
        entry = "{rule: KEY_AWS_001, subject: aws_iam_access_key.a, reason: r, owner: o, expires: 2026-12-01}"
        write(folder, {".keyrules-exceptions.yaml": f"exceptions:\n  - {entry}\n"})
        assert self.mended(folder) == {"b"}

    def test_a_comment(self, folder: Path) -> None:
        write(folder, {"main.tf": TWO.replace('"a"\n}', '"a"\n  # checkov:skip=KEY_AWS_001:accepted\n}')})
        assert self.mended(folder) == {"b"}

    def test_a_rule(self, folder: Path) -> None:
        assert "+++" not in scan(folder, "--patch", "--rule", "KEY_AWS_008").stdout


def test_another_report_beside_it(tmp_path: Path) -> None:
    write(tmp_path, {"main.tf": KEY})
    done = scan(tmp_path, "--format", "json", "--format", "patch=mend.patch")
    assert {finding["rule"] for finding in done.findings()} == {"KEY_AWS_001", "KEY_AWS_008"}
    assert "--- a/main.tf\n+++ b/main.tf\n" in (tmp_path / "mend.patch").read_text()
    assert scan(tmp_path, "--format", "json", "--patch").code == 2


def applied(text: str, fixes: list[Mapping[str, Any]], name: str) -> str:
    """A file after the replacements of a fix, as SARIF counts lines and columns."""
    lines = text.splitlines(keepends=True)
    (fix,) = fixes
    for change in fix["artifactChanges"]:
        if change["artifactLocation"]["uri"] == name:
            for each in reversed(change["replacements"]):
                region = each["deletedRegion"]
                last = region["endLine"] - ("endColumn" in region)
                lines[region["startLine"] - 1 : last] = [each["insertedContent"]["text"]]
    return "".join(lines)


@pytest.mark.parametrize("end", ["", "\n"])
def test_each_fix_in_sarif_mends_its_finding_alone(tmp_path: Path, end: str) -> None:
    text = TWO + SECRET.rstrip("\n") + end
    rules = ("--rule", "KEY_AWS_001", "--rule", "KEY_AWS_009")
    write(tmp_path, {"main.tf": text})
    (log,) = json.loads(scan(tmp_path, "--format", "sarif", *rules).stdout)["runs"]
    assert len(log["results"]) == 3
    for result in log["results"]:
        write(tmp_path, {"main.tf": applied(text, result["fixes"], "main.tf")})
        left = scan(tmp_path, "--format", "json", *rules).findings(result["ruleId"])
        address = result["locations"][0]["logicalLocations"][0]["name"]
        assert address not in [finding["location"]["address"] for finding in left]
