"""The ready-made pieces in a checkout that wants to run code, or to rule its own gate."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from pipelines import (
    ACTION,
    GITLAB,
    KEY,
    Runner,
    bash,
    gitlab,
    planted,
    program,
    real,
)
from readme import PROJECT, snippet
from scanning import write


class TestAHostileCheckout:
    """Nothing of what is scanned is imported, whatever its modules are called."""

    def test_its_modules_would_run(self, tmp_path: Path) -> None:
        """The tests below can fail at all."""
        mark = planted(tmp_path / "work")
        subprocess.run([sys.executable, "-m", "venv", "x"], cwd=tmp_path / "work", check=False, capture_output=True)
        assert mark.exists()

    @pytest.mark.parametrize("piece", ["action", "gitlab", "jenkins"])
    def test_installing(self, tmp_path: Path, piece: str) -> None:
        """The real venv and pip, with a package that is there already in place of a download."""
        mark = planted(tmp_path / "work")
        wheel = tiny_wheel(tmp_path)
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin/python3").symlink_to(sys.executable)
        temp = tmp_path / "temp"
        temp.mkdir()
        if piece == "action":
            (step,) = (each for each in ACTION["runs"]["steps"] if each.get("id") == "install")
            script = step["run"]
        elif piece == "gitlab":
            script = GITLAB["keyrules"]["script"][0].replace("/tmp/keyrules", str(temp / "keyrules"))
        else:
            script = "cd $WORKSPACE_TMP\n" + re.findall(r"^\s*sh '(.*)'$", snippet("jenkins"), re.MULTILINE)[0]
        script = re.sub(r'"?https://github\.com/keyrules/\S+\.tar\.gz"?', str(wheel), script)
        environment = {
            "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
            "RUNNER_TEMP": str(temp),
            "WORKSPACE_TMP": str(temp),
            "GITHUB_ACTION_PATH": str(wheel),
            "PIP_NO_INDEX": "1",
        }
        done = bash(script, tmp_path / "work", environment)
        assert done.returncode == 0, done.stdout + done.stderr
        assert list(temp.glob("*/lib/python3*/site-packages/tiny.py"))
        assert not mark.exists()

    def test_the_action(self, tmp_path: Path) -> None:
        runner = Runner(tmp_path)
        mark = planted(runner.work)
        job = runner.run()
        assert (job.code, job.step.returncode) == (1, 0), job.step.stderr
        assert not mark.exists()

    def test_the_gitlab_job(self, tmp_path: Path) -> None:
        mark = planted(tmp_path / "work")
        assert gitlab(tmp_path, real).returncode == 1
        assert not mark.exists()

    def test_no_cache_of_packages_lies_in_it(self) -> None:
        """A commit could put a package into one, which pip would take for the one that it built itself."""
        text = (PROJECT / ".gitlab-ci-template.yml").read_text(encoding="utf-8")
        assert "PIP_CACHE_DIR" not in text and "--no-cache-dir" in text


def tiny_wheel(folder: Path) -> Path:
    """A package that pip installs without a build."""
    path = folder / "tiny-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("tiny.py", "")
        wheel.writestr("tiny-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1\n")
        wheel.writestr("tiny-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("tiny-1.dist-info/RECORD", "tiny.py,,\n")
    return path


class TestGate:
    """What a pull request changes about the configuration does not count."""

    def test_all_of_it_comes_from_the_base_branch(self, tmp_path: Path) -> None:
        real(tmp_path / "bin-of/bin")
        origin = write(tmp_path / "origin", {"key.tf": KEY, ".keyrules.yaml": "rules: {KEY_AWS_008: off}\n"})
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]

        def git(folder: Path, *arguments: str) -> None:
            subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)

        git(origin, "init", "-q", "-b", "main")
        git(origin, "add", ".")
        git(origin, "commit", "-qm", "base")
        git(tmp_path, "clone", "-q", str(origin), "work")
        work = write(
            tmp_path / "work",
            {
                ".keyrules.yaml": "exclude: ['**']\nscan: {baseline: .keyrules-baseline.json}\n",
                ".keyrules-exceptions.yaml": "exceptions: []\n",
                ".keyrules-baseline.json": "{}",
            },
        )
        environment = {"PATH": f"{tmp_path / 'bin-of/bin'}:{os.environ['PATH']}", "BASE": "main"}
        done = bash(snippet("gate"), work, environment)
        assert done.returncode == 1, done.stdout + done.stderr
        assert "KEY_AWS_001" in done.stdout and "1 rule (KEY_AWS_008) off" in done.stdout
        assert sorted(path.name for path in work.glob(".keyrules*")) == [".keyrules.yaml"]
        git(origin, "rm", "-q", ".keyrules.yaml")
        git(origin, "commit", "-qm", "none")
        (work / ".keyrules.yaml").unlink()
        (work / ".keyrules.yaml").symlink_to("elsewhere")
        done = bash(snippet("gate"), work, environment)
        assert done.returncode == 1 and "KEY_AWS_008" in done.stdout


@pytest.mark.skipif(not shutil.which("checkov", path=Path(sys.executable).parent), reason="Checkov is not installed")
def test_the_scanned_repository_does_not_rule_checkov(tmp_path: Path) -> None:
    """With `-d` the file does, which shows that the test can fail; as README starts it, it does not."""
    mark = tmp_path / "pwned"
    write(
        tmp_path / "checkout",
        {
            "key.tf": KEY,
            "evil/__init__.py": "",
            "evil/check.py": f"open({str(mark)!r}, 'w')\n",
            ".checkov.yaml": f"soft-fail: true\nframework: [arm]\nexternal-checks-dir: [{tmp_path}/checkout/evil]\n",
        },
    )
    (tmp_path / "home").mkdir()
    program(tmp_path / "bin/keyrules", f"#!/bin/sh\nPYTHONPATH={PROJECT}/src exec {sys.executable} -m keyrules dirs\n")
    environment = {
        "PATH": f"{tmp_path / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(PROJECT / "src"),
        "HOME": str(tmp_path / "home"),
        "CHECKOUT": str(tmp_path / "checkout"),
    }
    done = bash(snippet("checkov-gate"), tmp_path / "checkout", environment)
    assert done.returncode == 1 and "KEY_AWS_001" in done.stdout, done.stderr
    assert not mark.exists()
    done = bash('cd "$HOME" && checkov -d "$CHECKOUT"', tmp_path, environment)
    assert done.returncode == 0 and mark.exists()
