"""What is named and belongs elsewhere, or is nothing that a scan can judge, is said and never passed over."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path

import pytest
from credential_reports import key, line, report
from plan_leak_cases import plan_with_key

from keyrules.cli import main

REPORT = report(line("ann", **key(1, 400)))
IN_JSON = json.dumps({"GeneratedTime": "2026-06-01T00:00:00Z", "Content": base64.b64encode(REPORT).decode()}).encode()
PLAN = plan_with_key().bytes()


@pytest.mark.parametrize("data", [REPORT, b"\xef\xbb\xbf" + REPORT, REPORT.decode().encode("utf-16"), IN_JSON])
@pytest.mark.parametrize("name", ["report.csv", "report.json", "report"])
def test_a_scan_of_a_report_names_the_audit(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], data: bytes, name: str
) -> None:
    (tmp_path / name).write_bytes(data)
    assert main(["scan", str(tmp_path / name)]) == 3
    assert "keyrules audit" in " ".join(capfd.readouterr().out.split())


def test_a_report_in_a_folder_is_no_business_of_a_scan(tmp_path: Path) -> None:
    (tmp_path / "report.csv").write_bytes(REPORT)
    assert main(["scan", str(tmp_path)]) == 0


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("plan.bin", bytes(range(256)) * 20, "Not text"),
        ("x.gz", gzip.compress(b"hello", mtime=0), "show -json"),
        ("schema.json", b'{"format_version": "1.0", "provider_schemas": {}}', "Not a plan"),
        ("plan.json", PLAN.replace(b'"1.2"', b'"2.0"', 1), "not 0.x or 1.x but 2.0"),
        ("log.txt", b"a\n" + PLAN + b"\n" + PLAN, "Several plans"),
        ("p.json", b"", "not complete JSON"),
        ("p.json", b" \r\n", "not complete JSON"),
        ("plan.json", b"Error: no plan", "not complete JSON"),
        ("TFPLAN.out", b"", "not complete JSON"),
        ("prod.tfplan.json", b"{}", "Not a plan"),
        ("plan", b"", "not complete JSON"),
    ],
)
def test_a_named_file_that_cannot_be_judged(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, data: bytes, says: str
) -> None:
    (tmp_path / name).write_bytes(data)
    assert main(["scan", str(tmp_path / name)]) == 3
    assert says in " ".join(capfd.readouterr().out.split())


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("package.json", b"{}"),
        ("tsconfig.json", b"// c\n{}"),
        ("empty.yaml", b""),
        ("planet.json", b"{}"),
        ("plan.json", b'{"price": 3}'),
        ("plan.tfvars", b""),
        ("plan.yaml", b""),
        ("plan.md", b""),
        ("tfplan.sh", b""),
        ("plan.yaml", b"a: 1\n"),
        ("plan.json", b'{"Resources": {"U": {"Type": "AWS::IAM::User"}}}'),
    ],
)
def test_a_named_file_that_nobody_takes_for_a_plan(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    assert main(["scan", str(tmp_path / name)]) == 0


def test_an_empty_file_in_a_folder_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_bytes(b"")
    assert main(["scan", str(tmp_path)]) == 0


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.log", b"$ show\n" + PLAN), ("a.json", b"$ show\n" + PLAN), ("a.gz", gzip.compress(PLAN, mtime=0))],
)
def test_text_around_a_plan_counts_for_named_files_only(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, data: bytes
) -> None:
    (tmp_path / name).write_bytes(data)
    main(["scan", "--rule", "KEY_AWS_008", "--format", "json", str(tmp_path / name)])
    named = json.loads(capfd.readouterr().out)
    assert [finding["rule"] for finding in named["findings"]] == ["KEY_AWS_008"]
    assert any("was unpacked" in note or "passed over" in note for note in named["notes"])
    main(["scan", "--rule", "KEY_AWS_008", "--format", "json", str(tmp_path)])
    assert json.loads(capfd.readouterr().out)["findings"] == []


@pytest.mark.parametrize("name", ["plan.json", "plan"])
def test_a_packed_plan_in_a_folder_is_a_plan_under_a_plans_name(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / name).write_bytes(gzip.compress(PLAN, mtime=0))
    (tmp_path / "other.json").write_bytes(gzip.compress(b'{"a": 1}'))
    main(["scan", "--rule", "KEY_AWS_008", "--format", "json", str(tmp_path)])
    found = json.loads(capfd.readouterr().out)
    assert [finding["rule"] for finding in found["findings"]] == ["KEY_AWS_008"]
    assert found["errors"] == []


def test_a_packed_file_in_a_folder_that_cannot_be_unpacked_may_be_a_plan(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "plan.json").write_bytes(gzip.compress(PLAN, mtime=0)[:-9])
    assert main(["scan", str(tmp_path)]) == 3
    assert "cut off" in capfd.readouterr().out


@pytest.mark.parametrize("name", ["notes.txt", "package.json", "README.md", "x.py", "values.yaml"])
def test_ordinary_text_without_keys_is_clean(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text('{"user": "arn"}')
    assert main(["scan", str(tmp_path / name)]) == 0
