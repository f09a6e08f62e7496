"""Other thresholds for some users: who is meant, what holds for them, and that the report says so."""

from __future__ import annotations

from typing import Any

import pytest
from credential_reports import ACCOUNT, audit, key, line, report, selection

from keyrules.live.limits import Limits, Override, overrides_of
from keyrules.model import Status, UsageError
from keyrules.run.settings import Origin, Setting, Source

PLACE = Origin(Source.FILE, ".keyrules.yaml:4")


def entry(
    subject: str = "svc-*", days: int = 180, rule: str = "KEY_AWS_001", name: str = "max_age_days"
) -> dict[str, Any]:
    """An override as the configuration has it."""
    return {"subject": subject, "rules": {rule: {name: days}}, "reason": "Twice a year", "owner": "team@example.com"}


def overrides(*entries: dict[str, Any], numbers: tuple[int, ...] = (1,)) -> tuple[Override, ...]:
    return overrides_of(Setting(tuple(entries), PLACE), selection(*numbers))


def statuses(*entries: dict[str, Any], rows: list[str], numbers: tuple[int, ...] = (1,)) -> dict[str, Status]:
    """The verdict on the first key of each user."""
    limits = Limits(selection(*numbers), overrides(*entries, numbers=numbers))
    found = audit(report(*rows), request={"limits": limits}).evaluation.findings
    return {each.subject.user or "": each.status for each in found if each.subject and each.subject.slot == 1}


@pytest.mark.parametrize(
    ("subject", "holds"),
    [
        ("svc-ci", True),
        ("svc-*", True),
        ("svc-c?", True),
        ("svc", False),
        ("SVC-*", False),
        (ACCOUNT, True),
        (f"{ACCOUNT}/svc-*", True),
        ("210987654321/svc-*", False),
        (f"arn:aws:iam::{ACCOUNT}:user/svc-*", True),
        ("arn:aws:iam::*:user/other", False),
        ("svc-ci/access_key_1", False),
    ],
)
def test_whom_a_subject_means(subject: str, holds: bool) -> None:
    found = statuses(entry(subject), rows=[line("svc-ci", **key(1, 120, used=1))])
    assert found == {"svc-ci": Status.PASS if holds else Status.FAIL}


def test_the_limit_itself_and_a_second_beyond() -> None:
    rows = [
        line("svc-a", **key(1, 180, used=1)),
        line("svc-b", **key(1, 180 + 1 / 86400, used=1)),
        line("ann", **key(1, 91, used=1)),
    ]
    assert statuses(entry(), rows=rows) == {"svc-a": Status.PASS, "svc-b": Status.FAIL, "ann": Status.FAIL}


def test_it_can_be_stricter() -> None:
    assert statuses(entry(days=30), rows=[line("svc-a", **key(1, 31, used=1)), line("ann", **key(1, 31, used=1))]) == {
        "svc-a": Status.FAIL,
        "ann": Status.PASS,
    }


def test_the_first_entry_on_a_threshold_holds() -> None:
    rows = [line("svc-a", **key(1, 120, used=1)), line("svc-b", **key(1, 120, used=1))]
    both = (entry("svc-a", 100), entry("svc-*", 180))
    assert statuses(*both, rows=rows) == {"svc-a": Status.FAIL, "svc-b": Status.PASS}
    assert statuses(*reversed(both), rows=rows) == {"svc-a": Status.PASS, "svc-b": Status.PASS}


def test_entries_on_several_thresholds_add_up() -> None:
    rows = [line("svc-a", **key(1, 120, used=60))]
    limits = Limits(
        selection(1, 2),
        overrides(entry("svc-a"), entry("svc-*", 90, "KEY_AWS_002", "max_idle_days"), numbers=(1, 2)),
    )
    found = audit(report(*rows), request={"limits": limits}).evaluation.findings
    assert {(each.rule, each.status) for each in found} == {("KEY_AWS_001", Status.PASS), ("KEY_AWS_002", Status.PASS)}


def test_slots_of_a_user_can_be_left_out() -> None:
    """What a rule looks at is a parameter, too."""
    narrow = {**entry(), "rules": {"KEY_AWS_001": {"slots": [2]}}}
    rows = [line("svc-a", **key(1, 400, used=1)), line("ann", **key(1, 400, used=1))]
    assert statuses(narrow, rows=rows) == {"ann": Status.FAIL}


def test_the_report_says_which_limit_held_for_whom() -> None:
    rows = [
        line("svc-a", **key(1, 200, used=1)),
        line("svc-b", **key(1, 20, used=1)),
        line("ann", **key(1, 200, used=1)),
    ]
    limits = Limits(selection(1), overrides(entry(), entry("gone-*")))
    evaluation = audit(report(*rows), request={"limits": limits, "keep_passing": False}).evaluation
    by_user = {each.subject.user: each for each in evaluation.findings if each.subject}
    assert by_user["svc-a"].facts["max_age_days"] == 180 and "the limit is 180 days" in by_user["svc-a"].message
    assert by_user["ann"].facts["max_age_days"] == 90 and "override" not in by_user["ann"].facts
    said = "svc-*: KEY_AWS_001.max_age_days=180 (.keyrules.yaml:4, override 1; team@example.com: Twice a year)"
    assert by_user["svc-a"].facts["override"] == said
    assert f"Override held for 2 users: {said}." in evaluation.notes
    assert any(
        note.startswith("Override held for nobody, because no user matches: gone-*") for note in evaluation.notes
    )


def test_no_entry_no_note_and_no_fact() -> None:
    evaluation = audit(report(line("ann", **key(1, 200, used=1))), 1).evaluation
    assert not any("verride" in note for note in evaluation.notes)
    assert all("override" not in each.facts for each in evaluation.findings)


class TestTags:
    def tagged(self, days: int = 180, rule: str = "KEY_AWS_001", name: str = "max_age_days") -> dict[str, Any]:
        plain = entry(days=days, rule=rule, name=name)
        del plain["subject"]
        return plain | {"tag": "rotation=vault"}

    def test_only_access_keys(self) -> None:
        with pytest.raises(UsageError, match=r"\.keyrules\.yaml:4, override 1: `tag` goes with KEY_AWS_013"):
            overrides(self.tagged(99, "KEY_AWS_013", "max_idle_days"), numbers=(13,))

    def test_only_looser(self) -> None:
        with pytest.raises(UsageError, match=r"which it makes stricter"):
            overrides(self.tagged(89))
        assert overrides(self.tagged(90)) and overrides(self.tagged(91))

    def test_without_verify_it_holds_for_nobody_and_says_so(self) -> None:
        limits = Limits(selection(1), overrides(self.tagged()))
        evaluation = audit(report(line("ann", **key(1, 120, used=1))), request={"limits": limits}).evaluation
        assert [each.status for each in evaluation.findings] == [Status.FAIL]
        assert any("because tags are asked for with --verify only" in note for note in evaluation.notes)

    def test_whom_the_account_did_not_tell_of_is_not_called_without_the_tag(self) -> None:
        (note,) = Limits(selection(1), overrides(self.tagged())).notes(asked_for_tags=True)
        assert "because of no flagged user the account says that tag" in note
