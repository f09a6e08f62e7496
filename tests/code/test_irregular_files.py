"""Pipes and devices where files are expected: no run waits for one, and none that matters is passed over."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from scanning import FIXTURES, PROJECT, run, scan, write

from keyrules.files import is_given_pipe, read_named, read_regular

KEY = 'resource "aws_iam_access_key" "k" {\n  user = "svc"\n}\n'
SENTENCE = "Cannot be read: it is a pipe or a device and no regular file"
PLAN = next(path for path in sorted(FIXTURES.rglob("*.json")) if b'"planned_values"' in path.read_bytes())


@pytest.mark.parametrize("name", ["p.tf", "p.tf.json", "p.tofu", "terraform.tfvars", "x.auto.tfvars.json"])
def test_a_pipe_that_terraform_would_read_is_an_error_and_the_rest_is_evaluated(tmp_path: Path, name: str) -> None:
    write(tmp_path, {"main.tf": KEY})
    os.mkfifo(tmp_path / name)
    for path in (".", "main.tf"):
        done = scan(tmp_path, "--timeout", "60", paths=[path])
        assert (done.code, done.errors()) == (3, {name: SENTENCE})
        assert done.status("KEY_AWS_001", "aws_iam_access_key.k") == "FAIL"


def test_a_pipe_alone_may_declare_anything(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "main.tf")
    (tmp_path / "zero.tf").symlink_to("/dev/zero")
    done = scan(tmp_path)
    assert (done.code, done.errors()) == (3, {"main.tf": SENTENCE, "zero.tf": SENTENCE})


def test_a_pipe_in_a_called_module(tmp_path: Path) -> None:
    write(tmp_path, {"root/main.tf": 'module "m" {\n  source = "../m"\n}\n', "m/main.tf": KEY})
    os.mkfifo(tmp_path / "m" / "p.tf")
    done = scan(tmp_path, paths=["root"])
    assert (done.code, done.errors()) == (3, {"m/p.tf": SENTENCE})


def test_other_pipes_are_left_out(tmp_path: Path) -> None:
    for name in ("p.yaml", "plan.json", "values.tfvars"):
        os.mkfifo(tmp_path / name)
    assert run("scan", ".", cwd=tmp_path).code == 0


@pytest.mark.parametrize(
    ("name", "options"),
    [
        (".keyrules.yaml", ()),
        (".keyrules-exceptions.yaml", ()),
        ("known.json", ("--baseline", "known.json")),
        ("own.yaml", ("--config", "own.yaml")),
        ("own.yaml", ("--exceptions", "own.yaml")),
    ],
)
def test_a_pipe_that_nobody_writes_to_is_refused_by_name(tmp_path: Path, name: str, options: tuple[str, ...]) -> None:
    write(tmp_path, {"main.tf": KEY})
    os.mkfifo(tmp_path / name)
    done = run("scan", *options, cwd=tmp_path)
    assert done.code == 2
    assert f"{name} cannot be read: it is a pipe or a device and no regular file" in done.stderr


def test_only_pipes_that_the_process_was_given_are_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reading, writing = os.pipe()
    os.write(writing, b"content")
    os.close(writing)
    given = f"/dev/fd/{reading}"
    assert (is_given_pipe(given), is_given_pipe(str(tmp_path / "pipe"))) == (True, False)
    assert not is_given_pipe("/dev/fd/99999")
    assert read_named(given) == b"content"
    for path in (str(tmp_path / "pipe"), "/dev/zero"):
        with pytest.raises(OSError, match="no regular file"):
            read_named(path)
    with pytest.raises(OSError, match="no regular file"):
        read_regular(given)
    os.close(reading)


def in_bash(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """`script` with `keyrules` as this checkout's, and $PLAN as a plan."""
    line = f'keyrules() {{ "{sys.executable}" -m keyrules "$@"; }}\n{script}'
    environment = {**os.environ, "PYTHONPATH": str(PROJECT / "src"), "PLAN": str(PLAN)}
    return subprocess.run(
        ["bash", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300
    )


def test_a_plan_comes_through_process_substitution(tmp_path: Path) -> None:
    by_name = in_bash('keyrules scan "$PLAN"', tmp_path)
    piped = in_bash('keyrules scan --exclude "*.json" <(cat "$PLAN")', tmp_path)
    assert piped.returncode == by_name.returncode and piped.stderr == ""
    assert piped.stdout.splitlines()[-1] == by_name.stdout.splitlines()[-1]
    assert "/dev/fd/" in piped.stdout and "keyrules-" not in piped.stdout


def test_two_plans_at_once(tmp_path: Path) -> None:
    both = in_bash('keyrules scan --format json <(cat "$PLAN") - < "$PLAN"', tmp_path)
    assert '"name": "<stdin>"' in both.stdout and '"name": "/dev/fd/' in both.stdout


def test_what_comes_through_a_pipe_and_is_no_plan_is_refused(tmp_path: Path) -> None:
    done = in_bash("keyrules scan <(echo text)", tmp_path)
    assert done.returncode == 2 and "is no plan in JSON" in done.stderr and "text" not in done.stderr


def test_the_configuration_may_come_through_process_substitution(tmp_path: Path) -> None:
    write(tmp_path, {"main.tf": KEY})
    done = in_bash("keyrules scan --config <(echo 'fail_on: critical') --exceptions <(echo 'exceptions: []')", tmp_path)
    assert done.returncode == 0, done.stderr
