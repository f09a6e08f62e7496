"""`keyrules dirs --bundle`: a folder that works in a Checkov without keyrules, whole or not written at all."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from checkov_runs import checkov
from scanning import PROJECT, run, write

from keyrules.code.checkov.bundle import ENTRIES, write_bundle
from keyrules.pack.catalog import load_pack
from keyrules.terms import UsageError

STAMP = load_pack().stamp
SOURCES = {
    "main.tf": 'resource "aws_iam_access_key" "k" {\n  user = "root"\n}\n',
    "t.yaml": "Resources:\n  K:\n    Type: AWS::IAM::AccessKey\n    Properties:\n      UserName: root\n",
}
EXPECTED = {
    ("KEY_AWS_001", "main.tf"),
    ("KEY_AWS_005", "main.tf"),
    ("KEY_AWS_008", "main.tf"),
    ("KEY_AWS_001", "t.yaml"),
    ("KEY_AWS_005", "t.yaml"),
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bundle(str(tmp_path_factory.mktemp("written") / "pack"), STAMP)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def listing(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


class TestContent:
    def test_what_checkov_may_walk_and_nothing_else(self, bundle: Path) -> None:
        assert sorted(path.name for path in bundle.iterdir()) == sorted(ENTRIES)
        assert {path.parent for path in bundle.rglob("__init__.py")} == {bundle / "checks"}
        assert [path.name for path in bundle.rglob("*.py")] and not list(bundle.rglob("*.json"))
        policies = {path.name for path in bundle.rglob("*.yaml")}
        assert policies == {f"{rule.id}.yaml" for rule in load_pack().rules}

    def test_the_engine_is_whole(self, bundle: Path) -> None:
        inside = set(zipfile.ZipFile(bundle / "keyrules.zip").namelist())
        assert {str(path.relative_to(PROJECT / "src")) for path in (PROJECT / "src/keyrules").rglob("*.py")} <= inside
        assert f"keyrules-{STAMP.version}.dist-info/" in inside

    def test_the_same_bytes_twice(self, bundle: Path, tmp_path: Path) -> None:
        assert listing(write_bundle(str(tmp_path / "again"), STAMP)) == listing(bundle)

    def test_the_engine_in_it_knows_its_version_and_rules(self, bundle: Path) -> None:
        script = "import keyrules.pack.catalog as c; s = c.load_pack().stamp; print(s.version, s.sha256)"
        environment = {**os.environ, "PYTHONPATH": str(bundle / "keyrules.zip")}
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True, cwd=bundle
        )
        assert done.stdout.split() == [STAMP.version, STAMP.sha256]


class TestUnderCheckov:
    """The folder is moved first, so that nothing of where it was made can be what makes it work."""

    @pytest.fixture
    def moved(self, bundle: Path, tmp_path: Path) -> Path:
        return Path(shutil.copytree(bundle, tmp_path / "elsewhere/checks for all"))

    @pytest.fixture
    def source(self, tmp_path: Path) -> Path:
        return write(tmp_path / "source", SOURCES)

    def test_as_a_folder(self, moved: Path, source: Path) -> None:
        done = checkov(source, "--external-checks-dir", str(moved), "--skip-check", "KEY_AWS_007,KEY_AWS_017")
        assert {(rule, path) for rule, _, path, _, _ in done.found(source)} == EXPECTED
        assert "ERROR" not in done.stderr

    def test_as_a_repository(self, moved: Path, source: Path, tmp_path: Path) -> None:
        git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
        for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "checks"]):
            subprocess.run([*git, *command], cwd=moved, check=True)
        words = ["--external-checks-git", f"file://{moved}", "--skip-check", "KEY_AWS_007,KEY_AWS_017"]
        done = checkov(source, *words, cwd=tmp_path)
        assert {(rule, path) for rule, _, path, _, _ in done.found(source)} == EXPECTED
        assert "ERROR" not in done.stderr


class TestWriting:
    def test_the_command_prints_what_checkov_takes(self, tmp_path: Path) -> None:
        done = run("dirs", "--bundle", "a/b c", cwd=tmp_path)
        assert (done.code, done.stderr) == (0, "")
        assert done.stdout.startswith(f"--external-checks-dir '{tmp_path}/a/b c' --skip-check KEY_AWS_")
        assert names(tmp_path / "a") == ["b c"]

    def test_into_an_empty_folder_and_over_an_earlier_one(self, tmp_path: Path) -> None:
        (tmp_path / "pack").mkdir()
        target = write_bundle(str(tmp_path / "pack"), STAMP)
        before = listing(target)
        write(target, {".git/HEAD": "x", "rules/KEY_AWS_099.yaml": "gone", "README.md": "edited"})
        assert listing(write_bundle(str(target), STAMP)) == before
        assert (target / ".git/HEAD").read_text() == "x" and names(tmp_path) == ["pack"]

    def test_into_a_fresh_repository(self, tmp_path: Path) -> None:
        write(tmp_path, {"pack/.git/HEAD": "x"})
        assert set(ENTRIES) < set(names(write_bundle(str(tmp_path / "pack"), STAMP)))

    @pytest.mark.parametrize(
        ("files", "name", "sentence"),
        [
            ({"pack/main.tf": ""}, "pack", "main.tf lies there"),
            ({"pack/README.md": ""}, "pack", "is not empty and no earlier bundle"),
            ({"pack": ""}, "pack", "is a file"),
            ({"pack": ""}, "pack/below", "nothing was written|is a file"),
            ({}, "", "needs the name of a folder"),
        ],
    )
    def test_what_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], name: str, sentence: str
    ) -> None:
        monkeypatch.chdir(write(tmp_path, files))
        before = listing(tmp_path)
        with pytest.raises(UsageError, match=sentence):
            write_bundle(name, STAMP)
        assert listing(tmp_path) == before and names(tmp_path) == sorted({f.split("/")[0] for f in files})

    def test_a_failure_leaves_the_earlier_one_whole(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        target = write_bundle(str(tmp_path / "pack"), STAMP)
        write(target, {"README.md": "the earlier one"})
        before = listing(target)
        rename = Path.rename

        def full(self: Path, to: Path) -> Path:
            if to == target / "keyrules.zip" and self.parent.name == "new":
                raise OSError(28, "No space left on device")
            return rename(self, to)

        monkeypatch.setattr(Path, "rename", full)
        with pytest.raises(UsageError, match="No space left on device; nothing was written"):
            write_bundle(str(target), STAMP)
        assert listing(target) == before and names(tmp_path) == ["pack"]
