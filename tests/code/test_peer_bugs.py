"""Rows that other checkers of credential reports get wrong, one test per published or reproduced mistake."""

from __future__ import annotations

import time

import pytest
from credential_reports import ROOT, ago, evaluate, findings, key, line, report, verdicts

from keyrules.model import Status

FAIL, PASS = Status.FAIL, Status.PASS
K1, K2 = ("access_key", 1), ("access_key", 2)


def test_a_key_that_was_never_used_does_not_pass_as_used() -> None:
    assert verdicts(line("ann", **key(1, 700)), 2) == {K1: FAIL}


def test_days_are_not_floored() -> None:
    assert verdicts(line("ann", **key(1, 300, used=45 + 22 / 24)), 2) == {K1: FAIL}
    assert verdicts(line("ann", **key(1, 90 + 23 / 24)), 1) == {K1: FAIL}


def test_days_are_not_rounded() -> None:
    assert verdicts(line("ann", **key(1, 90.4)), 1) == {K1: FAIL}
    assert verdicts(line("ann", **key(1, 89.6)), 1) == {K1: PASS}


def test_dates_are_not_compared_by_calendar_day() -> None:
    assert verdicts(line("ann", **key(1, 89.99)), 1) == {K1: PASS}


@pytest.mark.parametrize("number", [1, 2, 3])
def test_flags_in_capitals_are_flags(number: int) -> None:
    row = line("ann", **key(1, 500), **key(2, 400)).replace("true", "TRUE").replace("false", "FALSE")
    assert FAIL in verdicts(row, number).values()


def test_false_in_capitals_is_not_true() -> None:
    row = line("ann", **key(1, 500, active=False)).replace("false", "FALSE")
    assert verdicts(row, 1) == {}


def test_password_enabled_in_capitals_keeps_the_console_rules() -> None:
    row = line("ann", password_enabled="TRUE", password_last_changed=ago(500))
    assert verdicts(row, 12) == verdicts(row, 13) == {("console_password", None): FAIL}


def test_root_use_is_the_latest_of_all_its_credentials() -> None:
    late_key = line(ROOT, password_last_used=ago(400), key_1_last_used_date=ago(0.1))
    second = line(ROOT, key_1_last_used_date=ago(400), key_2_last_used_date=ago(0.1))
    marker = line(ROOT, password_last_used="no_information", key_1_last_used_date=ago(0.1))
    for row in (late_key, second, marker):
        assert verdicts(row, 15) == {("root", None): FAIL}


def test_old_use_of_root_keys_does_not_alarm() -> None:
    assert verdicts(line(ROOT, key_1_last_used_date=ago(900)), 15) == {("root", None): PASS}


def test_root_without_a_password_does_not_end_the_run() -> None:
    content = report(line(ROOT, password_last_used="N/A"), line("ann", **key(1, 500)))
    assert [f.rule for f in findings(content, 1, 15) if f.status is FAIL] == ["KEY_AWS_001"]


def test_root_rules_always_give_a_verdict() -> None:
    row = report(line(ROOT, password_enabled="not_supported"))
    assert {f.rule: f.status for f in findings(row, 5, 14)} == {"KEY_AWS_005": PASS, "KEY_AWS_014": FAIL}


def test_an_inactive_root_key_is_a_key() -> None:
    assert verdicts(line(ROOT, **key(1, 3000, active=False)), 5) == {("root", None): FAIL}


@pytest.mark.parametrize("content", [b"", report(), b"<Error>AccessDenied</Error>", b'{"Content": ""}', b"{}"])
def test_no_report_is_never_a_clean_account(content: bytes) -> None:
    evaluation = evaluate(content)
    assert evaluation.errors
    assert evaluation.counts.evaluated == 0


def test_a_setup_key_needs_the_setup() -> None:
    five_minutes = line("ann", password_enabled="true", user_creation_time=ago(300), **key(1, 0.003))
    assert verdicts(five_minutes, 4) == {K1: PASS}, "a new key of an old user"
    no_console = line("ann", user_creation_time=ago(500), **key(1, 500))
    assert verdicts(no_console, 2) == {K1: FAIL}, "a key that was never used is found without a console, too"


def test_a_setup_key_in_the_second_slot_and_one_made_before_the_user() -> None:
    row = line("ann", password_enabled="true", user_creation_time=ago(5), **key(2, 5))
    assert verdicts(row, 4) == {K2: FAIL}
    assert verdicts(line("ann", password_enabled="true", user_creation_time=ago(5), **key(2, 100)), 4) == {K2: PASS}
    inactive = line("ann", password_enabled="true", user_creation_time=ago(5), **key(1, 5, active=False))
    assert verdicts(inactive, 4) == {}


def test_an_account_of_one_user_is_evaluated() -> None:
    content = report(line(ROOT), line("ann", **key(1, 500, used=400), **key(2, 400, used=400)))
    assert sum(f.status is FAIL for f in findings(content, 1, 2, 3)) == 5


def test_a_password_set_yesterday_on_an_old_user_is_in_use() -> None:
    row = line("ann", password_enabled="true", password_last_used="no_information", password_last_changed=ago(1))
    assert verdicts(row, 13) == {("console_password", None): PASS}


def test_a_comma_in_a_name_does_not_shift_columns() -> None:
    row = line("ops,eu", **key(1, 500))
    assert verdicts(row, 1) == {K1: FAIL}


def test_a_final_line_break_is_no_user() -> None:
    assert "Population: 1 user " in evaluate(report(line("ann")) + b"\n").notes[-1]


def test_the_second_key_is_judged_when_the_first_is_inactive() -> None:
    row = line("ann", **key(1, 500, active=False), **key(2, 500))
    assert verdicts(row, 2) == {K2: FAIL}


def test_a_user_is_not_taken_for_one_with_a_longer_name_or_a_path() -> None:
    content = report(
        line("bob", arn="arn:aws:iam::123456789012:user/team/bob", **key(1, 1)),
        line("bob2", **key(1, 1), **key(2, 1)),
        line("b_b", **key(1, 1)),
    )
    assert [f.subject.user for f in findings(content, 3) if f.status is FAIL and f.subject] == ["bob2"]


def test_inactive_keys_do_not_count_as_long_lived_or_aged() -> None:
    row = line("ann", **key(1, 500, active=False))
    assert verdicts(row, 1) == {}
    assert verdicts(row, 7) == {K1: PASS}
    assert verdicts(row, 6) == {K1: FAIL}


def test_a_key_of_five_years_that_was_used_yesterday_is_too_old() -> None:
    assert verdicts(line("ann", **key(1, 5 * 365, used=1)), 1) == {K1: FAIL}


def test_two_keys_of_the_same_second_are_two_keys() -> None:
    content = report(line("ann", **key(1, 400), **key(2, 400, used=1)))
    found = [f for f in findings(content, 1, 2) if f.status is FAIL and f.subject]
    assert [(f.rule, f.subject.slot) for f in found if f.subject] == [
        ("KEY_AWS_002", 1),
        ("KEY_AWS_001", 1),
        ("KEY_AWS_001", 2),
    ]


def test_one_bad_row_does_not_hide_the_others() -> None:
    evaluation = evaluate(report(line("bad", mfa_active="?"), line("ann", **key(1, 500))), 1)
    assert len(evaluation.errors) == 1
    assert evaluation.counts.failed == 1


def test_severity_comes_from_the_rule() -> None:
    (found,) = findings(report(line("ann", **key(1, 500))), 1)
    assert found.severity.name == "LOW"


def test_a_new_key_that_was_never_used_has_its_grace() -> None:
    assert verdicts(line("ann", **key(1, 44.9)), 2) == {K1: PASS}


def test_conditions_are_not_met_by_two_keys_together() -> None:
    row = line("ann", **key(1, 5, used=1), **key(2, 500, active=False))
    assert verdicts(row, 1) == {K1: PASS}, "one key is active, the other is old"
    assert verdicts(row, 2) == {K1: PASS}, "one key is active, the other is unused"


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles"])
def test_the_zone_of_this_machine_does_not_matter(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        row = line("ann", password_enabled="true", password_last_used=ago(44.99), **key(1, 44.99))
        assert verdicts(row, 13) == {("console_password", None): PASS}
        assert verdicts(row, 2) == {K1: PASS}
        assert verdicts(line("ann", **key(1, 45)), 2) == {K1: FAIL}
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_user_with_inactive_keys_only_is_counted() -> None:
    row = line("ann", **key(1, 500, active=False), **key(2, 500, active=False))
    assert verdicts(row, 6) == {K1: FAIL, K2: FAIL}
    assert verdicts(row, 7) == {K1: PASS, K2: PASS}
