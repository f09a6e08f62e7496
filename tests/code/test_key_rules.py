"""The rules about a declared key, each over keys that are made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from scanned_without import session

from keyrules.code.judging import RULES
from keyrules.code.key_rules import call_verdicts, key_verdicts
from keyrules.code.keys import Cases, ConsolePassword, Key, KeyCall, KeySet, Unread
from keyrules.code.verdict import Opinion, Verdict
from keyrules.model import Status, TraceStep

FIRES = Opinion(
    Status.FAIL, "rotation_missing", "nothing", trace=(TraceStep("t", "/t.tf", 1),), evidence=("/c.tf", "/main.tf")
)
CAVEAT = "judged as if declared once"


def key(address: str = "k", attributes: Mapping[str, object] | None = None, **others: Any) -> Key:
    """An active key of one user that never rotates."""
    given = attributes or {}
    fields: dict[str, Any] = {"status": given.get("status", Unread.ABSENT), "owner": "svc", "owner_shown": "user svc"}
    fields |= {"rotation": lambda context: FIRES, **others}
    of = lambda name: given.get(name, Unread.ABSENT)  # noqa: E731
    return Key("aws_iam_access_key", "/main.tf", address, 1, 2, of, **fields)


def verdicts(
    number: int, *keys: Key, together: bool = True, passwords: Sequence[ConsolePassword] = ()
) -> list[Verdict]:
    """What one rule says of these keys."""
    rule = RULES[f"KEY_AWS_{number:03d}"]
    assert rule.on_keys is not None
    found = KeySet(keys, lambda first, second: together, lambda subject: passwords)
    return key_verdicts(rule.on_keys, found, session().timed_context(f"KEY_AWS_{number:03d}"), rule.rests_on)


def statuses(number: int, *keys: Key, **others: Any) -> list[str]:
    return [verdict.status.value for verdict in verdicts(number, *keys, **others)]


INACTIVE = {"status": "Inactive"}


class TestSeveralKeys:
    def test_two_of_a_user(self) -> None:
        first, second = verdicts(3, key("a"), key("b"))
        assert first.status is second.status is Status.FAIL
        assert first.facts == {"active_keys": 2, "others": "b"} and [step.label for step in second.trace] == ["a"]

    @pytest.mark.parametrize(
        ("other", "together"),
        [
            (key("b", INACTIVE), True),
            (key("b", owner="other"), True),
            (key("b"), False),
            (key("b", never="no parameter values meet its condition"), True),
        ],
    )
    def test_one_of_a_user(self, other: Key, together: bool) -> None:
        assert statuses(3, key("a"), other, together=together) == ["PASS", "PASS"]

    def test_users_that_nothing_is_known_of_are_not_one(self) -> None:
        assert statuses(3, key("a", owner=None), key("b", owner=None)) == ["PASS", "PASS"]

    def test_an_open_status_counts_as_active(self) -> None:
        half = Cases(("Inactive", Unread.OPEN))
        assert statuses(3, key("a"), key("b", {"status": half})) == ["FAIL", "FAIL"]
        assert statuses(3, key("a"), key("b", {"status": Cases(("Inactive", "Inactive"))})) == ["PASS", "PASS"]

    def test_an_open_number(self) -> None:
        assert statuses(3, key(several=True)) == ["UNKNOWN"]
        assert statuses(3, key("a", several=True), key("b")) == ["FAIL", "FAIL"]
        assert statuses(3, key(attributes=INACTIVE, several=True)) == ["PASS"]


class TestConsole:
    PASSWORDS = (ConsolePassword("p", "/p.tf", 3), ConsolePassword("q", "/q.tf", 4))

    def test_each_password_is_named(self) -> None:
        (verdict,) = verdicts(4, key(), passwords=self.PASSWORDS)
        assert verdict.status is Status.FAIL and verdict.facts == {"login_profile": "p"}
        assert [step.path for step in verdict.trace] == list(verdict.evidence) == ["/p.tf", "/q.tf"]

    def test_none(self) -> None:
        assert statuses(4, key()) == ["PASS"]
        assert statuses(4, key(attributes=INACTIVE), passwords=self.PASSWORDS) == ["PASS"]


@pytest.mark.parametrize(
    ("value", "status", "said"),
    [
        (Unread.ABSENT, "FAIL", "there is no pgp_key"),
        ("", "FAIL", "pgp_key is empty"),
        (" \n", "FAIL", "pgp_key is empty"),
        ("keybase:bob", "PASS", "encrypted"),
        (Unread.SET, "PASS", "encrypted"),
        (Unread.OPEN, "UNKNOWN", "comes from an input"),
    ],
)
def test_encrypted_in_state(value: object, status: str, said: str) -> None:
    (verdict,) = verdicts(8, key(attributes={"pgp_key": value}))
    assert verdict.status.value == status and said in verdict.message


@pytest.mark.parametrize(
    ("status", "found"),
    [
        ("Inactive", ["PASS", "FAIL", "FAIL"]),
        ("Active", ["FAIL", "PASS", "FAIL"]),
        (Unread.ABSENT, ["FAIL", "PASS", "FAIL"]),
        (Unread.OPEN, ["FAIL", "UNKNOWN", "FAIL"]),
        (Cases(("Inactive", "Active")), ["FAIL", "UNKNOWN", "FAIL"]),
    ],
)
def test_the_status(status: object, found: list[str]) -> None:
    assert [statuses(number, key(attributes={"status": status})) for number in (1, 6, 7)] == [[one] for one in found]


@pytest.mark.parametrize(
    ("user", "status"), [("root", "FAIL"), ("<root_account>", "FAIL"), ("svc", "PASS"), (Unread.OPEN, "PASS")]
)
def test_the_root_user(user: object, status: str) -> None:
    names = {"user": user}
    assert statuses(5, key(attributes=names)) == statuses(5, key(attributes={**names, **INACTIVE})) == [status]


class TestEveryRule:
    NUMBERS = tuple(int(name[-3:]) for name, rule in RULES.items() if rule.on_keys is not None)

    @pytest.mark.parametrize("number", NUMBERS)
    def test_a_key_that_is_never_created_passes(self, number: int) -> None:
        (verdict,) = verdicts(number, key(attributes={"user": "root"}, never="its condition never holds"))
        assert (verdict.status, verdict.message) == (Status.PASS, "its condition never holds")

    def test_how_a_key_was_judged_is_said_of_what_is_no_pass(self) -> None:
        (failed,) = verdicts(7, key(caveat=CAVEAT))
        (passed,) = verdicts(6, key(caveat=CAVEAT))
        assert failed.message.endswith(f"({CAVEAT})") and CAVEAT not in passed.message

    def test_the_evidence_is_whatever_other_file_a_verdict_rests_on(self) -> None:
        (verdict,) = verdicts(1, key(evidence=lambda names: frozenset({"/values.tf", *names})))
        assert verdict.evidence == ("/c.tf", "/t.tf", "/values.tf", "status")


@pytest.mark.parametrize(("known", "unknown", "count"), [(True, False, 1), (False, False, 0), (False, True, 1)])
def test_calls_of_modules_that_nobody_knows_are_for_some_rules(known: bool, unknown: bool, count: int) -> None:
    rule = RULES["KEY_AWS_007"].on_calls
    assert rule is not None
    made = key()
    call = KeyCall(**{**vars(made), "kind": "module", "known": known})
    keys = KeySet([], lambda first, second: True, lambda subject: (), [call])
    found = call_verdicts(rule, keys, session().timed_context("KEY_AWS_007"), unknown=unknown)
    assert [verdict.status for verdict in found] == [Status.FAIL] * count
