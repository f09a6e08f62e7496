"""`keyrules init` shows what a repository needs, writes it only when asked to, and never touches what is there."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from scanning import FIXTURES

from keyrules.cli import main


@pytest.fixture(autouse=True)
def _repository(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(FIXTURES / "example/deploy.tf", tmp_path)


def contents() -> Mapping[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(Path().rglob("*")) if path.is_file()}


def test_it_writes_nothing_unless_asked_to(capsys: pytest.CaptureFixture[str]) -> None:
    before = contents()
    assert main(["init"]) == 0
    shown = capsys.readouterr().out
    assert "3 findings of today" in shown and shown.endswith("`keyrules init --write` writes the new files.\n")
    assert contents() == before


def test_what_it_writes_makes_the_gate_green_until_something_is_new(capsys: pytest.CaptureFixture[str]) -> None:
    Path(".github").mkdir()
    before = contents()
    assert main(["init", "--write"]) == 0
    assert "aws_iam_access_key" not in capsys.readouterr().out
    assert contents().keys() - before.keys() == {
        ".keyrules.yaml",
        ".keyrules-baseline.json",
        ".github/workflows/keyrules.yml",
    }
    assert yaml.safe_load(Path(".github/workflows/keyrules.yml").read_text("utf-8"))["jobs"].keys() == {"keyrules"}
    assert main(["scan"]) == 0
    Path("new.tf").write_text('resource "aws_iam_access_key" "new" {\n  user = "new"\n}\n', encoding="utf-8")
    assert main(["scan"]) == 1


@pytest.mark.parametrize("name", [".gitlab-ci.yml", "Jenkinsfile", ".pre-commit-config.yaml"])
def test_what_is_there_is_added_to_by_people(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(name).write_text("theirs: 1\n", encoding="utf-8")
    assert main(["init", "--write"]) == 0
    assert f"{name} (add to it)\n" in capsys.readouterr().out
    assert Path(name).read_text(encoding="utf-8") == "theirs: 1\n"


def test_a_workflow_of_that_name_stays(capsys: pytest.CaptureFixture[str]) -> None:
    workflow = Path(".github/workflows/keyrules.yml")
    workflow.parent.mkdir(parents=True)
    workflow.write_text("on: push\n", encoding="utf-8")
    assert main(["init", "--write"]) == 0
    assert ".github/workflows/keyrules.yml (is there already)" in capsys.readouterr().out
    assert workflow.read_text(encoding="utf-8") == "on: push\n"


def test_a_link_out_of_the_repository_is_not_followed(
    tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    Path(".github").symlink_to(elsewhere)
    assert main(["init", "--write"]) == 2
    assert "leads out of this folder" in capsys.readouterr().err
    assert list(elsewhere.iterdir()) == [] and not Path(".keyrules.yaml").exists()


@pytest.mark.parametrize("name", [".keyrules.yaml", ".keyrules-baseline.json"])
def test_a_second_first_day_is_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(name).write_text("{}\n", encoding="utf-8")
    assert main(["init", "--write"]) == 2
    assert capsys.readouterr().err.startswith(f"keyrules: {name} is there already; ")


def test_what_cannot_be_evaluated_comes_first(capsys: pytest.CaptureFixture[str]) -> None:
    Path("broken.tf").write_text('resource "aws_iam_access_key" "x" {', encoding="utf-8")
    before = contents()
    assert main(["init", "--write"]) == 3
    shown = capsys.readouterr()
    assert "broken.tf" in shown.err and "Nothing was written" in shown.out
    assert contents() == before
