"""A baseline means the same from whatever folder a run is started, and by whatever link it gets there."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from canaries import make_canary
from scanning import write

from keyrules.cli import main
from keyrules.run.baseline.places import Places, base_of, start_for, start_of

APRIL, MAY = "2026-04-01T00:00:00Z", "2026-05-01T00:00:00Z"
KEYS = "".join(
    f'resource "aws_iam_access_key" "{name}" {{\n  user    = "svc-{name}"\n  pgp_key = "keybase:ops"\n}}\n'
    for name in ("a", "b")
)
CANARIES = [make_canary(f"places {number}") for number in range(2)]
SCRIPTS = [f"export AWS_ACCESS_KEY_ID={c.key_id}\nexport AWS_SECRET_ACCESS_KEY={c.secret}\n" for c in CANARIES]
MODULE = {"a.sh": SCRIPTS[0], "b.sh": SCRIPTS[1]}
COPIES = {f"{folder}/{name}": script for folder in ("infra", "infra2") for name, script in MODULE.items()}
CONFIGURED = {".keyrules.yaml": "scan:\n  baseline: b.json\n"}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two folders that are copies: four findings; accepted by a baseline at the root, which is configured."""
    folder = write(tmp_path / "repo", COPIES)
    (folder / ".git").mkdir(exist_ok=True)
    monkeypatch.chdir(folder)
    assert main(["scan", "--write-baseline", "b.json", "--as-of", APRIL]) == 0
    write(folder, CONFIGURED)
    return folder


def scan(tmp_path: Path, *arguments: str, code: int = 0) -> dict[str, Any]:
    """Runs the scan from where the test stands and returns its JSON report."""
    report = tmp_path / "report.json"
    assert main(["scan", "--format", f"json={report}", "--as-of", MAY, *arguments]) == code
    read: dict[str, Any] = json.loads(report.read_text())
    return read


def numbers(report: dict[str, Any]) -> tuple[int, int, int, int]:
    """New, known, resolved and not looked at."""
    baseline = report["baseline"]
    return len(report["findings"]), len(baseline["known"]), len(baseline["resolved"]), baseline["not_evaluated"]


@pytest.mark.parametrize(
    ("stands_in", "arguments", "expected"),
    [
        ("repo", [], (0, 4, 0, 0)),
        ("repo", ["infra"], (0, 2, 0, 2)),
        ("repo", ["link"], (0, 2, 0, 2)),
        ("repo", ["infra/a.sh"], (0, 1, 0, 3)),
        ("repo/infra", [], (0, 2, 0, 2)),
        ("repo/infra", [".."], (0, 4, 0, 0)),
        ("repo/infra", ["../infra2", "."], (0, 4, 0, 0)),
        ("repo/link", [], (0, 2, 0, 2)),
        ("repo/infra", ["../link/../infra2"], (0, 2, 0, 2)),
        (".", ["--baseline", "repo/b.json", "repo"], (0, 4, 0, 0)),
        (".", ["--baseline", "way/b.json", "way"], (0, 4, 0, 0)),
        ("way", ["--baseline", "../repo/b.json"], (0, 4, 0, 0)),
        ("elsewhere", ["--baseline", "../repo/b.json", "../repo"], (0, 4, 0, 0)),
    ],
)
def test_from_any_folder(
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stands_in: str,
    arguments: list[str],
    expected: tuple[int, int, int, int],
) -> None:
    (repository / "link").symlink_to("infra")
    (tmp_path / "way").symlink_to("repo")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / stands_in)
    report = scan(tmp_path, *arguments)
    assert numbers(report) == expected
    assert {known["first_seen"] for known in report["baseline"]["known"]} == {APRIL}
    assert {known["moved_from"] for known in report["baseline"]["known"]} == {None}


def test_from_the_root_of_the_file_system(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    assert numbers(scan(tmp_path, "--baseline", f"{repository}/b.json", str(repository))) == (0, 4, 0, 0)


def test_changes_are_seen_from_a_sub_folder_and_shown_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "repo", {".git/HEAD": "", "infra/main.tf": KEYS, "infra2/main.tf": KEYS, **CONFIGURED})
    monkeypatch.chdir(tmp_path / "repo")
    assert main(["scan", "--write-baseline", "b.json", "--as-of", APRIL]) == 0
    monkeypatch.chdir("infra")
    Path("main.tf").rename("keys.tf")
    one, other = (f"resource{part}" for part in KEYS.split("resource")[1:])
    Path("keys.tf").write_text(one.replace('"a"', '"new"', 1) + other)
    report = scan(tmp_path, code=1)
    assert [finding["location"]["path"] for finding in report["findings"]] == ["keys.tf"]
    assert [known["moved_from"] for known in report["baseline"]["known"]] == ["main.tf"]
    (gone,) = report["baseline"]["resolved"]
    assert (gone["path"], gone["name"]) == ("main.tf", "aws_iam_access_key.a")
    assert numbers(report) == (1, 1, 1, 2)


def test_written_anew_from_a_sub_folder_it_keeps_its_paths_and_what_lies_outside(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Path("b.json").read_bytes()
    assert json.loads(before)["base"] == "."
    monkeypatch.chdir(repository / "infra")
    scan(tmp_path, "--write-baseline", "../b.json")
    assert Path("../b.json").read_bytes() == before
    scan(tmp_path, "--write-baseline", "../ci.json")
    assert Path("../ci.json").read_bytes() == before
    (repository / "ci").mkdir()
    scan(tmp_path, "--write-baseline", "../ci/b.json")
    assert Path("../ci/b.json").read_bytes() == before.replace(b'"base": "."', b'"base": ".."')
    Path("a.sh").unlink()
    Path("b.sh").unlink()
    scan(tmp_path, "--write-baseline", "../b.json")
    kept = json.loads(Path("../b.json").read_bytes())["findings"]
    assert [finding["location"]["path"] for finding in kept] == ["infra2/a.sh", "infra2/b.sh"]


def test_paths_on_the_other_side_of_where_they_start(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository / "infra")
    scan(tmp_path, "--baseline", "../b.json", "--write-baseline", "own.json", "..")
    assert json.loads(Path("own.json").read_bytes())["base"] == ".."
    Path("../.keyrules.yaml").unlink()
    assert main(["scan", "--write-baseline", "own.json", "..", "--as-of", APRIL]) == 0
    document = json.loads(Path("own.json").read_bytes())
    assert document["base"] == "."
    assert [f["location"]["path"] for f in document["findings"]] == ["../infra2/a.sh", "../infra2/b.sh", "a.sh", "b.sh"]
    monkeypatch.chdir(repository)
    assert numbers(scan(tmp_path, "--baseline", "infra/own.json")) == (0, 4, 0, 0)
    # Absolute paths, as an ordinary report has them there, mean the same; the fingerprint is another one then.
    for number, finding in enumerate(document["findings"]):
        finding["location"]["path"] = str(repository / "infra" / finding["location"]["path"])
        finding["fingerprint"] = f"{number:064x}"
    Path("infra/own.json").write_text(json.dumps(document))
    assert numbers(scan(tmp_path, "--baseline", "infra/own.json")) == (0, 4, 0, 0)


def test_kept_elsewhere_it_is_about_the_working_directory(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made in one checkout and read in another; a report serves wherever it lies."""
    Path(".keyrules.yaml").unlink()
    (repository / ".git").mkdir(exist_ok=True)
    (tmp_path / "kept").mkdir()
    for file in ("kept/b.json", "b.json"):
        scan(tmp_path, "--write-baseline", f"../{file}")
        assert "base" not in json.loads((tmp_path / file).read_text())
    report = scan(tmp_path, code=1)
    (tmp_path / "earlier.json").write_text(json.dumps(report))
    other = write(tmp_path / "other", COPIES)
    monkeypatch.chdir(other)
    for file in ("kept/b.json", "b.json", "earlier.json"):
        assert numbers(scan(tmp_path, "--baseline", f"../{file}")) == (0, 4, 0, 0)


def test_a_pipe_has_no_folder(repository: Path, tmp_path: Path) -> None:
    """As in `--baseline <(git show main:b.json)`."""
    read, written = os.pipe()
    os.write(written, Path("b.json").read_bytes())
    os.close(written)
    try:
        assert numbers(scan(tmp_path, "--baseline", f"/dev/fd/{read}")) == (0, 4, 0, 0)
    finally:
        os.close(read)


@pytest.mark.parametrize("option", ["--baseline", "--write-baseline"])
def test_standard_input_and_output_are_no_baseline(
    repository: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    assert main(["scan", option, "-"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and f"{option}: - is no file, and a baseline is one" in err


class TestWherePathsStart:
    @pytest.mark.parametrize(
        ("file", "here", "earlier", "start"),
        [
            ("b.json", ".", None, "."),
            ("ci/b.json", ".", None, "."),
            ("b.json", "infra", None, "."),
            ("b.json", "infra/deep", None, "."),
            ("b.json", "checkout", None, None),
            ("b.json", "checkout/infra", None, None),
            ("checkout/b.json", "checkout/infra", None, "checkout"),
            ("ci/b.json", "infra", None, None),
            ("ci/b.json", "infra", ".", "."),
            ("b.json", ".", "infra", "infra"),
            ("ci/b.json", ".", "infra", "."),
        ],
    )
    def test_of_a_new_one(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        file: str,
        here: str,
        earlier: str | None,
        start: str | None,
    ) -> None:
        for folder in ("ci", "infra/deep", "checkout/infra", "checkout/.git"):
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        monkeypatch.chdir(tmp_path / here)
        found = start_for(tmp_path / file, str(tmp_path / earlier) if earlier else None)
        assert found == (str(tmp_path / start) if start else None)
        if found:
            (tmp_path / file).touch()
            assert start_of(tmp_path / file, base_of(tmp_path / file, found)) == found

    def test_of_devices(self) -> None:
        assert start_for(Path("/dev/null"), None) is None
        assert start_of(Path("/dev/null"), ".") is None

    def test_a_file_that_two_modules_share_by_a_link_is_two(self, tmp_path: Path) -> None:
        write(tmp_path, {"infra/main.tf": KEYS, "infra3/variables.tf": ""})
        (tmp_path / "infra3/main.tf").symlink_to("../infra/main.tf")
        assert Places(str(tmp_path)).settled("infra3/main.tf") == "infra3/main.tf"

    @pytest.mark.parametrize("path", ["a\0b", "x/\ud800/y", "n" * 300, "<stdin>", "", "a/../b", "."])
    def test_any_path_has_one_form(self, tmp_path: Path, path: str) -> None:
        places = Places(str(tmp_path))
        once = places.settled(path)
        assert places.settled(once) == once
        assert places.gone(once) is (path not in ("a\0b", "x/\ud800/y", "n" * 300, "<stdin>", "", "."))
