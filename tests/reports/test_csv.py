"""CSV: what a spreadsheet gets of exceptions, baselines and what could not be listed, and nothing that it would run."""

from __future__ import annotations

import csv
import io

import pytest
from evaluations import EXCEPTION, code_finding, every_kind_of_code_result, live_finding, make_evaluation
from hostile import SEEN, full_of, names
from hypothesis import given, settings

from keyrules.model import (
    BaselineReport,
    Counts,
    Evaluation,
    KnownFinding,
    Location,
    Plane,
    ResolvedFinding,
    Status,
    Subject,
)
from keyrules.reports import findings_csv
from keyrules.reports.text_style import ReportOptions


def rows_of(evaluation: Evaluation) -> list[dict[str, str]]:
    """The rows by column; every row has every column."""
    text = "".join(findings_csv.render(evaluation, ReportOptions())).encode().decode()
    table = list(csv.reader(io.StringIO(text), strict=True))
    assert {len(row) for row in table} == {len(findings_csv.COLUMNS)}
    return [dict(zip(table[0], row, strict=True)) for row in table[1:]]


def test_columns_are_only_added_at_the_end() -> None:
    assert findings_csv.COLUMNS[:17] == (
        *("rule", "severity", "status", "account", "user", "subject", "key_id", "owner", "created_at", "last_used_at"),
        *("path", "line", "address", "reason", "message", "remediation", "fingerprint"),
    )


def test_an_exception_is_shown_whole() -> None:
    exempt = code_finding(status=Status.EXEMPT, exemption=EXCEPTION.reason, exception=EXCEPTION)
    by_entry, by_comment = rows_of(make_evaluation(exempt, code_finding(status=Status.EXEMPT)))
    columns = ("exemption", "exception_owner", "exception_expires", "exception_ticket", "exception_place")
    assert [by_entry[column] for column in columns] == [
        EXCEPTION.reason,
        "storage@example.com",
        "2026-12-31",
        "OPS-1234",
        ".keyrules-exceptions.yaml:4",
    ]
    assert [by_comment[column] for column in columns] == ["kept for the old build server", "", "", "", ""]


def test_a_baseline_has_all_three_kinds() -> None:
    moved = code_finding(location=Location("new.tf", 1, 1, "a"))
    subject = Subject("access_key", "access key 1 of bob", "111122223333", user="bob")
    baseline = BaselineReport(
        "base.json",
        SEEN,
        (KnownFinding(moved, SEEN, "old.tf"),),
        (
            ResolvedFinding("KEY_AWS_001", "LOW", "a.b", "gone.tf", "ab", SEEN),
            ResolvedFinding("KEY_AWS_001", "LOW", "access key 1 of bob", None, "cd", SEEN, subject),
        ),
    )
    rows = rows_of(make_evaluation(code_finding(), code_finding(status=Status.PASS), baseline=baseline))
    shown = [(row["status"], row["baseline"], row["first_seen"], row["path"], row["moved_from"]) for row in rows]
    assert shown == [
        ("FAIL", "new", "", "main.tf", ""),
        ("PASS", "", "", "main.tf", ""),
        ("FAIL", "known", "2025-12-01T00:00:00Z", "new.tf", "old.tf"),
        ("RESOLVED", "resolved", "2025-12-01T00:00:00Z", "gone.tf", ""),
        ("RESOLVED", "resolved", "2025-12-01T00:00:00Z", "", ""),
    ]
    assert rows[3]["address"] == "a.b"
    assert (rows[4]["account"], rows[4]["user"], rows[4]["subject"]) == ("111122223333", "bob", "access key 1 of bob")


def test_without_a_baseline_nothing_is_new() -> None:
    assert {row["baseline"] for row in rows_of(every_kind_of_code_result())} == {""}


def test_what_no_finding_says_is_a_row_of_its_own() -> None:
    evaluation = make_evaluation(counts=Counts(failed=2, unknown=1), warnings=("Exception x:4 expired.",))
    assert [(row["status"], row["message"]) for row in rows_of(evaluation)] == [
        ("NOT_LISTED", "3 failed or unknown verdicts counted and not listed"),
        ("WARNING", "Exception x:4 expired."),
    ]
    (*_, error) = rows_of(every_kind_of_code_result())
    assert (error["status"], error["path"], error["reason"]) == ("ERROR", "broken.tf", "syntax")


@settings(deadline=None)
@given(names)
def test_no_name_is_a_formula_or_a_cell_of_its_own(name: str) -> None:
    for plane in Plane:
        rows = rows_of(full_of(name, plane))
        assert len(rows) == 8 + 1 + 1 + 1 + 1
        for cell in (cell for row in rows for cell in row.values()):
            assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
            assert cell.isprintable()


@pytest.mark.parametrize("owner", ["=1+1", " @sum(a1)", "＝1"])
def test_formulas_of_every_column_are_disarmed(owner: str) -> None:
    (row,) = rows_of(make_evaluation(live_finding(subject=Subject("root", owner, owner=owner)), plane=Plane.LIVE))
    assert row["owner"] == row["subject"] == f"'{owner}"
