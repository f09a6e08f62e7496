"""The lines of source that a report shows: the first of what fails, and never a secret."""

from __future__ import annotations

from pathlib import Path

import pytest
from canaries import assert_no_leak, make_canary
from scanning import run, write

from keyrules.code.source_lines import source_lines
from keyrules.model import Finding, Location, Plane, Severity, Status


def finding(path: str, line: int, rule: str = "KEY_AWS_001", status: Status = Status.FAIL) -> Finding:
    where = Location(path, line, line, "aws_iam_access_key.x")
    return Finding(rule, Severity.LOW, status, Plane.CODE, "", "", "", location=where)


def test_only_what_fails_has_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.tf").write_bytes(b"one\r\n  two {\r\n" + b"x" * 200)
    found = [
        finding("a.tf", 2),
        finding("a.tf", 1, status=Status.UNKNOWN),
        finding("a.tf", 3),
        finding("a.tf", 9),
        finding("a.tf", 0),
        finding("a.tf", 1, rule="KEY_AWS_011"),
        finding("gone.tf", 1),
    ]
    assert source_lines(found) == {"a.tf:2": "two {"}


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (
            'resource "aws_lambda_function" "f" { environment { P = "hunter2" } }',
            'resource "aws_lambda_function" "f" {',
        ),
        ('  value = "hunter2"', "value ="),
        ("  Password: hunter2", "Password:"),
        ('  "Key": {"Type": "AWS::IAM::AccessKey", "Password": "hunter2"}', '"Key":'),
        ('{"Resources": {"Key": {"Password": "hunter2"}}}', "{"),
        ("- hunter2", None),
    ],
)
def test_only_what_names_a_block_is_shown_and_no_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, shown: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.tf").write_text(f"{line}\n", encoding="utf-8")
    assert source_lines([finding("a.tf", 1)]) == ({} if shown is None else {"a.tf:1": shown})


def test_a_secret_on_the_line_is_not_shown(tmp_path: Path) -> None:
    canary = make_canary("line")
    write(
        tmp_path,
        {
            "main.tf": 'resource "aws_iam_access_key" "x" {\n  user = "x"\n}\n'
            f'output "y" {{ value = [aws_iam_access_key.x.secret, "{canary.secret}"] }}\n'
        },
    )
    for rules in ((), ("--rule", "KEY_AWS_009")):
        done = run("scan", "--output", "full", *rules, cwd=tmp_path)
        assert "output.y" in done.stdout
        assert_no_leak([("text", done.stdout + done.stderr)], [canary])
