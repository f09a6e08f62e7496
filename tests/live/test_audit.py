"""What the audit says around its verdicts: errors, notes, messages, next steps, order, inputs and formats."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from credential_reports import ACCOUNT, AS_OF, ROOT, ago, audit, evaluate, findings, key, line, pack, report, selection

from keyrules.live.account_audit import AuditRequest, audit_report, combine
from keyrules.live.found_reports import find_reports
from keyrules.live.instants import parse_span
from keyrules.live.limits import Limits
from keyrules.live.report_inputs import check_age, from_json, from_stream, opened
from keyrules.model import Finding, InputError, Status, UsageError
from keyrules.reports import audit_text, findings_csv
from keyrules.reports.text_style import ReportOptions, first_sentence


def failing(content: bytes, *numbers: int, **overrides: Any) -> list[Finding]:
    return [f for f in findings(content, *numbers, **overrides) if f.status is Status.FAIL]


# --- what contradicts the moment of evaluation


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"user_creation_time": ago(-1)}, "user_creation_time"),
        ({"password_last_used": ago(-1)}, "password_last_used"),
        ({"password_last_changed": ago(0, minutes=-5, seconds=-1)}, "password_last_changed"),
        (key(1, -1), "access_key_1_last_rotated"),
        (key(2, 5, used=-1), "access_key_2_last_used_date"),
        ({"cert_1_last_rotated": ago(-1)}, "cert_1_last_rotated"),
        ({"cert_2_last_rotated": ago(-1)}, "cert_2_last_rotated"),
    ],
)
def test_a_date_after_as_of_is_an_error(changes: dict[str, str], column: str) -> None:
    evaluation = evaluate(report(line("ann", **changes)))
    (error,) = evaluation.errors
    assert error.kind == "later_than_as_of"
    assert column in error.message
    assert "'ann'" in error.message
    assert not any(f.status is Status.PASS and f.subject and f.subject.user == "ann" for f in evaluation.findings)


def test_nothing_passes_with_the_help_of_a_date_after_as_of() -> None:
    row = line("ann", password_enabled="true", password_last_changed=ago(1), **key(1, 400), **key(2, -3))
    evaluation = evaluate(report(row, line("bob", **key(1, 5, used=1))), 1, 3, 12)
    found = {(f.rule[-3:], f.subject.user, f.subject.slot): f for f in evaluation.findings if f.subject}
    assert found["001", "ann", 1].status is Status.FAIL
    assert found["001", "ann", 2].status is Status.UNKNOWN
    assert found["001", "ann", 2].reason == "later_than_as_of"
    assert found["003", "ann", 1].status is not Status.PASS
    assert found["012", "ann", None].status is Status.FAIL
    assert found["001", "bob", 1].status is Status.PASS


def test_a_date_at_as_of_is_fine() -> None:
    assert failing(report(line("ann", **key(1, 0, used=0))), 1, 2) == []


def test_many_bad_rows_are_summed_up() -> None:
    evaluation = evaluate(report(*(line(f"u{n}", mfa_active="?") for n in range(80))))
    assert len(evaluation.errors) == 51
    assert "30 more" in evaluation.errors[-1].message


# --- age of the report


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(hours=24), None),
        (timedelta(hours=24, seconds=1), "longer than --max-report-age"),
        (timedelta(minutes=-5), None),
        (timedelta(minutes=-6), "in the future"),
    ],
)
def test_a_report_must_be_of_now(age: timedelta, words: str | None) -> None:
    said = check_age(AS_OF - age, AS_OF, timedelta(hours=24))
    assert (said is None) if words is None else (said is not None and words in said)


def test_a_stale_report_is_an_error_beside_its_findings() -> None:
    document = {"Content": base64.b64encode(report(line("ann", **key(1, 500)))).decode(), "GeneratedTime": ago(3)}
    settings = {"as_of": None, "max_age": timedelta(hours=24)}
    evaluation = evaluate(json.dumps(document).encode(), 1, request=settings)
    assert [e.kind for e in evaluation.errors] == ["stale"]
    assert evaluation.counts.failed == 1
    assert evaluation.as_of == AS_OF - timedelta(days=3), "a report is judged as of its own moment"


# --- inputs


def cli_json(content: bytes, **changes: Any) -> bytes:
    document = {"Content": base64.b64encode(content).decode(), "ReportFormat": "text/csv", "GeneratedTime": ago(0.1)}
    return json.dumps(document | changes, indent=4).encode()


def test_the_json_of_the_aws_cli() -> None:
    content = report(line("ann", **key(1, 500)))
    for data in (cli_json(content), b"\xef\xbb\xbf" + cli_json(content), cli_json(content).decode().encode("utf-16")):
        evaluation = evaluate(data, 1, request={"as_of": None})
        assert evaluation.errors == ()
        assert evaluation.as_of == AS_OF - timedelta(days=0.1)
        assert evaluation.inputs[0].sha256 == evaluate(content, 1).inputs[0].sha256, "the hash is that of the CSV"


@pytest.mark.parametrize("moment", [1780272000, 1780272000.0, "2026-06-01T00:00:00+00:00", "2026-06-01T00:00:00Z"])
def test_forms_of_generated_time(moment: Any) -> None:
    assert from_json(cli_json(report(line("ann")), GeneratedTime=moment)).generated_at == AS_OF


@pytest.mark.parametrize(
    "data",
    [b"{", b"{}", b'{"Content": 5}', b'{"Content": "%%%"}', cli_json(b"", GeneratedTime="yesterday"), b"{" * 100_000,
     cli_json(b"", GeneratedTime=[]), b'{"Content": "\xff"}', b'{"Content": "", "Content": ""}',
     b'{"Content": "", "GeneratedTime": "2026-06-01T00:00:00Z", "GeneratedTime": "2020-06-01T00:00:00Z"}'],
)  # fmt: skip
def test_broken_json_is_one_sentence(data: bytes) -> None:
    with pytest.raises(InputError, match="is not the JSON that"):
        from_json(data)


def test_folders_files_and_standard_input(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("b/two.CSV", "one.json", "notes.txt"):
        (tmp_path / name).write_text("")
    found = find_reports([str(tmp_path), str(tmp_path / "one.json"), "-"])
    assert [source.name.removeprefix(f"{tmp_path.as_posix()}/") for source in found] == [
        "b/two.CSV",
        "one.json",
        "<stdin>",
    ]
    for wrong in (["-", "-"], [str(tmp_path / "absent")]):
        with pytest.raises(UsageError):
            find_reports(wrong)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="holds no reports"):
        find_reports([str(tmp_path / "empty")])


def test_what_cannot_be_read_in_a_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "good.csv").write_text("")
    (tmp_path / "broken.csv").symlink_to(tmp_path / "absent")
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    scan = os.scandir

    def refuse(folder: str) -> Any:
        if str(folder).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(folder))
        return scan(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    found = find_reports([str(tmp_path)])
    assert [(source.name.rpartition("/")[2], source.problem) for source in found] == [
        ("broken.csv", "it is no file, or a broken link"),
        ("closed", "Permission denied"),
        ("good.csv", None),
    ]
    with pytest.raises(InputError, match="cannot be read: Permission denied"), opened(found[1]):
        pass
    (only,) = find_reports([str(tmp_path / "closed")])
    assert only.problem == "Permission denied"


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("24h", timedelta(days=1)),
        ("14d", timedelta(days=14)),
        ("90m", timedelta(minutes=90)),
        ("5s", timedelta(seconds=5)),
    ],
)
def test_lengths_of_time(text: str, length: timedelta) -> None:
    assert parse_span("--x", text) == length
    for wrong in ("", "5", "d", "-5d", "1.5d", "5 d", "5w", "٥d"):
        with pytest.raises(UsageError, match="--x"):
            parse_span("--x", wrong)


# --- findings


def test_messages_speak_of_ages_uses_and_users() -> None:
    (found,) = failing(report(line("ann", **key(2, 412, used=3), key_2_last_used_service="s3")), 1)
    assert found.message == "Access key 2 of ann is 412 days old, last used 3 days ago with s3; the limit is 90 days."
    assert found.facts["days_since_rotation"] == 412.0
    assert found.facts["created_at"] == ago(412)
    assert found.facts["max_age_days"] == 90
    (found,) = failing(report(line("ann", **key(1, 90 + 1 / 86400))), 1)
    assert "90 days and 1 second old" in found.message


def test_findings_come_worst_first() -> None:
    content = report(
        line("zoe", **key(1, 100, used=1)),
        line("ann", **key(1, 900, used=1)),
        line("bob", password_enabled="true", password_last_used=ago(1), password_last_changed=ago(1)),
        line(ROOT, **key(1, 5)),
    )
    found = failing(content)
    assert [(f.rule[-3:], f.subject.user if f.subject else "") for f in found] == [
        ("005", ROOT), ("014", ROOT), ("012", "bob"), ("001", "ann"), ("001", "zoe"),
    ]  # fmt: skip


def first_step(row: str, number: int, slot: int) -> str:
    (found,) = [
        f for f in failing(report(row), number, 2) if f.subject and f.subject.slot == slot and f.rule[-1] != "2"
    ]
    return first_sentence(found.remediation)


USED = key(1, 412, used=0.1)


@pytest.mark.parametrize(
    ("row", "step"),
    [
        (line("ann", **USED), "Create a second key, in the code if this one is declared there (`aws iam create"),
        (line("ann", **key(1, 412)), "Confirm that key 1 is still unused ("),
        (line("ann", **key(1, 412, used=45)), "Confirm that key 1 is still unused ("),
        (line("ann", **USED, **key(2, 900, active=False)), "To free a key slot (both are taken), delete key 2, which"),
        (line("ann", **USED, **key(2, 950)), "To free a key slot (both are taken), confirm that key 2 (never used) is"),
        (line("ann", **USED, **key(2, 800, used=50)), "To free a key slot (both are taken), confirm that key 2 (last"),
        (line("ann", **USED, **key(2, 20, used=3)), "Move every caller of key 1 to key 2, the younger one, and then"),
        (line("ann", **USED, **key(2, 500, used=3)), "To free a key slot (both are taken), move every caller of key 2"),
        (line("ann", **USED, **key(2, 3)), "Ask whether key 2, younger than key 1 and never used, is the new key"),
        (line("ann", **USED, **key(2, 89)), "Ask whether key 2, younger than key 1 and never used, is the new key"),
        (line("ann", **key(1, 412, used=80), **key(2, 3)), "Confirm that key 1 is still unused ("),
    ],
)  # fmt: skip
def test_the_first_step_of_a_key_that_is_too_old(row: str, step: str) -> None:
    assert first_step(row, 1, slot=1).startswith(step)


@pytest.mark.parametrize(
    ("row", "slot", "step"),
    [
        (line("ann", **USED, **key(2, 3)), 1, "Ask whether key 2, younger than key 1 and never used, is the new key"),
        (line("ann", **USED, **key(2, 20, used=3)), 1, "Move every caller of key 1 to key 2, the younger one"),
        (line("ann", **USED, **key(2, 500, used=60)), 2, "Confirm that key 2 (last used 60 days ago) is still unused"),
        (line("ann", **key(1, 500, used=60), **key(2, 20)), 1, "Confirm that key 1 (last used 60 days ago) is still"),
    ],
)
def test_the_first_step_where_a_user_has_two_active_keys(row: str, slot: int, step: str) -> None:
    assert first_step(row, 3, slot).startswith(step)


def test_two_findings_on_one_idle_key_advise_the_same() -> None:
    for overrides in ({}, {"KEY_AWS_002__max_idle_days": 10}):
        steps = [f.remediation for f in failing(report(line("ann", **key(1, 412, used=60))), 1, 2, **overrides)]
        assert all(step.startswith("Confirm that key 1 is still unused") for step in steps)
    (old, *others) = failing(report(line("ann", **key(1, 412, used=60))), 1, 2, KEY_AWS_002__max_idle_days=90)
    assert others == []
    assert old.remediation.startswith("Create a second key")


def test_the_order_of_a_rotation_is_the_safe_one() -> None:
    (found,) = failing(report(line("ann;rm -rf", **key(1, 500, used=1))), 1)
    commands = ["create-access-key", "get-access-key-last-used", "--status Inactive", "Verify", "delete-access-key"]
    places = [found.remediation.index(command) for command in commands]
    assert places == sorted(places)
    assert "--user-name 'ann;rm -rf'" in found.remediation
    assert "ID_OF_KEY_1" in found.remediation


@pytest.mark.parametrize("number", [1, 3])
def test_a_rotation_under_way_is_not_undone_blindly(number: int) -> None:
    (found,) = failing(report(line("ann", **key(1, 500, used=1), **key(2, 2))), number)
    assert found.remediation.startswith(
        "Ask whether key 2, younger than key 1 and never used, is the new key of a rotation"
    )


@pytest.mark.parametrize("swapped", [False, True])
def test_two_keys_of_the_same_second_have_fingerprints_of_their_own(swapped: bool) -> None:
    one, other = (2, 1) if swapped else (1, 2)
    found = failing(report(line("ann", **key(one, 400, used=1), **key(other, 400, used=9))), 1)
    prints = {f.facts["last_used_at"]: f.fingerprint for f in found}
    assert len(set(prints.values())) == 2
    apart = failing(report(line("ann", **key(1, 401, used=1), **key(2, 400, used=9))), 1)
    assert prints[ago(9)] in {f.fingerprint for f in apart}, "the first keeps the fingerprint of a key without a twin"
    passing_too = evaluate(report(line("ann", **key(1, 400, used=1), **key(2, 400, used=9))), 2).findings
    assert len({f.fingerprint for f in passing_too}) == 2


def test_an_account_with_several_reports_is_said() -> None:
    asked = AuditRequest(pack=pack().stamp, limits=Limits(selection(1)), now=AS_OF, as_of=AS_OF, max_age=None)
    content = report(line("ann", **key(1, 5)))
    other = content.replace(ACCOUNT.encode(), b"999999999999")
    results = [
        audit_report(name, from_stream(io.BytesIO(data)), asked)
        for name, data in (("a.csv", content), ("b.csv", other), ("c.csv", content))
    ]
    notes = [note for note in combine(results, asked).evaluation.notes if "counted once for each" in note]
    assert notes == [f"Account {ACCOUNT} is in 2 reports (a.csv, c.csv), so its users are counted once for each."]


def test_notes_explain_placeholders_and_later_steps_where_there_are_any() -> None:
    text = "".join(audit_text.render(evaluate(report(line("ann", **key(1, 500))), 1), ReportOptions()))
    assert "Reports hold no access key ids." in text
    assert "Next is the first step of several" in text
    text = "".join(audit_text.render(evaluate(report(line("ann", **key(1, 5))), 1), ReportOptions()))
    assert "Reports hold no access key ids." not in text
    assert "Next is" not in text
    assert "Population" not in "".join(audit_text.render(evaluate(b"", 1), ReportOptions()))


def test_text_shows_that_a_limit_is_passed_by_a_second() -> None:
    text = "".join(
        audit_text.render(evaluate(report(line("ann", **key(1, 90 + 1 / 86400, used=1))), 1), ReportOptions())
    )
    assert "90 days and 1 second old" in text


def test_counts_by_rule_and_population() -> None:
    content = report(line(ROOT), line("ann", **key(1, 500), **key(2, 5, active=False), cert_1_last_rotated=ago(3)))
    result = audit(content, 1, 6)
    assert (result.counts_by_rule["KEY_AWS_001"].failed, result.counts_by_rule["KEY_AWS_006"].passed) == (1, 1)
    assert result.evaluation.notes[-1] == (
        "Population: 1 user and 1 root user with 2 access keys (1 active), 0 console passwords and 1 signing "
        "certificate."
    )


def test_the_same_input_gives_the_same_bytes() -> None:
    content = report(line("b", **key(1, 500)), line("a", **key(1, 500)), line(ROOT, **key(2, 1)))
    texts = {"".join(audit_text.render(evaluate(content), ReportOptions())) for _ in range(3)}
    assert len(texts) == 1


# --- formats


def test_text_is_safe_and_ends_with_the_counts() -> None:
    row = line("x", **key(1, 500)).replace("x,", "evil\u202e,", 1)
    text = "".join(audit_text.render(evaluate(report(row), 1), ReportOptions()))
    assert "\u202e" not in text
    assert "evil\\u202e" in text
    assert text.endswith("1 evaluated: 1 failed, 0 passed (1 low)\n")
    quiet = "".join(audit_text.render(evaluate(report(line("ann")), 1), ReportOptions(quiet=True)))
    assert quiet == ""
    assert "Could not be evaluated" in "".join(audit_text.render(evaluate(b"", 1), ReportOptions(quiet=True)))


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_csv_cells_are_no_formulas(start: str) -> None:
    text = "".join(
        findings_csv.render(
            evaluate(report(line(f"{start}cmd", **key(1, 500)), line("", mfa_active="?")), 1), ReportOptions()
        )
    )
    rows = list(csv.DictReader(io.StringIO(text)))
    assert rows[0]["user"] == f"'{start}cmd"
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    assert [row["status"] for row in rows] == ["FAIL", "ERROR", "ERROR"]


def test_as_of_is_exact_to_the_second_in_the_evaluation() -> None:
    later = datetime(2026, 6, 1, 0, 0, 1, tzinfo=timezone.utc)
    content = report(line("ann", **key(1, 90)))
    assert evaluate(content, 1).counts.failed == 0
    assert evaluate(content, 1, request={"as_of": later}).counts.failed == 1
