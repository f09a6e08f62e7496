"""What commands write to a real terminal stays within its columns."""

from __future__ import annotations

import re

import pytest
from screenshots import in_a_terminal

from keyrules.reports.text_style import fitted

REPORT = "fixtures/example_report/report.csv --as-of 2026-06-01"


@pytest.mark.parametrize(
    "command",
    [
        "scan fixtures/example",
        f"audit {REPORT}",
        f"audit {REPORT} --framework cis_aws_3.0.0",
        "rules --facts",
    ],
)
def test_a_narrow_terminal(command: str) -> None:
    """All but a word that is longer than a line: it stays whole, so that it can be copied."""
    shown = re.sub(r"\x1b\[[0-9;]*m", "", in_a_terminal(command, 60)).split("\n")
    assert len(shown) > 20
    assert [line for line in shown if len(line) > 60 and " " in line.strip()] == []


def test_a_line_that_fits_keeps_its_columns() -> None:
    line = "  \x1b[31mHIGH\x1b[0m  \x1b[1mKEY_AWS_012\x1b[0m  é"
    assert fitted(line, 22, 4) == [line]
    assert fitted(line, 20, 4) == ["  \x1b[31mHIGH\x1b[0m", "    \x1b[1mKEY_AWS_012\x1b[0m", "    é"]
