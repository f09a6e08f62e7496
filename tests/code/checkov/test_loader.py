"""The loader finds the engine of its version or ends the run: exit code 2, one sentence, never half of the rules."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from checkov_runs import CHECKOUT, CheckovRun, checkov
from scanning import PROJECT, write

ONE = ("terraform",)
SEVERAL = ("terraform", "cloudformation")
"""Of several frameworks Checkov runs each in a forked process, whose exit code it does not look at."""

KEY = 'resource "aws_iam_access_key" "k" {\n  user = "svc"\n}\n'


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("source"), {"main.tf": KEY})


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A checkout of what git tracks or would track, to be changed."""
    folder = tmp_path / "clone"
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    tracked = subprocess.run(command, cwd=PROJECT, capture_output=True, check=True).stdout
    for name in filter(None, tracked.decode().split("\0")):
        if (PROJECT / name).is_file():
            write(folder, {name: (PROJECT / name).read_bytes()})
    return folder


def folders(root: Path) -> list[str]:
    return [word for name in ("rules", "checks") for word in ("--external-checks-dir", str(root / name))]


def refused(done: CheckovRun, *words: str) -> None:
    assert done.code == 2 and not done.reports
    last = done.stderr.rstrip("\n").rpartition("\n")[2]
    assert "keyrules: " in last and all(word in last for word in words), done.stderr


@pytest.mark.parametrize("frameworks", [ONE, SEVERAL], ids=len)
def test_the_whole_repository(copy: Path, source: Path, frameworks: tuple[str, ...]) -> None:
    done = checkov(source, "--external-checks-dir", str(copy), frameworks=frameworks)
    refused(done, str(copy), "`keyrules dirs --bundle DIR`")
    assert "Cannot load" not in done.stderr


def test_the_whole_repository_by_git(copy: Path, source: Path, tmp_path: Path) -> None:
    as_repository(copy)
    done = checkov(source, "--external-checks-git", f"file://{copy}", frameworks=ONE, cwd=tmp_path)
    refused(done, "`keyrules dirs --bundle DIR`")


def as_repository(folder: Path) -> None:
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "checks"]):
        subprocess.run([*git, *command], cwd=folder, check=True)


@pytest.mark.parametrize("frameworks", [ONE, SEVERAL], ids=len)
def test_another_keyrules_is_loaded_already(copy: Path, source: Path, frameworks: tuple[str, ...]) -> None:
    """As of a pack whose checks import an installed one."""
    first = write(copy.parent / "first", {"__init__.py": "", "imports_it.py": "import keyrules\n"})
    done = checkov(
        source,
        *["--external-checks-dir", str(first)],
        *folders(copy),
        frameworks=frameworks,
        env={"PYTHONPATH": str(PROJECT / "src")},
    )
    refused(done, str(copy / "src/keyrules"), str(PROJECT / "src/keyrules"))


def test_an_installed_copy_beside_it_is_not_used(copy: Path, source: Path) -> None:
    broken = write(copy.parent / "site", {"keyrules/__init__.py": "raise SystemError('the wrong one')\n"})
    done = checkov(source, *folders(copy), frameworks=ONE, env={"PYTHONPATH": str(broken)})
    assert {record["check_id"] for _, record in done.records()} >= {"KEY_AWS_001", "KEY_AWS_008"}


@pytest.mark.parametrize("order", ["rules first", "checks first"])
@pytest.mark.parametrize("change", ["an older text", "a rule more"])
def test_rules_of_another_version(copy: Path, source: Path, order: str, change: str) -> None:
    rules = copy / "rules"
    if change == "an older text":
        path = rules / "KEY_AWS_005.yaml"
        path.write_text(path.read_text("utf-8").replace("CRITICAL", "LOW"), "utf-8")
    else:
        shutil.copy(rules / "KEY_AWS_005.yaml", rules / "KEY_AWS_099.yaml")
    words = ["--external-checks-dir", str(rules), *CHECKOUT[2:]]
    if order == "checks first":
        words = [*CHECKOUT[2:], "--external-checks-dir", str(rules)]
    refused(checkov(source, *words, frameworks=ONE), str(rules), "one keyrules only")


@pytest.mark.parametrize("frameworks", [ONE, SEVERAL], ids=len)
def test_no_engine_beside_it(tmp_path: Path, source: Path, frameworks: tuple[str, ...]) -> None:
    shutil.copytree(PROJECT / "checks", tmp_path / "checks")
    done = checkov(source, "--external-checks-dir", str(tmp_path / "checks"), frameworks=frameworks)
    refused(done, "no engine lies beside", "`keyrules dirs`")


@pytest.mark.parametrize("frameworks", [ONE, SEVERAL], ids=len)
def test_a_damaged_engine(copy: Path, source: Path, frameworks: tuple[str, ...]) -> None:
    (copy / "rules/KEY_AWS_001.yaml").write_text("metadata: 1\n", "utf-8")
    done = checkov(source, "--external-checks-dir", str(copy / "checks"), frameworks=frameworks)
    refused(done, "cannot be loaded", "KEY_AWS_001.yaml")


def test_the_checks_alone_and_twice(source: Path) -> None:
    """Without the rules' folder the checks decide all the same; a folder that is named twice doubles nothing."""
    for words in (CHECKOUT[2:], CHECKOUT[2:] * 2 + CHECKOUT):
        done = checkov(source, *words, "--skip-check", "KEY_AWS_007", frameworks=ONE)
        assert [record["check_id"] for _, record in done.records()].count("KEY_AWS_001") == 1
        assert {record["check_id"] for _, record in done.records()} == {"KEY_AWS_001", "KEY_AWS_008"}


def test_the_rules_alone_are_policies(source: Path) -> None:
    """YAML that Checkov evaluates itself: what can be said in its language works without Python checks."""
    done = checkov(source, *CHECKOUT[:2], frameworks=ONE)
    assert done.code == 1
    assert {record["check_id"] for _, record in done.records()} == {"KEY_AWS_007"}
