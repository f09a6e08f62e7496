"""Two audits a month apart: what is new, what is resolved, what is still open and since when."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from credential_reports import ROOT, key, line, report, values

from keyrules.cli import main

MAY, JUNE = "2026-05-02T00:00:00Z", "2026-06-01T00:00:00Z"
OTHER = "210987654321"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def reports(**lines: list[str]) -> list[str]:
    """A report for each name, and the names as arguments."""
    for name, rows in lines.items():
        Path(f"{name}.csv").write_bytes(report(line(ROOT, mfa_active="true"), *rows))
    return [f"{name}.csv" for name in lines]


def elsewhere(user: str, **changes: str) -> str:
    """A row of another account."""
    row = values(user, **changes)
    return ",".join({**row, "arn": row["arn"].replace("123456789012", OTHER)}.values())


def audit(*arguments: str, code: int, as_of: str = JUNE) -> dict[str, Any]:
    """Runs the audit and returns its JSON report."""
    assert main(["audit", "--rule", "KEY_AWS_001", "--format", "json=r.json", "--as-of", as_of, *arguments]) == code
    read: dict[str, Any] = json.loads(Path("r.json").read_text())
    return read


def subjects(findings: list[Mapping[str, Any]]) -> list[str]:
    """`account user slot` of each finding."""
    return [f"{f['subject']['account'][:3]} {f['subject']['user']} {f['subject']['slot']}" for f in findings]


def test_a_month_later(capsys: pytest.CaptureFixture[str]) -> None:
    """A key is rotated, another swaps its slot, a user leaves, and keys come of age or arrive."""
    before = [
        line("rotated", **key(1, 400)),
        line("swapped", **key(1, 300)),
        line("leaver", **key(1, 500)),
        line("idle", **key(1, 200), **key(2, 210)),
    ]
    after = [
        line("rotated", **key(1, 5)),
        line("swapped", **key(2, 300)),
        line("idle", **key(1, 200), **key(2, 210)),
        line("newcomer", **key(1, 100)),
    ]
    first = audit("--write-baseline", "b.json", *reports(a=before), code=0, as_of=MAY)
    assert len(first["findings"]) == 5
    assert "r.json" not in capsys.readouterr().out
    second = audit("--baseline", "b.json", *reports(a=after), code=1)
    assert subjects(second["findings"]) == ["123 newcomer 1"]
    assert sorted(subjects(second["baseline"]["known"])) == ["123 idle 1", "123 idle 2", "123 swapped 2"]
    assert {known["first_seen"] for known in second["baseline"]["known"]} == {MAY}
    assert sorted((gone["name"], gone["account"]) for gone in second["baseline"]["resolved"]) == [
        ("access key 1 of leaver", "123456789012"),
        ("access key 1 of rotated", "123456789012"),
    ]
    assert second["summary"]["known"] == 3
    out = capsys.readouterr().out
    assert (
        "Known since the baseline (3)\n  LOW  KEY_AWS_001  3 findings  oldest first seen 2026-05-02, 30 days ago\n"
        in out
    )
    assert "    swapped  key 2  300 days old  never used  first seen 2026-05-02, 30 days ago\n" in out
    assert "  LOW  KEY_AWS_001  access key 1 of leaver   first seen 2026-05-02, 30 days ago\n" in out
    assert out.endswith("since the baseline: 1 new, 3 known, 2 resolved\n")


def test_two_active_keys_stay_known_when_one_is_rotated() -> None:
    files = reports(a=[line("amy", **key(1, 400), **key(2, 130))])
    audit("--rule", "KEY_AWS_003", "--write-baseline", "b.json", *files, code=0, as_of=MAY)
    reports(a=[line("amy", **key(1, 20), **key(2, 130))])
    june = audit("--rule", "KEY_AWS_003", "--rule", "KEY_AWS_001", "--baseline", "b.json", *files, code=0)
    by_rule = {known["rule"]: known for known in june["baseline"]["known"]}
    assert by_rule["KEY_AWS_003"]["first_seen"] == MAY and by_rule["KEY_AWS_003"]["subject"]["slot"] == 2
    assert [(gone["rule"], gone["name"]) for gone in june["baseline"]["resolved"]] == [
        ("KEY_AWS_001", "access key 1 of amy")
    ]
    audit("--rule", "KEY_AWS_003", "--baseline", "b.json", "--write-baseline", "b.json", *files, code=0)
    rows = json.loads(Path("b.json").read_text())["findings"]
    assert {row["first_seen"] for row in rows} == {MAY}


def test_several_accounts_in_one_baseline(capsys: pytest.CaptureFixture[str]) -> None:
    files = reports(
        a=[line("amy", **key(1, 400))], b=[elsewhere("ben", **key(1, 400)), elsewhere("bea", **key(1, 300))]
    )
    audit("--write-baseline", "b.json", *files, code=0, as_of=MAY)
    reports(a=[line("amy")], b=[elsewhere("ben", **key(1, 400))])

    one = audit("--baseline", "b.json", "a.csv", code=0)
    assert [gone["name"] for gone in one["baseline"]["resolved"]] == ["access key 1 of amy"]
    assert one["baseline"]["not_evaluated"] == 2
    both = audit("--baseline", "b.json", *files, code=0)
    assert subjects(both["baseline"]["known"]) == ["210 ben 1"]
    assert [gone["account"] for gone in both["baseline"]["resolved"]] == ["123456789012", OTHER]
    out = capsys.readouterr().out
    assert "KEY_AWS_001  123456789012  access key 1 of amy  first seen" in out

    # What the other account holds is carried over.
    audit("--baseline", "b.json", "--write-baseline", "b.json", "a.csv", code=0)
    kept = json.loads(Path("b.json").read_text())
    assert sorted(subjects(kept["findings"])) == ["210 bea 1", "210 ben 1"]
    assert {finding["first_seen"] for finding in kept["findings"]} == {MAY}
    assert kept.keys() == {"schema", "plane", "findings"}


def test_a_report_that_cannot_be_read_resolves_nothing() -> None:
    audit("--write-baseline", "b.json", *reports(a=[line("amy", **key(1, 400))]), code=0, as_of=MAY)
    Path("a.csv").write_text("user,arn\n")
    broken = audit("--baseline", "b.json", "a.csv", code=3)
    assert (broken["baseline"]["resolved"], broken["baseline"]["not_evaluated"]) == ([], 1)
    reports(a=["mangled,row"])
    assert audit("--baseline", "b.json", "a.csv", code=3)["baseline"]["resolved"] == []


def test_each_audit_compared_with_the_one_before() -> None:
    """The JSON report of a run that was itself compared serves as well, and dates are carried along."""
    files = reports(a=[line("amy", **key(1, 400))])
    audit(*files, code=1, as_of="2026-04-02T00:00:00Z")
    Path("r.json").rename("april.json")
    reports(a=[line("amy", **key(1, 400)), line("ben", **key(1, 200))])
    audit("--baseline", "april.json", *files, code=1, as_of=MAY)
    Path("r.json").rename("may.json")
    june = audit("--baseline", "may.json", *files, code=0)
    assert {known["subject"]["user"]: known["first_seen"] for known in june["baseline"]["known"]} == {
        "amy": "2026-04-02T00:00:00Z",
        "ben": MAY,
    }


def test_what_is_exempt_now_is_neither_known_nor_resolved() -> None:
    files = reports(a=[line("amy", **key(1, 400))])
    audit("--write-baseline", "b.json", *files, code=0, as_of=MAY)
    Path(".keyrules-exceptions.yaml").write_text(
        "exceptions:\n  - rule: KEY_AWS_001\n    subject: amy\n    reason: vendor\n"
        "    owner: ops@example.com\n    expires: 2026-06-15\n"
    )
    run = audit("--baseline", "b.json", "--write-baseline", "b.json", *files, code=0)
    assert run["baseline"] | {"as_of": "", "name": ""} == {
        "name": "",
        "as_of": "",
        "not_evaluated": 0,
        "changed": 1,
        "known": [],
        "resolved": [],
    }
    # It was accepted by the exception now, so it is back when that ends.
    assert subjects(audit("--baseline", "b.json", *files, code=1, as_of="2026-06-16")["findings"]) == ["123 amy 1"]


def test_controls_count_what_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    files = reports(a=[line("amy", **key(1, 400))])
    common = ["audit", "--as-of", JUNE, "--control", "cis_aws_3.0.0:1.14", *files]
    assert main([*common, "--write-baseline", "b.json"]) == 0
    capsys.readouterr()
    assert main([*common, "--baseline", "b.json", "--format", "text", "--format", "html=x.html"]) == 0
    out = capsys.readouterr().out
    assert "NOT SATISFIED  1.14" in out
    assert "1 finding of KEY_AWS_001 known since the baseline" in out
    assert "not listed" not in out
    assert "since the baseline: 0 new, 1 known, 0 resolved" in out
    page = Path("x.html").read_text()
    assert "Since the baseline" in page and "access key 1 of amy" in page
    assert "counted and not listed" not in page


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--baseline", "none.json"], "make it with `keyrules audit --write-baseline none.json`"),
        (["--baseline", "code.json"], "is about code, and `keyrules audit` looks at live accounts"),
        (["--baseline", "live.json", "--counts-only"], "--baseline works on findings, and --counts-only keeps none"),
        (["--write-baseline", "x.json", "--counts-only"], "--write-baseline works on findings"),
        (["--baseline", "a.csv"], "--baseline: a.csv is not JSON"),
    ],
)
def test_refusals(capsys: pytest.CaptureFixture[str], arguments: list[str], says: str) -> None:
    files = reports(a=[line("amy", **key(1, 400))])
    head = {"schema": "keyrules/1", "as_of": MAY, "inputs": [], "findings": []}
    Path("code.json").write_text(json.dumps(head | {"plane": "code"}))
    Path("live.json").write_text(json.dumps(head | {"plane": "live"}))
    before = sorted(Path().iterdir())
    assert main(["audit", "--as-of", JUNE, *arguments, *files]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and says in err
    assert sorted(Path().iterdir()) == before
