"""What a verdict rests on: the value, the limit in force and the dates, of every rule that measures something."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from credential_reports import AS_OF, ROOT, ago, key, line, report
from evaluations import RULES, code_finding, live_finding
from scanning import PROJECT, write

from keyrules.cli import main
from keyrules.live.facts import FACTS
from keyrules.model import FactValue, Finding, Status
from keyrules.pack.catalog import load_pack
from keyrules.records import replace
from keyrules.reports.measured import Measures

PACK = {rule.id: rule for rule in load_pack().rules}
MEASURES = Measures(PACK.values())
CREATED, LATER = "2026-03-02T00:00:00Z", "2026-04-01T00:00:00Z"


def live(rule: str, status: Status, facts: Mapping[str, FactValue], kind: str = "access_key") -> str:
    finding = live_finding(PACK[rule], status, facts=facts)
    assert finding.subject is not None
    return MEASURES.of(replace(finding, subject=replace(finding.subject, kind=kind)))


AGE, IDLE = "days_since_rotation", "days_since_use"


@pytest.mark.parametrize(
    ("rule", "status", "facts", "expected"),
    [
        ("001", Status.PASS, {AGE: 82.5, "max_age_days": 90}, "82 days old (limit: 90 days)"),
        ("001", Status.FAIL, {AGE: 412.0, "max_age_days": 90}, "412 days old (limit: 90 days)"),
        ("001", Status.PASS, {AGE: 0.5, "max_age_days": 90}, "12 hours old (limit: 90 days)"),
        # Facts are rounded, verdicts are exact: a key can be a second too old.
        ("001", Status.FAIL, {AGE: 90.0, "max_age_days": 90}, "90 days old (limit: 90 days, just passed)"),
        ("001", Status.PASS, {AGE: 90.0, "max_age_days": 90}, "90 days old (limit: 90 days)"),
        (
            "002",
            Status.PASS,
            {IDLE: 45.0, "max_idle_days": 45},
            "45 days without use (limit: less than 45 days, just below)",
        ),
        ("002", Status.FAIL, {IDLE: 45.0, "max_idle_days": 45}, "45 days without use (limit: less than 45 days)"),
        (
            "002",
            Status.UNKNOWN,
            {IDLE: None, "max_idle_days": 45},
            "days since use: unknown (limit: less than 45 days)",
        ),
        (
            "003",
            Status.FAIL,
            {"active_keys_of_user": 2, "days_since_younger_key_of_user": 10.5, "overlap_days": 7},
            "2 keys active (limit: 1 key), the younger active key 10 days old (limit: less than 7 days)",
        ),
        ("005", Status.PASS, {"has_access_keys": False}, "access keys of the root user: no"),
        ("007", Status.FAIL, {"active": True}, "active: yes"),
        ("012", Status.FAIL, {"mfa_active": False}, "MFA: no"),
        ("017", Status.FAIL, {"days_since_change": 200.0, "max_age_days": 90}, "200 days old (limit: 90 days)"),
    ],
)
def test_the_value_and_the_limit(rule: str, status: Status, facts: dict[str, FactValue], expected: str) -> None:
    assert live(f"KEY_AWS_{rule}", status, facts) == expected


def test_the_dates() -> None:
    facts: dict[str, FactValue] = {"days_since_rotation": 82.5, "max_age_days": 90, "created_at": CREATED}
    unused: dict[str, FactValue] = {**facts, "last_used_at": None}
    used: dict[str, FactValue] = {**facts, "last_used_at": LATER}
    assert live("KEY_AWS_001", Status.PASS, unused).endswith(f"; created {CREATED}, no use recorded")
    assert live("KEY_AWS_001", Status.PASS, used).endswith(f"; created {CREATED}, last used {LATER}")
    password: dict[str, FactValue] = {"days_since_change": 1.0, "created_at": CREATED, "changed_at": LATER}
    shown = live("KEY_AWS_017", Status.PASS, password, "console_password")
    assert shown == f"24 hours old; user created {CREATED}, changed {LATER}"


def test_every_fact_that_a_rule_asks_for_is_said_with_its_own_limit() -> None:
    """A condition of a new rule needs no words here."""
    rule = replace(
        RULES[0],
        runtime={
            "subject": "console_password",
            "definition": {
                "and": [{"attribute": "number_of_things", "operator": "greater_than_or_equal", "value": 14}]
            },
        },
    )
    finding = live_finding(rule, Status.FAIL, facts={"number_of_things": 8, "unasked": 3})
    assert Measures([rule]).of(finding) == "number of things: 8 (limit: 14 or more)"


ROTATES = {"rotation_days": 30.0, "rotation_source": "t.r", "max_age_days": 90}


@pytest.mark.parametrize(
    ("facts", "status", "expected"),
    [
        (ROTATES, Status.PASS, "replaced every 30 days by t.r (limit: 90 days)"),
        ({**ROTATES, "rotation_days": 0.0}, Status.PASS, "replaced at every apply by t.r (limit: 90 days)"),
        (
            {"age_days": 91.2, "create_date": CREATED, "max_age_days": 90},
            Status.FAIL,
            f"91 days old, created {CREATED} (limit: 90 days)",
        ),
        ({"max_age_days": 90}, Status.FAIL, "no rotation that works (limit: 90 days)"),
        (
            {"credential_age_days": 200, "max_age_days": 90},
            Status.FAIL,
            "expires after 200 days (limit: 90 days)",
        ),
        (
            {"minimum_password_length": 16, "minimum_length": 14},
            Status.PASS,
            "asks for 16 characters (limit: 14 characters or more)",
        ),
        (
            {"password_reuse_prevention": 0, "reuse_prevention": 24},
            Status.FAIL,
            "remembers 0 passwords (limit: 24 passwords or more)",
        ),
        ({"max_age_days": 90}, Status.UNKNOWN, "Nothing can be told."),
        ({"sink": "output.s"}, Status.FAIL, "Nothing can be told."),
    ],
)
def test_code_says_the_period_and_by_what_it_comes(facts: dict[str, FactValue], status: Status, expected: str) -> None:
    finding: Finding = code_finding(RULES[0], status, facts=facts, message="Nothing can be told.")
    assert MEASURES.of(finding) == expected


def test_each_report_for_people_shows_it_for_what_passes_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("report.csv").write_bytes(
        report(line(ROOT, mfa_active="true"), line("ann", **key(1, 82, used=1)), line("bob", **key(1, 91, used=1)))
    )
    moment = AS_OF.isoformat()
    formats = ["text=t.txt", "csv=f.csv", "html=h.html"]
    asked = [word for each in formats for word in ("--format", each)]
    for framework in ((), ("--control", "cis_aws_3.0.0:1.14")):
        assert main(["audit", "report.csv", "--as-of", moment, "--show-passing", *asked, *framework]) == 1
        for name in ("t.txt", "f.csv", "h.html"):
            shown = re.sub("<[^<>]+>", "", " ".join(Path(name).read_text().split()))
            for days in (82, 91):
                assert f"{days} days old (limit: 90 days); created {ago(days)}" in shown, (name, framework)
        rows = list(csv.DictReader(io.StringIO(Path("f.csv").read_text())))
        assert all(row["measured"] for row in rows if row["status"] in ("PASS", "FAIL"))
    write(tmp_path, {"main.tf": 'resource "aws_iam_access_key" "k" {\n  user = "svc"\n}\n'})
    main(["scan", "main.tf", "--rule", "KEY_AWS_001"])
    assert "no rotation that works (limit: 90 days)" in " ".join(capfd.readouterr().out.split())


def test_no_limit_hides_a_measured_value() -> None:
    """Facts and parameters stand in one table of a finding, so a parameter of the same name would replace the value."""
    for rule in PACK.values():
        if rule.runtime is not None:
            assert not set(rule.parameters) & set(FACTS[rule.runtime["subject"]]), rule.id


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("fail-13-characters", "shortest password: 13 characters (limit: 14 characters or more)"),
        ("unknown-no-length", "shortest password: unknown (limit: 14 characters or more)"),
    ],
)
def test_the_length_of_a_password_is_that_of_the_policy(
    case: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = PROJECT / "fixtures/KEY_AWS_024/account" / case
    main(["audit", str(folder), "--as-of", "2026-06-01", "--rule", "KEY_AWS_024", "--format", "csv"])
    assert said in capsys.readouterr().out
