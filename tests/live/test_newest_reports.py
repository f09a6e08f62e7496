"""Folders in which reports pile up: the newest of each account is judged, and what is left out is named."""

from __future__ import annotations

import base64
import gzip
import json
import os
from pathlib import Path

import pytest
from credential_reports import ACCOUNT, AS_OF, ROOT, key, line, report

from keyrules.cli import main

OTHER = "210987654321"
OLD = report(line(ROOT), line("ann", **key(1, 500, used=1)))
NEW = report(line(ROOT), line("ann", **key(1, 5, used=1)))
MOMENT = AS_OF.isoformat()


def as_json(content: bytes, made: str | None) -> bytes:
    document = {"Content": base64.b64encode(content).decode(), "ReportFormat": "text/csv", "GeneratedTime": made}
    return json.dumps({name: value for name, value in document.items() if value}, indent=4).encode()


def of(account: str, content: bytes) -> bytes:
    return content.replace(ACCOUNT.encode(), account.encode())


class Folder:
    def __init__(self, path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.path = path
        self._capfd = capfd

    def holds(self, **files: bytes) -> None:
        """Files by path."""
        for name, data in files.items():
            file = self.path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)

    def audited(self, *options: str, names: tuple[str, ...] = ("",)) -> tuple[int, list[str], str]:
        """The exit code, the inputs and the notes."""
        paths = [str(self.path / name) for name in names]
        code = main(["audit", *paths, "--as-of", MOMENT, "--format", "json", *options])
        document = json.loads(self._capfd.readouterr().out)
        judged = [item["name"].removeprefix(f"{self.path.as_posix()}/") for item in document["inputs"]]
        return code, judged, "\n".join(document["notes"])


@pytest.fixture
def folder(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Folder:
    return Folder(tmp_path, capfd)


LAYOUTS = [
    ("2026-04-30/credentialReport_1.csv", "2026-05-31/credentialReport_1.csv"),
    ("credentialReport_202611011234_20260430.csv", "credentialReport_202611011234_20260531.csv"),
    ("year=2026/month=4/day=30/r.csv", "year=2026/month=05/day=31/r.csv"),
    ("AWSLogs/2026/04/30/r.csv", "AWSLogs/2026/05/31/r.csv"),
    ("2026-05-31T06-00-00Z.csv", "2026-05-31T18-00-00Z.csv"),
    ("2030-01-01-archive/2026-04-30.csv", "2020-01-01-archive/2026-05-31.csv"),
]


@pytest.mark.parametrize(("older", "newer"), LAYOUTS)
@pytest.mark.parametrize("newest_is_younger_on_disk", [True, False])
def test_the_date_in_the_path_says_which_is_newest(
    folder: Folder, older: str, newer: str, newest_is_younger_on_disk: bool
) -> None:
    folder.holds(**{older: OLD, newer: NEW})
    os.utime(folder.path / (older if newest_is_younger_on_disk else newer), (0, 0))
    code, judged, notes = folder.audited()
    assert (code, judged) == (0, [newer])
    assert f"1 older report is not ({folder.path.as_posix()}/{older})" in notes and "--all-reports" in notes
    assert folder.audited("--all-reports")[:2] == (1, sorted([older, newer]))


def test_aws_says_when_a_report_was_made_and_beats_the_path(folder: Folder) -> None:
    folder.holds(**{"2026-05-01.json": as_json(NEW, "2026-05-31T00:00:00+00:00")})
    folder.holds(**{"2026-05-30.json": as_json(OLD, "2026-05-30T00:00:00+00:00")})
    assert folder.audited()[:2] == (0, ["2026-05-01.json"])


def test_each_account_has_a_newest_of_its_own(folder: Folder) -> None:
    folder.holds(**{"2026-05-01/a.csv": OLD, "2026-05-31/a.csv": NEW, "2026-05-01/b.csv": of(OTHER, OLD)})
    code, judged, notes = folder.audited()
    assert (code, judged) == (1, ["2026-05-01/b.csv", "2026-05-31/a.csv"])
    assert "Of 1 account" in notes


@pytest.mark.parametrize(
    "files",
    [
        {"a.csv": OLD, "b.csv": NEW},
        {"2026-05-01.csv": OLD, "b.csv": NEW},
        {"2026-05-01/a.csv": OLD, "2026-05-01/b.csv": NEW},
        {"2026-05-01.csv": OLD, "2026-05-01T10-00.csv": NEW},
        {"2026-13-01.csv": OLD, "2026-14-01.csv": NEW},
        {"01-05-2026.csv": OLD, "02-05-2026.csv": NEW},
        {"2026-05-02.csv": NEW, "x.json": as_json(OLD, "2026-05-01T00:00:00Z")},
        {"2026-05-02.json": as_json(NEW, None), "x.json": as_json(OLD, "2026-05-01T00:00:00Z")},
    ],
)
def test_where_nothing_says_which_is_newest_all_are_judged(folder: Folder, files: dict[str, bytes]) -> None:
    folder.holds(**files)
    code, judged, notes = folder.audited()
    assert (code, judged) == (1, sorted(files))
    assert "which of its reports is the newest" in notes
    assert "which of its reports" not in folder.audited("--all-reports")[2]


def test_a_copy_of_the_newest_is_judged_once(folder: Folder) -> None:
    folder.holds(**{"2026-05-01/a.csv": OLD, "2026-05-31/a.csv": NEW, "latest/a.csv": NEW})
    assert folder.audited()[:2] == (0, ["2026-05-31/a.csv"])


def test_what_holds_another_account_too_is_never_left_out(folder: Folder) -> None:
    folder.holds(**{"2026-05-01.csv": OLD + b"\n" + of(OTHER, OLD), "2026-05-31.csv": NEW})
    assert folder.audited()[:2] == (3, ["2026-05-01.csv", "2026-05-31.csv"])


@pytest.mark.parametrize("damaged", [b"", NEW[:-30], NEW.splitlines()[0]])
def test_a_damaged_newest_report_is_no_reason_to_be_quiet(folder: Folder, damaged: bytes) -> None:
    folder.holds(**{"2026-05-01.csv": OLD, "2026-05-31.csv": damaged})
    code, judged, _ = folder.audited()
    assert code == 3 and "2026-05-31.csv" in judged


def test_a_report_that_somebody_names_is_judged(folder: Folder) -> None:
    folder.holds(**{"2026-05-01.csv": OLD, "2026-05-31.csv": NEW})
    assert folder.audited(names=("2026-05-01.csv", "2026-05-31.csv"))[0] == 1
    assert folder.audited(names=("", "2026-05-01.csv"))[:2] == (1, ["2026-05-01.csv", "2026-05-31.csv"])


def test_what_is_left_out_is_not_overwritten(folder: Folder, capfd: pytest.CaptureFixture[str]) -> None:
    folder.holds(**{"2026-05-01.csv": OLD, "2026-05-31.csv": NEW})
    assert main(["audit", str(folder.path), "--format", f"csv={folder.path}/2026-05-01.csv"]) == 2
    assert "would be replaced" in capfd.readouterr().err


def test_all_reports_is_about_folders(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "--all-reports"]) == 2
    assert "--all-reports" in capfd.readouterr().err


@pytest.mark.parametrize("content", [NEW, as_json(NEW, MOMENT)])
@pytest.mark.parametrize("name", ["r.csv.gz", "r.json.gz", "r.csv", "r"])
def test_a_packed_report_is_one(folder: Folder, content: bytes, name: str) -> None:
    folder.holds(**{name: gzip.compress(content)})
    for named in ("", name):
        assert folder.audited(names=(named,))[:2] == (0, [name])


def test_packed_reports_have_a_newest_too(folder: Folder) -> None:
    for name, content in {"2026-05-01": OLD, "2026-05-31": NEW}.items():
        folder.holds(**{f"{name}/c.csv.gz": gzip.compress(content), f"{name}/j.json.gz": gzip.compress(content)})
    assert folder.audited()[:2] == (0, ["2026-05-31/c.csv.gz"])


PACKED = gzip.compress(report(line(ROOT), *(line(f"user{n}", **key(1, 500 + n)) for n in range(3000))))


@pytest.mark.parametrize(
    "data",
    [PACKED[:5], PACKED[:-200], PACKED[:-4], PACKED[:900] + b"x" * 90 + PACKED[990:], PACKED + b"garbage"],
    ids=["header", "cut", "length", "changed", "tail"],
)
def test_a_damaged_packed_report_is_one_sentence(
    folder: Folder, data: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    folder.holds(**{"r.csv.gz": data})
    for name in ("", "r.csv.gz"):
        assert main(["audit", str(folder.path / name), "--as-of", MOMENT, "--format", "json"]) == 3
        out, err = capfd.readouterr()
        document = json.loads(out)
        assert [error["message"].split("r.csv.gz ")[1] for error in document["errors"]] == [
            "is a damaged gzip file: get the report again."
        ]
        assert (document["findings"], err.count("Traceback")) == ([], 0)


@pytest.mark.parametrize("content", [b"\0", NEW + b"\n", b'{"Content": "' + b"A" * 99])
def test_what_unpacks_without_end_is_refused(
    folder: Folder, content: bytes, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("keyrules.live.report_inputs._MOST_UNPACKED", 1 << 20)
    folder.holds(**{"r.csv.gz": gzip.compress(content + b"A" * (3 << 20))})
    assert main(["audit", str(folder.path), "--as-of", MOMENT]) == 3
    assert "unpacked" in " ".join(capfd.readouterr().out.split())
