"""From a wheel, an editable install or a plain checkout under Checkov: the same rules and the same findings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from building import copy_of_the_project, without_network
from scanning import AS_OF, PROJECT, run, write

from keyrules.pack.catalog import load_pack

SOURCES = {
    "main.tf": """\
resource "aws_iam_access_key" "k" {
  user = "root"
}
output "o" {
  value = aws_iam_access_key.k
}
""",
    "t.yaml": """\
Resources:
  K:
    Type: AWS::IAM::AccessKey
    Properties:
      UserName: svc
      Status: Inactive
""",
}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("sources"), SOURCES)


@pytest.fixture(scope="module")
def expected(sources: Path) -> Mapping[str, Any]:
    """What this checkout reports."""
    report = run("scan", "--format", "json", "--show-passing", "--as-of", AS_OF, cwd=sources).report
    failed = {f["rule"] for f in report["findings"] if f["status"] == "FAIL"}
    assert failed >= {"KEY_AWS_001", "KEY_AWS_005", "KEY_AWS_006", "KEY_AWS_009"}
    return report


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of_the_project(tmp_path_factory.mktemp("project") / "keyrules")


def pip(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", *arguments, "--no-deps", "--disable-pip-version-check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    isolation = ["--no-build-isolation"] if without_network() else []
    pip("wheel", *isolation, "--wheel-dir", str(folder), str(project))
    (found,) = folder.glob("keyrules-*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    pip("install", "--target", str(folder), str(wheel))
    return folder


def command(folder: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """`keyrules ARGUMENTS` by the console script of an installed wheel, with no checkout on the path."""
    return subprocess.run(
        [sys.executable, str(folder / "bin/keyrules"), *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


class TestWheel:
    def test_it_holds_the_pack_and_nothing_else(self, wheel: Path) -> None:
        names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
        expected = {f"keyrules/{p.relative_to(PROJECT)}" for p in (PROJECT / "rules").rglob("*") if p.is_file()}
        expected |= {f"keyrules/schemas/{p.name}" for p in (PROJECT / "src/keyrules/schemas").iterdir()}
        expected |= {f"keyrules/checks/{path.name}" for path in (PROJECT / "checks").glob("*.py")}
        expected |= {str(path.relative_to(PROJECT / "src")) for path in (PROJECT / "src/keyrules").rglob("*.py")}
        assert names == expected

    def test_the_same_rules(self, installed: Path, tmp_path: Path) -> None:
        for arguments in (["rules"], ["--version"], ["rules", "--facts"]):
            done = command(installed, *arguments, cwd=tmp_path)
            assert (done.returncode, done.stderr) == (0, "")
            assert done.stdout == run(*arguments, cwd=tmp_path).stdout
        assert load_pack().stamp.sha256[:12] in command(installed, "--version", cwd=tmp_path).stdout

    def test_the_same_findings(self, installed: Path, sources: Path, expected: Mapping[str, Any]) -> None:
        done = command(installed, "scan", "--format", "json", "--show-passing", "--as-of", AS_OF, cwd=sources)
        assert done.stderr == ""
        assert json.loads(done.stdout) == expected

    def test_dirs_for_plain_checkov(self, installed: Path, sources: Path, expected: Mapping[str, Any]) -> None:
        words = command(installed, "dirs", cwd=sources).stdout.split()
        folders = [words[i + 1] for i, word in enumerate(words) if word == "--external-checks-dir"]
        assert folders and all(Path(folder).is_relative_to(installed) for folder in folders)
        assert checkov(sources, *words, path=str(installed)) == failures(expected)


def test_the_source_distribution_has_the_pieces_to_deploy(project: Path, tmp_path: Path) -> None:
    """They are no part of the wheel, which is for whoever runs keyrules."""
    pytest.importorskip("setuptools", reason="setuptools is not installed, and builds the distribution")
    script = f"from setuptools.build_meta import build_sdist; build_sdist({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", script], cwd=project, check=True, capture_output=True)
    (found,) = tmp_path.glob("keyrules-*.tar.gz")
    with tarfile.open(found) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = [path for top in ("deploy", "docs") for path in (PROJECT / top).rglob("*") if path.is_file()]
    assert len(wanted) > 10
    assert {str(path.relative_to(PROJECT)) for path in wanted if path.suffix != ".pyc"} <= names


def failures(report: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {(f["rule"], f["location"]["path"]) for f in report["findings"] if f["status"] == "FAIL"}


def checkov(folder: Path, *arguments: str, path: str = "") -> set[tuple[str, str]]:
    """Rule and file of what plain Checkov finds."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-m", "checkov.main", "--skip-download", "--compact", "-o", "json", "-d", ".", *arguments],
        cwd=folder,
        env=environment | ({"PYTHONPATH": path} if path else {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    reports = json.loads(done.stdout)
    records = [r for report in reports for r in report["results"]["failed_checks"]]
    return {(r["check_id"], Path(r["file_path"]).name) for r in records if r["check_id"].startswith("KEY_AWS_")}


def test_a_plain_checkout(project: Path, sources: Path, expected: Mapping[str, Any]) -> None:
    """Two folders are all that Checkov needs; nothing of keyrules is installed or on the path."""
    dirs = ["--external-checks-dir", str(project / "rules"), "--external-checks-dir", str(project / "checks")]
    assert checkov(sources, *dirs, "--skip-check", "KEY_AWS_007") == failures(expected)


def test_an_editable_install(project: Path, sources: Path, expected: Mapping[str, Any], tmp_path: Path) -> None:
    """A .pth file that names the source root is what an editable install of this layout comes to."""
    site = write(tmp_path, {"keyrules.pth": f"{project / 'src'}\n"})
    script = f"import site, sys; site.addsitedir({str(site)!r}); from keyrules.cli import main; sys.exit(main())"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", script, "scan", "--format", "json", "--show-passing", "--as-of", AS_OF],
        cwd=sources,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert json.loads(done.stdout) == expected
