"""The command line itself: bad input is one sentence and exit 2, exit codes mean what they say, output is whole."""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from scanning import AS_OF, PROJECT, Scanned, run, scan, write

from keyrules.catalog import load_pack
from keyrules.cli import main
from keyrules.command_options import report_options
from keyrules.iac.scan import ScanRequest
from keyrules.iac.scan import scan as evaluate
from keyrules.model import Evaluation

# One finding of each severity: 001 is LOW, 008 MEDIUM, 009 HIGH, 005 CRITICAL.
LOW = """\
resource "aws_iam_access_key" "low" {
  user    = "svc"
  pgp_key = "keybase:ops"
}
"""
MEDIUM = LOW.replace('"low"', '"medium"').replace('  pgp_key = "keybase:ops"\n', "")
HIGH = MEDIUM.replace('"medium"', '"high"') + 'output "o" {\n  value = aws_iam_access_key.high.secret\n}\n'
CRITICAL = LOW.replace('"low"', '"critical"').replace('"svc"', '"root"')
SEVERITIES = ("low", "medium", "high", "critical")
SIXTY_DAYS = """\
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


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its content."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a clean file, a key, and a copy of the pack."""
    write(tmp_path, {"clean/main.tf": 'resource "aws_vpc" "v" {}\n', "key/main.tf": LOW})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(capfd: pytest.CaptureFixture[str], *arguments: str, code: int = 2) -> str:
    """Runs the command line in this process and returns its one sentence."""
    assert main(list(arguments)) == code
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("keyrules: ") and err.endswith("\n") and err.count("\n") == 1
    assert "Traceback" not in err and err.rstrip("\n").isprintable()
    return err


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the pack, for tests that damage it and mend it again."""
    copy = tmp_path_factory.mktemp("pack")
    shutil.copytree(PROJECT / "checks", copy / "checks", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(PROJECT / "rules", copy / "rules")
    return copy


class TestRefusals:
    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["scan", "absent"], "absent does not exist"),
            (["scan", "clean", "absent"], "absent does not exist"),
            (["scan", "clean/main.tf/below"], "cannot be read: Not a directory"),
            (["scan", "a\nb\x1b[31m\u202e\udcff"], r"a\nb\x1b[31m\u202e\xff does not exist"),
            (["scan", "n" * 300], "cannot be read: File name too long"),
            (["scan", ""], "one of the paths is empty"),
            (["scan", "/dev/null"], "neither a folder nor a file"),
            (["scan", "-", "-"], "can be given once"),
            (["scan", "--rule", "KEY_AWS_999"], "There is no rule 'KEY_AWS_999'"),
            (["scan", "--rule", "key_aws_001"], "did you mean KEY_AWS_001?"),
            (["scan", "--rule", "KEY_AWS_001,KEY_AWS_003"], "There is no rule"),
            (["scan", "--skip-rule", "KEY_AWS_999"], "There is no rule 'KEY_AWS_999'"),
            (["scan", "--rule", "KEY_AWS_001", "--skip-rule", "KEY_AWS_001"], "No rule is left"),
            (["scan", "--rule", "KEY_AWS_012"], "KEY_AWS_012 cannot be evaluated on code"),
            (["scan", "--set", "KEY_AWS_999.x=1"], "There is no rule 'KEY_AWS_999'"),
            (["scan", "--set", "KEY_AWS_001.days=1"], "it has: max_age_days, slots"),
            (["scan", "--set", "KEY_AWS_001.max_age_days=soon"], "allowed: 1 or more days"),
            (["scan", "--set", "KEY_AWS_001.max_age_days=0"], "allowed: 1 or more days"),
            (["scan", "--set", "KEY_AWS_001.max_age_days=-1"], "allowed: 1 or more days"),
            (["scan", "--set", "KEY_AWS_001.max_age_days"], "not of the form"),
            (["scan", "--fail-on", "severe"], "use one of low, medium, high, critical"),
            (["scan", "--format", "yaml"], "yaml is not a format; use one of csv, json, sarif, text"),
            (["scan", "--format", "json="], "names no file"),
            (["scan", "--format", "json", "--format", "sarif"], "both go to standard output"),
            (["scan", "--format", "json=nowhere/x.json"], "the directory of nowhere/x.json does not exist"),
            (["scan", "--format", "json=clean"], "is a directory"),
            (["scan", "--as-of", "yesterday"], "'yesterday' is not a time"),
            (["scan", "--as-of", "2026-02-30"], "is not a time"),
            (["scan", "--as-of", "0001-01-01T00:00:00+23:00"], "is not a time"),
            (["scan", "--as-of", ""], "is not a time"),
            (["scan", "--timeout", "0"], "give a number of seconds"),
            (["scan", "--timeout", "-1"], "give a number of seconds"),
            (["scan", "--timeout", "nan"], "give a number of seconds"),
            (["scan", "--timeout", "inf"], "give a number of seconds"),
            (["scan", "--timeout", "1e30"], "give a number of seconds"),
            (["scan", "--timeout", "soon"], "invalid float value"),
            (["scan", "--frobnicate"], "unrecognized arguments: --frobnicate"),
            (["frobnicate"], "invalid choice: 'frobnicate'"),
            (["--frobnicate"], "--frobnicate"),
            (["rules", "KEY_AWS_999"], "There is no rule 'KEY_AWS_999'"),
            (["dirs", "more"], "unrecognized arguments: more"),
        ],
        ids=lambda value: (
            " ".join(value).encode("ascii", "backslashreplace").decode()[:60] if isinstance(value, list) else ""
        ),
    )
    def test_bad_input(self, code: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], says: str) -> None:
        before = tree(code)
        assert says in refused(capfd, *arguments)
        assert tree(code) == before

    def test_a_refused_run_writes_no_report(self, code: Path, capfd: pytest.CaptureFixture[str]) -> None:
        (code / "old.json").write_text("old")
        before = tree(code)
        for wrong in (["absent"], ["--set", "KEY_AWS_001.x=1"], ["--format", "sarif=no/where.sarif"]):
            refused(capfd, "scan", "--format", "json=old.json", "--format", "csv=new.csv", *wrong)
        assert tree(code) == before

    @pytest.mark.parametrize("what", ["folder", "file"])
    def test_unreadable_by_permission(
        self, code: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, what: str
    ) -> None:
        """The tests may run as root, to whom nothing is closed; so the answer of the system is made up."""
        path = "key" if what == "folder" else "key/main.tf"
        monkeypatch.setattr(os, "access", lambda name, mode, **_: str(name) != path)
        assert f"{path} is a {what} that cannot be read" in refused(capfd, "scan", path)

    def test_standard_input_that_is_no_plan(self, code: Path) -> None:
        for data in (b"", b"{}", b"\xff\xfe", LOW.encode(), b'{"version": 4, "lineage": "x", "serial": 1}'):
            done = run("scan", "-", cwd=code, stdin=data)
            assert (done.code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
            assert "no plan in JSON" in done.stderr

    def run_copy(self, pack: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "keyrules.cli", *arguments],
            env={**os.environ, "PYTHONPATH": str(pack / "checks")},
            cwd=pack,
            capture_output=True,
            text=True,
            check=False,
        )

    @pytest.mark.parametrize(
        ("file", "change", "says"),
        [
            ("KEY_AWS_001.yaml", ("\nrationale:", "\nurgency: 1\nrationale:"), "urgency"),
            ("KEY_AWS_001.yaml", ("  severity: LOW", "  severity: SEVERE"), "SEVERE"),
            ("KEY_AWS_001.yaml", ("metadata:", "metadata: {"), "KEY_AWS_001.yaml"),
            ("retired.csv", ("id,", "name,"), "retired.csv"),
        ],
    )
    def test_a_damaged_rule_file(self, pack: Path, file: str, change: tuple[str, str], says: str) -> None:
        path = pack / "rules" / file
        original = path.read_text(encoding="utf-8")
        assert change[0] in original
        path.write_text(original.replace(change[0], change[1], 1), encoding="utf-8")
        try:
            for command in (["scan", "rules"], ["rules"], ["dirs"], ["--version"]):
                done = self.run_copy(pack, *command)
                assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done
                assert says in done.stderr and file in done.stderr
        finally:
            path.write_text(original, encoding="utf-8")

    def test_a_retired_rule(self, pack: Path) -> None:
        path = pack / "rules/retired.csv"
        original = path.read_text(encoding="utf-8")
        path.write_text(original + "KEY_AWS_098,0.9.0,KEY_AWS_001,merged\n", encoding="utf-8")
        try:
            for command in (["scan", "--rule", "KEY_AWS_098", "rules"], ["rules", "KEY_AWS_098"]):
                done = self.run_copy(pack, *command)
                assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
                assert "retired in 0.9.0; use KEY_AWS_001" in done.stderr
        finally:
            path.write_text(original, encoding="utf-8")


class TestNothingToEvaluate:
    @pytest.mark.parametrize(
        ("files", "says"),
        [
            ({"readme.rst": "text", "x.bin": b"\0\1"}, "no Terraform, plan or CloudFormation file in ."),
            ({}, "no Terraform, plan or CloudFormation file in ."),
            ({"main.tf": 'resource "aws_vpc" "v" {}\n', "t.yaml": "a: 1\n"}, "nothing in . declares an access key"),
            ({"main.tf": ""}, "nothing in . declares an access key"),
        ],
    )
    def test_it_says_so(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
        files: dict[str, str | bytes],
        says: str,
    ) -> None:
        monkeypatch.chdir(write(tmp_path, files))
        assert main(["scan"]) == 0
        out, err = capfd.readouterr()
        assert says in out and out.endswith("Nothing to evaluate.\n") and err == ""
        assert main(["scan", "--format", "json"]) == 0
        report = json.loads(capfd.readouterr().out)
        assert says in report["notes"][0]
        assert report["summary"]["evaluated"] == 0 and report["inputs"] == []

    def test_it_does_not_import_checkov(self, code: Path) -> None:
        script = (
            "import sys; from keyrules.cli import main; code = main(['scan', 'clean']); "
            "assert not any(name.split('.')[0] in ('checkov', 'boto3') for name in sys.modules); sys.exit(code)"
        )
        environment = {**os.environ, "PYTHONPATH": str(PROJECT / "checks")}
        assert subprocess.run([sys.executable, "-c", script], cwd=code, env=environment, check=False).returncode == 0

    def test_what_is_given_in_place_of_a_plan_is_not_clean(self, tmp_path: Path) -> None:
        files = {
            "plan.tfplan": b"PK\x03\x04\x14\0\x08\0\x08\0tfplan",
            "state.json": b'{"version": 4, "terraform_version": "1.5.0", "serial": 3, "lineage": "x", "resources": []}',
            "log.json": b'{"@level":"info","@message":"Terraform 1.5.0"}\n{"@level":"info"}\n',
            "cut.json": b'{"format_version": "1.2", "terraform_version": "1.5.0", "planned_values": {',
            "latin1.json": b'{"format_version": "1.2", "planned_values": "\xff"}',
        }
        done = scan(write(tmp_path, files), paths=files)
        assert done.code == 3
        assert sorted(done.errors()) == sorted(files)


@pytest.fixture(scope="module")
def by_severity(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("severities")
    return write(folder, {f"{s}/main.tf": t for s, t in zip(SEVERITIES, (LOW, MEDIUM, HIGH, CRITICAL), strict=True)})


RULE_OF = {"low": "KEY_AWS_001", "medium": "KEY_AWS_008", "high": "KEY_AWS_009", "critical": "KEY_AWS_005"}


@pytest.mark.parametrize("found", SEVERITIES)
def test_fail_on_at_each_boundary(by_severity: Path, monkeypatch: pytest.MonkeyPatch, found: str) -> None:
    """One evaluation for each severity, held against each limit: `at or above` includes the limit itself."""
    kept: list[Evaluation] = []

    def evaluated_once(request: ScanRequest) -> Evaluation:
        if not kept:
            kept.append(evaluate(request))
        return kept[0]

    monkeypatch.setattr("keyrules.iac.scan_command.scan", evaluated_once)
    monkeypatch.chdir(by_severity)
    for limit in SEVERITIES:
        expected = 1 if SEVERITIES.index(found) >= SEVERITIES.index(limit) else 0
        for spelling in (limit, limit.upper()):
            assert main(["scan", "--quiet", "--rule", RULE_OF[found], "--fail-on", spelling, found]) == expected


@pytest.fixture(scope="module")
def sixty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("sixty"), {"main.tf": SIXTY_DAYS})


@pytest.mark.parametrize(("limits", "code", "status"), [([], 0, "PASS"), ([45, 60], 0, "PASS"), ([90, 59], 1, "FAIL")])
def test_set_moves_the_boundary_and_the_last_one_wins(sixty: Path, limits: list[int], code: int, status: str) -> None:
    settings = [word for limit in limits for word in ("--set", f"KEY_AWS_001.max_age_days={limit}")]
    done = scan(sixty, "--rule", "KEY_AWS_001", *settings)
    assert (done.code, done.status("KEY_AWS_001", "aws_iam_access_key.k")) == (code, status)


class TestSelection:
    def test_rule_evaluates_nothing_else(self, by_severity: Path) -> None:
        done = scan(by_severity, "--rule", "KEY_AWS_005", "--rule", "KEY_AWS_009")
        assert {f["rule"] for f in done.findings()} == {"KEY_AWS_005", "KEY_AWS_009"}

    def test_skip_rule_leaves_out(self, by_severity: Path) -> None:
        done = scan(by_severity, "--skip-rule", "KEY_AWS_001", "--skip-rule", "KEY_AWS_005")
        assert {"KEY_AWS_001", "KEY_AWS_005"}.isdisjoint(f["rule"] for f in done.findings())
        assert {"KEY_AWS_008", "KEY_AWS_009"} <= {f["rule"] for f in done.findings()}

    def test_an_opt_in_rule_runs_only_when_named(self, by_severity: Path) -> None:
        assert not scan(by_severity).findings("KEY_AWS_007")
        named = scan(by_severity, "--rule", "KEY_AWS_007")
        assert len(named.findings("KEY_AWS_007")) == len(SEVERITIES) and named.code == 1


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Scanned, Path]]:
    folder = write(tmp_path_factory.mktemp("reports"), {"src/main.tf": MEDIUM, "out.json": "old", "real.csv": "old"})
    (folder / "link.csv").symlink_to("real.csv")
    formats = ["--format", "sarif=out.sarif", "--format", "json=out.json", "--format", "csv=link.csv"]
    yield run("scan", "--as-of", AS_OF, *formats, "src", cwd=folder), folder


class TestReports:
    def test_every_file_and_standard_output(self, written: tuple[Scanned, Path]) -> None:
        done, folder = written
        assert done.code == 1 and done.stderr == ""
        assert "src/main.tf:1  aws_iam_access_key.medium" in done.stdout
        report = json.loads((folder / "out.json").read_bytes())
        assert report["summary"]["fail"] == 2 and report["as_of"] == AS_OF
        assert json.loads((folder / "out.sarif").read_bytes())["version"] == "2.1.0"
        assert (folder / "real.csv").read_text().startswith("rule,") and (folder / "link.csv").is_symlink()

    def test_nothing_else_is_left(self, written: tuple[Scanned, Path]) -> None:
        names = sorted(p.name for p in written[1].iterdir())
        assert names == ["link.csv", "out.json", "out.sarif", "real.csv", "src"]

    @pytest.mark.parametrize(
        ("terminal", "environment", "no_color", "expected"),
        [
            (False, {}, False, False),
            (True, {}, False, True),
            (True, {"TERM": "dumb"}, False, False),
            (False, {"FORCE_COLOR": "1"}, False, True),
            (True, {"FORCE_COLOR": ""}, False, True),
            (True, {"NO_COLOR": "1"}, False, False),
            (True, {"NO_COLOR": ""}, False, True),
            (True, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
            (True, {"FORCE_COLOR": "1"}, True, False),
        ],
    )
    def test_who_decides_on_colour(
        self, terminal: bool, environment: dict[str, str], no_color: bool, expected: bool
    ) -> None:
        """https://no-color.org and https://force-color.org: set and not empty counts."""
        stream = io.StringIO()
        stream.isatty = lambda: terminal  # type: ignore[method-assign]
        args = argparse.Namespace(no_color=no_color, quiet=False)
        assert report_options(args, stream, environment).style.colour is expected

    def test_forced_colour_reaches_the_report(self, by_severity: Path) -> None:
        assert "\x1b[" in run("scan", "low", cwd=by_severity, env={"FORCE_COLOR": "1", "NO_COLOR": ""}).stdout

    def test_quiet_is_silent_about_what_is_fine(self, sixty: Path, by_severity: Path) -> None:
        assert run("scan", "--quiet", cwd=sixty).stdout == ""
        loud = run("scan", "--quiet", "--rule", "KEY_AWS_001", "low", cwd=by_severity)
        assert "KEY_AWS_001" in loud.stdout and " checks:" not in loud.stdout and loud.code == 1

    def test_show_passing_adds_passes_and_counts_stay(self, by_severity: Path) -> None:
        shown = scan(by_severity, "--show-passing")
        hidden = run("scan", "--format", "json", "--as-of", AS_OF, cwd=by_severity)
        assert shown.report["summary"] == hidden.report["summary"]
        assert {f["status"] for f in hidden.findings()} == {"FAIL"}
        assert [f for f in shown.findings() if f["status"] == "FAIL"] == hidden.findings()
        assert len(shown.findings()) == shown.report["summary"]["evaluated"]


class TestHelp:
    @pytest.mark.parametrize("command", [[], ["scan"], ["rules"], ["dirs"]])
    def test_it_fits_a_screen(self, command: list[str]) -> None:
        done = run(*command, "--help", cwd=PROJECT, env={"COLUMNS": "80"})
        assert done.code == 0 and done.stderr == ""
        lines = done.stdout.splitlines()
        assert lines[0].startswith("usage: keyrules") and len(lines) <= 40
        assert all(len(line) <= 80 for line in lines)

    def test_the_examples_in_it_are_valid(self, code: Path, capfd: pytest.CaptureFixture[str]) -> None:
        from keyrules.cli import _Parser
        from keyrules.iac.scan_command import EPILOG, add_scan_arguments

        parser = _Parser()
        add_scan_arguments(parser)
        examples = [line.split("keyrules scan")[1] for line in EPILOG.splitlines() if "keyrules scan" in line]
        assert len(examples) >= 5
        for example in examples:
            parser.parse_args(shlex.split(re.sub(r"  \w+ .*", "", example)))

    def test_no_command_prints_the_help_and_is_wrong_usage(self, capfd: pytest.CaptureFixture[str]) -> None:
        assert main([]) == 2
        assert "scan " in capfd.readouterr().out

    def test_version_names_the_pack(self, capfd: pytest.CaptureFixture[str]) -> None:
        stamp = load_pack().stamp
        for arguments in (["--version"], ["--version", "scan"]):
            assert main(arguments) == 0
            assert capfd.readouterr().out == f"keyrules {stamp.version} (pack {stamp.sha256[:12]})\n"


class TestCatalogue:
    def test_rules(self, capfd: pytest.CaptureFixture[str]) -> None:
        assert main(["rules"]) == 0
        out = capfd.readouterr().out
        assert re.findall(r"^KEY_AWS_\d{3}", out, re.MULTILINE) == [rule.id for rule in load_pack().rules]
        assert out.endswith("\n") and not out.endswith("\n\n")

    def test_one_rule(self, capfd: pytest.CaptureFixture[str]) -> None:
        assert main(["rules", "KEY_AWS_001"]) == 0
        out = capfd.readouterr().out
        assert out.startswith("KEY_AWS_001  Active access keys") and "max_age_days = 90" in out and out.endswith("\n")

    def test_facts(self, capfd: pytest.CaptureFixture[str]) -> None:
        assert main(["rules", "--facts"]) == 0
        assert "days_since_rotation" in capfd.readouterr().out

    def test_dirs_are_arguments_that_a_shell_can_split(self, capfd: pytest.CaptureFixture[str]) -> None:
        assert main(["dirs"]) == 0
        words = shlex.split(capfd.readouterr().out)
        folders = [Path(words[i + 1]) for i, word in enumerate(words) if word == "--external-checks-dir"]
        assert folders and all(folder.is_absolute() and folder.is_dir() for folder in folders)


class TestStreams:
    @pytest.mark.parametrize(
        "command", ["rules", "rules KEY_AWS_001", "scan --help", "--version", "scan --show-passing ."]
    )
    def test_a_reader_that_goes_away(self, by_severity: Path, command: str) -> None:
        """Standard output is a pipe whose reading end is closed before anything is written."""
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(
            [sys.executable, "-m", "keyrules.cli", *command.split()],
            cwd=by_severity / "low",
            env={**os.environ, "PYTHONPATH": str(PROJECT / "checks")},
            stdout=writing,
            stderr=subprocess.PIPE,
            check=False,
        )
        os.close(writing)
        # argparse drops the error of a help text that nobody reads.
        assert done.stderr == b"" and done.returncode == (0 if "--help" in command else 3)

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
    @pytest.mark.parametrize("command", ["rules", "scan ."])
    def test_a_full_disk(self, by_severity: Path, command: str) -> None:
        with Path("/dev/full").open("wb") as full:
            done = subprocess.run(
                [sys.executable, "-m", "keyrules.cli", *command.split()],
                cwd=by_severity / "low",
                env={**os.environ, "PYTHONPATH": str(PROJECT / "checks")},
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        assert done.returncode == 3
        assert done.stderr == "keyrules: No space left on device; nothing was concluded\n"

    def test_a_closed_standard_output(self, by_severity: Path) -> None:
        script = 'exec "$0" -m keyrules.cli scan low >&-'
        done = subprocess.run(
            ["sh", "-c", script, sys.executable],
            cwd=by_severity,
            env={**os.environ, "PYTHONPATH": str(PROJECT / "checks")},
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        assert done.returncode == 2 and done.stderr.count("\n") == 1 and "is closed" in done.stderr

    @pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
    def test_a_narrow_encoding(self, encoding: str) -> None:
        done = run("rules", "KEY_AWS_001", cwd=PROJECT, env={"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"})
        assert done.code == 0 and done.stderr == "" and "KEY_AWS_001" in done.stdout

    def test_a_cancelled_run_takes_its_worker_along(self, tmp_path: Path) -> None:
        """pow(10, 1e9) keeps Checkov busy for hours; a pipeline that is cancelled sends SIGTERM."""
        write(tmp_path, {"main.tf": LOW + "locals {\n  x = pow(10, 1000000000)\n}\n"})
        process = subprocess.Popen(
            [sys.executable, "-m", "keyrules.cli", "scan"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(PROJECT / "checks")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while not (workers := children.read_text().split()):
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate()
        assert (process.returncode, out, err) == (3, "", "keyrules: interrupted; nothing was concluded\n")
        assert not any(Path(f"/proc/{worker}").exists() for worker in workers)
