"""The comparison with a baseline: what is known, new, moved, changed, resolved or not looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timezone

import pytest
from evaluations import RULES, code_finding, live_finding
from hypothesis import given
from hypothesis import strategies as st

from keyrules.model import FactValue, Finding, Location, Severity, Status
from keyrules.records import replace
from keyrules.run.baseline.compare import Comparison, compare
from keyrules.run.baseline.reading import Entry

SEEN_FIRST = datetime(2025, 12, 24, tzinfo=timezone.utc)
FAIL, UNKNOWN, EXEMPT, PASS = Status.FAIL, Status.UNKNOWN, Status.EXEMPT, Status.PASS


def at(path: str, address: str = "aws_iam_access_key.ci", status: Status = FAIL, rule: int = 0) -> Finding:
    """A finding in code at a place."""
    return code_finding(RULES[rule], status, location=Location(path, 1, 2, address))


def entries(*findings: Finding) -> dict[str, Entry]:
    """The findings as a baseline has them."""
    return {finding.fingerprint: Entry(finding, finding.fingerprint, SEEN_FIRST) for finding in findings}


def compared(
    now: list[Finding],
    then: list[Finding],
    seen: Callable[[Entry], bool] = lambda entry: True,
    gone: Callable[[str], bool] = lambda path: False,
) -> Comparison:
    """The comparison where everything was looked at and every old file still exists, unless said otherwise."""
    return compare(now, entries(*then), seen, gone)


@pytest.mark.parametrize(
    ("now", "then", "known", "new", "changed"),
    [
        (FAIL, FAIL, 1, 0, 0),
        (UNKNOWN, FAIL, 1, 0, 0),
        (UNKNOWN, UNKNOWN, 1, 0, 0),
        (FAIL, UNKNOWN, 0, 1, 1),
        (EXEMPT, FAIL, 0, 0, 1),
        (EXEMPT, UNKNOWN, 0, 0, 1),
    ],
)
def test_same_fingerprint(now: Status, then: Status, known: int, new: int, changed: int) -> None:
    result = compared([at("a.tf", status=now)], [at("a.tf", status=then)])
    assert (len(result.known), len(result.new), len(result.changed)) == (known, new, changed)
    assert (*result.resolved, *result.unseen) == ()


def test_a_pass_resolves_where_the_run_looked() -> None:
    result = compared([at("a.tf", status=PASS)], [at("a.tf")])
    assert [entry.finding for entry in result.resolved] == [at("a.tf")]


def test_what_is_not_there_is_resolved_only_where_the_run_looked() -> None:
    then = [at("a.tf"), at("b.tf")]
    result = compared([], then, seen=lambda entry: entry.finding == then[0])
    assert [entry.finding for entry in result.resolved] == [then[0]]
    assert [entry.finding for entry in result.unseen] == [then[1]]


def test_a_higher_severity_is_no_new_finding() -> None:
    result = compared([replace(at("a.tf"), severity=Severity.CRITICAL)], [at("a.tf")])
    assert len(result.known) == 1
    assert result.known[0].entry.first_seen == SEEN_FIRST


def test_one_credential_in_two_reports_is_known_twice() -> None:
    twice = [live_finding(), live_finding(message="in another report")]
    result = compared(twice, [live_finding()])
    assert [known.finding for known in result.known] == twice
    assert result.resolved == ()


class TestMoves:
    def test_to_another_file_of_the_module(self) -> None:
        result = compared([at("infra/keys.tf")], [at("infra/main.tf")])
        assert [(known.moved, known.entry.finding.location) for known in result.known] == [
            (True, Location("infra/main.tf", 1, 2, "aws_iam_access_key.ci"))
        ]
        assert (*result.new, *result.resolved) == ()

    def test_to_another_folder_where_the_old_file_is_gone(self) -> None:
        result = compared([at("new/main.tf")], [at("old/main.tf")], gone=lambda path: path == "old/main.tf")
        assert [known.moved for known in result.known] == [True]

    def test_the_same_address_in_another_folder_is_new_while_the_old_file_exists(self) -> None:
        result = compared([at("new/main.tf")], [at("old/main.tf")])
        assert (len(result.known), len(result.new), len(result.resolved)) == (0, 1, 1)

    def test_a_copy_is_new_beside_its_original(self) -> None:
        result = compared([at("a/main.tf"), at("b/main.tf")], [at("a/main.tf")], gone=lambda path: True)
        assert [finding.location for finding in result.new] == [at("b/main.tf").location]

    @pytest.mark.parametrize(
        ("now", "then"),
        [(["new/a.tf", "new/b.tf"], ["old/a.tf"]), (["new/a.tf"], ["old/a.tf", "old/b.tf"])],
        ids=["two places now", "two places then"],
    )
    def test_no_guess_between_two(self, now: list[str], then: list[str]) -> None:
        result = compared([at(path) for path in now], [at(path) for path in then], gone=lambda path: True)
        assert result.known == ()
        assert len(result.new) == len(now)

    def test_modules_of_the_same_form_are_told_apart_by_their_folder(self) -> None:
        now, then = [at("a/keys.tf"), at("b/keys.tf")], [at("a/main.tf"), at("b/main.tf")]
        result = compared(now, then)
        assert [(k.finding.location, k.entry.finding.location) for k in result.known] == [
            (now[0].location, then[0].location),
            (now[1].location, then[1].location),
        ]

    def test_a_move_within_the_module_leaves_the_other_place_to_a_move_between_folders(self) -> None:
        now, then = [at("a/keys.tf"), at("new/main.tf")], [at("a/main.tf"), at("old/main.tf")]
        result = compared(now, then, gone=lambda path: path == "old/main.tf")
        assert len(result.known) == 2

    @pytest.mark.parametrize("changes", [{"address": "aws_iam_access_key.other"}, {"rule": 1}])
    def test_another_address_or_rule_is_no_move(self, changes: dict[str, str | int]) -> None:
        moved = at("infra/keys.tf", **changes)  # type: ignore[arg-type]
        assert compared([moved], [at("infra/main.tf")], gone=lambda path: True).known == ()

    def test_two_templates_of_a_folder_are_not_one_module(self) -> None:
        now, then = [at("b.yaml", "Key")], [at("a.yaml", "Key")]
        assert compared(now, then).known == ()
        assert len(compared(now, then, gone=lambda path: True).known) == 1

    def test_code_does_not_move_into_a_plan(self) -> None:
        assert compared([at("plan.json")], [at("main.tf")], gone=lambda path: True).known == ()

    def test_a_failure_does_not_move_to_where_something_was_unknown(self) -> None:
        assert compared([at("keys.tf")], [at("main.tf", status=UNKNOWN)]).known == ()
        assert len(compared([at("keys.tf", status=UNKNOWN)], [at("main.tf")]).known) == 1

    @pytest.mark.parametrize(
        ("now", "then", "known"),
        [
            ({"access_key_id": "AKIA…AAAA"}, {"access_key_id": "AKIA…AAAA"}, 1),
            ({"access_key_id": "AKIA…BBBB"}, {"access_key_id": "AKIA…AAAA"}, 0),
            ({"access_key_id": None}, {"access_key_id": None}, 0),
            ({"key_id": "AKIA…AAAA"}, {"key_id": "AKIA…AAAA"}, 1),
        ],
    )
    def test_a_hard_coded_credential_moves_with_its_key_id_only(
        self, now: Mapping[str, FactValue], then: Mapping[str, FactValue], known: int
    ) -> None:
        old = replace(at("old.sh", "literal", rule=3), facts=then)
        new = replace(at("new.sh", "literal", rule=3), facts=now)
        assert len(compared([new], [old], gone=lambda path: True).known) == known

    def test_a_key_known_by_its_line_alone_does_not_move(self) -> None:
        assert compared([at("b.tf", "line 4", UNKNOWN)], [at("a.tf", "line 4")], gone=lambda path: True).known == ()

    def test_credentials_of_an_account_do_not_move(self) -> None:
        subject = live_finding().subject
        assert subject is not None
        other = live_finding(subject=replace(subject, arn="arn:aws:iam::111122223333:user/bob"))
        assert compared([other], [live_finding()], gone=lambda path: True).known == ()


class TestUsers:
    """KEY_AWS_003 is about the user; the key that it hangs on is the older one of two."""

    @staticmethod
    def two_keys(rule: str = "KEY_AWS_003", **changes: object) -> Finding:
        subject = live_finding().subject
        assert subject is not None
        return replace(live_finding(), rule=rule, subject=replace(subject, **changes))  # type: ignore[arg-type]

    def test_another_key_of_the_user(self) -> None:
        then = self.two_keys()
        now = self.two_keys(slot=2, created_at=SEEN_FIRST, name="alice/access_key_2")
        result = compared([now], [then])
        assert [(known.finding, known.entry.first_seen) for known in result.known] == [(now, SEEN_FIRST)]
        assert (*result.new, *result.resolved) == ()

    @pytest.mark.parametrize(
        "changes",
        [
            {"arn": "arn:aws:iam::111122223333:user/bob"},
            {"account": "444455556666"},
            {"account": None},
            {"rule": "KEY_AWS_001"},
        ],
    )
    def test_another_user_or_rule(self, changes: dict[str, str]) -> None:
        now = self.two_keys(created_at=SEEN_FIRST, **changes)
        result = compared([now], [self.two_keys(**{k: v for k, v in changes.items() if k == "rule"})])
        assert (len(result.known), len(result.new), len(result.resolved)) == (0, 1, 1)

    def test_a_failure_where_it_was_unknown_is_new(self) -> None:
        then = replace(self.two_keys(), status=UNKNOWN)
        assert compared([self.two_keys(created_at=SEEN_FIRST)], [then]).known == ()


def test_exempt_findings_that_the_baseline_holds() -> None:
    held, other = at("a.tf", status=EXEMPT), at("b.tf", status=EXEMPT)
    assert compared([held, other], [at("a.tf")]).exempt == (held,)


PLACES = st.builds(
    at,
    st.sampled_from(["main.tf", "keys.tf", "a/main.tf", "b/main.tf", "a.yaml", "b.yaml"]),
    st.sampled_from(["aws_iam_access_key.ci", "aws_iam_access_key.x", "literal"]),
    st.sampled_from(Status),
    st.integers(0, 1),
)


@given(
    now=st.lists(PLACES, max_size=8),
    then=st.lists(PLACES.filter(lambda f: f.status in (FAIL, UNKNOWN)), max_size=8),
    seen=st.sets(st.integers(0, 7)),
    gone=st.sets(st.sampled_from(["main.tf", "keys.tf", "a/main.tf", "b/main.tf", "a.yaml", "b.yaml"])),
)
def test_the_partition_is_exact(now: list[Finding], then: list[Finding], seen: set[int], gone: set[str]) -> None:
    """Every finding that counts is new or known, once; every entry is known, changed, resolved or unseen, once."""
    held = entries(*then)
    order = list(held)
    result = compare(now, held, lambda entry: order.index(entry.fingerprint) in seen, lambda path: path in gone)
    counted = Counter(map(id, (finding for finding in now if finding.status in (FAIL, UNKNOWN))))
    assert Counter(map(id, (*result.new, *(known.finding for known in result.known)))) == counted
    known = {known.entry.fingerprint for known in result.known}
    rest = [entry.fingerprint for entry in (*result.changed, *result.resolved, *result.unseen)]
    assert known | set(rest) == set(held)
    assert len(known) + len(rest) == len(held)
    moved = [known.entry.fingerprint for known in result.known if known.moved]
    assert len(moved) == len(set(moved))
    assert not any(known.finding.status is FAIL and known.entry.finding.status is UNKNOWN for known in result.known)
