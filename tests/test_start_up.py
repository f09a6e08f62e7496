"""What the first steps of a run import, and that a run which ends early says what the whole way would say."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from scanning import PROJECT, write

from keyrules.arguments import COMMANDS, Parser
from keyrules.cli import main
from keyrules.code import early_answer, scan
from keyrules.commands import scan as scan_command
from keyrules.commands.completion import SHELLS
from keyrules.run.options import Asked

SCRIPT = """\
import sys
before = set(sys.modules)  # what an editable installation imports by itself
from keyrules.cli import main
try:
    sys.exit(main(sys.argv[2:]))
finally:
    open(sys.argv[1], "w").write("\\n".join(set(sys.modules) - before))
"""
SLOW = {
    "yaml",
    "checkov",
    "boto3",
    "botocore",
    "dataclasses",
    "inspect",
    "pathlib",
    "json",
    "shutil",
    "importlib.metadata",
}
EVALUATING = {
    "keyrules.model",
    "keyrules.pack.catalog",
    "keyrules.controls.tables",
    "keyrules.run.configuration.merge",
    "keyrules.code.scan",
    "keyrules.reports.outputs",
}
START = {"keyrules.cli", "keyrules.arguments", "keyrules.records", "keyrules.terminal", "keyrules.terms"}
CLEAN: Mapping[str, str | bytes] = {
    "main.tf": 'variable "x" {}\nresource "aws_vpc" "v" {\n  tags = { a = "\\u0041" }\n}\n',
    "call.tf": 'module "m" {\n  source = "./m"\n}\n',
    "m/main.tf": "locals {}\n",
    "m/terraform.tfvars": 'x = "y"\n',
    "template.yaml": "Resources:\n  B:\n    Type: AWS::S3::Bucket\n",
    "manifest.json": '{"secretKeyRef": {"name": "secret"}, "hash": "' + "0123456789abcdef" * 4 + '"}',
    "README.md": "Where the secret is kept: AKIA... in the vault.\n",
    "picture.png": b"\x89PNG\0\0",
    "notes.rst": "text\n",
}


def imported(folder: Path, *arguments: str) -> set[str]:
    """The modules in a process that ran `keyrules ARGUMENTS` successfully."""
    listing = folder.parent / "modules.txt"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(listing), *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(PROJECT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(listing.read_text().split("\n"))


def own_modules(modules: set[str]) -> set[str]:
    """Those of the package itself."""
    return {name for name in modules if name.startswith("keyrules.")}


@pytest.fixture
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of a run that has nothing to evaluate."""
    folder = write(tmp_path / "repository", CLEAN)
    monkeypatch.chdir(folder)
    return folder


class TestImports:
    @pytest.mark.parametrize(
        "arguments",
        [
            ["scan"],
            ["scan", "--quiet", *sorted(set(CLEAN) - {"picture.png"})],
            ["scan", "--quiet", "--no-color", "--fail-on", "high", "main.tf", "m/terraform.tfvars"],
        ],
    )
    def test_a_scan_with_nothing_to_evaluate(self, clean: Path, arguments: list[str]) -> None:
        modules = imported(clean, *arguments)
        assert "keyrules.code.discovery" in modules
        assert modules & (SLOW | EVALUATING) == set()
        assert modules & {"argparse", "typing"} == set()

    def test_the_version_imports_no_command(self, clean: Path) -> None:
        modules = imported(clean, "--version")
        assert modules & (SLOW | EVALUATING) == set()
        assert own_modules(modules) == START | {"keyrules.pack", "keyrules.pack.stamp"}

    def test_the_help_imports_no_command(self, clean: Path) -> None:
        modules = imported(clean, "--help")
        assert modules & (SLOW | EVALUATING) == set()
        assert own_modules(modules) == START

    @pytest.mark.parametrize("command", COMMANDS)
    def test_the_help_of_a_command_imports_its_arguments_only(self, clean: Path, command: str) -> None:
        modules = imported(clean, command, "--help")
        assert modules & (SLOW | EVALUATING) == set()
        assert [name for name in own_modules(modules) if name.endswith("_command")] == []

    @pytest.mark.parametrize("shell", SHELLS)
    def test_a_shell_that_starts_waits_for_no_rule_to_be_read(self, clean: Path, shell: str) -> None:
        """Its start-up file runs `keyrules completion`."""
        modules = imported(clean, "completion", shell)
        assert modules & (SLOW | EVALUATING) == set()
        assert "keyrules.completion.pack_names" in modules

    def test_a_scan_that_evaluates_imports_what_it_needs(self, clean: Path) -> None:
        """The test above can fail at all."""
        assert imported(clean, "scan", "--rule", "KEY_AWS_001") >= {
            "keyrules.model",
            "keyrules.code.scan",
            "argparse",
            "typing",
        }


class TestTheSameAnswer:
    @pytest.mark.parametrize(
        "arguments",
        [
            ["scan"],
            ["scan", "--quiet"],
            ["scan", "--show-passing", "--no-color", "."],
            ["scan", "main.tf", "m", "template.yaml", "notes.rst"],
            ["scan", "notes.rst"],
            ["scan", "notes.rst", "--fail-on", "CRITICAL"],
            ["scan", "m/../m/terraform.tfvars", "m"],
            ["scan", "absent"],
            ["scan", "main.tf", "absent"],
            ["scan", ""],
            ["scan", "/dev/null"],
            ["scan", "--fail-on", "severe"],
            ["scan", "--fail-on", ""],
            ["scan", "--rule", "KEY_AWS_999"],
            ["scan", "--rule", "KEY_AWS_012"],
            ["scan", "--set", "KEY_AWS_001.max_age_days=0"],
            ["scan", "--format", "yaml"],
            ["scan", "--format", "json", "--as-of", "2026-06-01"],
            ["scan", "--as-of", "yesterday"],
            ["scan", "--timeout", "0"],
            ["scan", "--frobnicate"],
            ["scan", "--framework", "nope"],
            ["scan", "--exclude", "!x"],
            ["scan", "--exceptions", "absent.yaml"],
            ["scan", "--config", "absent.yaml"],
            ["scan", "--baseline", "absent.json"],
        ],
        ids=" ".join,
    )
    def test_of_a_clean_repository(
        self, clean: Path, capfdbinary: pytest.CaptureFixture[bytes], arguments: list[str]
    ) -> None:
        first = main(arguments), *capfdbinary.readouterr()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(early_answer, "first_look", lambda *_: None)
            assert (main(arguments), *capfdbinary.readouterr()) == first
        assert first[0] in (0, 2)

    @pytest.mark.parametrize("name", ["new\nline.tf", "\x1b[31m.tf", "b\udcff.tf", "größe" * 30 + ".tf", "a" * 200])
    def test_with_names_that_are_hard_to_print(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], name: str
    ) -> None:
        monkeypatch.chdir(write(tmp_path, {name: "locals {}\n"}))
        assert main(["scan", name]) == 0
        first = capfdbinary.readouterr()
        monkeypatch.setattr(early_answer, "first_look", lambda *_: None)
        assert main(["scan", name]) == 0
        assert capfdbinary.readouterr() == first and first.out.endswith(b"Nothing to evaluate.\n") and not first.err

    @pytest.mark.parametrize("columns", ["40", "60", "500"])
    def test_on_a_terminal(self, clean: Path, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
        """Both ways see the same terminal."""
        outputs = []
        for patch in ("", "from keyrules.code import early_answer; early_answer.first_look = lambda *_: None; "):
            script = f"import sys; {patch}from keyrules.cli import main; sys.exit(main(['scan', 'main.tf', 'm', '.']))"
            ours, theirs = os.openpty()
            environment = {**os.environ, "PYTHONPATH": str(PROJECT / "src"), "COLUMNS": columns}
            done = subprocess.run([sys.executable, "-c", script], stdout=theirs, env=environment, check=True)
            os.close(theirs)
            outputs.append((done.returncode, os.read(ours, 65_536)))
            os.close(ours)
        assert outputs[0] == outputs[1] and b"Note: " in outputs[0][1]


class TestWhatIsCheckedFirst:
    def test_every_option_that_could_change_the_answer(self, clean: Path) -> None:
        """An option that nobody declared harmless is for the whole way."""
        parser = Parser()
        scan_command.add_arguments(parser)
        harmless = {"--quiet", "-q", "--no-color", "--show-passing", "-v", "--fail-on"}
        options = {name: action.nargs for action in parser._actions for name in action.option_strings}
        assert harmless < options.keys()
        for option, values in options.items():
            words = [option] if values == 0 else [option, "high"]
            assert (early_answer.first_look([*words, "."]) is not None) == (option in harmless), option
            assert (early_answer.first_look([".", *words]) is not None) == (option in harmless), option
        assert early_answer.first_look(["--fail-on", "severe"]) is None

    @pytest.mark.parametrize("length", range(5))
    def test_the_words_are_read_as_argparse_reads_them(self, length: int) -> None:
        parser = Parser()
        scan_command.add_arguments(parser)
        words = ("--quiet", "--fail-on", "--fail-on=LOW", "high", "a", "", "-", "--", "-q", "--qui", "-qv")
        read = 0
        for line in itertools.product(words, repeat=length):
            if paths := early_answer._paths(line):
                args = parser.parse_args(list(line))
                assert (args.paths or ["."]) == paths and args.quiet == bool({"--quiet", "-q"}.intersection(line)), line
                assert Asked.of({**vars(args), "quiet": False, "fail_on": None}) == Asked(), line
                read += 1
        assert read > length

    @pytest.mark.parametrize("name", [".keyrules.yaml", ".keyrules.yml", ".keyrules-exceptions.yaml"])
    @pytest.mark.parametrize("place", ["", ".."])
    def test_every_file_that_has_to_be_read(
        self, clean: Path, capfd: pytest.CaptureFixture[str], name: str, place: str
    ) -> None:
        write(clean / place, {name: "nonsense: ["})
        assert early_answer.first_look(["."]) is None
        if not place:
            assert main(["scan"]) == 2 and name in capfd.readouterr().err

    def test_what_was_found_is_not_looked_for_again(
        self, clean: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        def twice(*_: object) -> None:
            raise AssertionError("discovered twice")

        write(clean, {"deploy.sh": "export AWS_SECRET_ACCESS_KEY=wJ8rXUtnqEM1kK7MDEN9bPxRfiCYzQf4LmT2vWs5\n"})
        monkeypatch.setattr(scan, "discover", twice)
        assert main(["scan"]) == 1
        assert "KEY_AWS_011  deploy.sh:1" in capfd.readouterr().out
