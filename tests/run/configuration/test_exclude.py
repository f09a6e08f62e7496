"""What `exclude` leaves out: globs as git reads them, and a scan that is no weaker than they say."""

from __future__ import annotations

import fnmatch
import itertools
import json
import random
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from scanning import AS_OF, FIXTURES, run, write
from severities import LOW, MEDIUM

from keyrules.cli import main
from keyrules.code.discovery import Discovery, discover
from keyrules.run.configuration.exclude_globs import Excluder, is_glob

FILE = ".keyrules.yaml"
KEY = LOW
CALL = 'module "m" {\n  source = "../legacy"\n}\n'
LEAK = 'output "o" {\n  value     = local.s\n  sensitive = true\n}\n'
NAMES = ("a", "b", "ab", "c.tf")
STEPS = ("a", "*", "**", "?", "fa", "f*", "ab", "a*", "*b", "?b*", "fc.tf")
TEMPLATE = "Resources:\n  K:\n    Type: AWS::IAM::AccessKey\n    Properties: {UserName: svc}\n"
LITERAL = "AWS_ACCESS_KEY_ID=AKIAZ5SYNTHETIC5FIXT\nAWS_SECRET_ACCESS_KEY=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\n"


def meant(glob: str, path: str) -> bool:
    """Whether a glob leaves a path out, decided as the documentation says it; slow, and plain to read."""
    anchored = "/" in glob[:-1] or glob.startswith("/")
    steps = [step for step in glob.removeprefix("./").split("/") if step]
    while steps[-2:] == ["**", "**"] and len(steps) > 2:
        steps.pop()
    names, below = path.rstrip("/").split("/"), path.endswith("/")
    if not glob.endswith("/") and len(steps) > 1 and steps[-1] == "**":
        return any(meant_here(steps[:-1], names[:end], anchored=True) for end in range(len(names) + below))
    ends = range(1, len(names) + (below if glob.endswith("/") else 1))
    return any(meant_here(steps, names[:end], anchored) for end in ends)


def meant_here(steps: list[str], names: list[str], anchored: bool) -> bool:
    """Whether the steps of a glob are these names."""
    if not anchored:
        return any(meant_here(steps, names[start:], anchored=True) for start in range(len(names)))
    if not steps:
        return not names
    if steps[0] == "**" and len(steps) > 1:
        return any(meant_here(steps[1:], names[start:], anchored=True) for start in range(len(names) + 1))
    return bool(names) and fnmatch.fnmatchcase(names[0], steps[0]) and meant_here(steps[1:], names[1:], anchored=True)


class TestGlobs:
    def test_as_git_reads_them(self, tmp_path: Path) -> None:
        """Random globs over every path of up to four names, against `git ls-files --ignored`."""
        subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
        paths = [
            "/".join([*names[:-1], f"f{names[-1]}"])
            for length in (1, 2, 3)
            for names in itertools.product(NAMES, repeat=length)
        ]
        write(tmp_path, dict.fromkeys(paths, ""))
        choice = random.Random(5)
        globs = {
            choice.choice(["", "", "/"])
            + "/".join(choice.choice(STEPS) for _ in range(choice.randint(1, 4)))
            + choice.choice(["", "", "/"])
            for _ in range(150)
        }
        for glob in sorted(filter(is_glob, globs)):
            (tmp_path / ".gitignore").write_text(glob + "\n")
            listed = subprocess.run(
                ["git", "-C", str(tmp_path), "ls-files", "--others", "--ignored", "--exclude-standard"],
                capture_output=True,
                text=True,
                check=True,
            )
            excluded = Excluder([glob], str(tmp_path))
            found = {path for path in paths if excluded(f"{tmp_path}/{path}")}
            assert found == set(listed.stdout.splitlines()) - {".gitignore"}, glob

    def test_what_they_mean_name_by_name(self) -> None:
        """Random globs and paths, with many stars and folders, against the definition read one name at a time."""
        choice = random.Random(11)
        steps = ("a", "*", "**", "?", "a*", "*b", "a*b", "*a*", "*a*b*", "?*", "ab", "*?b", "a?*b")
        names = ("a", "b", "ab", "ba", "aab", "abab", "a\nb")
        for _ in range(1500):
            glob = choice.choice(["", "", "/", "./"]) + "/".join(choice.choices(steps, k=choice.randint(1, 5)))
            glob += choice.choice(["", "", "/"])
            if not is_glob(glob):
                continue
            excluded = Excluder([glob], "/base")
            for _ in range(20):
                path = "/".join(choice.choices(names, k=choice.randint(1, 6))) + choice.choice(["", "/"])
                wanted = meant(glob, path)
                if path.endswith("/") and excluded(f"/base/{path}"):
                    # A folder of which all is left out need not be entered.
                    wanted |= meant(glob, f"{path}whatever")
                assert excluded(f"/base/{path}") == wanted, (glob, path)

    @pytest.mark.parametrize(
        ("glob", "path"),
        [
            ("*a" * 25 + "b", "a" * 250),
            ("**/a/" * 6 + "b", "a/" * 60 + "c"),
            ("**/a*a*a/" * 6 + "b", f"{'a' * 40}/" * 60 + "c"),
            ("**/*?*?*?*?*b/**/c", f"{'a' * 200}/" * 20),
        ],
    )
    def test_stars_cost_no_time(self, glob: str, path: str) -> None:
        assert is_glob(glob)
        excluded = Excluder([glob] * 3, "/base")
        start = time.process_time()
        assert not excluded(f"/base/{path}")
        assert time.process_time() - start < 0.1

    def test_what_is_counted(self) -> None:
        """Folders with all that is in them once, and nothing twice."""
        excluded = Excluder(["examples/", "*.txt"], "/base")
        paths = ["examples/", "examples/a/", "examples/a.tf", "a.txt", "a.txt", "b/c.txt", "main.tf"]
        assert [excluded(f"/base/{path}") for path in paths] == [True] * 6 + [False]
        assert excluded.left_out == 3

    @pytest.mark.parametrize(
        ("glob", "folders"),
        [
            ("a/**", {"a/", "a/b/"}),
            ("a", {"a/", "a/b/", "x/a/"}),
            ("/a/", {"a/", "a/b/"}),
            ("./a", {"a/", "a/b/"}),
            ("**/a", {"a/", "a/b/", "x/a/"}),
            ("*.tf", set()),
            ("a/*.tf", set()),
        ],
    )
    def test_folders_that_need_not_be_entered(self, glob: str, folders: set[str]) -> None:
        excluded = Excluder([glob], "/base")
        assert {path for path in ("a/", "a/b/", "x/", "x/a/") if excluded(f"/base/{path}")} == folders

    def test_nothing_outside_of_the_base(self) -> None:
        excluded = Excluder(["**", "*.tf"], "/base")
        assert excluded("/base/x.tf") and not excluded("/other/x.tf") and not excluded("/base2/x.tf")

    @pytest.mark.parametrize(
        "text", ["", "/", "!a", "a//b", ".", "./", "..", "../a", "a/../b", "a/.", "a**", "a\\b", "a\n"]
    )
    def test_what_is_no_glob(self, text: str) -> None:
        assert not is_glob(text)

    @pytest.mark.parametrize("text", ["a.b", ".a", "..a", "a..", "a b", "[a]", "+(a)", "é", "**", "a/**/b"])
    def test_what_else_means_itself(self, text: str) -> None:
        assert is_glob(text)
        assert Excluder([text], "/base")(f"/base/{text.replace('**', 'x')}")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def units(folder: Path, *globs: str, paths: tuple[str, ...] = (".",)) -> set[str]:
    """The units that a scan finds, relative to the folder."""
    return {str(Path(unit.path).relative_to(folder)) for unit in found(folder, *globs, paths=paths).units}


def found(folder: Path, *globs: str, paths: tuple[str, ...] = (".",)) -> Discovery:
    return discover([Path(path) for path in paths], folder, excluded=Excluder(globs, str(folder)) if globs else None)


class TestWhatIsEvaluated:
    def test_roots_templates_plans_and_texts(self, folder: Path) -> None:
        plan = (FIXTURES / "KEY_AWS_010/terraform_plan/existing_keys.json").read_bytes()
        tree: dict[str, str | bytes] = {"main.tf": KEY, "t.yaml": TEMPLATE, "p.json": plan, ".env": LITERAL}
        write(folder, {f"{top}/{name}": text for top in ("a", "b") for name, text in tree.items()})
        assert units(folder) == {f"{top}/{name}" for top in ("a", "b") for name in ("t.yaml", "p.json")} | {"a", "b"}
        assert units(folder, "a") == {"b", "b/t.yaml", "b/p.json"}
        assert units(folder, "t.yaml", "*.json") == {"a", "b"}
        assert [Path(text).parent.name for text in found(folder, "b/**").texts] == ["a"]

    def test_an_excluded_caller_does_not_hide_a_module(self, folder: Path) -> None:
        write(folder, {"examples/main.tf": CALL, "legacy/main.tf": KEY})
        assert units(folder) == {"examples"}
        assert units(folder, "examples/**") == {"legacy"}

    def test_nor_does_one_that_only_a_comment_calls(self, folder: Path) -> None:
        comment = 'locals {\n  x = 1 # source = "../examples"\n}\n'
        write(folder, {"main/main.tf": comment, "examples/main.tf": CALL})
        write(folder, {"legacy/main.tf": CALL.replace("legacy", "deep"), "deep/main.tf": KEY})
        assert units(folder, "examples/**") == {"legacy"}

    def test_a_root_elsewhere_is_judged_with_the_excluded_modules_that_it_calls(self, folder: Path) -> None:
        write(folder, {"root/main.tf": CALL, "legacy/main.tf": KEY})
        assert units(folder, "legacy") == {"root"}

    def test_excluded_modules_that_call_each_other(self, folder: Path) -> None:
        write(folder, {"legacy/main.tf": KEY + CALL.replace("legacy", "ring"), "ring/main.tf": CALL})
        assert units(folder, "ring") == {"legacy"}
        assert units(folder, "ring", "legacy") == set()

    def test_a_file_of_a_module(self, folder: Path) -> None:
        """Terraform takes the folder as a whole: what is left out of it still decides whether it matters."""
        write(folder, {"m/key.tf": KEY, "m/other.tf": LEAK})
        assert units(folder, "key.tf") == {"m"}
        assert units(folder, "m/*.tf") == set()

    def test_files_that_are_named(self, folder: Path) -> None:
        write(folder, {"a/main.tf": KEY, "examples/main.tf": KEY, "examples/t.yaml": TEMPLATE})
        named = ("a/main.tf", "examples/main.tf", "examples/t.yaml")
        assert units(folder, "examples/**", paths=named) == {"a"}
        assert units(folder, "examples/**", paths=named[1:]) == set()
        assert units(folder, "examples/**", paths=("examples",)) == set()
        assert units(folder, "*.yaml", paths=("examples/t.yaml",)) == set()

    def test_a_named_file_is_judged_without_its_excluded_callers(self, folder: Path) -> None:
        write(folder, {"examples/main.tf": CALL, "legacy/main.tf": KEY})
        assert units(folder, paths=("legacy/main.tf",)) == {"examples"}
        assert units(folder, "examples/**", paths=("legacy/main.tf",)) == {"legacy"}


def scan(capfd: pytest.CaptureFixture[str], *argv: str) -> tuple[int, dict[str, Any]]:
    code = main(["scan", "--format", "json", "--as-of", AS_OF, *argv])
    out, err = capfd.readouterr()
    assert err == ""
    return code, json.loads(out)


class TestScan:
    def test_from_a_folder_below(
        self, folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Globs of the file are relative to its folder, wherever the scan starts."""
        write(
            folder, {FILE: "exclude: [a/examples/**]", "a/main.tf": KEY, "a/examples/main.tf": KEY, "a/b.env": LITERAL}
        )
        monkeypatch.chdir(folder / "a")
        code, report = scan(capfd)
        assert code == 1
        assert {finding["location"]["path"] for finding in report["findings"]} == {"main.tf", "b.env"}
        assert report["inputs"][0]["name"] == "."

    def test_findings_in_an_excluded_module_are_not_reported(
        self, folder: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        secret = MEDIUM + 'output "s" {\n  value     = aws_iam_access_key.medium.secret\n  sensitive = true\n}\n'
        leak = CALL + 'resource "aws_ssm_parameter" "p" {\n  name = "p"\n  type = "String"\n  value = module.m.s\n}\n'
        write(folder, {"root/main.tf": leak, "legacy/main.tf": secret})
        everything = scan(capfd)[1]
        assert {f["location"]["path"] for f in everything["findings"]} == {"root/main.tf", "legacy/main.tf"}
        code, report = scan(capfd, "--exclude", "legacy")
        assert code == 1
        own = [f for f in everything["findings"] if f["location"]["path"] == "root/main.tf"]
        assert own and report["findings"] == own
        assert report["summary"]["evaluated"] < everything["summary"]["evaluated"]

    def test_an_excluded_module_that_cannot_be_read_leaves_its_caller_open(
        self, folder: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        write(folder, {"root/main.tf": CALL + KEY, "legacy/main.tf": KEY + "locals {"})
        code, report = scan(capfd, "--exclude", "legacy")
        assert code == 3
        assert {error["input"] for error in report["errors"]} == {"legacy/main.tf"}

    @pytest.mark.parametrize(
        ("paths", "says"),
        [
            ([], "what is excluded was not looked at"),
            (["examples"], "no Terraform, plan or CloudFormation file in examples besides what is excluded"),
            (["examples/main.tf"], "file in examples/main.tf besides what is excluded"),
        ],
    )
    def test_nothing_left_is_said(
        self, folder: Path, capfd: pytest.CaptureFixture[str], paths: list[str], says: str
    ) -> None:
        write(folder, {FILE: "exclude: [examples/**]", "examples/main.tf": KEY})
        assert main(["scan", *paths]) == 0
        assert says in " ".join(capfd.readouterr().out.split())

    def test_what_is_clean_beside_it_is_said_so(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        write(folder, {"examples/main.tf": KEY, "main.tf": "locals {}\n"})
        assert main(["scan", "--exclude", "examples/"]) == 0
        assert "what is excluded was not looked at" in " ".join(capfd.readouterr().out.split())

    def test_the_hook_passes_names(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        write(folder, {FILE: "exclude: [testdata]", "x/testdata/t.yaml": TEMPLATE, "x/t.yaml": TEMPLATE})
        assert main(["scan", "--quiet", "x/testdata/t.yaml"]) == 0
        assert capfd.readouterr().out == ""
        code, report = scan(capfd, "x/testdata/t.yaml", "x/t.yaml")
        assert code == 1
        assert {finding["location"]["path"] for finding in report["findings"]} == {"x/t.yaml"}

    def test_the_command_line_replaces_the_globs_of_the_file(
        self, folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(folder, {FILE: "exclude: ['**']", "a/main.tf": KEY, "a/b/main.tf": KEY})
        monkeypatch.chdir(folder / "a")
        assert scan(capfd)[0] == 0
        code, report = scan(capfd, "--exclude", "b/**")
        assert code == 1
        assert [item["name"] for item in report["inputs"]] == ["."]

    def test_standard_input_is_never_left_out(self, tmp_path: Path) -> None:
        plan = (FIXTURES / "KEY_AWS_010/terraform_plan/existing_keys.json").read_bytes()
        done = run("scan", "-", "--exclude", "**", cwd=tmp_path, stdin=plan, env={"TMPDIR": str(tmp_path)})
        assert done.code == 1 and "<stdin>" in done.stdout

    @pytest.mark.parametrize("glob", ["", "../x", "!a"])
    def test_what_is_no_glob(self, folder: Path, capfd: pytest.CaptureFixture[str], glob: str) -> None:
        assert main(["scan", "--exclude", glob]) == 2
        out, err = capfd.readouterr()
        assert (out, err.startswith(f"keyrules: --exclude: {glob!r} is not a glob as in a .gitignore")) == ("", True)
