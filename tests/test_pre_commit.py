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
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml
from scanning import PROJECT, write

HOOKS: list[dict[str, Any]] = yaml.safe_load((PROJECT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
KEY = 'resource "aws_iam_access_key" "k" {\n  user    = "svc"\n  pgp_key = "keybase:ops"\n}\n'
SECRET = "aws_secret_access_key = wJ8rXUtnqEM1kK7MDEN9bPxRfiCYzQf4LmT2vWs5\n"
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
    """A scratch git repository with hooks installed, of those that run keyrules itself."""

    def __init__(self, folder: Path, ids: Sequence[str] = ("keyrules", "keyrules-exceptions")) -> None:
        self.folder = folder
        # As an installation has it: a script of Python's, beside which nothing lies that it could import.
        code = "import sys; from keyrules.cli import main; sys.exit(main())"
        shim = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(folder / "bin/script.py"))} "$@"\n'
        checkov = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m checkov.main "$@"\n'
        tools = {"bin/keyrules": shim, "bin/script.py": code, "bin/checkov": checkov}
        write(folder, {**tools, "repo/.gitignore": ".cache\n"})
        (folder / "bin/keyrules").chmod(0o755)
        (folder / "bin/checkov").chmod(0o755)
        hooks = [{**hook, "language": "system"} for hook in HOOKS if hook["id"] in ids]
        for hook in hooks:
            hook.pop("additional_dependencies", None)
        config = {"repos": [{"repo": "local", "hooks": hooks}]}
        write(folder, {"repo/.pre-commit-config.yaml": yaml.safe_dump(config), "home/.gitconfig": ""})
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PRE_COMMIT"))},
            "PATH": f"{folder / 'bin'}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(PROJECT / "src"),
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


def _hook(name: str = "keyrules") -> dict[str, Any]:
    (hook,) = (hook for hook in HOOKS if hook["id"] == name)
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


def test_modules_of_the_repository_do_not_run(repository: Repository) -> None:
    """In the hook; pre-commit itself is started as `python -mpre_commit` and imports them."""
    mark = repository.folder / "pwned"
    names = ["json", "re", "secrets", "sitecustomize", "yaml", "boto3", "keyrules/__init__", "keyrules/cli"]
    write(repository.folder / "repo", {f"{name}.py": f"open({str(mark)!r}, 'w')\n" for name in names})
    write(repository.folder / "repo", {"main.tf": 'resource "aws_iam_access_key" "k" {\n  user = "u"\n}\n'})
    done = repository.run(*_hook()["entry"].split(), "main.tf")
    assert done.returncode == 1 and "KEY_AWS_001" in done.stdout, done.stderr
    assert not mark.exists()


def test_a_commit_of_a_key_without_rotation_fails(repository: Repository) -> None:
    done = repository.commit({"infra/main.tf": KEY})
    output = done.stdout + done.stderr
    assert done.returncode == 1
    assert re.search(r"^keyrules\.+Failed$", output, re.MULTILINE)
    assert "exit code: 1" in output
    assert "KEY_AWS_001  infra/main.tf:1  aws_iam_access_key.k" in output and "Change: " in output
    assert repository.run("git", "rev-list", "--count", "HEAD").stdout == "1\n"


def test_a_commit_without_infrastructure_is_none_of_its_business(repository: Repository) -> None:
    done = repository.commit({"logo.svg": "<svg/>\n", "src/main.c": "int main(void) { return 0; }\n"})
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert re.search(r"^keyrules\.+Passed$", output, re.MULTILINE)


def test_only_what_is_committed_is_reported(repository: Repository) -> None:
    """A key in a file that the commit does not touch is not the committer's; but its module counts."""
    repository.commit({"infra/old.tf": KEY, "infra/net.tf": 'resource "aws_vpc" "a" {}\n'}, "--no-verify")
    done = repository.commit({"infra/net.tf": 'resource "aws_vpc" "b" {}\n'})
    assert done.returncode == 0, done.stdout + done.stderr
    done = repository.commit({"infra/new.tf": ROTATED.replace('"k"', '"new"')})
    assert done.returncode == 1
    assert "KEY_AWS_003  infra/new.tf" in done.stderr and "KEY_AWS_001  infra/old.tf" not in done.stderr


def test_values_that_are_committed_bear_on_their_module(repository: Repository) -> None:
    repository.commit({"infra/old.tf": KEY}, "--no-verify")
    done = repository.commit({"infra/days.tf": 'variable "days" {\n  default = 30\n}\n'})
    assert done.returncode == 1
    assert "infra/old.tf:" in done.stderr


@pytest.mark.parametrize("name", [".vscode/launch.json", "db.url", "notes.whatever", "zip", "Style.CSS"])
def test_any_text_can_stop_a_commit(repository: Repository, name: str) -> None:
    done = repository.commit({name: SECRET})
    assert done.returncode == 1
    assert f"KEY_AWS_011  {name}:1" in done.stderr


def test_files_are_named_over_several_runs(repository: Repository) -> None:
    """More names than fit on a command line; each run evaluates its own, one after the other."""
    files = {f"m{number:05}/{'x' * 200}.tf": 'variable "v" {}\n' for number in range(900)}
    files["m00000/keys.tf"] = files["zz/keys.tf"] = KEY
    done = repository.commit(files)
    output = done.stdout + done.stderr
    assert done.returncode == 1
    assert "KEY_AWS_001  m00000/keys.tf:1" in output and "KEY_AWS_001  zz/keys.tf:1" in output


def test_documentation_that_quotes_a_template_passes(repository: Repository) -> None:
    quoted = "```yaml\nResources:\n  K:\n    Type: AWS::IAM::AccessKey\n```\n"
    done = repository.commit({"README.md": quoted, "app.py": f"TEMPLATE = '''{quoted}'''\n"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^keyrules\.+Passed$", done.stdout + done.stderr, re.MULTILINE)


class TestCheckov:
    """The hook that runs Checkov with the rules."""

    @pytest.fixture
    def repository(self, tmp_path: Path) -> Repository:
        """Below a folder with a space in its name, as homes have."""
        (tmp_path / "some home").mkdir()
        return Repository(tmp_path / "some home", ["keyrules-checkov"])

    def test_a_key_without_rotation_and_one_that_rotates(self, repository: Repository) -> None:
        done = repository.commit({"infra/main.tf": KEY})
        output = done.stdout + done.stderr
        assert done.returncode == 1 and "KEY_AWS_001" in output and "CKV_" not in output
        done = repository.commit({"infra/main.tf": ROTATED})
        assert done.returncode == 0, done.stdout + done.stderr
        assert re.search(r"^keyrules under Checkov\.+Passed$", done.stdout + done.stderr, re.MULTILINE)

    def test_without_the_folders_it_fails(self, repository: Repository) -> None:
        write(repository.folder, {"bin/keyrules": "#!/bin/sh\nexit 2\n"})
        done = repository.commit({"infra/main.tf": KEY})
        assert done.returncode == 1 and "exit code: 2" in done.stdout + done.stderr

    def test_it_brings_checkov(self) -> None:
        assert _hook("keyrules-checkov")["additional_dependencies"] == [".[checkov]"]


EXCEPTION = """\
exceptions:
  - rule: KEY_AWS_001
    subject: aws_iam_access_key.k
    reason: the appliance takes no new key until its update
    owner: platform@example.com
    expires: {expires}
"""


class TestExceptions:
    """The hook on the exceptions file, which evaluates nothing."""

    def test_a_file_that_says_what_it_may(self, repository: Repository) -> None:
        soon = (datetime.now(timezone.utc) + timedelta(days=30)).date().isoformat()
        done = repository.commit({".keyrules-exceptions.yaml": EXCEPTION.format(expires=soon)})
        output = done.stdout + done.stderr
        assert done.returncode == 0, output
        assert re.search(r"^keyrules exceptions\.+Passed$", output, re.MULTILINE)

    def test_a_file_without_an_end(self, repository: Repository) -> None:
        done = repository.commit({".keyrules-exceptions.yaml": EXCEPTION.replace("    expires: {expires}\n", "")})
        output = done.stdout + done.stderr
        assert done.returncode == 1
        assert re.search(r"^keyrules exceptions\.+Failed$", output, re.MULTILINE)
        assert "exit code: 2" in output and "expires" in output

    def test_a_wrong_configuration(self, repository: Repository) -> None:
        done = repository.commit({".keyrules.yaml": "frobnicate: true\n"})
        assert done.returncode == 1 and "frobnicate" in done.stdout + done.stderr

    def test_other_files_do_not_start_it(self) -> None:
        files = re.compile(_hook("keyrules-exceptions")["files"])
        assert files.search(".keyrules-exceptions.yaml") and files.search(".keyrules.yaml")
        assert not any(
            map(files.search, ("a/.keyrules-exceptions.yaml", "keyrules.yaml", ".keyrules.yaml.orig", "main.tf"))
        )
