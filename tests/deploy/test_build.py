"""The zip for the functions: built without its dependencies here, and run as Lambda runs it, from its own folder."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from building import copy_of_the_project, without_network

SCRIPT = """\
import os, pathlib, sys
import keyrules, keyrules_deploy.config_rule, keyrules_deploy.dispatch, keyrules_deploy.worker
from keyrules.cli import current_time
from keyrules_deploy.judging import Judge
assert pathlib.Path(keyrules.__file__).is_relative_to(os.getcwd()), keyrules.__file__
print(*(rule.id for rule in Judge(current_time()).chosen.selection.rules))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of_the_project(tmp_path_factory.mktemp("project") / "keyrules")


def build(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Without dependencies, which only the registry has; with the setuptools that is here, if that can build."""
    alone = {"PIP_NO_BUILD_ISOLATION": "0", "PIP_NO_INDEX": "1"} if without_network() else {}
    return subprocess.run(
        [sys.executable, str(project / "deploy/build"), *arguments],
        env={**os.environ, "PIP_NO_DEPS": "1", **alone},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_zip_runs_with_the_settings_in_it(project: Path, tmp_path: Path) -> None:
    (tmp_path / ".keyrules.yaml").write_text("rules: {KEY_AWS_012: off}\n", encoding="utf-8")
    targets = [tmp_path / "one.zip", tmp_path / "two.zip"]
    for target in targets:
        done = build(project, str(target), str(tmp_path))
        assert done.returncode == 0, done.stdout + done.stderr
    assert targets[0].read_bytes() == targets[1].read_bytes()
    unpacked = tmp_path / "task"
    zipfile.ZipFile(targets[0]).extractall(unpacked)
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=unpacked,
        env={**os.environ, "PYTHONPATH": str(unpacked), "AWS_DEFAULT_REGION": "eu-west-1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    rules = ran.stdout.split()
    assert "KEY_AWS_001" in rules
    assert "KEY_AWS_012" not in rules


def test_a_folder_without_settings_is_refused(project: Path, tmp_path: Path) -> None:
    done = build(project, str(tmp_path / "x.zip"), str(tmp_path))
    assert done.returncode == 1
    assert ".keyrules.yaml" in done.stderr
    assert not (tmp_path / "x.zip").exists()
