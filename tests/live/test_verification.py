"""Verification: what a report flagged, held against the keys of today."""

from __future__ import annotations

import io
import threading
from datetime import datetime, timedelta

import pytest
from credential_reports import AS_OF, ago, key, line, report, selection

from keyrules.live.account import LiveKey
from keyrules.live.audit import Verdict, judge_rows
from keyrules.live.aws_errors import NOT_REACHED, AccountError
from keyrules.live.credential_report import read_rows
from keyrules.live.limits import Limits, Override
from keyrules.live.plan import make_plan
from keyrules.live.report_inputs import from_stream
from keyrules.live.verification import Denied, Question, Verified, verify
from keyrules.model import InputError, Status


class Keeper:
    """The account as verification sees it."""

    def __init__(
        self,
        keys: dict[str, list[LiveKey] | InputError | None],
        owners: dict[str, str] | None = None,
        denied: bool = False,
        tags: dict[str, str] | None = None,
    ) -> None:
        self.keys, self.owners, self.denied, self.more = keys, owners or {}, denied, tags or {}
        self.calls: list[str] = []

    def access_keys(self, user: str) -> list[LiveKey] | None:
        self.calls.append(user)
        found = self.keys[user]
        if isinstance(found, InputError):
            raise found
        return found

    def tags(self, user: str) -> dict[str, str]:
        self.calls.append(f"{user}?tags")
        if self.denied:
            raise Denied("iam:ListUserTags is not allowed")
        return {**({"Owner": self.owners[user]} if user in self.owners else {}), **self.more}


def live(key_id: str, age: float, used: float | None = None, active: bool = True) -> LiveKey:
    return LiveKey(key_id, active, ago(age)[:-1], "" if used is None else ago(used)[:-1], "s3", "eu-west-1")


MADE = AS_OF - timedelta(days=1)


def verified(
    keeper: Keeper,
    *lines: str,
    rules: tuple[int, ...] = (1, 2, 3),
    made: datetime = MADE,
    parallel: int = 1,
    limits: Limits | None = None,
) -> Verified:
    limits = limits or Limits(selection(*rules))
    plan = make_plan(limits, AS_OF)
    verdicts: list[Verdict] = []
    rows = read_rows(from_stream(io.BytesIO(report(*lines))).stream, lambda p: pytest.fail(p.message))
    judge_rows(rows, plan, AS_OF, contradiction=lambda row: pytest.fail(row.user), record=verdicts.append)
    return verify(verdicts, plan, Question(limits, AS_OF, "owner", parallel), made, keeper)


def rules_of(verdicts: list[Verdict]) -> list[tuple[int, int | None]]:
    return sorted((v.rule, v.subject.slot) for v in verdicts)


def test_only_flagged_users_are_asked_about() -> None:
    keeper = Keeper({"ann": [live("AKIA1", 500)]}, {"ann": "team-a"})
    result = verified(keeper, line("ann", **key(1, 500, used=1)), line("bob", **key(1, 5, used=1)), line("eve"))
    assert keeper.calls == ["ann", "ann?tags"]
    assert list(result.key_ids.values()) == ["AKIA1"]
    assert list(result.owners.values()) == ["team-a"]


def test_what_was_fixed_since_the_report_is_dropped_and_said() -> None:
    both = line("ann", **key(1, 500, used=1), **key(2, 3, used=1))
    result = verified(Keeper({"ann": [live("AKIANEW", 3, used=1)]}), both)
    assert result.verdicts == []
    assert rules_of(result.dropped) == [(0, 1), (2, 1)]
    assert "ann" in result.notes[0]
    assert "KEY_AWS_001, KEY_AWS_003" in result.notes[0]
    deactivated = Keeper({"ann": [live("AKIAOLD", 500, used=1, active=False), live("AKIANEW", 3, used=1)]})
    assert verified(deactivated, both).verdicts == []


def test_a_new_key_does_not_hide_an_old_one() -> None:
    result = verified(
        Keeper({"ann": [live("AKIAOLD", 500, used=1), live("AKIANEW", 0)]}), line("ann", **key(2, 500, used=1))
    )
    assert rules_of(result.verdicts) == [(0, 2)]
    assert {slot.slot: key_id for slot, key_id in result.key_ids.items()} == {
        1: "AKIANEW",
        2: "AKIAOLD",
    }


def test_a_user_who_replaced_one_of_two_keys_still_has_two() -> None:
    both = line("ann", **key(1, 500, used=1), **key(2, 300, used=1))
    keeper = Keeper({"ann": [live("AKIAKEPT", 300, used=1), live("AKIANEW", 0)]})
    result = verified(keeper, both)
    assert rules_of(result.verdicts) == [(0, 2), (2, 2)], "the older of two active keys is now the one in slot 2"
    assert rules_of(result.dropped) == [(0, 1)]


def test_a_new_key_is_not_taken_for_the_one_that_is_gone() -> None:
    result = verified(Keeper({"ann": [live("AKIANEW", 0)]}), line("ann", **key(1, 500, used=1)), rules=(7,))
    assert result.verdicts == []
    assert rules_of(result.dropped) == [(0, 1)]


UNDATED = {"key_1_active": "true", "key_1_last_rotated": "N/A"}


@pytest.mark.parametrize(
    "row",
    [
        line("ann", **key(1, 500, used=1)),
        line("ann", **{**key(1, 500, used=1), "key_1_last_rotated": ago(500, seconds=1)}),
        line("ann", **{**key(1, 500, used=1), "key_1_last_rotated": ago(500, seconds=-1)}),
        line("ann", **UNDATED),
    ],
)
def test_a_key_that_was_there_before_the_report_is_no_new_key(row: str) -> None:
    """Whatever date the report has for it: N/A, or one that is a second off."""
    result = verified(Keeper({"ann": [live("AKIAOLD", 500, used=1)]}), row, rules=(1,))
    assert (rules_of(result.verdicts), result.dropped) == ([(0, 1)], [])
    assert not any("fixed" in note for note in result.notes)
    off = line("ann", **{**key(1, 500, used=1), "key_1_last_rotated": ago(499)})
    (verdict,) = verified(Keeper({"ann": [live("AKIAOLD", 500, used=1)]}), off, rules=(1,)).verdicts
    assert verdict.row.key_1_created == ago(499)[:-1], "what is kept is what the report says"


def test_a_key_is_new_only_after_the_report_was_made() -> None:
    row = line("ann", **key(1, 500, used=1))
    for hours, kept in ((25, [(0, 1)]), (24, [(0, 1)]), (23, [])):
        result = verified(Keeper({"ann": [live("AKIA", hours / 24)]}), row, rules=(1,))
        assert rules_of(result.verdicts) == kept


def test_a_key_without_a_date_is_counted_once() -> None:
    row = line("ann", key_2_active="true")
    (verdict,) = verified(Keeper({"ann": [live("AKIA", 500)]}), row, rules=(1,)).verdicts
    assert (verdict.row.key_1_active, verdict.row.key_2_active) == ("", "true")


def test_ids_are_given_only_to_keys_that_are_known() -> None:
    two = line("ann", **key(1, 500, used=1), key_2_active="true")
    result = verified(Keeper({"ann": [live("AKIAONE", 400, used=1), live("AKIATWO", 600, used=1)]}), two, rules=(1,))
    assert rules_of(result.verdicts) == [(0, 1), (0, 2)]
    assert result.key_ids == {}
    assert "may be one of them" in result.notes[0]


@pytest.mark.parametrize(
    ("keys", "kept"),
    [
        ([live("AKIA", 500, used=1)], True),
        ([live("AKIA", 5, used=1, active=False)], True),
        ([live("AKIA", 5, used=1)], False),
        ([live("AKIA", 5, used=1), live("AKIANEW", 0)], False),
        ([live("AKIA", 5, used=1), live("AKIAOLD", 500)], True),
        ([live("AKIANEW", 0)], False),
        ([], False),
    ],
)
def test_unknown_ends_only_where_every_key_that_it_can_be_about_passes(keys: list[LiveKey], kept: bool) -> None:
    row = line("ann", **UNDATED, password_enabled="true")
    result = verified(Keeper({"ann": keys}), row, rules=(1,))
    assert [verdict.status for verdict in result.verdicts] == [Status.UNKNOWN] * kept
    assert [verdict.status for verdict in result.dropped] == [Status.UNKNOWN] * (not kept)
    assert not any("fixed" in note for note in result.notes), "what nobody knew was not broken"


def test_what_is_judged_anew_was_not_fixed() -> None:
    idle = line("ann", **key(1, 120))
    result = verified(Keeper({"ann": [live("AKIA", 120, used=0)]}), idle, rules=(2,))
    assert rules_of(result.dropped) == [(0, 1)]
    assert "judged anew" in result.notes[0]
    assert "fixed" not in result.notes[0]


def test_steps_are_written_for_the_keys_of_today() -> None:
    row = line("ann", **key(1, 500, used=1), **key(2, 900, active=False))
    (verdict,) = verified(Keeper({"ann": [live("AKIAOLD", 500, used=0)]}), row, rules=(1,)).verdicts
    assert verdict.row.key_2_created == ""
    assert verdict.row.key_1_used == ago(1)[:-1], "the facts of the flagged key stay those of the report"


def test_live_keys_of_the_same_second_stay_two_keys() -> None:
    keys = [LiveKey("A", True, ago(500)[:-1] + ".7", "", "", ""), LiveKey("B", True, ago(500)[:-1] + ".2", "", "", "")]
    for order in (1, -1):
        result = verified(Keeper({"ann": keys[::order]}), line("ann", **key(1, 500), **key(2, 500)), rules=(3,))
        assert rules_of(result.verdicts) == [(0, 1)]


def test_keys_of_the_same_second_are_told_apart_by_status() -> None:
    row = line("ann", **key(1, 500, active=False), **key(2, 500, used=1))
    for order in (1, -1):
        keys = [live("AKIAOFF", 500, active=False), live("AKIAON", 500, used=1)][::order]
        result = verified(Keeper({"ann": keys}), row)
        assert {slot.slot: key_id for slot, key_id in result.key_ids.items()} == {1: "AKIAOFF", 2: "AKIAON"}
    unused = line("ann", **key(1, 500), **key(2, 500, active=False))
    result = verified(Keeper({"ann": [live("AKIAOFF", 500, active=False), live("AKIAON", 500)]}), unused)
    assert {slot.slot: key_id for slot, key_id in result.key_ids.items()} == {1: "AKIAON", 2: "AKIAOFF"}


def test_a_deleted_user_has_no_findings() -> None:
    result = verified(Keeper({"ann": None}), line("ann", password_enabled="true", **key(1, 500)), rules=(1, 12))
    assert result.verdicts == []
    assert "deleted" in result.notes[0]


def test_owners_are_optional_and_said_once() -> None:
    keeper = Keeper({"ann": [live("A", 500)], "bob": [live("B", 500)]}, denied=True)
    result = verified(keeper, line("ann", **key(1, 500)), line("bob", **key(1, 500)))
    assert [note for note in result.notes if "Owners" in note] == [
        "Owners are not shown: iam:ListUserTags is not allowed."
    ]
    assert len(result.verdicts) == 4


VAULT = Override(
    "c.yaml:1", "rotation=vault", "Vault", "team", {("KEY_AWS_001", "max_age_days"): 180}, tag=("Rotation", "vault")
)


@pytest.mark.parametrize(("age", "tags", "holds"), [(180, "vault", False), (181, "vault", True), (180, "other", True)])
def test_a_tag_loosens_the_limit_of_its_users(age: int, tags: str, holds: bool) -> None:
    limits = Limits(selection(1), (VAULT,))
    result = verified(
        Keeper({"ann": [live("A", age)]}, tags={"rotation": tags}), line("ann", **key(1, age)), limits=limits
    )
    assert [verdict.status for verdict in result.verdicts] == ([Status.FAIL] if holds else [])
    assert len(result.dropped) == (not holds)
    assert not any("fixed" in note for note in result.notes)
    (note,) = limits.notes(asked_for_tags=True)
    assert ("held for 1 user:" in note) is (tags == "vault")


def test_tags_that_may_not_be_asked_for_loosen_nothing() -> None:
    keeper = Keeper({"ann": [live("A", 120)]}, denied=True)
    result = verified(keeper, line("ann", **key(1, 120)), limits=Limits(selection(1), (VAULT,)))
    assert len(result.verdicts) == 1
    assert "Owners are not shown, and overrides by tag do not hold: iam:ListUserTags is not allowed." in result.notes


def test_one_bad_answer_costs_one_user() -> None:
    keeper = Keeper({"ann": InputError("iam:ListAccessKeys failed"), "bob": [live("B", 500)], "eve": None})
    rows = [line(name, **key(1, 500)) for name in ("ann", "bob", "eve")]
    result = verified(keeper, *rows, rules=(1,))
    assert sorted(verdict.row.user for verdict in result.verdicts) == ["ann", "bob"]
    assert [verdict.row.user for verdict in result.dropped] == ["eve"]
    assert list(result.key_ids.values()) == ["B"]
    assert result.errors == ["could not be verified for ann: iam:ListAccessKeys failed"]


def test_users_with_the_same_trouble_are_named_together() -> None:
    names = [f"user{number:02}" for number in range(23)]
    keeper = Keeper(dict.fromkeys(names, InputError("no")))
    (error,) = verified(keeper, *(line(name, **key(1, 500)) for name in names), rules=(1,)).errors
    assert error == f"could not be verified for {', '.join(names[:20])} and 3 more users: no"
    (error,) = verified(keeper, *(line(name, **key(1, 500)) for name in names[:3]), rules=(1,)).errors
    assert error == "could not be verified for user00, user01 and user02: no"


def test_a_network_that_is_gone_is_not_asked_for_everybody() -> None:
    names = [f"user{number}" for number in range(100)]
    keeper = Keeper(dict.fromkeys(names, AccountError("cannot be reached", NOT_REACHED)))
    result = verified(keeper, *(line(name, **key(1, 500)) for name in names), rules=(1,))
    assert len(keeper.calls) == 16
    assert len(result.verdicts) == 100
    assert result.errors[0].endswith("and 80 more users: cannot be reached")


def test_users_are_asked_about_at_once() -> None:
    """Each waits until all are there, which one after the other never are."""
    together = threading.Barrier(8, timeout=10)

    class Meeting(Keeper):
        def access_keys(self, user: str) -> list[LiveKey] | None:
            together.wait()
            return [live(user, 500)]

    rows = [line(f"user{number}", **key(1, 500)) for number in range(8)]
    result = verified(Meeting({}), *rows, rules=(1,), parallel=8)
    assert [verdict.row.user for verdict in result.verdicts] == [f"user{number}" for number in range(8)]
