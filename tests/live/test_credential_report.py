"""The credential report's forms: what is read alike, and what is refused by name."""

from __future__ import annotations

import codecs
import io
from datetime import datetime

import pytest
from credential_reports import ACCOUNT, COLUMNS, ROOT, ago, key, line, report, values
from hypothesis import given
from hypothesis import strategies as st

from keyrules.live.credential_report import Row, RowProblem, read_rows
from keyrules.model import InputError

ALICE = line("alice", **key(1, 5, used=1), password_enabled="true", password_last_changed=ago(9), mfa_active="true")


def read(content: bytes) -> tuple[list[Row], list[RowProblem]]:
    problems: list[RowProblem] = []
    return list(read_rows(io.BufferedReader(io.BytesIO(content)), problems.append)), problems


def rows(content: bytes) -> list[Row]:
    found, problems = read(content)
    assert problems == []
    return found


def refusal(content: bytes) -> str:
    with pytest.raises(InputError) as error:
        read(content)
    return str(error.value)


PLAIN = rows(report(ALICE))


@pytest.mark.parametrize(
    "content",
    [
        report(ALICE) + b"\n",
        report(ALICE).replace(b"\n", b"\r\n"),
        report(ALICE).replace(b"\n", b"\r\n") + b"\r\n",
        report(ALICE) + b"\n\n\n",
        codecs.BOM_UTF8 + report(ALICE),
        report(ALICE).decode().encode("utf-16"),
        report(ALICE).replace(b"true", b"TRUE").replace(b"false", b"FALSE"),
        report(ALICE).replace(b"true", b"True").replace(b"false", b"False"),
        report(ALICE).replace(b"true", b"tRuE").replace(b"false", b"fAlSe"),
        report(ALICE).replace(b"Z,", b"+00:00,"),
        report(ALICE).replace(b"Z,", b".000Z,"),
        report(ALICE).replace(b"Z,", b".000000+00:00,"),
        report(",".join(f'"{value}"' for value in ALICE.split(","))),
        report(ALICE + ",N/A", header=",".join([*COLUMNS, "additional_credentials_info"])),
        report(ALICE + ",", header=",".join([*COLUMNS, "additional_credentials_info"])),
        report(ALICE + ",N/A,whatever", header=",".join([*COLUMNS, "additional_credentials_info", "new_column"])),
        report(ALICE + ',"a, b"', header=",".join([*COLUMNS, "new_column"])),
        report("new," + ALICE, header=",".join(["new_column", *COLUMNS])),
        report(",".join(reversed(ALICE.split(","))), header=",".join(reversed(COLUMNS))),
    ],
)
def test_forms_that_mean_the_same(content: bytes) -> None:
    (row,) = rows(content)
    flags = {field for field in Row._fields if field.endswith(("_active", "_enabled"))}
    for field in Row._fields:
        left, right = getattr(row, field), getattr(PLAIN[0], field)
        assert bool(left) == bool(right) if field in flags else left == right, field


def test_a_zone_other_than_utc_is_converted() -> None:
    (row,) = rows(report(line("a", user_creation_time="2026-05-31T02:30:00.5+02:30")))
    assert row.user_created == "2026-05-31T00:00:00.500000"


def test_a_leap_day_is_a_day() -> None:
    (row,) = rows(report(line("a", user_creation_time="2024-02-29T00:00:00Z")))
    assert row.user_created == "2024-02-29T00:00:00"


@pytest.mark.parametrize(
    ("user", "path"),
    [("a,b", ""), (",", ""), ("a,b,c=@", "team,x/"), ("b", "x,y/"), ("a,a", "a,a/"), ("x", "a,arn:aws/")],
)
@pytest.mark.parametrize("quoted", [True, False])
def test_commas_in_names_and_paths(user: str, path: str, quoted: bool) -> None:
    row = values(user, arn=f"arn:aws:iam::{ACCOUNT}:user/{path}{user}", **key(1, 5))
    cells = [f'"{cell}"' if quoted and "," in cell else cell for cell in row.values()]
    (read_row,) = rows(report(",".join(cells)))
    assert (read_row.user, read_row.arn, read_row.account) == (user, row["arn"], ACCOUNT)
    assert read_row.key_1_active


def test_commas_that_can_be_read_in_two_ways_are_refused() -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:user/a"
    rest = line("a").split(",", 2)[2]
    found, problems = read(report(f"a,{arn},{arn},{arn},{rest}"))
    assert (found, [p.kind for p in problems]) == ([], ["row"])


def test_a_sentence_with_commas_about_more_keys_is_a_problem_and_not_a_shift() -> None:
    header = ",".join([*COLUMNS, "additional_credentials_info"])
    found, problems = read(report(ALICE + ",1 more access key, use ListAccessKeys, please", header=header))
    assert [row.user for row in found] == ["alice"]
    assert [problem.kind for problem in problems] == ["not_in_report"]
    assert "alice" in problems[0].message
    assert "list-access-keys" in problems[0].message


@pytest.mark.parametrize(
    ("column", "silent", "telling"),
    [
        ("access_key_3_active", "false", "true"),
        ("access_key_3_last_rotated", "N/A", "2020-01-01T00:00:00Z"),
        ("cert_3_active", "FALSE", "TRUE"),
        ("additional_credentials_info", "no_information", "1"),
    ],
)
def test_a_third_credential_is_a_problem(column: str, silent: str, telling: str) -> None:
    header = ",".join([*COLUMNS, column])
    assert [row.user for row in rows(report(f"{ALICE},{silent}", header=header))] == ["alice"]
    found, problems = read(report(f"{ALICE},{telling}", header=header))
    assert [row.user for row in found] == ["alice"]
    assert [problem.kind for problem in problems] == ["not_in_report"]


@pytest.mark.parametrize("dropped", [c for c in COLUMNS if c.endswith(("_region", "_service", "_next_rotation"))])
def test_columns_that_no_rule_needs_may_be_lacking(dropped: str) -> None:
    row = values("alice", **key(1, 5, used=1))
    (found,) = rows(
        report(",".join(v for c, v in row.items() if c != dropped), header=",".join(c for c in row if c != dropped))
    )
    assert found.key_1_created == ago(5)[:-1]


@pytest.mark.parametrize("dropped", [c for c in COLUMNS if not c.endswith(("_region", "_service", "_next_rotation"))])
def test_columns_that_rules_need_must_be_there(dropped: str) -> None:
    row = values("alice")
    sentence = refusal(
        report(",".join(v for c, v in row.items() if c != dropped), header=",".join(c for c in row if c != dropped))
    )
    assert f"lacks the column {dropped}" in sentence


def test_a_column_may_not_appear_twice() -> None:
    assert "mfa_active twice" in refusal(report(ALICE + ",true", header=",".join([*COLUMNS, "mfa_active"])))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (report(), "no rows"),
        (report() + b"\n", "no rows"),
        (b"<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>", "XML"),
        (b"<!DOCTYPE html><html>", "HTML"),
        (b"An error occurred (AccessDenied) when calling", "no credential report"),
        (b"dXNlcixhcm4sdXNlcl9jcmVhdGlvbl90aW1l", "base64"),
        (report(ALICE).replace(b"alice", b"\xff\xfe\xff"), "not UTF-8"),
        (report().replace(b",", b";"), "no credential report"),
    ],
)
def test_what_is_no_report_is_refused(content: bytes, words: str) -> None:
    assert words in refusal(content)


def test_a_file_with_a_secret_is_refused_without_quoting_it() -> None:
    secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    content = f"Access key ID,Secret access key\nAKIAIOSFODNN7EXAMPLE,{secret}\n".encode()
    assert secret not in refusal(content)
    assert secret not in refusal(secret.encode())
    _, problems = read(report(line("ann", mfa_active=secret), line("bob", user_creation_time="AKIAIOSFODNN7EXAMPLE")))
    assert len(problems) == 2
    assert not any(secret in p.message or "AKIAIOSFODNN7EXAMPLE" in p.message for p in problems)


@pytest.mark.parametrize("column", [c for c in COLUMNS if c.endswith(("_active", "_enabled"))])
@pytest.mark.parametrize("value", ["", "yes", "1", "N/A", "not_supported", "true "])
def test_an_unknown_flag_is_named(column: str, value: str) -> None:
    row = values("ann")
    row[column] = value
    found, problems = read(report(",".join(row.values()), ALICE))
    assert [r.user for r in found] == ["alice"], "the other rows are read"
    assert [(p.line, p.kind) for p in problems] == [(2, "value")]
    assert column in problems[0].message
    assert f"'{value}'" in problems[0].message


@pytest.mark.parametrize(
    "value",
    ["", "2026-05-31", "2026-05-31T00:00:00", "2026-02-30T00:00:00Z", "2025-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
     "2026-05-31T24:00:00Z", "2026-05-31T00:60:00Z", "2026-05-31T00:00:60Z", "2026-05-31 00:00:00Z",
     "0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z", "2026-05-31T00:00:00ZZ", "２026-05-31T00:00:00Z", "never", "NaN"],
)  # fmt: skip
def test_a_bad_date_is_named(value: str) -> None:
    dates = [c for c in COLUMNS if c.endswith(("_time", "_date", "_rotated", "_changed", "_used", "_rotation"))]
    for column in dates:
        row = values("ann")
        row[column] = value
        found, problems = read(report(",".join(row.values())))
        assert found == []
        assert [p.kind for p in problems] == ["value"]
        assert column in problems[0].message


def test_a_user_must_have_been_created() -> None:
    assert read(report(line("ann", user_creation_time="N/A")))[1][0].message.startswith("the column user_creation_time")


@pytest.mark.parametrize(
    "arn",
    ["", "N/A", "arn:aws:iam::root", "arn:aws:iam::123456789012:role/x", "arn:aws:iam::123456789012:root", "alice"],
)
def test_an_arn_must_be_the_users(arn: str) -> None:
    found, problems = read(report(line("ann", arn=arn)))
    assert (found, [p.kind for p in problems]) == ([], ["value"])


@pytest.mark.parametrize("cut", range(1, 22))
def test_a_row_that_ends_early_is_truncated(cut: int) -> None:
    found, problems = read(report(ALICE, ",".join(line("bob").split(",")[:cut])))
    assert [row.user for row in found] == ["alice"]
    assert [(p.line, p.kind) for p in problems] == [(3, "row")]
    assert "truncated" in problems[0].message


def test_every_truncation_inside_the_last_row_is_noticed() -> None:
    whole = report(line("ann", cert_2_last_rotated=ago(3)))
    for end in range(len(report()) + 2, len(whole)):
        found, problems = read(whole[:end])
        assert found == []
        assert problems


def test_surplus_columns_and_broken_quotes_are_named() -> None:
    _, problems = read(report(ALICE + ",true", ALICE.replace("alice", '"alice', 1)))
    assert [(p.line, p.kind) for p in problems] == [(2, "row"), (3, "row")]


def test_a_user_that_appears_twice_is_named_and_both_rows_are_given() -> None:
    found, problems = read(report(line("ann"), line("bob"), line("ann", **key(1, 5))))
    assert [row.user for row in found] == ["ann", "bob", "ann"]
    assert [(p.line, p.kind) for p in problems] == [(4, "duplicate")]


def test_the_same_name_in_another_account_is_another_user() -> None:
    assert len(rows(report(line("ann"), line("ann", arn="arn:aws:iam::999999999999:user/ann")))) == 2


def test_the_forms_of_the_root_row() -> None:
    for enabled, expected in (("not_supported", "not_supported"), ("true", "true"), ("FALSE", ""), ("N/A", "")):
        (row,) = rows(report(line(ROOT, password_enabled=enabled, password_last_changed="not_supported")))
        assert row.password_enabled == expected


def test_more_users_than_names_are_kept_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyrules.live.report_inputs.EXACT_LIMIT", 3)
    users = [f"user-{number}" for number in range(20)]
    _, problems = read(report(*(line(user) for user in [*users, "user-1", "user-19"])))
    assert [(p.line, p.kind) for p in problems] == [(22, "duplicate"), (23, "duplicate")]


NAMES = st.text(st.sampled_from("abXY01_+=,.@-"), min_size=1, max_size=12)
PATHS = st.lists(st.text(st.sampled_from("ab,_=:"), min_size=1, max_size=5), max_size=2)
DATES = st.datetimes(min_value=datetime(2011, 1, 1), max_value=datetime(2030, 1, 1))


@given(
    user=NAMES,
    path=PATHS,
    created=DATES,
    used=st.none() | DATES,
    active=st.booleans(),
    zone=st.sampled_from(["Z", "+00:00"]),
)
def test_a_row_reads_back_as_it_was_written(user, path, created, used, active, zone) -> None:  # type: ignore[no-untyped-def]
    arn = f"arn:aws:iam::{ACCOUNT}:user/" + "".join(f"{part}/" for part in path) + user
    row = line(
        user,
        arn=arn,
        key_1_active=str(active).lower(),
        key_1_last_rotated=created.isoformat() + zone,
        key_1_last_used_date="N/A" if used is None else used.isoformat() + zone,
    )
    found, problems = read(report(row))
    if problems:
        assert [p.kind for p in problems] == ["row"], "only an ambiguous comma may be refused"
        assert "," in user + "".join(path)
        return
    (result,) = found
    assert (result.user, result.arn) == (user, arn)
    assert bool(result.key_1_active) == active
    assert result.key_1_created == created.isoformat()
    assert result.key_1_used == ("" if used is None else used.isoformat())


def test_the_last_column_ends_before_the_line_break() -> None:
    turned = [*COLUMNS[1:], "user"]
    row = values("alice", **key(1, 5, used=1))
    content = report(",".join(row[column] for column in turned), header=",".join(turned))
    for ending in (b"", b"\n", b"\r\n"):
        assert [found.user for found in rows(content + ending)] == ["alice"]


@pytest.mark.parametrize("character", ["\0", "\x1b", "\t", "\r", "\x0b"])
def test_control_characters_are_damage(character: str) -> None:
    found, problems = read(report(ALICE.replace("alice", f"al{character}ice", 1), ALICE))
    assert [row.user for row in found] == ["alice"]
    assert [(problem.line, problem.kind) for problem in problems] == [(2, "row")]


def test_empty_lines_before_the_header() -> None:
    content = b"\n\r\n" + report(ALICE, "short")
    found, problems = read(content)
    assert [row.user for row in found] == ["alice"]
    assert [problem.line for problem in problems] == [5], "rows keep their line numbers"


def test_the_error_message_of_the_aws_cli() -> None:
    text = (
        b"\nAn error occurred (AccessDenied) when calling the GetCredentialReport operation: User: x is not allowed\n"
    )
    for content in (text, b"aws: [ERROR]: " + text.lstrip()):
        assert refusal(content).startswith("is an error message of the AWS CLI")
