"""Each live rule at its boundaries, exact to the second."""

from __future__ import annotations

from datetime import timedelta

import pytest
from credential_reports import AS_OF, ROOT, ago, evaluate, findings, key, line, report, selection, verdicts

from keyrules.live.age_buckets import AgeBuckets, age_buckets
from keyrules.live.instants import from_datetime
from keyrules.model import KeyAges, Status

PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN
SECOND = 1 / 86400
K1, K2 = ("access_key", 1), ("access_key", 2)
PASSWORD = ("console_password", None)
ROOT_USER = ("root", None)


def console(used: str, changed: str, mfa: str = "true", created: str | None = None) -> str:
    changes = {"password_enabled": "true", "password_last_used": used, "password_last_changed": changed}
    return line("ann", mfa_active=mfa, **changes, **({"user_creation_time": created} if created else {}))


@pytest.mark.parametrize(
    ("age", "expected"), [(90, PASS), (90 + SECOND, FAIL), (90 - SECOND, PASS), (90.96, FAIL), (0, PASS), (3000, FAIL)]
)
def test_a_key_may_be_exactly_90_days_old(age: float, expected: Status) -> None:
    assert verdicts(line("ann", **key(1, age)), 1) == {K1: expected}


@pytest.mark.parametrize(
    ("fraction", "expected"), [("00:00:00Z", PASS), ("00:00:00.000001Z", PASS), ("23:59:59Z", FAIL)]
)
def test_age_is_not_rounded(fraction: str, expected: Status) -> None:
    day = "2026-03-03" if fraction.startswith("00") else "2026-03-02"
    row = line("ann", key_1_active="true", key_1_last_rotated=f"{day}T{fraction}")
    assert verdicts(row, 1) == {K1: expected}


@pytest.mark.parametrize("limit", [1, 45, 365])
def test_the_maximum_age_is_a_parameter(limit: int) -> None:
    for age, expected in ((limit, PASS), (limit + SECOND, FAIL)):
        assert verdicts(line("ann", **key(1, age)), 1, KEY_AWS_001__max_age_days=limit) == {K1: expected}


def test_the_slots_are_a_parameter() -> None:
    row = line("ann", **key(1, 500), **key(2, 500))
    assert verdicts(row, 1, KEY_AWS_001__slots=(1,)) == {K1: FAIL}
    assert verdicts(row, 1, KEY_AWS_001__slots=(2,)) == {K2: FAIL}


def test_each_key_is_judged_for_itself() -> None:
    assert verdicts(line("ann", **key(1, 1, active=False), **key(2, 500)), 1) == {K2: FAIL}
    assert verdicts(line("ann", **key(1, 1), **key(2, 500)), 1) == {K1: PASS, K2: FAIL}


@pytest.mark.parametrize(("idle", "expected"), [(45 - SECOND, PASS), (45, FAIL), (45.9, FAIL), (44, PASS), (0, PASS)])
def test_a_key_is_unused_from_45_days_on(idle: float, expected: Status) -> None:
    assert verdicts(line("ann", **key(1, 1000, used=idle)), 2) == {K1: expected}
    assert verdicts(line("ann", **key(1, idle)), 2) == {K1: expected}, "never used counts from creation"


@pytest.mark.parametrize(
    ("first", "second", "overlap", "failing"),
    [
        (key(1, 400), key(2, 3), 0, 1),
        (key(1, 3), key(2, 400), 0, 2),
        (key(1, 400), key(2, 7), 7, 1),
        (key(1, 400), key(2, 7 - SECOND), 7, None),
        (key(1, 5), key(2, 5), 0, 1),
        (key(1, 400), key(2, 3, active=False), 0, None),
        (key(1, 400), {}, 0, None),
    ],
)
def test_two_active_keys(first: dict[str, str], second: dict[str, str], overlap: int, failing: int | None) -> None:
    found = verdicts(line("ann", **first, **second), 3, KEY_AWS_003__overlap_days=overlap)
    assert [slot for (_, slot), status in found.items() if status is FAIL] == ([failing] if failing else [])
    assert len(found) == 1, "one verdict per user, on the older key"


@pytest.mark.parametrize(("minutes", "expected"), [(0, FAIL), (60, FAIL), (60 + 1 / 60, PASS), (-5, FAIL), (600, PASS)])
def test_a_key_made_with_a_console_user(minutes: float, expected: Status) -> None:
    row = {"password_enabled": "true", "password_last_changed": ago(10), "user_creation_time": ago(10)}
    created = {"key_2_active": "true", "key_2_last_rotated": ago(10, minutes=-minutes)}
    assert verdicts(line("ann", **row, **created), 4) == {K2: expected}
    assert verdicts(line("ann", **(row | {"password_enabled": "false"}), **created), 4) == {K2: PASS}
    assert verdicts(line("ann", **row, **created, key_2_last_used_date=ago(1)), 4) == {K2: PASS}


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, PASS),
        (key(1, 900), FAIL),
        (key(2, 900, active=False), FAIL),
        ({"key_1_active": "true"}, FAIL),
    ],
)
def test_root_keys_active_or_not(keys: dict[str, str], expected: Status) -> None:
    row = line(ROOT, **keys)
    assert verdicts(row, 5) == {ROOT_USER: expected}
    for number in (1, 2, 3, 4, 6, 7, 12, 13, 16, 17):
        assert verdicts(row, number) == {}, "root goes to the root rules only"


@pytest.mark.parametrize(("since", "expected"), [(30, PASS), (30 + SECOND, FAIL), (500, FAIL), (1, PASS)])
def test_inactive_keys_have_30_days(since: float, expected: Status) -> None:
    assert verdicts(line("ann", **key(2, 600, used=since, active=False)), 6) == {K2: expected}
    assert verdicts(line("ann", **key(2, since, active=False)), 6) == {K2: expected}
    assert verdicts(line("ann", **key(2, since)), 6) == {}


def test_every_active_key_is_long_lived() -> None:
    assert verdicts(line("ann", **key(1, 0), **key(2, 0, active=False)), 7) == {K1: FAIL, K2: PASS}


def test_console_users_need_mfa() -> None:
    assert verdicts(console(ago(1), ago(1), mfa="false"), 12) == {PASSWORD: FAIL}
    assert verdicts(console(ago(1), ago(1), mfa="true"), 12) == {PASSWORD: PASS}
    assert verdicts(line("ann", mfa_active="false"), 12) == {}


@pytest.mark.parametrize(("idle", "expected"), [(45 - SECOND, PASS), (45, FAIL)])
def test_a_password_is_unused_from_45_days_on(idle: float, expected: Status) -> None:
    assert verdicts(console(ago(idle), ago(900)), 13) == {PASSWORD: expected}
    assert verdicts(console("no_information", ago(idle)), 13) == {PASSWORD: expected}
    assert verdicts(console("N/A", "N/A", created=ago(idle)), 13) == {PASSWORD: expected}


@pytest.mark.parametrize(
    ("changes", "expected", "reason"),
    [
        ({"password_enabled": "true", "mfa_active": "false"}, FAIL, "root_without_mfa"),
        ({"password_enabled": "not_supported", "mfa_active": "false"}, FAIL, "root_without_mfa"),
        ({"password_enabled": "not_supported", "mfa_active": "true"}, PASS, "compliant"),
        ({"password_enabled": "false", "mfa_active": "false"}, PASS, "root_without_credentials"),
        ({"password_enabled": "N/A", "mfa_active": "false"}, PASS, "root_without_credentials"),
        ({"password_enabled": "false", "mfa_active": "false", **key(2, 9)}, FAIL, "root_without_mfa"),
        (
            {"password_enabled": "false", "mfa_active": "false", **key(2, 9, active=False)},
            PASS,
            "root_without_credentials",
        ),
        ({"cert_1_active": "true", "cert_1_last_rotated": ago(9)}, FAIL, "root_without_mfa"),
    ],
)
def test_root_mfa(changes: dict[str, str], expected: Status, reason: str) -> None:
    (found,) = findings(report(line(ROOT, **changes)), 14)
    assert (found.status, found.reason) == (expected, reason)


def test_root_of_govcloud_cannot_sign_in() -> None:
    row = line(ROOT, arn="arn:aws-us-gov:iam::123456789012:root", password_enabled="not_supported")
    assert verdicts(row, 14) == {ROOT_USER: PASS}


def test_an_account_without_root_row_is_said() -> None:
    content = report(line("ann", arn="arn:aws-cn:iam::123456789012:user/ann"))
    (found,) = findings(content, 14)
    assert (found.status, found.reason) == (PASS, "root_absent")
    assert findings(content, 5, 15) == []


@pytest.mark.parametrize(("quiet", "expected"), [(30, PASS), (30 - SECOND, FAIL)])
def test_any_use_of_root_counts(quiet: float, expected: Status) -> None:
    old = ago(400)
    for latest in ("password_last_used", "key_1_last_used_date", "key_2_last_used_date"):
        uses = dict.fromkeys(("password_last_used", "key_1_last_used_date", "key_2_last_used_date"), old)
        row = line(ROOT, **(uses | {latest: ago(quiet)}))
        assert verdicts(row, 15) == {ROOT_USER: expected}, latest


def test_a_root_user_that_was_never_used_is_quiet() -> None:
    for never in ("N/A", "no_information", "not_supported"):
        assert verdicts(line(ROOT, password_last_used=never, user_creation_time=ago(1)), 15) == {ROOT_USER: PASS}


@pytest.mark.parametrize(("age", "expected"), [(90, PASS), (90 + SECOND, FAIL)])
def test_certificates_and_passwords_age_like_keys(age: float, expected: Status) -> None:
    certificate = line("ann", cert_2_active="true", cert_2_last_rotated=ago(age))
    assert verdicts(certificate, 16) == {("signing_certificate", 2): expected}
    assert verdicts(certificate.replace("true", "false"), 16) == {}
    assert verdicts(console(ago(1), ago(age)), 17) == {PASSWORD: expected}


@pytest.mark.parametrize("number", [1, 2])
def test_an_active_key_without_a_date_is_unknown_and_not_clean(number: int) -> None:
    (found,) = findings(report(line("ann", key_1_active="true")), number)
    assert found.status is UNKNOWN
    assert "days_since" in found.message


def test_the_slot_is_no_part_of_the_fingerprint() -> None:
    one = findings(report(line("ann", **key(1, 400), **key(2, 3))), 1)
    two = findings(report(line("ann", **key(2, 400), **key(1, 3))), 1)
    assert {f.fingerprint for f in one} == {f.fingerprint for f in two}
    assert len({f.fingerprint for f in one}) == 2


def test_nothing_fails_because_of_a_date_after_as_of_and_no_text_calls_it_past() -> None:
    root = line(ROOT, password_enabled="true", password_last_used=ago(-700), mfa_active="true")
    row = line("ann", password_enabled="true", password_last_used=ago(-700), password_last_changed=ago(9), **key(1, 9))
    evaluation = evaluate(report(root, row), 12, 15)
    found = {f.rule[-3:]: f for f in evaluation.findings if f.subject}
    assert found["015"].status is Status.UNKNOWN
    assert found["012"].status is Status.FAIL
    assert "after the moment of evaluation" in found["012"].message and " ago" not in found["012"].message
    assert all(not isinstance(v, float) or v >= 0 for f in found.values() for v in f.facts.values())


def test_nobody_knows_about_a_root_user_whose_row_is_missing() -> None:
    evaluation = evaluate(report(line("ann")), 5, 14, 15)
    found = {f.rule[-3:]: (f.status, f.reason) for f in evaluation.findings}
    missing = (UNKNOWN, "root_row_missing")
    assert found == {"005": missing, "014": (PASS, "root_absent"), "015": missing}
    assert (evaluation.counts.unknown, evaluation.counts.passed) == (2, 1)
    assert {f.subject.arn for f in evaluation.findings if f.subject} == {"arn:aws:iam::123456789012:root"}
    assert evaluation.gaps == {}


@pytest.mark.parametrize("partition", ["aws-us-gov", "aws-iso", "aws-eusc", "aws-cn-north"])
def test_only_reports_of_china_have_no_root_row(partition: str) -> None:
    (found,) = findings(report(line("ann", arn=f"arn:{partition}:iam::123456789012:user/ann")), 5)
    assert found.status is UNKNOWN


def test_what_is_not_evaluated_in_china_is_said() -> None:
    evaluation = evaluate(report(line("ann", arn="arn:aws-cn:iam::123456789012:user/ann")), 5, 15)
    assert evaluation.counts.unknown == 0
    assert any("123456789012" in note and "KEY_AWS_005 and KEY_AWS_015" in note for note in evaluation.notes)
    assert set(evaluation.gaps) == {"KEY_AWS_005", "KEY_AWS_015"}


def test_a_missing_root_row_counts_where_no_findings_are_kept() -> None:
    asked = {"keep_findings": False, "keep_passing": False}
    evaluation = evaluate(report(line("ann")), 5, 14, request=asked)
    assert (evaluation.counts.unknown, evaluation.counts.passed, len(evaluation.findings)) == (1, 1, 0)


@pytest.mark.parametrize("minutes", [-3, -5])
def test_a_key_that_a_clock_puts_a_little_into_the_future_is_new(minutes: int) -> None:
    row = line("ann", key_1_active="true", key_1_last_rotated=ago(minutes=minutes))
    for number, overrides in ((1, {}), (1, {"KEY_AWS_001__max_age_days": 0})):
        (found,) = findings(report(row), number, **overrides)
        assert (found.status, found.facts["days_since_rotation"]) == (PASS, 0)


@pytest.mark.parametrize(("seconds", "known"), [(5 * 60, True), (5 * 60 + 1, False)])
def test_clocks_may_differ_by_five_minutes(seconds: int, known: bool) -> None:
    evaluation = evaluate(report(line("ann", **key(1, 0) | {"key_1_last_rotated": ago(seconds=-seconds)})), 1)
    assert (not evaluation.errors) is known
    assert (evaluation.counts.passed, evaluation.counts.unknown) == ((1, 0) if known else (0, 1))
    assert evaluation.key_ages is not None and evaluation.key_ages.undated == (not known)


@pytest.mark.parametrize("seconds", [0, -300])
def test_what_was_used_a_moment_ahead_of_the_clock_is_of_age_zero_to_every_order(seconds: int) -> None:
    row = line("ann", **key(1, 10) | {"key_1_last_used_date": ago(seconds=seconds)})
    (found,) = findings(report(row), 2, KEY_AWS_002__max_idle_days=0)
    assert found.status is FAIL
    assert "0 seconds ago" in found.message and "after the moment" not in found.message


def test_ages_are_counted_by_parts_of_the_limit_and_dates_that_are_none_apart() -> None:
    minute = 1 / 1440
    buckets = age_buckets(selection(1), AS_OF)
    assert buckets is not None
    for age in (0, -4 * minute, -5 * minute, -6 * minute, 90, 90 + SECOND, 360, 360 + SECOND, 3000):
        buckets.add(from_datetime(AS_OF - timedelta(days=age)))
    buckets.add("")
    ages = buckets.result()
    parts = KeyAges.PER_LIMIT
    expected = [0] * (4 * parts + 1)
    expected[0], expected[parts - 1], expected[parts], expected[4 * parts - 1], expected[4 * parts] = 3, 1, 1, 1, 2
    assert (list(ages.counts), ages.undated) == (expected, 2)


def test_a_limit_that_no_calendar_reaches_leaves_every_key_in_a_bucket() -> None:
    buckets = AgeBuckets(1_000_000, AS_OF)
    for created in ("", "1970-01-01T00:00:00", from_datetime(AS_OF)):
        buckets.add(created)
    ages = buckets.result()
    assert (sum(ages.counts), ages.undated) == (2, 1)
