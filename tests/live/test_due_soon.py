"""What passes now and will fail within a time that the caller names."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from credential_reports import evaluate, key, line, report


def due(row: str, within: int = 14, *numbers: int, **overrides: Any) -> list[str]:
    """The notes of a run; a report that nothing is wrong with has no errors."""
    evaluation = evaluate(
        report(row), *numbers, request={"due_within": timedelta(days=within), "keep_passing": False}, **overrides
    )
    assert evaluation.errors == ()
    return [note for note in evaluation.notes if note.startswith("Due")]


def test_what_will_fail_is_noted_with_its_moment() -> None:
    (note,) = due(line("ann", **key(1, 80, used=0)), 14, 1)
    assert note == (
        "Due in 10 days, at 2026-06-11T00:00:00Z: access key 1 of ann in account 123456789012 will fail KEY_AWS_001."
    )
    assert due(line("ann", **key(1, 75, used=0)), 14, 1) == []
    assert due(line("ann", **key(1, 77, used=0)), 14, 1) != []
    assert due(line("ann", **key(1, 500, used=0)), 14, 1) == [], "what fails already is a finding"


def test_a_limit_beyond_the_calendar_never_comes_due() -> None:
    assert due(line("ann", **key(1, 80, used=0)), 14, 1, KEY_AWS_001__max_age_days=999_999_999) == []


def test_idle_and_inactive_keys_come_due_too() -> None:
    assert len(due(line("ann", **key(1, 200, used=40)), 14, 2)) == 1
    assert len(due(line("ann", **key(1, 200, used=20, active=False)), 14, 6)) == 1
    assert due(line("ann", **key(1, 200, used=40)), 14, 2)[0].startswith("Due in 5 days, at 2026-06-06T00:00:00Z")
