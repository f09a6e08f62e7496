"""`keyrules exceptions`: the listing, `--expiring`, `--check`, and what it refuses."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import date, datetime, timezone
from pathlib import Path
from typing import NoReturn

import pytest
from scanning import FIXTURES, PROJECT

from keyrules import cli
from keyrules.cli import main
from keyrules.model import Exemption, Plane
from keyrules.run.exceptions import look as exceptions_look
from keyrules.run.exceptions.file import Entry
from keyrules.run.exceptions.listing import Listed, Match, as_json, as_text

AS_OF = "2026-06-01T12:00:00Z"
FILE = Path(".keyrules-exceptions.yaml")
BOTH_PLANES = """\
exceptions:
  - rule: KEY_AWS_001
    subject: aws_iam_access_key.deploy
    reason: The appliance is replaced in August
    owner: storage@example.com
    expires: 2026-08-30
    ticket: OPS-1234
  - rule: KEY_AWS_001
    subject: 123456789012/old-*
    reason: The box is retired in July
    owner: ops@example.com
    expires: 2026-07-01
  - rule: KEY_AWS_008
    subject: infra/*.tf
    reason: The state is encrypted
    owner: platform@example.com
    expires: 2026-05-31
  - rule: KEY_AWS_003
    subject: nobody
    reason: Gone
    owner: ops@example.com
    expires: 2026-06-01
"""
TEXT = """\
KEY_AWS_008  infra/*.tf
    Expired: ended with 2026-05-31, 1 day ago (platform@example.com; .keyrules-exceptions.yaml:13)
    Reason: The state is encrypted
    Matches aws_iam_access_key.deploy (infra/deploy.tf:10), which is no longer exempt

KEY_AWS_003  nobody
    Ends with 2026-06-01, today (ops@example.com; .keyrules-exceptions.yaml:18)
    Reason: Gone
    Matches nothing (code and live)

KEY_AWS_001  123456789012/old-*
    Ends with 2026-07-01, in 30 days (ops@example.com; .keyrules-exceptions.yaml:8)
    Reason: The box is retired in July
    Matches access key 1 of old-backup (arn:aws:iam::123456789012:user/old-backup)

KEY_AWS_001  aws_iam_access_key.deploy
    Ends with 2026-08-30, in 90 days (storage@example.com, OPS-1234; .keyrules-exceptions.yaml:2)
    Reason: The appliance is replaced in August
    Matches aws_iam_access_key.deploy (infra/deploy.tf:10)

4 exceptions: 3 in force, 1 expired, 1 matching nothing
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the examples of both planes, and no network."""

    def refuse(*_: object) -> NoReturn:
        raise AssertionError("the network was used")

    shutil.copytree(FIXTURES / "example", tmp_path / "infra")
    shutil.copy(FIXTURES / "example_report" / "report.csv", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(cli, "current_time", lambda: datetime(2026, 6, 1, 12, tzinfo=timezone.utc))
    FILE.write_text(BOTH_PLANES)
    return tmp_path


@pytest.fixture
def no_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails where code is evaluated."""

    def refuse(*_: object) -> NoReturn:
        raise AssertionError("code was evaluated")

    monkeypatch.setattr(exceptions_look, "scan", refuse)


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(folder: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    def run_here(*arguments: str, as_of: str = AS_OF) -> tuple[int, str, str]:
        code = main(["exceptions", "--as-of", as_of, *arguments])
        out, err = capfd.readouterr()
        return code, out, err

    return run_here


def test_every_entry_with_what_it_matches_the_first_to_end_first(run: Run) -> None:
    assert run("--report", "report.csv") == (0, TEXT, "")


def test_without_a_report_live_entries_say_that_nobody_looked(run: Run) -> None:
    code, out, _ = run("--format", "json")
    assert code == 0
    document = json.loads(out)
    assert {name: document[name] for name in ("schema", "as_of", "file")} == {
        "schema": "keyrules-exceptions/1",
        "as_of": AS_OF,
        "file": ".keyrules-exceptions.yaml",
    }
    entries = {item["place"].split(":")[1]: item for item in document["exceptions"]}
    assert entries["2"] == {
        "rule": "KEY_AWS_001",
        "subject": "aws_iam_access_key.deploy",
        "plane": None,
        "reason": "The appliance is replaced in August",
        "owner": "storage@example.com",
        "ticket": "OPS-1234",
        "expires": "2026-08-30",
        "days_left": 90,
        "place": ".keyrules-exceptions.yaml:2",
        "planes": ["code"],
        "looked_at": ["code"],
        "matches": [
            {"plane": "code", "status": "FAIL", "name": "aws_iam_access_key.deploy", "where": "infra/deploy.tf:10"}
        ],
    }
    assert (entries["8"]["planes"], entries["8"]["looked_at"], entries["8"]["matches"]) == (["live"], [], [])
    assert (entries["18"]["planes"], entries["18"]["looked_at"]) == (["code", "live"], ["code"])
    assert (entries["13"]["days_left"], entries["18"]["days_left"]) == (-1, 0)


@pytest.mark.usefixtures("no_scan")
def test_only_live_entries_evaluate_no_code(run: Run) -> None:
    live = BOTH_PLANES[BOTH_PLANES.index("  - rule: KEY_AWS_001\n    subject: 123") :].split("  - rule: KEY_AWS_008")[0]
    FILE.write_text("exceptions:\n" + live)
    code, out, _ = run("--report", "report.csv")
    assert code == 0
    assert out.endswith("1 exception: 1 in force, 0 expired, 0 matching nothing\n")


@pytest.mark.usefixtures("no_scan")
@pytest.mark.parametrize(
    ("span", "listed"),
    [("29d", ["today"]), ("30d", ["today", "in 30 days"]), ("1d", ["today"]), ("1s", ["today"])],
)
def test_expiring(run: Run, span: str, listed: list[str]) -> None:
    """What ends today or on 1 July, both about live accounts, at noon on 1 June."""
    FILE.write_text(
        BOTH_PLANES.replace("aws_iam_access_key.deploy", "alice/access_key_1")
        .replace("KEY_AWS_008\n    subject: infra/*.tf", "KEY_AWS_012\n    subject: jane")
        .replace("subject: nobody", "subject: nobody\n    plane: live")
        .replace("2026-05-31", "2026-12-31")
    )
    code, out, _ = run("--expiring", span)
    assert code == 0
    assert [line.split(", ")[1].split(" (")[0] for line in out.splitlines() if "Ends with" in line] == listed
    assert f"{len(listed)} of 4 exceptions: " in out


@pytest.mark.usefixtures("no_scan")
@pytest.mark.parametrize(("span", "listed"), [("30d", 1), ("29d", 0), ("720h", 1), ("719h", 0)])
def test_expiring_ends_with_the_beginning_of_the_last_day(run: Run, span: str, listed: int) -> None:
    FILE.write_text(
        BOTH_PLANES[: BOTH_PLANES.index("  - rule: KEY_AWS_008")].replace("aws_iam_access_key.", "ann/access_key_1 #")
    )
    assert f"{listed} of 2 exceptions" in run("--expiring", span, as_of="2026-06-01T00:00:00Z")[1]


def test_a_part_of_the_code_does_not_show_that_nothing_matches(run: Run) -> None:
    Path("other").mkdir()
    code, out, _ = run("other", "--report", "report.csv")
    assert code == 0
    assert "Matches nothing (code" not in out
    assert out.count("    code: not looked at everywhere that it can be (name the folder that it is in)\n") == 3
    assert out.endswith("0 matching nothing\n")


def test_paths_are_relative_to_the_folder_of_the_file(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".keyrules.yaml").write_text("exceptions: .keyrules-exceptions.yaml\n")
    Path(".git").mkdir(exist_ok=True)
    monkeypatch.chdir("infra")
    code, out, _ = run()
    assert code == 0
    assert "Matches aws_iam_access_key.deploy (deploy.tf:10), which is no longer exempt\n" in out
    assert "Matches aws_iam_access_key.deploy (deploy.tf:10)\n" in out


def test_how_far_away_an_end_may_be_counts_from_today(run: Run) -> None:
    FILE.write_text(BOTH_PLANES.replace("2026-07-01", "2027-06-01"))
    assert run("--check", as_of="2024-01-01")[:2] == (
        0,
        ".keyrules-exceptions.yaml: 4 exceptions, 4 in force, 0 expired\n",
    )
    FILE.write_text(BOTH_PLANES.replace("2026-07-01", "2027-06-02"))
    code, _, err = run("--check", as_of="2027-06-01")
    assert code == 2
    assert "`expires` is 2027-06-02, 366 days away; allowed: at most 365 days, until 2027-06-01" in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("options", [[], ["--format", "json"], ["--check"]])
def test_output_that_nobody_takes_is_not_success(options: list[str]) -> None:
    command = [
        sys.executable,
        "-m",
        "keyrules",
        "exceptions",
        *options,
        *(["infra"] if "--check" not in options else []),
    ]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT / "src")}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (3, "keyrules: No space left on device; nothing was concluded\n")
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, env=environment, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (3, "")


def test_expiring_shows_what_has_ended(run: Run) -> None:
    code, out, _ = run("--expiring", "1d", "infra")
    assert code == 0
    assert "Expired: ended with 2026-05-31" in out
    assert "2026-07-01" not in out


@pytest.mark.usefixtures("no_scan")
def test_check_evaluates_nothing_and_says_how_many_hold(run: Run) -> None:
    assert run("--check") == (0, ".keyrules-exceptions.yaml: 4 exceptions, 3 in force, 1 expired\n", "")
    FILE.rename("agreed.yaml")
    assert run("--check", "--exceptions", "agreed.yaml")[:2] == (
        0,
        "agreed.yaml: 4 exceptions, 3 in force, 1 expired\n",
    )


@pytest.mark.usefixtures("no_scan")
def test_no_file_is_no_exception(run: Run) -> None:
    FILE.unlink()
    sentence = "no exceptions: there is no .keyrules-exceptions.yaml, and nothing names another file\n"
    assert run() == (0, sentence, "")
    assert run("--check") == (0, sentence, "")
    code, out, _ = run("--format", "json")
    assert (code, json.loads(out)["file"], json.loads(out)["exceptions"]) == (0, None, [])


@pytest.mark.usefixtures("no_scan")
def test_an_empty_list(run: Run) -> None:
    FILE.write_text("exceptions: []\n")
    assert run() == (0, "0 exceptions: 0 in force, 0 expired, 0 matching nothing\n", "")


@pytest.mark.usefixtures("no_scan")
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--format", "xml"), "--format: 'xml' is not a format; use one of text, json"),
        (("--check", "infra"), "--check evaluates nothing; leave PATH, --report and --expiring out"),
        (("--check", "--report", "report.csv"), "--check evaluates nothing"),
        (("--check", "--expiring", "3d"), "--check evaluates nothing"),
        (("--expiring", "soon"), "--expiring: 'soon' is no length of time"),
        (("--exceptions", "gone.yaml"), "--exceptions: gone.yaml does not exist"),
        (("--exceptions", ""), "--exceptions: the empty name does not exist"),
        (("gone",), "gone does not exist"),
        (("--report", "gone.csv"), "gone.csv does not exist"),
    ],
)
def test_refusals(run: Run, options: tuple[str, ...], sentence: str) -> None:
    code, out, err = run(*options)
    assert (code, out) == (2, "")
    assert sentence in err and err.count("\n") == 1


@pytest.mark.usefixtures("no_scan")
@pytest.mark.parametrize("option", [(), ("--check",)])
def test_a_wrong_file(run: Run, option: tuple[str, ...]) -> None:
    FILE.write_text(BOTH_PLANES.replace("owner: platform@example.com", "owner: ''"))
    code, out, err = run(*option)
    assert (code, out) == (2, "")
    assert err == (
        "keyrules: .keyrules-exceptions.yaml, line 16, entry 3: `owner` has empty text; allowed: text on one line; "
        "quote a number.\n"
    )


def test_what_cannot_be_evaluated_is_said(run: Run) -> None:
    Path("infra/broken.tf").write_text('resource "aws_iam_access_key" "x" {')
    code, out, err = run()
    assert code == 3
    assert "infra/broken.tf: " in err
    assert "Matches nothing" not in out
    assert out.count("    code: not everything could be evaluated\n") == 3
    assert out.endswith("0 matching nothing\n")
    Path("broken.csv").write_text("no report")
    shutil.rmtree("infra")
    code, _, err = run("--report", "broken.csv")
    assert code == 3
    assert "broken.csv" in err


def listed(*matches: Match, **changes: object) -> Listed:
    exemption = Exemption("KEY_AWS_001", "main.tf", "r", "o", date(2026, 6, 30), "file:2")
    values = {"entry": Entry(exemption, "main.tf", None, 1, 2), "days_left": 29, "planes": (Plane.CODE,)}
    return Listed(**{**values, "looked_at": (Plane.CODE,), "broken": (), "matches": matches, **changes})  # type: ignore[arg-type]


def test_many_matches_are_cut_in_text_and_whole_in_json() -> None:
    matches = [Match("code", "FAIL", f"key.{number}", f"main.tf:{number}") for number in range(7)]
    text = as_text([listed(*matches)], 1)
    assert text.count("Matches key.") == 5
    assert "    and 2 more\n" in text
    document = json.loads(as_json("file", datetime(2026, 6, 1, tzinfo=timezone.utc), [listed(*matches)]))
    assert len(document["exceptions"][0]["matches"]) == 7


def test_a_skip_comment_is_named() -> None:
    text = as_text([listed(Match("code", "EXEMPT", "key.a", "main.tf:1"))], 1)
    assert "Matches key.a (main.tf:1), which a skip comment exempts" in text


def test_nothing_from_names_reaches_the_terminal_as_it_is() -> None:
    text = as_text([listed(Match("code", "FAIL", "key\x1b[31m\n", "ma\u202ein.tf:1"))], 1)
    assert "key\\x1b[31m\\n" in text
    assert all(line.isprintable() for line in text.splitlines())


def test_the_help_fits_a_screen_and_has_examples(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["exceptions", "--help"])
    lines = capfd.readouterr().out.splitlines()
    assert len(lines) <= 26
    assert max(map(len, lines)) <= 80
    assert any(line.startswith("  keyrules exceptions --expiring 30d") for line in lines)
