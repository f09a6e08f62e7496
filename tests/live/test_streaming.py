"""Findings of an audit are made when they are written: what a run keeps of them, spilled or not."""

from __future__ import annotations

import io
from datetime import date

import pytest
from credential_reports import ACCOUNT, AS_OF, evaluate, key, line, pack, report, selection

from keyrules.findings import findings_of, tally_of
from keyrules.live import sorted_runs
from keyrules.live.account_audit import AuditRequest, audit_report, combine
from keyrules.live.limits import Limits
from keyrules.live.report_inputs import from_stream
from keyrules.live.sorted_runs import SortedRuns
from keyrules.model import Evaluation, Exemption, Plane, Severity, Status
from keyrules.records import replace
from keyrules.reports.json import finding_document
from keyrules.reports.text_style import iso_utc
from keyrules.run.exceptions.file import Entry
from keyrules.run.exceptions.match import ExceptionUse

USERS = [line(f"u{n:03}", **key(1, 100 + n, used=n % 60), **key(2, 400 - n)) for n in range(40)]


@pytest.mark.parametrize("bound", [1, 7, 64])
def test_records_come_sorted_and_again_whatever_was_spilled(bound: int) -> None:
    runs = SortedRuns(bound)
    records = [[number * 7 % 101, number, f"ü\x00{number}", None, True] for number in range(101)]
    for record in records:
        runs.add(list(record))
    assert list(runs) == sorted(records)
    one, other = iter(runs), iter(runs)
    assert [next(one) for _ in range(50)] == [next(other) for _ in range(50)], "two may be under way"
    assert len(runs) == 101


def test_no_room_for_what_has_to_be_sorted_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: object) -> object:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sorted_runs, "TemporaryFile", full)
    with pytest.raises(Exception, match="TMPDIR") as caught:
        SortedRuns(1).add([1])
    assert type(caught.value).__name__ == "UsageError"


def judged(content: bytes, *numbers: int, **settings: object) -> Evaluation:
    return evaluate(content, *numbers, request=settings)


def test_spilled_findings_are_those_that_were_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = list(judged(report(*USERS), keep_passing=True).findings)
    monkeypatch.setattr(SortedRuns.__init__, "__defaults__", (5,))
    spilled = judged(report(*USERS), keep_passing=True).findings
    assert list(spilled) == kept
    assert list(spilled) == kept, "as often as somebody asks"
    assert len(spilled) == len(kept) > 100
    assert spilled[3] == kept[3]
    assert list(spilled[5:2:-1]) == kept[5:2:-1]
    assert tally_of(spilled) == tally_of(kept)
    for status in Status:
        assert list(findings_of(spilled, (status,))) == list(findings_of(kept, (status,)))
    assert list(findings_of(spilled, Status, "KEY_AWS_001")) == list(findings_of(kept, Status, "KEY_AWS_001"))


@pytest.mark.parametrize("created", ["2024-05-06T07:08:09Z", "2024-05-06T07:08:09.000120+00:00"])
def test_the_text_of_a_creation_says_what_its_time_says(created: str) -> None:
    user = line("ann", key_1_active="true", key_1_last_rotated=created)
    for finding in judged(report(user), 1, 2).findings:
        subject = finding.subject
        assert subject is not None
        assert subject.created_at is not None
        assert subject.created_text == iso_utc(subject.created_at)
        without = replace(finding, subject=replace(subject, created_text=""))
        assert without.fingerprint == finding.fingerprint
        assert finding_document(without) == finding_document(finding)


def test_a_report_that_breaks_off_lists_nothing_of_what_came_before() -> None:
    asked = AuditRequest(pack().stamp, Limits(selection(1)), now=AS_OF, as_of=AS_OF, max_age=None)
    broken, sound = report(line("ann", **key(1, 500))) + b"\xff\n", report(line("bob", **key(1, 500)))
    results = [audit_report(name, from_stream(io.BytesIO(data)), asked) for name, data in (("a", broken), ("b", sound))]
    evaluation = combine(results, asked).evaluation
    assert [finding.subject.user for finding in evaluation.findings if finding.subject] == ["bob"]
    assert (evaluation.counts.failed, len(evaluation.errors), len(evaluation.findings)) == (1, 1, 1)
    assert [state.account for state in evaluation.accounts] == [ACCOUNT]


def test_a_user_who_stands_twice_in_a_report_has_findings_of_their_own() -> None:
    row = line("ann", **key(1, 500, used=1), **key(2, 500, used=2))
    found = list(judged(report(row, line("bob"), row), 1, keep_passing=False).findings)
    assert len({finding.fingerprint for finding in found}) == len(found) == 4


def test_accounts_say_what_became_of_them() -> None:
    content = report(
        line("ann", **key(1, 500, used=1)), line("bob", **key(1, 5)), line("cyd", **key(2, 900, active=False))
    )
    (state,) = judged(content, 1, 5).accounts
    assert (state.account, state.state, state.users, state.active_keys) == (ACCOUNT, "evaluated", 3, 2)
    assert state.oldest_key is not None
    assert (AS_OF - state.oldest_key).days == 500
    assert (dict(state.failed), state.unknown) == ({Severity.LOW: 1}, 1)


def test_an_exception_on_a_missing_root_row_counts_where_no_findings_are_kept() -> None:
    exemption = Exemption("KEY_AWS_005", "<root_account>", "no root", "ops", date(2027, 1, 1), "exceptions.yaml:2")
    use = ExceptionUse([Entry(exemption, "<root_account>", None, 1, 2)], Plane.LIVE)
    evaluation = judged(report(line("ann")), 5, keep_findings=False, exceptions=use)
    assert (evaluation.counts.unknown, evaluation.counts.exempt) == (0, 1)
    assert evaluation.warnings == ()


def test_an_account_without_a_root_row_is_noted_where_a_row_was_to_be_expected() -> None:
    (note,) = [note for note in judged(report(line("ann")), 14).notes if "root" in note and "Population" not in note]
    assert note == (
        f"The report of account {ACCOUNT} has no row for the root user, so KEY_AWS_014 passes, because it shows nobody "
        "to protect."
    )


def test_reports_that_agree_are_one_note() -> None:
    asked = AuditRequest(pack().stamp, Limits(selection(1)), now=AS_OF, as_of=AS_OF, max_age=None)
    results = [audit_report(f"{n}.csv", from_stream(io.BytesIO(report(line("ann")))), asked) for n in range(9)]
    notes = combine(results, asked).evaluation.notes
    assert notes[0] == "9 reports, which do not say when they were made, are judged as of 2026-06-01T00:00:00Z."
    assert sum("counted once for each" in note for note in notes) == 1
    assert len(notes) < 6
