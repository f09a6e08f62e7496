"""`keyrules config`: the values in force, where each comes from, and refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from scanning import write

from keyrules.cli import main
from keyrules.pack.catalog import load_pack

FILE = ".keyrules.yaml"
TEXT = """\
rules:
  KEY_AWS_007: on
  KEY_AWS_006: off
  KEY_AWS_001: {max_age_days: 60}
fail_on: high
audit:
  fail_on: low
  format: [json, csv=audit.csv]
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shown(capfd: pytest.CaptureFixture[str], *argv: str) -> dict[str, list[str]]:
    """The columns of each line by its first word."""
    assert main(["config", *argv]) == 0
    out, err = capfd.readouterr()
    assert err == "" and all(line == line.rstrip() for line in out.splitlines())
    rows = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in out.splitlines() if line]
    return {row[0]: row[1:] for row in rows}


class TestText:
    def test_without_a_file(self, capfd: pytest.CaptureFixture[str]) -> None:
        rows = shown(capfd)
        assert "configuration file: none" in rows
        assert rows["fail_on"] == ["low", "default"]
        assert rows["format"] == ["text", "default"]
        assert rows["max_exception_days"] == ["365", "default"]
        assert rows["strict_exceptions"] == ["off", "default"]
        assert rows["KEY_AWS_001"] == ["yes", "default", "max_age_days=90, slots=1,2"]
        assert rows["KEY_AWS_007"] == ["no", "default"]
        assert {rule.id for rule in load_pack().rules} <= rows.keys()

    def test_with_a_file_and_options(self, capfd: pytest.CaptureFixture[str]) -> None:
        Path(FILE).write_text(TEXT)
        rows = shown(capfd, "--skip-rule", "KEY_AWS_003", "--set", "KEY_AWS_001.slots=1")
        assert f"configuration file: {FILE}" in rows
        assert rows["scan.fail_on"] == ["high", f"{FILE}:5"]
        assert rows["audit.fail_on"] == ["low", f"{FILE}:7"]
        assert rows["scan.format"] == ["text", "default"]
        assert rows["audit.format"] == ["json, csv=audit.csv", f"{FILE}:8"]
        assert rows["KEY_AWS_001"] == ["yes", "default", f"max_age_days=60 ({FILE}:4), slots=1 (command line)"]
        assert rows["KEY_AWS_003"] == ["no", "command line", "overlap_days=0"]
        assert rows["KEY_AWS_006"] == ["no", f"{FILE}:3", "grace_days=30"]
        assert rows["KEY_AWS_007"] == ["yes", f"{FILE}:2"]

    def test_options_of_the_command_line(self, capfd: pytest.CaptureFixture[str]) -> None:
        rows = shown(capfd, "--fail-on", "high", "--rule", "KEY_AWS_005", "--exclude", "a/**")
        assert rows["fail_on"] == ["high", "command line"]
        assert rows["exclude"] == ["a/**", "command line"]
        assert rows["KEY_AWS_005"] == ["yes", "command line"]
        assert rows["KEY_AWS_001"][:2] == ["no", "command line"]

    def test_a_framework_of_one_command(self, capfd: pytest.CaptureFixture[str]) -> None:
        Path(FILE).write_text("audit: {framework: cis_aws_3.0.0}\n")
        rows = shown(capfd)
        assert rows["scan.KEY_AWS_010"] == ["yes", "default"]
        assert rows["audit.KEY_AWS_010"] == ["no", f"{FILE}:1"]
        assert rows["scan.framework"] == ["none", "default"]

    def test_what_only_one_command_would_refuse(self, capfd: pytest.CaptureFixture[str]) -> None:
        Path(FILE).write_text("scan: {format: [json=absent/x]}\n")
        rows = shown(capfd)
        refusal = next(key for key in rows if key.startswith("keyrules scan would refuse this: "))
        assert f"{FILE}:1: --format: the directory of absent/x does not exist" in refusal
        assert rows["audit.fail_on"] == ["low", "default"]

    def test_names_cannot_take_over_the_terminal(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        write(folder, {"\x1b[31m.yaml": 'exclude: ["a\u202e"]'})
        assert main(["config", "--config", "\x1b[31m.yaml"]) == 0
        out = capfd.readouterr().out
        assert "\x1b" not in out and "\u202e" not in out and "\\x1b[31m.yaml:1" in out


class TestJson:
    def test_the_same_bytes_again(self, capfd: pytest.CaptureFixture[str]) -> None:
        Path(FILE).write_text(TEXT)
        assert main(["config", "--format", "json"]) == 0
        first = capfd.readouterr().out
        assert main(["config", "--format", "json"]) == 0
        assert capfd.readouterr().out == first
        document = json.loads(first)
        assert (document["schema"], document["file"]) == ("keyrules-config/1", FILE)
        assert document["commands"].keys() == {"scan", "audit"}
        assert document["commands"]["scan"]["rules"]["KEY_AWS_001"] == {
            "runs": True,
            "from": "default",
            "parameters": {
                "max_age_days": {"value": 60, "from": f"{FILE}:4"},
                "slots": {"value": [1, 2], "from": "default"},
            },
        }

    def test_a_refusal_of_one_command(self, capfd: pytest.CaptureFixture[str]) -> None:
        Path(FILE).write_text("audit: {format: [json=absent/x]}\n")
        assert main(["config", "--format", "json"]) == 0
        commands = json.loads(capfd.readouterr().out)["commands"]
        assert commands["audit"]["refused"].startswith(f"{FILE}:1: --format:")
        assert commands["scan"]["settings"]


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        ("fail_on: [", [], f"{FILE}, line "),
        ("fail_on: x", [], f"{FILE}, line 1: `fail_on` has 'x'; allowed:"),
        ("format: [json=absent/x]", [], f"{FILE}:1: --format: the directory of absent/x does not exist"),
        ("{}", ["--format", "sarif"], "--format: keyrules config cannot print 'sarif'; use one of text, json"),
        ("{}", ["--rule", "KEY_AWS_999"], "There is no rule 'KEY_AWS_999'"),
        ("{}", ["--exclude", "../x"], "--exclude: '../x' is not a glob"),
        ("{}", ["--fail-on", "x"], "--fail-on: 'x' is not a severity"),
    ],
)
def test_refusals(capfd: pytest.CaptureFixture[str], text: str, options: list[str], says: str) -> None:
    Path(FILE).write_text(text)
    assert main(["config", *options]) == 2
    out, err = capfd.readouterr()
    assert out == "" and err.startswith(f"keyrules: {says}") and err.count("\n") == 1


def test_the_schema_needs_no_right_file(capfd: pytest.CaptureFixture[str]) -> None:
    Path(FILE).write_text("fail_on: x")
    assert main(["config", "--schema"]) == 0
    assert json.loads(capfd.readouterr().out)["type"] == "object"
