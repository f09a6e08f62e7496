"""The history's questions, asked on DuckDB and compared with answers found by hand; both engines have equal tables."""

from __future__ import annotations

import io
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from credential_reports import COLUMNS, pack, report, selection, values
from readme import PROJECT

from keyrules.live.account_audit import AuditRequest, audit_report, combine, unreadable
from keyrules.live.limits import Limits
from keyrules.live.report_inputs import from_stream
from keyrules.reports.json_lines import lines
from keyrules_deploy.storage import accounts_key, findings_key, packed

duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed, and the queries run on it")

QUERIES = PROJECT / "deploy/queries"
ANN, BOB, CAT, GONE = "001111111111", "000000000042", "123456789012", "000000000000"
ROSTER = [
    {"account": ANN, "name": "Ann's", "state": "ACTIVE"},
    {"account": BOB, "name": "Bob's", "state": "ACTIVE"},
    {"account": CAT, "name": "Cat's", "state": "ACTIVE"},
    {"account": GONE, "name": "old", "state": "SUSPENDED"},
]
MAY = [date(2026, 5, day) for day in (1, 2, 3, 4, 7)]


def write(place: Path, key: str, objects: Sequence[Any]) -> None:
    path = place / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(packed(objects))


def row(account: str, user: str, created: str) -> str:
    """A user with one active key, which was used in the hour before it is judged or not at all."""
    changes = {"key_1_active": "true", "key_1_last_rotated": f"{created}T00:00:00Z"}
    cells = values(user, arn=f"arn:aws:iam::{account}:user/{user}", **changes)
    return ",".join(cells[column] for column in COLUMNS)


def judged(place: Path, account: str, day: date, *rows: str, refused: str = "") -> None:
    """Stores what the engine says of a report made on that day at six."""
    now = datetime(day.year, day.month, day.day, 6, tzinfo=timezone.utc)
    request = AuditRequest(pack().stamp, Limits(selection(1)), now, keep_passing=True)
    if refused:
        result = unreadable(f"account {account}", refused, request)
    else:
        result = audit_report(f"account {account}", from_stream(io.BytesIO(report(*rows)), now), request)
    write(place, findings_key(account, day), list(lines(combine([result], request).evaluation)))


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Three accounts in May: one rotates, one is not seen for days, one is refused, then has a row that is broken."""
    place = tmp_path_factory.mktemp("bucket")
    for day in MAY:
        write(place, accounts_key(day), ROSTER)
        judged(place, ANN, day, row(ANN, "ann", "2026-01-30" if day.day < 3 else "2026-05-03"))
    nobody = ",".join(values("ben", arn=f"arn:aws:iam::{BOB}:user/ben").values())
    for number in (1, 2):
        judged(place, BOB, date(2026, 5, number), row(BOB, "bob", "2026-02-01"), nobody)
    judged(place, BOB, date(2026, 5, 7), nobody)
    judged(place, CAT, date(2026, 5, 1), refused="could not be evaluated: iam:GetCredentialReport was throttled")
    for number in (2, 3, 7):
        judged(place, CAT, date(2026, 5, number), row(CAT, "cat", "2025-01-01"))
    broken = row(CAT, "cat", "2025-01-01").replace(",true,", ",perhaps,")
    judged(place, CAT, date(2026, 5, 4), broken, row(CAT, "dan", "2026-05-01"))
    return connected(place)


def connected(place: Path) -> Any:
    connection = duckdb.connect()
    for name in ("duckdb.sql", "views.sql"):
        connection.execute((QUERIES / name).read_text("utf-8").replace("s3://BUCKET", str(place)))
    return connection


def ask(connection: Any, query: str) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = connection.execute(query).fetchall()
    return found


def test_numbers_of_accounts_keep_their_zeros(history: Any) -> None:
    found = ask(history, "SELECT DISTINCT account FROM reports UNION SELECT account FROM organization_accounts")
    assert sorted(account for (account,) in found) == [GONE, BOB, ANN, CAT]


def test_keys_by_age(history: Any) -> None:
    assert ask(history, 'SELECT * FROM keys_by_age ORDER BY "date", age') == [
        ("2026-05-01", "30 to 90 days", 1, 2),
        ("2026-05-01", "90 to 180 days", 1, 2),
        ("2026-05-02", "90 to 180 days", 2, 3),
        ("2026-05-02", "over 365 days", 1, 3),
        ("2026-05-03", "0 to 30 days", 1, 2),
        ("2026-05-03", "over 365 days", 1, 2),
        ("2026-05-04", "0 to 30 days", 1, 1),
        ("2026-05-07", "0 to 30 days", 1, 3),
        ("2026-05-07", "over 365 days", 1, 3),
    ]


def test_new_and_resolved_findings(history: Any) -> None:
    assert ask(history, 'SELECT "date", change, account, rule, arn FROM finding_changes ORDER BY "date"') == [
        ("2026-05-02", "new", BOB, "KEY_AWS_001", f"arn:aws:iam::{BOB}:user/bob"),
        ("2026-05-03", "resolved", ANN, "KEY_AWS_001", f"arn:aws:iam::{ANN}:user/ann"),
        ("2026-05-07", "resolved", BOB, "KEY_AWS_001", f"arn:aws:iam::{BOB}:user/bob"),
    ]


def test_accounts_without_a_report(history: Any) -> None:
    found = ask(history, 'SELECT "date", account, state, cause FROM accounts_without_report ORDER BY "date", account')
    causes = {(day, account): (state, cause) for day, account, state, cause in found}
    no_file = {(day.isoformat(), GONE): ("SUSPENDED", "no file") for day in MAY}
    no_file |= {(f"2026-05-0{day}", BOB): ("ACTIVE", "no file") for day in (3, 4)}
    throttled, broken = causes.pop(("2026-05-01", CAT)), causes.pop(("2026-05-04", CAT))
    assert causes == no_file
    assert "throttled" in throttled[1]
    assert "perhaps" in broken[1]


def test_mean_time_to_rotate(history: Any) -> None:
    assert ask(history, "SELECT account, first_due, rotated, days FROM rotations ORDER BY account") == [
        (BOB, "2026-05-02", "2026-05-07", 5),
        (ANN, "2026-05-01", "2026-05-03", 2),
        (CAT, "2026-05-02", None, None),
    ]
    assert ask(history, "SELECT * FROM mean_time_to_rotate ORDER BY account") == [
        (BOB, 1, 0, 5.0),
        (ANN, 1, 0, 2.0),
        (CAT, 0, 1, None),
    ]


def test_the_questions_of_the_documentation_can_be_asked(history: Any) -> None:
    text = (PROJECT / "docs/organization.md").read_text("utf-8")
    questions = [
        each for block in re.findall("```sql\n(.*?)```", text, re.DOTALL) for each in block.split(";\n") if each
    ]
    assert len(questions) == 4
    for question in questions:
        ask(history, question)
    views = set(re.findall(r"VIEW (\w+) AS", (QUERIES / "views.sql").read_text("utf-8"))) - {"report_pairs"}
    assert views == {name for name in views if f"`{name}`" in text}


def told(*verdicts: tuple[str, str, str], end: bool = True) -> list[dict[str, Any]]:
    """The lines of a report by hand: rule, status and fingerprint of each finding."""
    subject = {"kind": "access_key", "arn": "a", "slot": 1, "created_at": "2026-01-01T00:00:00Z"}
    return [
        {"type": "run", "inputs": [{"generated_at": "2026-05-01T00:00:00Z"}]},
        *({"type": "finding", "rule": r, "status": s, "fingerprint": f, "subject": subject} for r, s, f in verdicts),
        *([{"type": "summary"}] if end else []),
    ]


def changes(place: Path, *days: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    for number, objects in enumerate(days, 1):
        write(place, findings_key(ANN, date(2026, 5, number)), objects)
        write(place, accounts_key(date(2026, 5, number)), ROSTER[:1])
    return ask(connected(place), 'SELECT "date", change, fingerprint FROM finding_changes ORDER BY "date", fingerprint')


def test_an_exemption_resolves_nothing_and_its_end_is_new(tmp_path: Path) -> None:
    days = [told(("KEY_AWS_001", status, "f")) for status in ("FAIL", "EXEMPT", "FAIL", "UNKNOWN", "PASS")]
    assert changes(tmp_path, *days) == [("2026-05-03", "new", "f"), ("2026-05-05", "resolved", "f")]


def test_a_rule_that_is_off_resolves_nothing(tmp_path: Path) -> None:
    both = told(("KEY_AWS_001", "FAIL", "f"), ("KEY_AWS_002", "FAIL", "g"))
    assert changes(tmp_path, both, told(("KEY_AWS_002", "PASS", "g"))) == [("2026-05-02", "resolved", "g")]


def test_a_file_that_was_cut_off_is_no_report(tmp_path: Path) -> None:
    whole = told(("KEY_AWS_001", "FAIL", "f"), ("KEY_AWS_001", "PASS", "g"))
    assert changes(tmp_path, whole, told(("KEY_AWS_001", "PASS", "g"), end=False)) == []
    found = ask(connected(tmp_path), 'SELECT "date", cause FROM accounts_without_report')
    assert found == [("2026-05-02", "the file was cut off")]


def test_an_account_that_the_organisation_does_not_list_is_told_too(tmp_path: Path) -> None:
    write(tmp_path, findings_key(BOB, date(2026, 5, 1)), told(end=False))
    changes(tmp_path, told())
    found = ask(connected(tmp_path), 'SELECT "date", account FROM accounts_without_report')
    assert found == [("2026-05-01", BOB)]


def test_inactive_keys_are_not_counted(tmp_path: Path) -> None:
    objects = told(("KEY_AWS_006", "PASS", "f"), ("KEY_AWS_001", "PASS", "g"))
    for line, slot in zip(objects[1:3], (1, 2), strict=True):
        line["subject"] = line["subject"] | {"slot": slot}
        line["facts"] = {"active": slot == 2, "days_since_rotation": 5.0}
    changes(tmp_path, objects)
    assert ask(connected(tmp_path), "SELECT age, access_keys FROM keys_by_age") == [("0 to 30 days", 1)]


def test_a_key_that_is_due_again_is_not_rotated(tmp_path: Path) -> None:
    statuses = ("FAIL", "PASS", "FAIL")
    changes(tmp_path, *(told(("KEY_AWS_001", status, "f")) for status in statuses))
    assert ask(connected(tmp_path), "SELECT first_due, rotated FROM rotations") == [("2026-05-01", None)]


def test_both_engines_have_the_same_tables(history: Any) -> None:
    """Columns, types and order; Athena puts the partitions last, as DuckDB does."""
    athena = {}
    text = re.sub("--.*", "", (QUERIES / "athena.sql").read_text("utf-8"))
    for table, body, partitions in re.findall(r"TABLE (\w+) \((.*?)\)\s+PARTITIONED BY \((.*?)\)", text, re.DOTALL):
        columns = re.findall(r"`?(\w+)`? ([\w<>:,]+?)(?:,\s|\s*$)", f"{body.strip()}, {partitions}")
        athena[table] = [(name, kind.lower()) for name, kind in columns]
    for table, columns in athena.items():
        described = [(name, kind) for name, kind, *_ in ask(history, f"DESCRIBE {table}")]
        assert [(name, as_athena(kind)) for name, kind in described] == columns
    assert list(athena) == ["report_lines", "organization_accounts"]


def as_athena(kind: str) -> str:
    """DuckDB's name of a type as Athena writes it."""
    if kind.endswith("[]"):
        return f"array<{as_athena(kind[:-2])}>"
    if kind.startswith("STRUCT("):
        members = (member.split(" ") for member in kind[7:-1].replace('"', "").split(", "))
        return f"struct<{','.join(f'{name}:{as_athena(own)}' for name, own in members)}>"
    return {"VARCHAR": "string", "INTEGER": "int", "DOUBLE": "double", "BOOLEAN": "boolean"}[kind]


@pytest.mark.parametrize("name", ["athena.sql", "views.sql"])
def test_athena_can_read_them(name: str) -> None:
    sqlglot = pytest.importorskip(
        "sqlglot", reason="sqlglot is not installed, and nothing else here reads this dialect"
    )
    statements = sqlglot.parse((QUERIES / name).read_text("utf-8"), dialect="athena")
    kinds = {type(statement).__name__ for statement in statements if statement is not None}
    assert "Create" in kinds
    assert kinds <= {"Create", "Drop"}, "what is not understood is taken for a command"


AWS = """\
#!/bin/sh
case "$1 $2" in
"organizations list-accounts") echo "$ACCOUNTS" ;;
"athena start-query-execution") printf '%s;\\n' "$4" >> "$LOG"; echo an-id ;;
"athena get-query-execution") echo "$STATE" ;;
esac
"""


def create(tmp_path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the script with a program in the place of the AWS CLI, which logs the statements."""
    for name, text in (("aws", AWS), ("sleep", "#!/bin/sh\n")):
        (tmp_path / name).write_text(text, encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    defaults = {"ACCOUNTS": f"{ANN},{BOB}", "STATE": "SUCCEEDED", "LOG": str(tmp_path / "log")}
    return subprocess.run(
        ["bash", str(PROJECT / "deploy/create-tables"), *arguments],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", **defaults, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_statement_is_sent_with_the_names_put_in(tmp_path: Path) -> None:
    done = create(tmp_path, "our-bucket", "2026-06-01", "keyrules")
    assert (done.returncode, done.stderr) == (0, "")
    sent = [each.strip() for each in (tmp_path / "log").read_text("utf-8").split(";") if each.strip()]
    texts = [(QUERIES / name).read_text("utf-8") for name in ("athena.sql", "views.sql")]
    starts = re.findall("^(?:DROP|CREATE) .*", "\n".join(texts), re.MULTILINE)
    assert [each.splitlines()[0] for each in sent] == [start.rstrip(";") for start in starts]
    assert "'projection.account.values' = '001111111111,000000000042'" in sent[1]
    assert "s3://our-bucket/findings/account=${account}/date=${date}/" in sent[1]
    assert "'2026-06-01,NOW'" in sent[3]
    assert not any(word in each for each in sent for word in ("BUCKET", "ACCOUNTS", "FIRST_DAY"))


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        ((), {}, "give BUCKET"),
        (("b'; DROP", "2026-06-01", "d"), {}, "no name of a bucket"),
        (("our-bucket", "June", "d"), {}, "no day"),
        (("our-bucket", "2026-06-01", "d"), {"ACCOUNTS": "None"}, "lists no accounts"),
        (("our-bucket", "2026-06-01", "d"), {"STATE": "FAILED"}, "Athena says FAILED"),
    ],
)
def test_the_script_refuses_in_one_sentence(
    tmp_path: Path, arguments: tuple[str, ...], environment: dict[str, str], words: str
) -> None:
    done = create(tmp_path, *arguments, **environment)
    assert done.returncode == 2
    assert words in done.stderr
