"""What changed between two packages, by control; and one control with all that stands behind it."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import pytest
from credential_reports import ACCOUNT, line
from packages import CIS, FIRST, OTHER, Run


@pytest.fixture
def later(package: Path, work: Path, run: Run) -> Path:
    """A quarter later: ann's key is gone, eve's is too old under a stricter limit, and nothing is accepted any more."""
    lines = FIRST.decode().splitlines()
    lines = [line("ann") if each.startswith("ann,") else each for each in lines]
    (work / "reports/first/first.csv").write_text("\n".join(lines), "utf-8")
    assert run("new", "--framework", CIS, "reports", "--set", "KEY_AWS_001.max_age_days=45").code == 0
    return work / "new"


class TestDiff:
    def test_by_control_account_and_finding(self, later: Path, run: Run) -> None:
        found = run("diff", "pkg", "new", "--format", "json")
        document = json.loads(found.out)
        assert found.code == 1
        assert document["facts"]["set"] == {"old": "none", "new": "KEY_AWS_001.max_age_days=45"}
        assert {"path": "configuration/live/exceptions.yaml", "change": "gone"} in document["received"]
        assert {"path": "inputs/reports/reports/first/first.csv", "change": "other content"} in document["received"]
        (result,) = document["results"]
        assert (result["framework"], result["plane"]) == (CIS, "live")
        assert result["parameters"] == {"KEY_AWS_001.max_age_days": {"old": "90", "new": "45"}}
        control = {each["control"]: each for each in result["controls"]}["1.14"]
        assert control["accounts"][OTHER] == {"old": "satisfied with exceptions", "new": "partly assessed"}
        assert control["accounts"][ACCOUNT] == {"old": "not satisfied", "new": "satisfied"}
        assert control["resolved"] == [
            {"status": "FAIL", "rule": "KEY_AWS_001", "subject": f"access key 1 of ann ({ACCOUNT})"}
        ]
        assert [(each["status"], each["subject"]) for each in control["new"]] == [
            ("FAIL", f"access key 1 of dan ({OTHER})"),
            ("FAIL", f"access key 1 of eve ({OTHER})"),
        ]

    def test_for_people(self, later: Path, run: Run) -> None:
        said = run("diff", "pkg", "new").out
        assert "KEY_AWS_001.max_age_days: 90 → 45" in said
        assert (
            "gone FAIL KEY_AWS_001 access key 1 of ann" in said and "new  FAIL KEY_AWS_001 access key 1 of eve" in said
        )

    def test_of_the_same(self, package: Path, run: Run) -> None:
        assert run("diff", "pkg", "pkg").code == 0

    def test_another_framework(self, package: Path, run: Run) -> None:
        run("new", "--framework", "cis_aws_5.0.0", "reports", "--exceptions", "accepted.yaml")
        said = run("diff", "pkg", "new").out
        assert (
            f"{CIS} on live accounts: only in the old one" in said and "cis_aws_5.0.0 on live accounts: only in" in said
        )

    def test_of_what_is_no_package(self, package: Path, run: Run, work: Path) -> None:
        refused = run("diff", "pkg", "reports")
        assert refused.code == 3 and refused.err.count("\n") == 1
        (package / f"results/{CIS}/live/summary.json").write_text("{}", "utf-8")
        refused = run("diff", "pkg", "pkg")
        assert refused.code == 3 and refused.err.count("\n") == 1


class TestShow:
    def test_the_question_of_an_auditor(self, package: Path, run: Run) -> None:
        """Control 1.14 of CIS 3.0.0: population, exceptions, failures, measured values, source, hash."""
        shown = run("show", "pkg", "--framework", CIS, "--control", "1.14")
        assert shown.code == 0
        digest = hashlib.sha256((package / "inputs/reports/reports/first/first.csv").read_bytes()).hexdigest()
        accepted = hashlib.sha256((package / "configuration/live/exceptions.yaml").read_bytes()).hexdigest()
        for words in (
            "not satisfied",
            f"KEY_AWS_001.max_age_days = 90 ({CIS})",
            "4 in scope",
            "Failures (1)",
            "access key 1 of ann",
            "500 days",
            "Exceptions (1)",
            "accepted by platform until 2026-09-01: moves in autumn",
            "500 days old (limit: 90 days); created ",
            "access key 1 of eve (222222222222): 82 days old (limit: 90 days); created 2026-03-11T00:00:00Z",
            "as of the moment of each report",
            f"configuration/live/exceptions.yaml  SHA-256 {accepted}",
            f"satisfied with exceptions in {OTHER}",
            f"inputs/reports/reports/first/first.csv  SHA-256 {digest}",
            hashlib.sha256((package / "manifest.json").read_bytes()).hexdigest(),
        ):
            assert words in shown.out, (words, shown.out)

    @pytest.mark.parametrize("name", ["summary.json", "population.csv", "findings.csv"])
    def test_nothing_is_said_of_what_was_changed(self, package: Path, run: Run, name: str) -> None:
        file = package / f"results/{CIS}/live/{name}"
        file.write_bytes(file.read_bytes() + b"\n")
        refused = run("show", "pkg", "--framework", CIS, "--control", "1.14")
        assert (refused.code, refused.out, refused.err.count("\n")) == (3, "", 1) and name in refused.err
        compared = run("diff", "pkg", "pkg")
        assert compared.code == (0 if name == "population.csv" else 3), "it compares the other two"

    def test_a_summary_that_nobody_wrote(self, package: Path, run: Run) -> None:
        file, listed = package / f"results/{CIS}/live/summary.json", package / "manifest.json"
        was = hashlib.sha256(file.read_bytes()).hexdigest()
        file.write_bytes(file.read_bytes().replace(b'"verdict"', b'"verdigt"'))
        now = hashlib.sha256(file.read_bytes()).hexdigest()
        listed.write_text(listed.read_text("utf-8").replace(was, now), "utf-8")
        refused = run("show", "pkg", "--framework", CIS, "--control", "1.14")
        assert (refused.code, refused.err.count("\n")) == (3, 1) and "summary.json is not what" in refused.err

    def test_for_programs_with_everybody(self, package: Path, run: Run) -> None:
        document = json.loads(run("show", "pkg", "--framework", CIS, "--control", "1.14", "--format", "json").out)
        (control,) = document["control"]
        with (package / f"results/{CIS}/live/population.csv").open(encoding="utf-8", newline="") as file:
            assert len(control["population"]) == len(list(csv.DictReader(file)))
        assert {
            "inputs/reports/reports/first/first.csv",
            "inputs/reports/reports/second/second.json",
        } < {source["path"] for source in document["sources"]}

    @pytest.mark.parametrize(
        ("framework", "control", "named"), [("soc_2", "1.14", CIS), (CIS, "9.9", "1.14"), ("../..", "1", CIS)]
    )
    def test_what_is_not_there(self, package: Path, run: Run, framework: str, control: str, named: str) -> None:
        refused = run("show", "pkg", "--framework", framework, "--control", control)
        assert (refused.code, refused.err.count("\n")) == (2, 1) and named in refused.err

    def test_code(self, work: Path, run: Run) -> None:
        run("pkg", "--framework", CIS, "--code", "repo")
        shown = run("show", "pkg", "--framework", CIS, "--control", "1.14").out
        assert "infra/main.tf:2" in shown and "inputs/code.csv  SHA-256" in shown
