"""The ready-made pipeline pieces: each valid by its platform's published schema, and its shell run on the fixtures.

What only the platform can do is left out: fetching other actions, and showing what the pieces hand over.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from pipelines import (
    ACTION,
    AS_OF,
    GITLAB,
    HOSTILE,
    PLAN,
    Runner,
    bash,
    calls,
    gitlab,
    planted,
    program,
    real,
    recording,
    version,
)
from readme import PROJECT, snippet
from scanning import write


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
