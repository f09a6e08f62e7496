"""The hook under the real pre-commit, in a scratch repository: it passes, it fails, and it stays out of the way.

The hook runs as `language: system` here, with the entry, files and options of .pre-commit-hooks.yaml and a `keyrules`
on PATH, because installing it as `language: python` takes the network.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from scanning import PROJECT, write

from keyrules.iac.discovery import _TEMPLATE, _TERRAFORM

HOOKS: list[dict[str, Any]] = yaml.safe_load((PROJECT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
KEY = 'resource "aws_iam_access_key" "k" {\n  user    = "svc"\n  pgp_key = "keybase:ops"\n}\n'
ROTATED = """\
resource "time_rotating" "clock" {
  rotation_days = 60
}
resource "terraform_data" "trigger" {
  input = time_rotating.clock.id
}
resource "aws_iam_access_key" "k" {
  user    = "svc"
  pgp_key = "keybase:ops"
  lifecycle {
    create_before_destroy = true
    replace_triggered_by  = [terraform_data.trigger]
  }
}
"""


class Repository:
    """A scratch git repository with the hook installed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shim = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m keyrules.cli "$@"\n'
        write(folder, {"bin/keyrules": shim, "repo/.gitignore": ".cache\n"})
        (folder / "bin/keyrules").chmod(0o755)
        hook = {**_hook(), "language": "system"}
        config = {"repos": [{"repo": "local", "hooks": [hook]}]}
        write(folder, {"repo/.pre-commit-config.yaml": yaml.safe_dump(config), "home/.gitconfig": ""})
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PRE_COMMIT"))},
            "PATH": f"{folder / 'bin'}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(PROJECT / "checks"),
            "HOME": str(folder / "home"),
            "PRE_COMMIT_HOME": str(folder / "cache"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "a",
            "GIT_AUTHOR_EMAIL": "a@example.com",
            "GIT_COMMITTER_NAME": "a",
            "GIT_COMMITTER_EMAIL": "a@example.com",
        }
        self.run("git", "init", "-q")
        self.commit({}, "--no-verify")
        installed = self.run(sys.executable, "-m", "pre_commit", "install")
        assert installed.returncode == 0, installed.stdout + installed.stderr

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder / "repo",
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def commit(self, files: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
        """Writes, stages and commits files; the result is that of `git commit`, which runs the hook."""
        write(self.folder / "repo", files)
        assert self.run("git", "add", "--", ".").returncode == 0
        return self.run("git", "commit", "-m", "change", *options)


def _hook() -> dict[str, Any]:
    (hook,) = (hook for hook in HOOKS if hook["entry"].startswith("keyrules scan"))
    return hook


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_a_commit_of_a_key_that_rotates_passes(repository: Repository) -> None:
    done = repository.commit({"infra/main.tf": ROTATED})
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert re.search(r"^keyrules\.+Passed$", output, re.MULTILINE)
    # Nothing but the hook's own line: a hook that passes is not heard.
    assert "Terraform module" not in output


def test_a_commit_of_a_key_without_rotation_fails(repository: Repository) -> None:
    done = repository.commit({"infra/main.tf": KEY})
    output = done.stdout + done.stderr
    assert done.returncode == 1
    assert re.search(r"^keyrules\.+Failed$", output, re.MULTILINE)
    assert "exit code: 1" in output
    assert "KEY_AWS_001  infra/main.tf:1  aws_iam_access_key.k" in output and "Change: " in output
    assert repository.run("git", "rev-list", "--count", "HEAD").stdout == "1\n"


def test_a_commit_without_infrastructure_is_none_of_its_business(repository: Repository) -> None:
    done = repository.commit({"README.rst": "text\n", "src/main.c": "int main(void) { return 0; }\n"})
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert re.search(r"^keyrules\.+\(no files to check\)Skipped$", output, re.MULTILINE)


def test_only_what_is_committed_is_reported(repository: Repository) -> None:
    """A key in a file that the commit does not touch is not the committer's; but its module counts."""
    repository.commit({"infra/old.tf": KEY, "infra/days.tf": 'variable "days" {}\n'}, "--no-verify")
    done = repository.commit({"infra/days.tf": 'variable "days" {\n  default = 30\n}\n'})
    assert done.returncode == 0, done.stdout + done.stderr
    done = repository.commit({"infra/new.tf": ROTATED.replace('"k"', '"new"')})
    assert done.returncode == 1
    assert "KEY_AWS_003  infra/new.tf" in done.stderr and "infra/old.tf:" not in done.stderr


def test_the_hook_sees_every_file_that_can_declare_a_key() -> None:
    pattern = re.compile(_hook()["files"])
    # Templates in .txt files are read when a folder is scanned; few commits of a .txt file are templates.
    for suffix in {*_TERRAFORM, *_TEMPLATE} - {".txt"}:
        assert pattern.search(f"some/folder/file{suffix}"), suffix
    for name in ("prod.tfvars", "terraform.tfvars.json", ".env", "deploy.sh", "Dockerfile", ".aws/credentials"):
        assert pattern.search(name), name
    assert not any(pattern.search(name) for name in ("README.md", "main.c", "a.tf.png"))
