"""What is given to an audit and is no report, and reports that passed through other programs."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path

import pytest
from credential_reports import AS_OF, COLUMNS, ROOT, evaluate, key, line, report

from keyrules.cli import main
from keyrules.live.found_reports import find_reports

REPORT = report(line(ROOT), line("ann", **key(1, 5, used=1)))
TERRAFORM = b'# users\nresource "aws_iam_access_key" "k" {\n  user = "ci"\n}\n'
TEMPLATE = b"Resources:\n  K:\n    Type: AWS::IAM::AccessKey\n"
PLAN = b'{"format_version": "1.2", "planned_values": {}}'


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("main.tf", b""),
        ("main.tf", TERRAFORM),
        ("main.txt", TERRAFORM),
        ("t.yaml", TEMPLATE),
        ("t.json", b'{"Resources": {"K": {"Type": "AWS::IAM::AccessKey"}}}'),
        ("plan.json", PLAN),
        ("x.tfstate", b'{"version": 4, "terraform_version": "1.11.4", "lineage": "x", "serial": 1}'),
    ],
)
def test_an_audit_of_code_names_the_scan(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, data: bytes
) -> None:
    (tmp_path / name).write_bytes(data)
    assert main(["audit", str(tmp_path / name)]) == 3
    assert "keyrules scan" in " ".join(capfd.readouterr().out.split())


def test_a_folder_is_read_by_content_and_what_is_not_read_is_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    as_json = json.dumps({"Content": base64.b64encode(REPORT).decode()}).encode()
    for name, data in {"a.csv": REPORT, "b.txt": REPORT, "c": REPORT, "d.data": as_json}.items():
        (tmp_path / name).write_bytes(data)
    others = {"e.gz": gzip.compress(b"a log"), "f.md": b"notes", "g.json": b'{"Users": []}', "h.tf": TERRAFORM}
    for name, data in others.items():
        (tmp_path / name).write_bytes(data)
    found = find_reports([str(tmp_path)])
    assert [Path(source.name).name for source in found] == ["a.csv", "b.txt", "c", "d.data"]
    assert [Path(name).name for name in found.not_read] == list(others)
    assert main(["audit", str(tmp_path), "--as-of", AS_OF.isoformat(), "--format", "json"]) == 0
    (note,) = [note for note in json.loads(capfd.readouterr().out)["notes"] if "not read" in note]
    assert note.startswith("4 files are") and "e.gz" in note and "and 1 more" in note and "h.tf" not in note


@pytest.mark.parametrize(
    ("name", "data"), [("x.csv", b""), ("x.csv", b"user,arn\n"), ("x.json", b""), ("x.json", b'{"Content": "dX')]
)
def test_what_may_be_a_damaged_report_is_never_passed_over(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / "a.csv").write_bytes(REPORT)
    (tmp_path / name).write_bytes(data)
    assert main(["audit", str(tmp_path), "--as-of", AS_OF.isoformat()]) == 3


def test_reports_that_were_joined_are_one_sentence() -> None:
    (error,) = evaluate(REPORT + b"\n" + REPORT.replace(b"123456789012", b"210987654321") + b"\n" + REPORT[:0]).errors
    assert (error.kind, "several reports" in error.message) == ("repeated_header", True)
    thrice = b"\n".join([REPORT, report(line(ROOT, arn="arn:aws:iam::210987654321:root")), ",".join(COLUMNS).encode()])
    assert len(evaluate(thrice).errors) == 1


def test_semicolons_are_one_sentence() -> None:
    (error,) = evaluate(REPORT.replace(b",", b";")).errors
    assert "semicolons" in error.message


@pytest.mark.parametrize(
    "date", ["5/31/2026 12:00", "31.05.2026 12:00:00", "2026-05-31 12:00", "31/05/26", "5/31/2026 1:00 PM"]
)
def test_dates_of_a_spreadsheet_are_one_sentence(date: str) -> None:
    rows = [line(name, user_creation_time=date, **key(1, 5) | {"key_1_last_rotated": date}) for name in ("ann", "bob")]
    (error,) = evaluate(report(line(ROOT), *rows)).errors
    assert (error.kind, "spreadsheet" in error.message) == ("spreadsheet", True)


@pytest.mark.parametrize("date", ["yesterday", "2026-13-40T00:00:00Z", ""])
def test_any_other_date_is_told_by_its_column(date: str) -> None:
    (error,) = evaluate(report(line(ROOT), line("ann", user_creation_time=date))).errors
    assert "user_creation_time" in error.message
