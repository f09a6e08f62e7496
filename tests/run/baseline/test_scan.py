"""A repository is adopted with a baseline and lived with: only what is new fails, and what is fixed is said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from canaries import assert_no_leak, make_canary
from scanning import PROJECT, write

from keyrules.cli import main

APRIL, MAY, JUNE = "2026-04-01T00:00:00Z", "2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z"
KEY = """\
resource "aws_iam_access_key" "NAME" {
  user    = "svc-NAME"
  pgp_key = "keybase:ops"
}
"""
TEMPLATE = """\
Resources:
  Key:
    Type: AWS::IAM::AccessKey
    Properties: {UserName: svc-stack}
"""
CANARY = make_canary("baseline")
SCRIPT = f"export AWS_ACCESS_KEY_ID={CANARY.key_id}\nexport AWS_SECRET_ACCESS_KEY={CANARY.secret}\n"


def key(*names: str) -> str:
    """Terraform with one finding, KEY_AWS_001, for each name."""
    return "\n".join(KEY.replace("NAME", name) for name in names)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two root modules, a template and a script: six findings."""
    write(
        tmp_path,
        {
            "prod/main.tf": key("a", "b"),
            "prod/other.tf": key("c"),
            "test/main.tf": key("a"),
            "stack.yaml": TEMPLATE,
            "deploy.sh": SCRIPT,
        },
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def scan(*arguments: str, code: int, as_of: str = MAY) -> dict[str, Any]:
    """Runs the scan, in the folder where the test stands, and returns its JSON report."""
    report = Path("..", f"{Path.cwd().name}.report.json")
    assert main(["scan", "--format", f"json={report}", "--as-of", as_of, *arguments]) == code
    read: dict[str, Any] = json.loads(report.read_text())
    return read


def places(findings: list[Mapping[str, Any]]) -> list[str]:
    """`path address` of each finding."""
    return [f"{f['location']['path']} {f['location']['address'].removeprefix('aws_iam_access_key.')}" for f in findings]


def resolved(report: Mapping[str, Any]) -> list[str]:
    """`path address` of what is gone."""
    return [f"{g['path']} {g['name'].removeprefix('aws_iam_access_key.')}" for g in report["baseline"]["resolved"]]


def numbers(report: Mapping[str, Any]) -> tuple[int, int, int, int]:
    """New, known, resolved and not looked at."""
    baseline = report["baseline"]
    counts = len(report["findings"]), len(baseline["known"]), len(baseline["resolved"]), baseline["not_evaluated"]
    assert report["summary"]["known"] == counts[1]
    return counts


def test_living_with_it(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Adopt; add a key; fix one; rename a file; move a block; copy a module; delete files; write it anew."""
    adopted = scan("--write-baseline", "b.json", code=0, as_of=APRIL)
    assert len(adopted["findings"]) == 6
    what_now = "Commit it; with --baseline b.json only what is new fails."
    assert adopted["notes"] == [f"Accepted 6 findings in the baseline b.json. {what_now}"]
    assert "Accepted 6 findings in the baseline b.json." in capsys.readouterr().out
    first = Path("b.json").read_bytes()

    unchanged = scan("--baseline", "b.json", code=0)
    assert numbers(unchanged) == (0, 6, 0, 0)
    assert {known["first_seen"] for known in unchanged["baseline"]["known"]} == {APRIL}
    assert "since the baseline: 0 new, 6 known, 0 resolved\n" in capsys.readouterr().out

    # A key more, another fixed, a renamed file, a block in another file of its module, a script under another name.
    write(repository, {"prod/main.tf": "\n\n" + key("new"), "prod/keys.tf": key("b"), "prod/third.tf": key("c")})
    Path("prod/other.tf").unlink()
    Path("deploy.sh").rename("release.sh")
    changed = scan("--baseline", "b.json", code=1)
    assert places(changed["findings"]) == ["prod/main.tf new"]
    assert resolved(changed) == ["prod/main.tf a"]
    assert numbers(changed) == (1, 5, 1, 0)
    moved = {known["location"]["path"]: known["moved_from"] for known in changed["baseline"]["known"]}
    assert moved == {
        "prod/keys.tf": "prod/main.tf",
        "prod/third.tf": "prod/other.tf",
        "release.sh": "deploy.sh",
        "stack.yaml": None,
        "test/main.tf": None,
    }
    out = capsys.readouterr().out
    assert (
        "Known since the baseline (5)" in out
        and "LOW       KEY_AWS_001  4 findings  oldest first seen 2026-04-01, 30 days" in out
    )
    assert "  LOW  KEY_AWS_001  prod/main.tf  aws_iam_access_key.a  first seen 2026-04-01, 30 days ago\n" in out
    assert out.endswith("; since the baseline: 1 new, 5 known, 1 resolved\n")

    # A module that is copied is new, however much it looks like the old one.
    write(repository, {"stage/main.tf": key("a")})
    assert places(scan("--baseline", "b.json", code=1)["findings"]) == ["prod/main.tf new", "stage/main.tf a"]
    Path("stage/main.tf").unlink()

    # Accepted anew, with the old dates; the same bytes when nothing changed.
    assert Path("b.json").read_bytes() == first
    rewritten = scan("--baseline", "b.json", "--write-baseline", "b.json", code=0)
    assert rewritten["notes"] == ["Accepted 6 findings in the baseline b.json."]
    second = Path("b.json").read_bytes()
    seen = {f["location"]["address"]: f["first_seen"] for f in json.loads(second)["findings"]}
    assert (seen["aws_iam_access_key.new"], seen["aws_iam_access_key.c"]) == (MAY, APRIL)
    again = scan("--baseline", "b.json", "--write-baseline", "c.json", code=0, as_of=JUNE)
    assert numbers(again) == (0, 6, 0, 0)
    assert Path("c.json").read_bytes() == second
    assert_no_leak([("b.json", second), ("report", json.dumps(changed)), ("text", out)], [CANARY])


def test_what_a_run_did_not_look_at_is_kept(repository: Path) -> None:
    """A sub-folder, a single file, a rule, a broken file; then a repository with nothing left in it."""
    scan("--write-baseline", "b.json", code=0, as_of=APRIL)
    write(repository, {"prod/main.tf": key("b")})
    Path("test/main.tf").unlink()

    folder = scan("--baseline", "b.json", "prod", code=0)
    assert (numbers(folder), resolved(folder)) == ((0, 2, 1, 3), ["prod/main.tf a"])
    single = scan("--baseline", "b.json", "prod/other.tf", code=0)
    assert numbers(single) == (0, 1, 0, 5)
    other_rule = scan("--baseline", "b.json", "--rule", "KEY_AWS_011", code=0)
    assert numbers(other_rule) == (0, 1, 0, 5)

    write(repository, {"prod/other.tf": 'resource "aws_iam_access_key" {'})
    broken = scan("--baseline", "b.json", code=3)
    assert resolved(broken) == ["test/main.tf a"]
    assert broken["baseline"]["not_evaluated"] >= 2

    # What was not looked at stays in a new baseline, with what it came from.
    before = json.loads(Path("b.json").read_bytes())
    written = scan("--baseline", "b.json", "--write-baseline", "c.json", "test", code=0)
    assert written["notes"][-1] == (
        "Accepted 0 findings in the baseline c.json, and kept 5 that this run did not look at."
    )
    after = json.loads(Path("c.json").read_bytes())
    assert after["findings"] == [f for f in before["findings"] if f["location"]["path"] != "test/main.tf"]
    assert [item["name"] for item in after["inputs"]] == ["prod"]

    for path in ("prod/main.tf", "prod/other.tf", "stack.yaml", "deploy.sh"):
        Path(path).unlink()
    empty = scan("--baseline", "b.json", code=0)
    assert numbers(empty) == (0, 0, 6, 0)


def test_a_scan_without_checkov_says_what_is_resolved(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in ("prod/main.tf", "prod/other.tf", "test/main.tf", "stack.yaml"):
        Path(path).unlink()
    scan("--write-baseline", "b.json", code=0, as_of=APRIL)
    Path("deploy.sh").unlink()
    capsys.readouterr()
    assert main(["scan", "--baseline", "b.json", "--as-of", MAY]) == 0
    out = capsys.readouterr().out
    assert (
        "Resolved since the baseline (1)\n"
        "  CRITICAL  KEY_AWS_011  deploy.sh  literal  first seen 2026-04-01, 30 days ago, the file is gone\n"
    ) in out
    assert out.endswith("Nothing to evaluate; since the baseline: 0 new, 0 known, 1 resolved\n")
    assert main(["scan", "--baseline", "b.json", "--as-of", MAY, "--quiet"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--baseline", "none.json"], "make it with `keyrules scan --write-baseline none.json`"),
        (["--baseline", ""], "--baseline names no file"),
        (["--write-baseline", ""], "--write-baseline names no file"),
        (["--baseline", "deploy.sh"], "--baseline: deploy.sh is not JSON"),
        (["--write-baseline", "no/where.json"], "--write-baseline: the directory of no/where.json does not exist"),
        (["--write-baseline", "prod"], "--write-baseline: prod is a directory"),
        (["--write-baseline", "x.json", "--format", "json=prod/../x.json"], "x.json is where --format json goes, too"),
        (["--baseline", "none.json", "--write-baseline", "x.json"], "none.json does not exist"),
        (["--baseline", "none.json", "--write-baseline", "none.json"], "none.json does not exist"),
    ],
)
def test_refusals(repository: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str) -> None:
    before = sorted(repository.rglob("*"))
    assert main(["scan", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and says in err
    assert CANARY.secret not in err
    assert sorted(repository.rglob("*")) == before


def test_a_configuration_may_name_the_first_baseline_before_it_exists(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(repository, {".keyrules.yaml": "scan:\n  baseline: b.json\n"})
    assert main(["scan", "deploy.sh"]) == 2
    assert main(["scan", "deploy.sh", "--write-baseline", "b.json"]) == 0
    assert main(["scan", "deploy.sh"]) == 0
    write(repository, {"b.json": "{}"})
    capsys.readouterr()
    assert main(["scan", "deploy.sh"]) == 2
    assert ".keyrules.yaml:2: b.json is no report of keyrules" in capsys.readouterr().err


@pytest.mark.parametrize("options", [[], ["--baseline", "b.json"]])
def test_nothing_of_it_is_imported_unless_asked_for(repository: Path, options: list[str]) -> None:
    scan("--write-baseline", "b.json", "deploy.sh", code=0)
    program = (
        "import sys; from keyrules.cli import main; main(sys.argv[1:]); "
        "print([name for name in sys.modules if 'baseline' in name])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "scan", "deploy.sh", *options],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(PROJECT / "src")},
    )
    assert (done.stdout.splitlines()[-1] == "[]") is (not options)
