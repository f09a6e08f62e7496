"""What the commands print and write: reports whole or not at all, help that fits a screen, streams that break."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from scanning import AS_OF, PROJECT, Scanned, run, scan, write
from severities import CRITICAL, HIGH, LOW, MEDIUM, SEVERITIES, SIXTY_DAYS

from keyrules.arguments import COMMANDS, Parser
from keyrules.cli import main
from keyrules.model import Plane
from keyrules.pack.catalog import load_pack
from keyrules.reports.report_formats import formats_of
from keyrules.run.conclusion import report_options
from keyrules.run.configuration.merge import settle
from keyrules.run.options import Asked


@pytest.fixture(scope="module")
def by_severity(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("severities")
    return write(folder, {f"{s}/main.tf": t for s, t in zip(SEVERITIES, (LOW, MEDIUM, HIGH, CRITICAL), strict=True)})


@pytest.fixture(scope="module")
def sixty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("sixty"), {"main.tf": SIXTY_DAYS})


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
        settings = settle(Asked(no_color=no_color), Plane.CODE)
        assert report_options(settings, stream, environment).style.colour is expected

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
    @pytest.mark.parametrize("command", ["", *COMMANDS])
    def test_it_fits_a_screen(
        self, command: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("COLUMNS", "80")
        with pytest.raises(SystemExit) as ended:
            main([command, "--help"] if command else ["--help"])
        out, err = capfd.readouterr()
        lines = out.splitlines()
        assert (ended.value.code, err) == (0, "")
        most = {"audit": 80, "evidence": 60, "keys": 70}
        assert lines[0].startswith("usage: keyrules") and len(lines) <= most.get(command, 50)
        assert all(len(line) <= 80 for line in lines)
        assert not command or "examples:" in lines

    @pytest.mark.parametrize("plane", Plane)
    def test_it_names_the_formats_of_the_plane(self, plane: Plane, capfd: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            main(["scan" if plane is Plane.CODE else "audit", "--help"])
        named = capfd.readouterr().out.partition("\nformats: ")[2].partition("\nexit codes")[0]
        assert tuple(re.split(r",\s+", named)) == formats_of(plane)

    def test_the_examples_in_it_are_valid(self) -> None:
        from keyrules.commands.scan import EPILOG, add_arguments

        parser = Parser()
        add_arguments(parser)
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
        ("command", "evaluates"),
        [
            ("rules", False),
            ("rules KEY_AWS_001", False),
            ("controls", False),
            ("completion bash", False),
            ("config", False),
            ("dirs", False),
            ("--help", False),
            ("scan --help", False),
            ("audit -h", False),
            ("--version", False),
            ("exceptions", True),
            ("scan --show-passing .", True),
            ("scan ../", True),
        ],
    )
    def test_a_reader_that_goes_away(self, by_severity: Path, command: str, evaluates: bool) -> None:
        """Standard output is a pipe whose reading end is closed before anything is written."""
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(
            [sys.executable, "-m", "keyrules", *command.split()],
            cwd=by_severity / "low",
            env={**os.environ, "PYTHONPATH": str(PROJECT / "src")},
            stdout=writing,
            stderr=subprocess.PIPE,
            check=False,
        )
        os.close(writing)
        assert done.stderr == b"" and done.returncode == (3 if evaluates else 0)

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
    @pytest.mark.parametrize("command", ["rules", "scan .", "--help", "scan --help", "controls"])
    def test_a_full_disk(self, by_severity: Path, command: str) -> None:
        with Path("/dev/full").open("wb") as full:
            done = subprocess.run(
                [sys.executable, "-m", "keyrules", *command.split()],
                cwd=by_severity / "low",
                env={**os.environ, "PYTHONPATH": str(PROJECT / "src")},
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        assert done.returncode == 3
        assert done.stderr == "keyrules: No space left on device; nothing was concluded\n"

    @pytest.mark.parametrize("arguments", [["scan", "--forma", "json"], ["controls", "--forma", "csv"], ["--versio"]])
    def test_no_option_has_a_shorter_name(self, arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
        assert main(arguments) == 2
        assert (
            f"{next(word for word in arguments if word.startswith('--'))} is no option of keyrules"
            in capfd.readouterr().err
        )

    def test_a_closed_standard_output(self, by_severity: Path) -> None:
        script = 'exec "$0" -m keyrules scan low >&-'
        done = subprocess.run(
            ["sh", "-c", script, sys.executable],
            cwd=by_severity,
            env={**os.environ, "PYTHONPATH": str(PROJECT / "src")},
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        assert done.returncode == 2 and done.stderr.count("\n") == 1 and "is closed" in done.stderr

    @pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
    def test_a_narrow_encoding(self, encoding: str) -> None:
        done = run("rules", "KEY_AWS_001", cwd=PROJECT, env={"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"})
        assert done.code == 0 and done.stderr == "" and "KEY_AWS_001" in done.stdout
