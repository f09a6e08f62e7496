"""The rules about a declared key, each over keys that are made by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from scanned_without import session

from keyrules.code.grants import Grant, Grants, Membership
from keyrules.code.judging import RULES
from keyrules.code.key_rules import call_verdicts, key_verdicts
from keyrules.code.keys import Cases, ConsolePassword, Key, KeyCall, KeySet, Unread
from keyrules.code.verdict import Opinion, Verdict
from keyrules.model import Status, TraceStep
from keyrules.policies.document import read_document
from keyrules.policies.policy import Policy

FIRES = Opinion(
    Status.FAIL, "rotation_missing", "nothing", trace=(TraceStep("t", "/t.tf", 1),), evidence=("/c.tf", "/main.tf")
)
NO_GRANTS = Grants()
CAVEAT = "judged as if declared once"


def key(address: str = "k", attributes: Mapping[str, object] | None = None, **others: Any) -> Key:
    """An active key of one user that never rotates."""
    given = attributes or {}
    fields: dict[str, Any] = {"status": given.get("status", Unread.ABSENT), "owner": "svc", "owner_shown": "user svc"}
    fields |= {"rotation": lambda context: FIRES, **others}
    of = lambda name: given.get(name, Unread.ABSENT)  # noqa: E731
    return Key("aws_iam_access_key", "/main.tf", address, 1, 2, of, **fields)


def verdicts(
    number: int,
    *keys: Key,
    together: bool = True,
    passwords: Sequence[ConsolePassword] = (),
    grants: Grants = NO_GRANTS,
) -> list[Verdict]:
    """What one rule says of these keys."""
    rule = RULES[f"KEY_AWS_{number:03d}"]
    assert rule.on_keys is not None
    found = KeySet(keys, lambda first, second: together, lambda subject: passwords, grants.held_by)
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


def granted(
    statement: object,
    holder: str | None = "svc",
    *,
    to_group: bool = False,
    beside: Callable[[Key], bool] = lambda key: True,
) -> Grant:
    policy = Policy("the policy p", read_document({"Statement": statement}))
    return Grant(holder, to_group, policy, TraceStep(f"policy of {holder}", "/p.tf", 7), beside)


ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
READS = {**ALL, "Action": "s3:Get*"}
WITH_MFA = {**ALL, "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}
OF_GROUP = granted(ALL, "ops", to_group=True)
STEP = TraceStep("membership", "/m.tf", 3)
MEMBER, OPEN_MEMBER = Membership("svc", "ops", STEP), Membership("svc", None, STEP)
NARROW = Policy("the boundary b", read_document({"Statement": READS}))
NO_KEYS = {"Effect": "Deny", "Action": "iam:CreateAccessKey", "Resource": "*"}


class TestRights:
    @pytest.mark.parametrize(
        ("grants", "status", "reason"),
        [
            (Grants([granted(ALL)]), Status.FAIL, "administrator_with_key"),
            (Grants([granted(READS)]), Status.PASS, "no_administrator"),
            (Grants([granted(ALL, "other")]), Status.PASS, "no_administrator"),
            (Grants([granted(ALL, to_group=True)]), Status.PASS, "no_administrator"),
            (Grants([granted(ALL, beside=lambda key: False)]), Status.PASS, "no_administrator"),
            (Grants([OF_GROUP], [MEMBER]), Status.FAIL, "administrator_with_key"),
            (Grants([OF_GROUP], [Membership("other", "ops", STEP)]), Status.PASS, "no_administrator"),
            (Grants([OF_GROUP], [Membership("svc", "ops", STEP, lambda key: False)]), Status.PASS, "no_administrator"),
            (Grants([OF_GROUP], [OPEN_MEMBER]), Status.UNKNOWN, "rights_unknown"),
            (Grants([granted(READS, "ops", to_group=True)], [OPEN_MEMBER]), Status.PASS, "no_administrator"),
            (Grants([granted(ALL, None)]), Status.UNKNOWN, "rights_unknown"),
            (Grants([granted(READS, None)]), Status.PASS, "no_administrator"),
            (Grants([granted(ALL, None), granted(ALL)]), Status.FAIL, "administrator_with_key"),
            (Grants([granted(ALL, None, beside=lambda key: False)]), Status.PASS, "no_administrator"),
            (Grants([OF_GROUP], [Membership(None, "ops", STEP)]), Status.UNKNOWN, "rights_unknown"),
            (Grants([OF_GROUP], [Membership(None, "dev", STEP)]), Status.PASS, "no_administrator"),
            (Grants([granted(ALL, None, to_group=True)], [MEMBER]), Status.UNKNOWN, "rights_unknown"),
            (Grants([granted(ALL, None, to_group=True)]), Status.PASS, "no_administrator"),
            (Grants([granted(WITH_MFA)]), Status.PASS, "administrator_limited"),
            (Grants([granted(ALL)], (), {"svc": NARROW}), Status.PASS, "administrator_limited"),
            (Grants([granted([{"Effect": "Allow"}])]), Status.UNKNOWN, "rights_unknown"),
        ],
    )
    def test_of_an_administrator(self, grants: Grants, status: Status, reason: str) -> None:
        (verdict,) = verdicts(20, key(), grants=grants)
        assert (verdict.status, verdict.reason) == (status, reason)

    def test_the_way_leads_through_the_group(self) -> None:
        (verdict,) = verdicts(20, key(), grants=Grants([OF_GROUP], [MEMBER]))
        assert [step.label for step in verdict.trace] == ["membership", "policy of ops"]
        assert verdict.evidence == ("/m.tf", "/p.tf")

    @pytest.mark.parametrize(
        ("grants", "status", "reason"),
        [
            (Grants([granted(NO_KEYS)]), Status.FAIL, "rotation_denied"),
            (Grants([granted(NO_KEYS, "ops", to_group=True)], [MEMBER]), Status.FAIL, "rotation_denied"),
            (Grants([granted(NO_KEYS, "ops", to_group=True)], [OPEN_MEMBER]), Status.UNKNOWN, "policies_unknown"),
            (Grants([granted(NO_KEYS, None)]), Status.UNKNOWN, "policies_unknown"),
            (
                Grants([granted(NO_KEYS, "ops", to_group=True)], [Membership(None, "ops", STEP)]),
                Status.UNKNOWN,
                "policies_unknown",
            ),
            (
                Grants((), (), {"svc": Policy("b", read_document({"Statement": NO_KEYS}))}),
                Status.FAIL,
                "rotation_denied",
            ),
            (Grants([granted(ALL)]), Status.PASS, "rotation_not_denied"),
            (
                Grants([granted({**NO_KEYS, "Condition": {"Bool": {"aws:ViaAWSService": "false"}}})]),
                Status.PASS,
                "rotation_denied_conditionally",
            ),
            (
                Grants([Grant("svc", False, Policy("q", None, "arn:aws:iam::1:policy/q"), STEP)]),
                Status.PASS,
                "rotation_not_denied",
            ),
            (Grants([granted([{"Effect": "Deny"}])]), Status.UNKNOWN, "policies_unknown"),
        ],
    )
    def test_of_rotating(self, grants: Grants, status: Status, reason: str) -> None:
        (verdict,) = verdicts(29, key(), grants=grants)
        assert (verdict.status, verdict.reason) == (status, reason)

    @pytest.mark.parametrize(("number", "statement"), [(20, ALL), (29, NO_KEYS)])
    def test_an_inactive_key_passes(self, number: int, statement: object) -> None:
        assert statuses(number, key("k", INACTIVE), grants=Grants([granted(statement)])) == ["PASS"]

    @pytest.mark.parametrize("holder", [None, "other"])
    def test_a_user_of_whom_nothing_is_known_may_have_whatever_is_given(self, holder: str | None) -> None:
        assert statuses(20, key(owner=None), grants=Grants([granted(ALL, holder)])) == ["UNKNOWN"]
        assert statuses(20, key(owner=None), grants=Grants([granted(READS, holder)])) == ["PASS"]


@pytest.mark.parametrize(("known", "unknown", "count"), [(True, False, 1), (False, False, 0), (False, True, 1)])
def test_calls_of_modules_that_nobody_knows_are_for_some_rules(known: bool, unknown: bool, count: int) -> None:
    rule = RULES["KEY_AWS_007"].on_calls
    assert rule is not None
    made = key()
    call = KeyCall(**{**vars(made), "kind": "module", "known": known})
    keys = KeySet([], lambda first, second: True, lambda subject: (), Grants().held_by, [call])
    found = call_verdicts(rule, keys, session().timed_context("KEY_AWS_007"), unknown=unknown)
    assert [verdict.status for verdict in found] == [Status.FAIL] * count
