"""Command line beats file beats default, option by option; where the file is found; what its names are relative to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from canaries import assert_no_leak, make_canary
from credential_reports import ROOT, key, line, report
from scanning import AS_OF, PROJECT, write

from keyrules import cli
from keyrules.cli import main
from keyrules.model import Plane, UsageError
from keyrules.pack.catalog import load_pack
from keyrules.run.configuration.boundary import find_configuration

FILE = ".keyrules.yaml"
STALE = report(line(ROOT, mfa_active="true"), line("ann", **key(1, 91, used=1)), line("bob", **key(1, 10, used=1)))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a report in which one key is 91 days old: KEY_AWS_001, LOW."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "report.csv").write_bytes(STALE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capfd: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = main(argv)
    out, err = capfd.readouterr()
    return code, out, err


def audit(capfd: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    return run(capfd, "audit", "report.csv", "--as-of", AS_OF, *argv)


def failed(capfd: pytest.CaptureFixture[str], *argv: str) -> set[str]:
    """The rules that fail on the report."""
    code, out, err = audit(capfd, "--format", "json", *argv)
    # Rules that are asked for and need more than a report are UNKNOWN.
    assert (code in (0, 1, 3), err) == (True, "")
    return {finding["rule"] for finding in json.loads(out)["findings"] if finding["status"] == "FAIL"}


def in_force(capfd: pytest.CaptureFixture[str], *argv: str, command: str = "scan") -> dict[str, Any]:
    code, out, err = run(capfd, "config", "--format", "json", *argv)
    assert (code, err) == (0, "")
    found: dict[str, Any] = json.loads(out)["commands"][command]
    return found


CASES: list[tuple[str, object, str, object, list[str], object]] = [
    ("framework", None, "framework: cis_aws_3.0.0", "cis_aws_3.0.0", ["--framework", "cis_aws_7.0.0"], "cis_aws_7.0.0"),
    ("framework", None, "framework: cis_aws_3.0.0", "cis_aws_3.0.0", ["--rule", "KEY_AWS_001"], None),
    ("framework", None, "framework: cis_aws_3.0.0", "cis_aws_3.0.0", ["--control", "cis_aws_7.0.0:2.12"], None),
    ("fail_on", "low", "fail_on: high", "high", ["--fail-on", "medium"], "medium"),
    ("exclude", [], "exclude: [a/**]", ["a/**"], ["--exclude", "b", "--exclude", "c"], ["b", "c"]),
    ("exceptions", None, "exceptions: x.yaml", "x.yaml", ["--exceptions", "y.yaml"], "y.yaml"),
    ("strict_exceptions", False, "strict_exceptions: on", True, ["--no-strict-exceptions"], False),
    ("strict_exceptions", False, "strict_exceptions: off", False, ["--strict-exceptions"], True),
]


class TestPrecedence:
    @pytest.mark.parametrize(("name", "default", "text", "of_file", "options", "of_line"), CASES)
    def test_each_option(
        self,
        capfd: pytest.CaptureFixture[str],
        name: str,
        default: object,
        text: str,
        of_file: object,
        options: list[str],
        of_line: object,
    ) -> None:
        for file in ("x.yaml", "y.yaml"):
            Path(file).write_text("exceptions: []\n")
        assert in_force(capfd)["settings"][name] == {"value": default, "from": "default"}
        Path(FILE).write_text(f"max_exception_days: 30\n{text}\n")
        assert in_force(capfd)["settings"][name] == {"value": of_file, "from": f"{FILE}:2"}
        assert in_force(capfd, *options)["settings"][name] == {"value": of_line, "from": "command line"}
        assert in_force(capfd, "--no-config")["settings"][name] == {"value": default, "from": "default"}

    def test_every_setting_has_a_case(self, capfd: pytest.CaptureFixture[str]) -> None:
        elsewhere = {
            "format",
            "baseline",
            "max_exception_days",
            "overrides",
            "longest_cycle_days",
            "longest_cycles",
            "owners",
        }
        assert set(in_force(capfd)["settings"]) == {case[0] for case in CASES} | elsewhere

    def test_formats(self, capfd: pytest.CaptureFixture[str]) -> None:
        Path(FILE).write_text("format: [json]\naudit:\n  format: [csv=audit.csv, text=-]\n")
        assert in_force(capfd)["settings"]["format"] == {"value": ["json"], "from": f"{FILE}:1"}
        assert audit(capfd)[1].startswith("LOW")
        assert Path("audit.csv").read_text().count("KEY_AWS_001,LOW,FAIL") == 1
        Path("audit.csv").unlink()
        assert audit(capfd, "--format", "json")[1].startswith("{")
        assert not Path("audit.csv").exists()

    def test_max_exception_days(self, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cli, "current_time", lambda: datetime.fromisoformat(AS_OF.replace("Z", "+00:00")))
        entry = {"rule": "KEY_AWS_001", "subject": "ann", "reason": "r", "owner": "o", "expires": "2026-08-01"}
        Path("x.yaml").write_text(json.dumps({"exceptions": [entry]}))
        Path(FILE).write_text("exceptions: x.yaml\n")
        assert audit(capfd)[0] == 0
        Path(FILE).write_text("exceptions: x.yaml\nmax_exception_days: 60\n")
        code, _, err = audit(capfd)
        assert code == 2 and "`expires` is 2026-08-01, 61 days away" in err
        assert run(capfd, "exceptions", "--as-of", AS_OF)[0] == 2
        assert in_force(capfd)["settings"]["max_exception_days"] == {"value": 60, "from": f"{FILE}:2"}

    def test_baseline(self, capfd: pytest.CaptureFixture[str]) -> None:
        assert audit(capfd, "--format", "json=before.json")[0] == 1
        Path(FILE).write_text("audit:\n  baseline: before.json\n")
        assert audit(capfd)[0] == 0
        assert in_force(capfd, command="audit")["settings"]["baseline"]["from"] == f"{FILE}:2"
        assert in_force(capfd)["settings"]["baseline"] == {"value": None, "from": "default"}
        assert audit(capfd, "--no-config")[0] == 1

    def test_fail_on_decides_the_exit_code(self, capfd: pytest.CaptureFixture[str]) -> None:
        assert audit(capfd)[0] == 1
        Path(FILE).write_text("fail_on: medium\n")
        assert audit(capfd)[0] == 0
        assert audit(capfd, "--fail-on", "low")[0] == 1
        assert audit(capfd, "--no-config")[0] == 1
        Path(FILE).write_text("fail_on: medium\naudit: {fail_on: low}\n")
        assert audit(capfd)[0] == 1


class TestRules:
    def test_off_on_and_thresholds(self, capfd: pytest.CaptureFixture[str]) -> None:
        assert failed(capfd) == {"KEY_AWS_001"}
        Path(FILE).write_text("rules: {KEY_AWS_001: off}\n")
        assert failed(capfd) == set()
        Path(FILE).write_text("rules: {KEY_AWS_007: on}\n")
        assert failed(capfd) == {"KEY_AWS_001", "KEY_AWS_007"}
        Path(FILE).write_text("rules: {KEY_AWS_001: {max_age_days: 91}}\n")
        assert failed(capfd) == set()

    def test_rule_replaces_the_choice_of_the_file(self, capfd: pytest.CaptureFixture[str]) -> None:
        Path(FILE).write_text("rules: {KEY_AWS_001: off, KEY_AWS_007: on}\n")
        assert failed(capfd, "--rule", "KEY_AWS_001") == {"KEY_AWS_001"}
        assert failed(capfd, "--framework", "cis_aws_3.0.0") == {"KEY_AWS_001"}
        assert failed(capfd, "--control", "cis_aws_3.0.0:1.14") == {"KEY_AWS_001"}

    def test_skip_rule_adds_to_it(self, capfd: pytest.CaptureFixture[str]) -> None:
        Path(FILE).write_text("rules: {KEY_AWS_007: on}\n")
        assert failed(capfd, "--skip-rule", "KEY_AWS_001") == {"KEY_AWS_007"}
        rules = in_force(capfd, "--skip-rule", "KEY_AWS_001")["rules"]
        assert (rules["KEY_AWS_001"]["runs"], rules["KEY_AWS_001"]["from"]) == (False, "command line")
        assert (rules["KEY_AWS_007"]["runs"], rules["KEY_AWS_007"]["from"]) == (True, f"{FILE}:1")
        assert (rules["KEY_AWS_002"]["runs"], rules["KEY_AWS_002"]["from"]) == (True, "default")

    def test_set_wins_one_by_one(self, capfd: pytest.CaptureFixture[str]) -> None:
        Path(FILE).write_text("rules:\n  KEY_AWS_001:\n    max_age_days: 91\n    slots: [1]\n")
        assert failed(capfd) == set()
        assert failed(capfd, "--set", "KEY_AWS_001.max_age_days=90") == {"KEY_AWS_001"}
        found = in_force(capfd, "--set", "KEY_AWS_001.max_age_days=90")["rules"]["KEY_AWS_001"]["parameters"]
        assert found == {
            "max_age_days": {"value": 90, "from": "command line"},
            "slots": {"value": [1], "from": f"{FILE}:4"},
        }

    def test_thresholds_turn_an_opt_in_rule_on(self, capfd: pytest.CaptureFixture[str]) -> None:
        Path(FILE).write_text("rules:\n  KEY_AWS_017:\n    max_age_days: 30\n")
        rule = in_force(capfd)["rules"]["KEY_AWS_017"]
        assert (rule["runs"], rule["from"]) == (True, f"{FILE}:3")
        assert in_force(capfd, "--rule", "KEY_AWS_001")["rules"]["KEY_AWS_017"]["runs"] is False

    def test_thresholds_win_over_those_of_a_framework(self, capfd: pytest.CaptureFixture[str]) -> None:
        Path(FILE).write_text("framework: cis_aws_3.0.0\nrules: {KEY_AWS_001: {max_age_days: 91}}\n")
        assert failed(capfd) == set()
        found = in_force(capfd)["rules"]
        assert found["KEY_AWS_001"]["parameters"]["max_age_days"] == {"value": 91, "from": f"{FILE}:2"}
        assert found["KEY_AWS_002"]["parameters"]["max_idle_days"]["from"] == "framework cis_aws_3.0.0"
        assert (found["KEY_AWS_007"]["runs"], found["KEY_AWS_007"]["from"]) == (False, f"{FILE}:1")

    def test_a_framework_adds_its_verdicts(self, capfd: pytest.CaptureFixture[str]) -> None:
        Path(FILE).write_text("audit: {framework: cis_aws_3.0.0}\n")
        assert json.loads(audit(capfd, "--format", "json")[1])["framework"]


class TestRefusals:
    @pytest.mark.parametrize(
        ("text", "options", "says"),
        [
            ("fail_on: x", [], f"{FILE}, line 1: `fail_on` has 'x'; allowed: low, medium, high, critical."),
            (
                "framework: cis_aws_3.0.0",
                ["--skip-rule", "KEY_AWS_001"],
                f"{FILE}:1: `framework` chooses the rules; leave --skip-rule out, or choose the rules with --rule",
            ),
            (
                "exceptions: absent.yaml",
                [],
                f"{FILE}:1: `exceptions` names absent.yaml, which does not exist; name a file that does",
            ),
            (
                "audit:\n  baseline: absent.json",
                [],
                f"{FILE}:2: `baseline` names absent.json, which does not exist; name a file that does",
            ),
            ("format: [text, json]", [], f"{FILE}:1: --format: text and json would both go to standard output;"),
            ("format: [json=absent/x]", [], f"{FILE}:1: --format: the directory of absent/x does not exist;"),
            ("", ["--config", "absent.yaml"], "--config: absent.yaml does not exist; name a configuration file"),
            ("", ["--config", ""], "--config: the empty name does not exist;"),
            ("", ["--config", "."], ". cannot be read: Is a directory."),
            (
                "",
                ["--config", FILE, "--no-config"],
                "--config names a file and --no-config reads none; give one of them",
            ),
        ],
    )
    def test_one_sentence_and_nothing_written(
        self, capfd: pytest.CaptureFixture[str], text: str, options: list[str], says: str
    ) -> None:
        Path(FILE).write_text(text)
        before = sorted(Path().iterdir())
        code, out, err = audit(capfd, *options)
        assert (code, out) == (2, "")
        assert err.startswith(f"keyrules: {says}") and err.count("\n") == 1
        assert sorted(Path().iterdir()) == before

    @pytest.mark.parametrize("command", [["scan"], ["audit", "report.csv"], ["config"], ["exceptions"]])
    def test_every_command_reads_it(self, capfd: pytest.CaptureFixture[str], command: list[str]) -> None:
        Path(FILE).write_text("fial_on: high\n")
        code, out, err = run(capfd, *command)
        assert (code, out) == (2, "")
        assert f"{FILE}, line 1: `fial_on` is an unknown key, perhaps meant as `fail_on`" in err
        assert run(capfd, *command, "--no-config")[0] in (0, 1)

    def test_every_rule_off(self, capfd: pytest.CaptureFixture[str]) -> None:
        Path(FILE).write_text("\n".join(["rules:", *(f"  {rule.id}: off" for rule in load_pack().rules)]))
        code, _, err = audit(capfd)
        assert code == 2 and err.startswith(f"keyrules: {FILE}: every rule is off, so there is nothing to evaluate")

    def test_no_rule_of_the_plane_left(self, capfd: pytest.CaptureFixture[str]) -> None:
        of_code = [rule.id for rule in load_pack().rules if Plane.CODE in rule.planes]
        Path(FILE).write_text("\n".join(["rules:", *(f"  {rule}: off" for rule in of_code)]))
        code, _, err = run(capfd, "scan", ".")
        assert code == 2 and err.startswith(f"keyrules: {FILE}: KEY_AWS_002, KEY_AWS_012,")

    def test_a_baseline_that_is_about_to_be_written(self, capfd: pytest.CaptureFixture[str]) -> None:
        Path(FILE).write_text("audit: {baseline: known.json}\n")
        assert audit(capfd)[0] == 2
        assert audit(capfd, "--write-baseline", "known.json")[0] == 0
        assert audit(capfd)[0] == 0

    def test_an_unreadable_file(self, capfd: pytest.CaptureFixture[str]) -> None:
        Path(FILE).symlink_to("nowhere")
        code, _, err = audit(capfd)
        assert code == 2 and err == f"keyrules: {FILE} cannot be read: No such file or directory.\n"

    def test_no_secret(self, capfd: pytest.CaptureFixture[str]) -> None:
        canary = make_canary("merge")
        Path(FILE).write_text(f"fail_on: {canary.secret}\n")
        assert_no_leak([("standard error", audit(capfd)[2])], [canary])


class TestWhereItIsFound:
    def test_upwards(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        below = write(folder, {"a/b/c/x": ""}) / "a/b/c"
        monkeypatch.chdir(below)
        assert find_configuration().path is None
        write(folder, {FILE: "{}"})
        assert find_configuration().path == folder / FILE
        write(folder, {f"a/b/{FILE}": "{}"})
        assert find_configuration().path == folder / "a/b" / FILE
        monkeypatch.chdir(folder / "a")
        assert find_configuration().path == folder / FILE

    def test_the_root_of_a_repository_ends_the_search(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write(folder, {FILE: "{}", "inner/.git": "gitdir: elsewhere", "inner/a/x": ""})
        monkeypatch.chdir(folder / "inner/a")
        assert find_configuration().path is None
        write(folder, {f"inner/{FILE}": "{}"})
        assert find_configuration().path == folder / "inner" / FILE

    @pytest.mark.parametrize("place", [".", "a"])
    def test_the_other_ending_is_refused_and_not_passed_over(
        self, folder: Path, place: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(folder, {"a/x": "", ".keyrules.yml": "{}"})
        monkeypatch.chdir(folder / place)
        with pytest.raises(UsageError, match=r"is not read; rename it to \.keyrules\.yaml, or give --no-config"):
            find_configuration()

    def test_names_are_relative_to_its_folder(
        self, folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        text = "exceptions: sub/accepted.yaml\naudit:\n  format: [csv=out.csv]\n"
        write(folder, {FILE: text, "sub/accepted.yaml": "exceptions: []\n", "sub/report.csv": STALE})
        monkeypatch.chdir(folder / "sub")
        assert audit(capfd)[0] == 1
        assert (folder / "out.csv").exists() and not (folder / "sub/out.csv").exists()
        found = in_force(capfd)["settings"]
        assert found["exceptions"] == {"value": "../sub/accepted.yaml", "from": f"../{FILE}:1"}

    def test_config_names_another_file(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        write(folder, {FILE: "fail_on: nonsense", "ci/strict.yaml": "fail_on: high\naudit: {format: [csv=o.csv]}\n"})
        assert audit(capfd, "--config", "ci/strict.yaml")[0] == 0
        assert (folder / "ci/o.csv").exists()
        assert in_force(capfd, "--config", "ci/strict.yaml")["settings"]["fail_on"]["from"] == "ci/strict.yaml:1"

    def test_exceptions_beside_it(
        self, folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        entry = {"rule": "KEY_AWS_001", "subject": "ann", "reason": "r", "owner": "o", "expires": "2026-08-01"}
        exceptions = json.dumps({"exceptions": [entry]})
        write(folder, {".keyrules-exceptions.yaml": exceptions, "sub/report.csv": STALE})
        monkeypatch.chdir(folder / "sub")
        assert audit(capfd)[0] == 1
        write(folder, {FILE: "{}"})
        assert audit(capfd)[0] == 0


def test_without_a_file_nothing_of_it_is_imported(folder: Path) -> None:
    (folder / "main.tf").write_text("locals {}\n")
    program = (
        "import sys; from keyrules.cli import main; code = main(['scan', '--quiet']); "
        "print(code, sorted(n for n in sys.modules if n.startswith('keyrules.run.configuration.file')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(PROJECT / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "0 []"
