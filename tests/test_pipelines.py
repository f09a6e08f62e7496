"""The ready-made pipeline pieces: each valid by its platform's published schema, and its shell run on the fixtures.

What only the platform can do is left out: fetching other actions, and showing what the pieces hand over.
"""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from readme import PROJECT, snippet
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
    program(folder / "keyrules", f'#!/bin/sh\nexec {folder}/python -I -m keyrules.cli "$@"\n')


def recording(folder: Path) -> None:
    """The same with a keyrules that only writes its arguments down, one JSON list for each call."""
    real(folder)
    code = f"import json, sys; open({str(folder / 'calls')!r}, 'a').write(json.dumps(sys.argv[4:]) + chr(10))"
    recorder = program(folder / "recorder", f'#!/bin/sh\nexec {sys.executable} -I -c {json.dumps(code)} "$@"\n')
    (folder / "python").unlink()
    program(
        folder / "python",
        f'#!/bin/sh\n[ "$1 $2 $3" != "-I -m keyrules.cli" ] || exec {recorder} "$@"\nexec {sys.executable} "$@"\n',
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


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


def validate(schema: str, path: Path) -> None:
    """Fails with what the published schema says against a file."""
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_action_is_valid() -> None:
    validate("github-actions", PROJECT / "action.yml")


def test_no_expression_stands_in_a_script() -> None:
    """The runner pastes an expression's value into the text of the script, where it is code."""
    scripts = [step["run"] for step in ACTION["runs"]["steps"] if "run" in step]
    assert len(scripts) == 3
    assert not any("${{" in script for script in scripts)


def test_every_input_is_used_and_every_output_is_made(runner: Runner) -> None:
    text = json.dumps(ACTION["runs"])
    assert all(f"inputs.{name}" in text for name in ACTION["inputs"])
    made = [each["value"] for each in ACTION["outputs"].values()]
    names = {value.removeprefix("${{ steps.run.outputs.").removesuffix(" }}") for value in made}
    (runner.work / "main.tf").write_text("", encoding="utf-8")
    assert set(runner.run().outputs) == names


def test_other_actions_are_pinned() -> None:
    used = [step["uses"] for step in ACTION["runs"]["steps"] if "uses" in step]
    assert used
    assert all(re.search(r"@[0-9a-f]{40}$", each) for each in used)
    text = (PROJECT / "action.yml").read_text(encoding="utf-8")
    assert len(re.findall(r"uses: .*@[0-9a-f]{40} # v\d+\.\d+\.\d+$", text, re.MULTILINE)) == len(used)
    assert re.search(r"actions/checkout@[0-9a-f]{40} # v\d+\.\d+\.\d+$", snippet("github"), re.MULTILINE)


def test_the_report_is_uploaded_whatever_keyrules_found() -> None:
    (upload,) = (step for step in ACTION["runs"]["steps"] if "upload-sarif" in step.get("uses", ""))
    assert upload["if"].startswith("always() && inputs.upload-sarif == 'true'")
    assert upload["with"] == {"sarif_file": "${{ runner.temp }}/keyrules-upload.sarif"}


def test_code_scanning_gets_no_alert_for_what_is_exempt_or_passes(runner: Runner) -> None:
    """It reads neither suppressions nor kinds (https://github.com/github/codeql-action/issues/1230)."""
    (runner.work / "main.tf").write_text(
        'resource "aws_iam_access_key" "k" {\n  # checkov:skip=KEY_AWS_001:until May\n  user = "u"\n}\n',
        encoding="utf-8",
    )
    job = runner.run(args="--show-passing", category="infra/prod")
    (whole,) = json.loads(Path(job.outputs["sarif"]).read_text())["runs"]
    (sent,) = json.loads((runner.temp / "keyrules-upload.sarif").read_text())["runs"]
    assert {each["kind"] for each in whole["results"]} == {"pass", "fail"}
    assert {each["ruleId"] for each in whole["results"] if "suppressions" in each} == {"KEY_AWS_001"}
    assert [each["ruleId"] for each in sent["results"]] == ["KEY_AWS_008"]
    assert sent["automationDetails"]["id"] == "infra/prod/"
    assert sent["tool"] == whole["tool"]


def test_installs_what_the_workflow_named(tmp_path: Path) -> None:
    """From the action's own checkout, so that the tag of the action is the version of the rules."""
    log = tmp_path / "log"
    python = f'#!/bin/sh\necho "python3 $*" >> {log}\nmkdir -p "$4/bin" && cp {tmp_path}/inner "$4/bin/python"\n'
    program(tmp_path / "inner", f'#!/bin/sh\necho "venv $*" >> {log}\n')
    program(tmp_path / "bin/python3", python)
    (tmp_path / "t t").mkdir()
    (step,) = (each for each in ACTION["runs"]["steps"] if each.get("id") == "install")
    done = bash(
        step["run"],
        tmp_path,
        {
            "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
            "RUNNER_TEMP": str(tmp_path / "t t"),
            "GITHUB_ACTION_PATH": "/actions/keyrules v1",
        },
    )
    assert done.returncode == 0, done.stderr
    first, second = log.read_text(encoding="utf-8").splitlines()
    assert first == f"python3 -I -m venv {tmp_path / 't t'}/keyrules-venv"
    assert second.startswith("venv -I -m pip install ")
    assert second.endswith(" /actions/keyrules v1")


def test_findings_fail_the_job_and_are_shown(runner: Runner) -> None:
    job = runner.run(paths=str(PROJECT / "fixtures/example"), args=AS_OF)
    assert job.step.returncode == 0, job.step.stderr
    assert job.code == 1
    assert (job.outputs["exit-code"], job.outputs["findings"], job.outputs["unknown"]) == ("1", "3", "0")
    assert json.loads(Path(job.outputs["sarif"]).read_text())["version"] == "2.1.0"
    assert json.loads(Path(job.outputs["json"]).read_text())["summary"]["fail"] == 3
    assert "KEY_AWS_010" in job.summary
    start, *_ = job.step.stdout.splitlines()
    pause = start.removeprefix("::stop-commands::")
    assert re.fullmatch("[0-9a-f]{32}", pause)
    report, annotations = job.step.stdout.split(f"\n::{pause}::\n")
    assert "3 failed" in report
    assert len(re.findall("^::(error|warning|notice) file=", annotations, re.MULTILINE)) == 3


def test_nothing_found_passes(runner: Runner) -> None:
    (runner.work / "main.tf").write_text('resource "aws_s3_bucket" "b" {}\n', encoding="utf-8")
    job = runner.run(summary="false", annotations="false", sarif="out.sarif")
    assert (job.code, job.outputs["findings"], job.summary) == (0, "0", "")
    assert job.outputs["sarif"] == "out.sarif"
    assert (runner.work / "out.sarif").is_file()


def test_what_cannot_be_evaluated_fails_the_job_with_3(runner: Runner) -> None:
    (runner.work / "report.csv").write_text("user,arn\n", encoding="utf-8")
    job = runner.run(command="audit", paths="report.csv", args=AS_OF)
    assert job.step.returncode == 0, job.step.stderr
    assert (job.code, job.outputs["exit-code"]) == (3, "3")
    assert Path(job.outputs["sarif"]).is_file()


def test_an_audit(runner: Runner) -> None:
    job = runner.run(command="audit", paths=str(PROJECT / "fixtures/example_report/report.csv"), args=AS_OF)
    assert (job.code, job.outputs["findings"]) == (1, "6")


@pytest.mark.parametrize(
    ("inputs", "named"),
    [
        ({"command": "controls"}, "the input command must"),
        ({"command": ""}, "the input command must"),
        ({"summary": "yes"}, "the input summary must"),
        ({"annotations": ""}, "the input annotations must"),
        ({"upload_sarif": "True"}, "the input upload-sarif must"),
        ({"fail_on": "x"}, "--fail-on"),
    ],
)
def test_wrong_inputs_fail_with_2_and_leave_no_report(runner: Runner, inputs: dict[str, str], named: str) -> None:
    job = runner.run(**inputs)
    assert job.code == 2
    assert job.outputs == {"exit-code": "2"}
    assert "\n::error title=keyrules::" in f"\n{job.step.stdout}"
    assert named in job.step.stdout + job.step.stderr


def test_a_job_whose_steps_broke_off_does_not_pass(runner: Runner) -> None:
    assert runner._step("verdict", {}).returncode == 3


def test_inputs_are_data_and_never_code(tmp_path: Path) -> None:
    runner = Runner(tmp_path, recording)
    runner.run(
        paths=f"a b\n{HOSTILE}\n-x",
        args=f"--set\nKEY_AWS_001.max_age_days=45\n\n{HOSTILE}",
        config=HOSTILE,
        baseline=HOSTILE,
        fail_on=HOSTILE,
        sarif=HOSTILE,
    )
    (arguments,) = calls(runner.bin)
    assert arguments[arguments.index("--") + 1 :] == ["a b", HOSTILE, "-x"]
    assert arguments[arguments.index("--set") :][:3] == ["--set", "KEY_AWS_001.max_age_days=45", HOSTILE]
    for option in ("--config", "--baseline", "--fail-on"):
        assert arguments[arguments.index(option) + 1] == HOSTILE
    assert f"sarif={HOSTILE}" in arguments
    assert not list(tmp_path.rglob("pwned"))


def test_the_workflow_of_the_readme(tmp_path: Path) -> None:
    text = snippet("github")
    path = tmp_path / "workflow.yml"
    path.write_text(text, encoding="utf-8")
    validate("github-workflows", path)
    assert f"- uses: keyrules/keyrules@{version()}\n" in text


def test_the_gitlab_template_is_valid(tmp_path: Path) -> None:
    validate("gitlab-ci", PROJECT / ".gitlab-ci-template.yml")
    path = tmp_path / ".gitlab-ci.yml"
    path.write_text(snippet("gitlab"), encoding="utf-8")
    validate("gitlab-ci", path)
    url = f"https://raw.githubusercontent.com/keyrules/keyrules/{version()}/.gitlab-ci-template.yml"
    assert yaml.safe_load(path.read_text(encoding="utf-8")) == {"include": [{"remote": url}]}
    assert GITLAB["keyrules"]["variables"]["KEYRULES_VERSION"] == version()
    assert url in (PROJECT / ".gitlab-ci-template.yml").read_text(encoding="utf-8")


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


def test_the_gitlab_job_leaves_the_reports_that_it_promises(tmp_path: Path) -> None:
    done = gitlab(tmp_path, real)
    assert done.returncode == 1, done.stderr
    assert GITLAB["keyrules"]["artifacts"]["when"] == "always"
    reports = GITLAB["keyrules"]["artifacts"]["reports"]
    assert json.loads((tmp_path / "work" / reports["codequality"]).read_text())
    assert json.loads((tmp_path / "work" / reports["sast"]).read_text())["vulnerabilities"]
    assert "<testsuites" in (tmp_path / "work" / reports["junit"]).read_text()


def test_variables_of_the_gitlab_job_are_data_and_never_code(tmp_path: Path) -> None:
    gitlab(tmp_path, recording, KEYRULES_PATHS=f"a b\n*\n{HOSTILE}", KEYRULES_ARGS="--fail-on\nhigh")
    (arguments,) = calls(tmp_path / "venv/bin")
    assert arguments[arguments.index("--fail-on") :] == ["--fail-on", "high", "--", "a b", "*", HOSTILE]
    assert not list(tmp_path.rglob("pwned"))


def test_the_jenkins_stage(tmp_path: Path) -> None:
    text = snippet("jenkins")
    install, scan = re.findall(r"^\s*sh '(.*)'$", text, re.MULTILINE)
    assert f"/archive/{version()}.tar.gz" in install
    mark = planted(tmp_path / "work")
    real(tmp_path / "work@tmp/keyrules/bin")
    done = bash(scan, tmp_path / "work", {"WORKSPACE_TMP": str(tmp_path / "work@tmp")})
    assert done.returncode == 1, done.stderr
    (report,) = re.findall(r"junit '(.*)'", text)
    assert "<failure" in (tmp_path / "work" / report).read_text(encoding="utf-8")
    assert not mark.exists()


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


def test_the_atlantis_step(tmp_path: Path) -> None:
    steps = yaml.safe_load(snippet("atlantis"))["workflows"]["default"]["plan"]["steps"]
    assert steps[:3] == ["init", "plan", "show"]
    real(tmp_path / "bin")
    write(tmp_path, {"etc.yaml": "{}", ".keyrules.yaml": "rules: {KEY_AWS_010: off}\n"})
    environment = {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "SHOWFILE": str(PLAN)}
    done = bash(steps[3]["run"].replace("/etc/keyrules/keyrules.yaml", "etc.yaml"), tmp_path, environment)
    assert done.returncode == 1, done.stderr
    assert "KEY_AWS_010" in done.stdout


@pytest.mark.parametrize(("shown", "code"), [(f"cat {PLAN}", 1), ("exit 1", 2)])
def test_the_plan_step(tmp_path: Path, shown: str, code: int) -> None:
    """A plan that cannot be shown is not a plan without findings."""
    real(tmp_path / "bin")
    program(tmp_path / "bin/terraform", f'#!/bin/sh\ncase "$1" in show) {shown} ;; esac\n')
    done = bash(snippet("terraform"), tmp_path, {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"})
    assert done.returncode == code, done.stderr


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
    program(
        tmp_path / "bin/keyrules", f"#!/bin/sh\nPYTHONPATH={PROJECT}/src exec {sys.executable} -m keyrules.cli dirs\n"
    )
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
