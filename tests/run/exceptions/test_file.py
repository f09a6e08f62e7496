"""The exceptions file: what it may hold, and the sentence for everything else."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from canaries import assert_no_leak, make_canary

from keyrules.model import Plane, UsageError
from keyrules.pack.catalog import Retired, load_pack
from keyrules.records import replace
from keyrules.run.exceptions.file import Entry, load_exceptions

PACK = load_pack()
AS_OF = datetime(2026, 6, 1, 23, 59, 59, tzinfo=timezone.utc)
GOOD = {
    "rule": "KEY_AWS_001",
    "subject": "aws_iam_access_key.legacy",
    "reason": "The appliance takes no new key before its update",
    "owner": "storage@example.com",
    "expires": "2026-08-30",
}


def entry(**changes: str | None) -> str:
    """An entry in YAML; None leaves a key out."""
    keys = {**GOOD, **changes}
    lines = [f"{name}: {value}" for name, value in keys.items() if value is not None]
    return "  - " + "\n    ".join(lines) + "\n"


def load(text: str, folder: Path, as_of: datetime = AS_OF, max_days: int = 365) -> tuple[Entry, ...]:
    path = folder / "exceptions.yaml"
    path.write_text(text, encoding="utf-8")
    return load_exceptions(path, PACK, as_of, max_days)


def refusal(text: str, folder: Path, max_days: int = 365) -> str:
    """The sentence, without the folder before the file's name."""
    with pytest.raises(UsageError) as caught:
        load(text, folder, max_days=max_days)
    return str(caught.value).replace(f"{folder}/", "")


def test_an_entry_with_everything(tmp_path: Path) -> None:
    loaded = load("exceptions:\n" + entry(ticket="OPS-1", plane="live", subject="alice"), tmp_path)
    assert len(loaded) == 1
    exemption = loaded[0].exemption
    assert (exemption.rule, exemption.subject, exemption.owner) == ("KEY_AWS_001", "alice", "storage@example.com")
    assert exemption.reason == "The appliance takes no new key before its update"
    assert (exemption.expires, exemption.ticket) == (date(2026, 8, 30), "OPS-1")
    assert exemption.place == f"{tmp_path.as_posix()}/exceptions.yaml:2"
    assert (loaded[0].plane, loaded[0].pattern, loaded[0].number) == (Plane.LIVE, "alice", 1)


def test_the_optional_keys_may_be_left_out(tmp_path: Path) -> None:
    loaded = load("exceptions:\n" + entry(), tmp_path)[0]
    assert loaded.plane is None
    assert loaded.exemption.ticket is None


@pytest.mark.parametrize("written", ["2026-08-30", '"2026-08-30"', "'2026-08-30'"])
def test_a_date_is_written_with_or_without_quotes(tmp_path: Path, written: str) -> None:
    assert load("exceptions:\n" + entry(expires=written), tmp_path)[0].exemption.expires == date(2026, 8, 30)


def test_an_account_and_an_issue_may_be_bare_numbers(tmp_path: Path) -> None:
    loaded = load("exceptions:\n" + entry(subject="123456789012", ticket="4711"), tmp_path)[0]
    assert (loaded.pattern, loaded.exemption.ticket) == ("123456789012", "4711")


def test_a_file_may_hold_no_entries(tmp_path: Path) -> None:
    assert load("exceptions: []\n", tmp_path) == ()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"rule": None}, "line 2, entry 2: `rule` is missing; allowed: an entry has rule, subject, reason, owner"),
        ({"subject": None}, "`subject` is missing"),
        ({"reason": None}, "`reason` is missing"),
        ({"owner": None}, "`owner` is missing"),
        ({"expires": None}, "`expires` is missing"),
        (
            {"until": "2026-07-01"},
            "entry 2: `until` is an unknown key; allowed: rule, subject, reason, owner, expires,",
        ),
        ({"rule": "KEY_AWS_999"}, "entry 2: `rule`: There is no rule 'KEY_AWS_999'"),
        ({"rule": "key_aws_001"}, "did you mean KEY_AWS_001?"),
        ({"rule": "[KEY_AWS_001]"}, "`rule` has a list; allowed: text on one line"),
        ({"rule": "every rule of this pack"}, "`rule` is no rule id; allowed: an id like KEY_AWS_001"),
        ({"reason": '" "'}, "`reason` has empty text; allowed: text on one line"),
        ({"reason": "17"}, "`reason` has a number"),
        ({"reason": '"a\\nb"'}, "`reason` has a line break or a character that cannot be printed"),
        ({"reason": '"a\\e[31m"'}, "`reason` has a line break or a character that cannot be printed"),
        ({"reason": '"a\\u202eb"'}, "`reason` has a line break or a character that cannot be printed"),
        ({"reason": "x" * 1001}, "`reason` has 1,001 characters; allowed: up to 1,000"),
        ({"owner": "yes"}, "`owner` has true or false"),
        ({"owner": '""'}, "`owner` has empty text"),
        ({"ticket": '""'}, "`ticket` has empty text"),
        (
            {"expires": "2026-13-01"},
            "`expires` is 2026-13-01, a day that no calendar has; allowed: a day as in 2026-11-30",
        ),
        ({"expires": "2026-02-29"}, "`expires` is 2026-02-29, a day that no calendar has"),
        ({"expires": "2026-7-1"}, "`expires` is no day; allowed: a day as in"),
        ({"expires": "2026-07-01 10:00:00"}, "`expires` is no day"),
        ({"expires": "never"}, "`expires` is no day"),
        ({"expires": "20260701"}, "`expires` has a number"),
        (
            {"expires": "2027-06-02"},
            "`expires` is 2027-06-02, 366 days away; allowed: at most 365 days, until 2027-06-01",
        ),
        ({"subject": '"*"'}, "`subject` has wildcards only, which exempts everything; allowed: a name, or a glob"),
        ({"subject": '"**"'}, "to turn the rule off, use --skip-rule or .keyrules.yaml"),
        ({"subject": '"?*"'}, "`subject` has wildcards only"),
        ({"subject": "*.tf"}, "quote a value that starts with & or *"),
        (
            {"subject": "*foo"},
            "found an anchor or an alias (& or *); allowed: the value itself, written out, in quotes",
        ),
        ({"subject": "AKIAIOSFODNN7EXAMPLE"}, "`subject` has an access key id, which no report names its subjects by"),
        ({"subject": "alice/ASIAIOSFODNN7EXAMPLE"}, "`subject` has an access key id"),
        ({"plane": "cloud"}, "`plane` is no plane; allowed: code, live"),
        (
            {"rule": "KEY_AWS_008", "plane": "live"},
            "`plane` is live, where KEY_AWS_008 is never evaluated; allowed: code",
        ),
        (
            {"rule": "KEY_AWS_012", "plane": "code"},
            "`plane` is code, where KEY_AWS_012 is never evaluated; allowed: live",
        ),
    ],
)
def test_refusals_name_file_line_entry_and_field(tmp_path: Path, changes: dict[str, str | None], sentence: str) -> None:
    text = "exceptions:\n" + entry(subject="first") + entry(**changes)
    found = refusal(text, tmp_path)
    assert found.startswith("exceptions.yaml, line ")
    assert sentence.replace("line 2, ", "line 7, ") in found
    assert "\n" not in found


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "exceptions.yaml is empty; one mapping is expected."),
        ("[]", "found a single value or a list at the top"),
        ("rules: []", "line 1: this is an unknown key; allowed: exceptions."),
        ("{}", "`exceptions` is missing; write `exceptions: []` where there are none."),
        ("exceptions: none", "line 1: `exceptions` has text; allowed: a list of entries."),
        ("exceptions:\n  rule: KEY_AWS_001\n", "`exceptions` has a mapping; allowed: a list of entries."),
        ("exceptions:\n  - KEY_AWS_001\n", "line 1, entry 1: found text; allowed: a mapping of rule, subject,"),
        ("exceptions:\n", "found no value; write one or leave the key out"),
        ("exceptions: []\nexceptions: []\n", "line 2: the key 'exceptions' stands here a second time"),
        ("exceptions: []\n---\n", "found a second document"),
        ("exceptions: [\n", "this is not YAML"),
    ],
)
def test_the_shape_of_the_file(tmp_path: Path, text: str, sentence: str) -> None:
    assert sentence in refusal(text, tmp_path)


@pytest.mark.parametrize("text", ["exceptions: []\n", "# none is left\n", "\ufeff\n# none\n\n# is left"])
def test_no_exceptions_are_left(tmp_path: Path, text: str) -> None:
    assert load(text, tmp_path) == ()


def test_a_retired_rule_says_what_replaced_it(tmp_path: Path) -> None:
    retired = {"KEY_AWS_099": Retired("KEY_AWS_099", "1.2.0", "KEY_AWS_001", "merged")}
    path = tmp_path / "exceptions.yaml"
    path.write_text("exceptions:\n" + entry(rule="KEY_AWS_099"))
    with pytest.raises(UsageError, match=r"KEY_AWS_099 was retired in 1\.2\.0; use KEY_AWS_001"):
        load_exceptions(path, replace(PACK, retired=retired), AS_OF, 365)


@pytest.mark.parametrize(
    ("second", "word"),
    [
        (entry(), "repeats"),
        (entry(expires='"2026-08-30"'), "repeats"),
        (entry(reason="Another reason"), "contradicts"),
        (entry(owner="somebody"), "contradicts"),
        (entry(expires="2026-08-31"), "contradicts"),
        (entry(ticket="OPS-2"), "contradicts"),
        (entry(plane="code"), "contradicts"),
    ],
)
def test_two_entries_on_one_subject(tmp_path: Path, second: str, word: str) -> None:
    found = refusal("exceptions:\n" + entry() + entry(subject="another") + second, tmp_path)
    assert f"line 12, entry 3: `subject` {word} entry 1 (line 2), which has the same rule and subject" in found


def test_one_subject_on_two_planes_or_of_two_rules_is_no_repetition(tmp_path: Path) -> None:
    text = "exceptions:\n" + entry(plane="code") + entry(plane="live") + entry(rule="KEY_AWS_003")
    assert len(load(text, tmp_path)) == 3


@pytest.mark.parametrize(("days", "allowed"), [(1, True), (364, True), (365, True), (366, False)])
def test_the_longest_time(tmp_path: Path, days: int, allowed: bool) -> None:
    text = "exceptions:\n" + entry(expires=str(AS_OF.date() + timedelta(days=days)))
    if allowed:
        assert len(load(text, tmp_path)) == 1
    else:
        assert "at most 365 days" in refusal(text, tmp_path)


@pytest.mark.parametrize(("expires", "allowed"), [("2026-06-11", True), ("2026-06-12", False)])
def test_the_longest_time_is_a_setting(tmp_path: Path, expires: str, allowed: bool) -> None:
    text = "exceptions:\n" + entry(expires=expires)
    if allowed:
        assert len(load(text, tmp_path, max_days=10)) == 1
    else:
        assert "at most 10 days, until 2026-06-11" in refusal(text, tmp_path, max_days=10)


def test_the_day_is_that_of_utc(tmp_path: Path) -> None:
    """Half past one on 2 June in Berlin is still 1 June in UTC."""
    berlin = datetime(2026, 6, 2, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    text = "exceptions:\n" + entry(expires="2026-06-12")
    with pytest.raises(UsageError, match="11 days away"):
        load(text, tmp_path, as_of=berlin, max_days=10)


@pytest.mark.parametrize(("day", "holds"), [("2026-08-29", True), ("2026-08-30", True), ("2026-08-31", False)])
def test_an_entry_holds_through_its_last_day(tmp_path: Path, day: str, holds: bool) -> None:
    assert load("exceptions:\n" + entry(), tmp_path)[0].holds(date.fromisoformat(day)) is holds


def test_an_expired_entry_is_read(tmp_path: Path) -> None:
    assert load("exceptions:\n" + entry(expires="2020-01-01"), tmp_path)[0].holds(AS_OF.date()) is False


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "latin").write_bytes(b"exceptions: \xe9")
    (tmp_path / "nowhere").symlink_to("gone")
    for name, sentence in (("folder", "cannot be read"), ("latin", "is not UTF-8"), ("nowhere", "cannot be read")):
        with pytest.raises(UsageError, match=sentence):
            load_exceptions(tmp_path / name, PACK, AS_OF, 365)


@pytest.mark.parametrize("field", ["rule", "subject", "reason", "owner", "expires", "ticket", "plane", "extra"])
def test_no_refusal_quotes_a_secret(tmp_path: Path, field: str) -> None:
    """The value of a field is never quoted where it can be any text, wrong or not."""
    canary = make_canary(f"exceptions {field}")
    text = "exceptions:\n" + entry(**{field: canary.secret})
    try:
        shown = repr([found.exemption for found in load(text, tmp_path)])
    except UsageError as error:
        shown = str(error)
    assert_no_leak([("output", shown)], [canary])
