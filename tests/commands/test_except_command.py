"""`keyrules except` puts an entry behind those of a file, and leaves everything else in it as it is."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest
import yaml
from scanning import FIXTURES, scan

from keyrules.cli import main
from keyrules.run.exceptions.adding import with_entry

NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)
ENTRY = {"rule": "KEY_AWS_001", "subject": "alice", "reason": "r", "owner": "o@example.com", "expires": "2026-07-01"}
OPTIONS = ("--reason", "No new key: not before May", "--owner", "ops@example.com", "--until", "2026-11-30")


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("keyrules.cli.current_time", lambda: NOW)
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> int:
    return main(["except", *arguments, "--exceptions", "exceptions.yaml"])


FILE = Path("exceptions.yaml")


@pytest.mark.parametrize(
    ("before", "kept"),
    [
        ("", ""),
        ("# ours\n", "# ours\n"),
        ("exceptions:\n", "exceptions:\n"),
        ("exceptions: []\n", "exceptions:\n"),
        ("exceptions: [ ] # none\n", "exceptions: # none\n"),
        ("# é\nexceptions:\n- {rule: KEY_AWS_002, subject: b, reason: r, owner: o, expires: 2026-07-01}\n# end", None),
        ("exceptions:\r\n    - rule: KEY_AWS_002 # x\r\n      subject: b\r\n", None),
        ("\ufeffexceptions:\n  - rule: KEY_AWS_002\n    subject: b\n", None),
    ],
)
def test_an_entry_is_the_last_one_and_the_rest_stays(before: str, kept: str | None) -> None:
    after = with_entry(before, ENTRY)
    assert after.startswith(before if kept is None else kept)
    entries = yaml.safe_load(after)["exceptions"]
    assert {**entries[-1], "expires": str(entries[-1]["expires"])} == ENTRY
    assert after.count("KEY_AWS_001") == 1 and after.endswith("\n")
    assert ("\r\n" in before) == ("\r\n" in after) and after.count("\r\n") in (0, after.count("\n"))


def test_a_finding_is_exempt_afterwards(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("KEY_AWS_008:aws_iam_access_key.deploy", *OPTIONS, "--ticket", "12") == 0
    shown = capsys.readouterr().out
    assert shown.startswith("exceptions.yaml:3: KEY_AWS_008 on aws_iam_access_key.deploy; 1 exception in the file\n")
    scanned = scan(FIXTURES / "example", "--exceptions", str(FILE.resolve()))
    assert {each["rule"] for each in scanned.findings() if each["status"] == "EXEMPT"} == {"KEY_AWS_008"}
    assert run("KEY_AWS_002:alice", *OPTIONS, "--plane", "live") == 0
    assert main(["exceptions", "--check", "--exceptions", "exceptions.yaml"]) == 0
    assert "2 exceptions, 2 in force" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("alice",), "is no RULE:SUBJECT"),
        (("KEY_AWS_001:",), "is no RULE:SUBJECT"),
        (("KEY_AWS_999:alice",), "There is no rule 'KEY_AWS_999'"),
        (("KEY_AWS_001:*",), "has wildcards only"),
        (("KEY_AWS_002:alice", "--plane", "code"), "where KEY_AWS_002 is never evaluated"),
        (("KEY_AWS_001:alice", "--until", "2030-01-01"), "at most 365 days, until 2027-06-01"),
        (("KEY_AWS_001:alice", "--until", "soon"), "`expires` is no day"),
        (("KEY_AWS_001:alice", "--reason", "a\nb"), "has a line break"),
        (("KEY_AWS_001:bob",), "which has the same rule and subject"),
    ],
)
def test_what_would_be_wrong_is_not_written(
    arguments: tuple[str, ...], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = "exceptions:\n  - {rule: KEY_AWS_001, subject: bob, reason: r, owner: o, expires: 2026-07-01}\n"
    FILE.write_text(before, encoding="utf-8")
    finding, *more = arguments
    assert run(finding, *OPTIONS, *more) == 2
    error = capsys.readouterr().err
    assert expected in error and error.count("\n") == 1
    assert FILE.read_text(encoding="utf-8") == before and [path.name for path in Path().iterdir()] == [FILE.name]


@pytest.mark.parametrize(
    "before",
    [
        "exceptions: [{rule: KEY_AWS_001, subject: bob, reason: r, owner: o, expires: 2026-07-01}]\n",
        "exceptions:\n  [{rule: KEY_AWS_001, subject: bob, reason: r, owner: o, expires: 2026-07-01}]\n",
        "{exceptions: [{rule: KEY_AWS_001, subject: bob, reason: r, owner: o, expires: 2026-07-01}]}\n",
        "exceptions: nothing\n",
    ],
)
def test_a_file_that_takes_no_entry_stays(before: str, capsys: pytest.CaptureFixture[str]) -> None:
    FILE.write_text(before, encoding="utf-8")
    assert run("KEY_AWS_001:alice", *OPTIONS) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert FILE.read_text(encoding="utf-8") == before


def test_a_link_stays_one_and_a_mode_stays(tmp_path: Path) -> None:
    real = tmp_path / "real.yaml"
    real.write_text("exceptions: []\n", encoding="utf-8")
    real.chmod(0o640)
    FILE.symlink_to(real)
    assert run("KEY_AWS_001:alice", *OPTIONS) == 0
    assert FILE.is_symlink() and "alice" in real.read_text(encoding="utf-8") and real.stat().st_mode & 0o777 == 0o640


def test_the_file_has_to_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["except", "KEY_AWS_001:alice", *OPTIONS]) == 2
    assert "--exceptions" in capsys.readouterr().err
    assert list(Path().iterdir()) == []
