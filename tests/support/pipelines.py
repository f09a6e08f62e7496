"""As much of a pipeline as the ready-made pieces see: a runner of GitHub, a job of GitLab, an installation."""

from __future__ import annotations

import configparser
import json
import os
import re
import stat
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from readme import PROJECT
from scanning import write

ACTION = yaml.safe_load((PROJECT / "action.yml").read_text(encoding="utf-8"))
GITLAB = yaml.safe_load((PROJECT / ".gitlab-ci-template.yml").read_text(encoding="utf-8"))
PLAN = PROJECT / "fixtures/KEY_AWS_010/terraform_plan/existing_keys.json"
AS_OF = "--as-of=2026-06-01T00:00:00Z"
KEY = 'resource "aws_iam_access_key" "a" {\n  user = "a"\n}\n'
HOSTILE = "$(touch pwned)`touch pwned`';touch pwned;\" * ${{ github.token }}"


def version() -> str:
    """The release that the pieces name."""
    read = configparser.ConfigParser()
    read.read(PROJECT / "setup.cfg", encoding="utf-8")
    return f"v{read['metadata']['version']}"


def program(path: Path, text: str) -> Path:
    """A file that can be run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def real(folder: Path) -> None:
    """A virtual environment with `bin` as that folder, in which this checkout is installed."""
    venv.EnvBuilder(symlinks=True).create(folder.parent)
    (packages,) = folder.parent.glob("lib/python3*/site-packages")
    (packages / "here.pth").write_text(f"{PROJECT / 'src'}\n{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    program(folder / "keyrules", f'#!/bin/sh\nexec {folder}/python -I -m keyrules "$@"\n')


def recording(folder: Path) -> None:
    """The same with a keyrules that only writes its arguments down, one JSON list for each call."""
    real(folder)
    code = f"import json, sys; open({str(folder / 'calls')!r}, 'a').write(json.dumps(sys.argv[4:]) + chr(10))"
    recorder = program(folder / "recorder", f'#!/bin/sh\nexec {sys.executable} -I -c {json.dumps(code)} "$@"\n')
    (folder / "python").unlink()
    program(
        folder / "python",
        f'#!/bin/sh\n[ "$1 $2 $3" != "-I -m keyrules" ] || exec {recorder} "$@"\nexec {sys.executable} "$@"\n',
    )


def planted(folder: Path) -> Path:
    """A checkout with a finding, and with modules that leave a file behind where anything imports them."""
    mark = folder.parent / "pwned"
    code = f"open({str(mark)!r}, 'a').write(__name__)\n"
    names = [
        "venv",
        "pip",
        "json",
        "os",
        "re",
        "secrets",
        "site",
        "encodings",
        "sitecustomize",
        "usercustomize",
        "yaml",
    ]
    names += ["boto3", "setuptools", "ensurepip"]
    write(folder, {f"{name}.py": code for name in names})
    write(
        folder,
        dict.fromkeys(["keyrules/__init__.py", "keyrules/cli.py", "checkov/__init__.py", "yaml/__init__.py"], code),
    )
    write(folder, {"setup.py": code, "pip.conf": "[global]\nindex-url = https://example.invalid\n", "key.tf": KEY})
    return mark


def calls(folder: Path) -> list[list[str]]:
    """What a recording keyrules was called with."""
    return [json.loads(text) for text in (folder / "calls").read_text(encoding="utf-8").splitlines()]


def bash(
    script: str, folder: Path, environment: Mapping[str, str], stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Runs a script as GitHub and GitLab do: it ends at the first command that fails, in a pipe, too."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("KEYRULES_", "GITHUB_"))}
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env={**clean, **environment},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


@dataclass(frozen=True)
class Job:
    """What the action left behind: `step` is the step that runs keyrules, `code` what the whole action ends with."""

    step: subprocess.CompletedProcess[str]
    outputs: dict[str, str]
    summary: str
    code: int


class Runner:
    """As much of a GitHub runner as the action's own scripts see."""

    def __init__(self, folder: Path, install: Any = real) -> None:
        self.work = folder / "work"
        self.temp = folder / "temp"
        self.bin = self.temp / "keyrules-venv/bin"
        self.work.mkdir()
        self.temp.mkdir()
        install(self.bin)
        self.files = {name: folder / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}

    def run(self, **inputs: str) -> Job:
        """Runs the action's steps `run` and `verdict`; an input's name has `_` for `-`."""
        given = {name: entry["default"] for name, entry in ACTION["inputs"].items()}
        given |= {name.replace("_", "-"): value for name, value in inputs.items()}
        for file in self.files.values():
            file.write_text("", encoding="utf-8")
        step = self._step("run", {f"inputs.{name}": value for name, value in given.items()})
        outputs = outputs_of(self.files["GITHUB_OUTPUT"].read_text(encoding="utf-8"))
        known = {f"steps.run.outputs.{name}": value for name, value in outputs.items()}
        code = self._step("verdict", known).returncode
        return Job(step, outputs, self.files["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8"), code)

    def _step(self, name: str, values: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        (step,) = (each for each in ACTION["runs"]["steps"] if each.get("id") == name)
        variables = {
            variable: re.sub(r"\$\{\{ (.*?) \}\}", lambda match: values.get(match[1], ""), text)
            for variable, text in step["env"].items()
        }
        platform = {"RUNNER_TEMP": str(self.temp), **{name: str(path) for name, path in self.files.items()}}
        return bash(step["run"], self.work, {**variables, **platform})


def outputs_of(text: str) -> dict[str, str]:
    """GITHUB_OUTPUT as the runner reads it: NAME=VALUE, or NAME<<WORD, lines, WORD."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for current in lines:
        name, marker, word = current.partition("<<")
        if marker:
            value = []
            for inner in lines:
                if inner == word:
                    break
                value.append(inner)
            found[name] = "\n".join(value)
        else:
            name, _, found[name] = current.partition("=")[0], None, current.partition("=")[2]
    return found


def gitlab(folder: Path, install: Any, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs the template's script with an installation that is already there."""
    home = folder / "venv"
    install(home / "bin")
    program(folder / "bin/python3", "#!/bin/sh\nexit 0\n")
    job = GITLAB["keyrules"]
    # What is installed is there already; the first step is tried below.
    script = "\n".join(job["script"][1:]).replace("/tmp/keyrules", str(home))
    path = {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
    work = folder / "work"
    work.mkdir(exist_ok=True)
    (work / "key.tf").write_text(KEY, encoding="utf-8")
    return bash(script, work, {**job["variables"], **path, **variables})
