"""The verdict on a control in each account of a run on several, and how reports say it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from credential_reports import ROOT, key, line, report
from evaluations import make_evaluation
from scanning import AS_OF

from keyrules.cli import main
from keyrules.controls.verdicts import rule_results
from keyrules.model import AccountState, Counts, EvaluationError, Outcome, Plane
from keyrules.pack.catalog import load_pack
from keyrules.records import replace
from keyrules.reports.evidence import accounts_sentence

RULES = load_pack().rules[:2]
CONTROL = ("--control", "cis_aws_3.0.0:1.14")
STALE, FRESH, GONE = "111111111111", "222222222222", "333333333333"


def state(account: str, *counts: Counts, errors: int = 0) -> AccountState:
    return AccountState(account, "evaluated" if counts else "denied", counts=counts, errors=errors)


def by_account(*states: AccountState, gaps: dict[str, tuple[str, ...]] | None = None) -> dict[Outcome, tuple[str, ...]]:
    """Of the first rule."""
    run = make_evaluation(
        plane=Plane.LIVE,
        rules=RULES,
        accounts=states,
        gaps=gaps or {},
        errors=(EvaluationError("x", "denied", "x was denied."),),
    )
    return dict(rule_results(run)[0].by_account)


PASS, FAIL, NONE = Counts(passed=1), Counts(failed=1), Counts()


def test_each_account_is_judged_as_if_it_were_the_only_one() -> None:
    """What fails, is excepted, has errors or could not be asked in one account says nothing about another."""
    found = by_account(
        state("1", PASS, FAIL),
        state("2", FAIL, PASS),
        state("3", Counts(passed=1, exempt=1), NONE),
        state("4", PASS, PASS, errors=1),
        state("5"),
        state("6", PASS, PASS),
        state("7", NONE, PASS),
        gaps={RULES[0].id: ("6",)},
    )
    assert found == {
        Outcome.SATISFIED: ("1",),
        Outcome.WITH_EXCEPTIONS: ("3",),
        Outcome.NOT_SATISFIED: ("2",),
        Outcome.PARTLY_ASSESSED: ("4", "6"),
        Outcome.NOT_ASSESSED: ("5", "7"),
    }


def test_several_reports_on_one_account_are_one_account() -> None:
    assert by_account(state("1", PASS, PASS), state("1", FAIL, PASS), state("2", PASS, PASS)) == {
        Outcome.SATISFIED: ("2",),
        Outcome.NOT_SATISFIED: ("1",),
    }
    assert by_account(state("1", PASS, PASS), state("1", FAIL, PASS)) == {}, "one account needs no list"


def test_the_sentence_is_bounded() -> None:
    result = rule_results(make_evaluation(plane=Plane.LIVE, rules=RULES))[0]
    many = replace(result, by_account={Outcome.SATISFIED: ("1",) * 30, Outcome.NOT_SATISFIED: ("2",) * 12})
    assert (
        accounts_sentence(many) == f"Of 42 accounts 30 satisfied; 12 not satisfied ({', '.join('2' * 10)} and 2 more)."
    )
    assert accounts_sentence(result) == ""
    none = replace(result, by_account={Outcome.NOT_SATISFIED: ("1", "2")})
    assert accounts_sentence(none) == "Of 2 accounts 0 satisfied; 2 not satisfied (1, 2)."
    evidence = replace(result, by_account={Outcome.ADVERSE_EVIDENCE: ("1",), Outcome.CLEAN_EVIDENCE: ("2",)})
    assert accounts_sentence(evidence) == "Of 2 accounts 1 evidence only, adverse (1); 1 evidence only, clean."


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for account, days in ((STALE, 91), (FRESH, 10)):
        rows = [(ROOT, "root", {"mfa_active": "true"}), ("ann", "user/ann", key(1, days, used=1))]
        lines = [line(user, arn=f"arn:aws:iam::{account}:{path}", **cells) for user, path, cells in rows]
        (tmp_path / f"{account}.csv").write_bytes(report(*lines))
    return tmp_path


def audited(capfd: pytest.CaptureFixture[str], *argv: str) -> str:
    assert main(["audit", f"{STALE}.csv", f"{FRESH}.csv", "--as-of", AS_OF, *argv]) == 1
    return capfd.readouterr().out


def test_every_control_view_goes_by_account(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (control,) = json.loads(audited(capfd, *CONTROL, "--format", "json"))["controls"]
    assert control["verdict"] == "not satisfied"
    assert control["accounts"] == {"satisfied": [FRESH], "not satisfied": [STALE]}
    text = " ".join(audited(capfd, *CONTROL).split())
    assert f"Of 2 accounts 1 satisfied; 1 not satisfied ({STALE})." in text
    rows = list(csv.DictReader(io.StringIO(audited(capfd, *CONTROL, "--format", "csv"))))
    assert {row["account"]: row["verdict"] for row in rows if row["status"] == "ACCOUNT"} == {
        STALE: "not satisfied",
        FRESH: "satisfied",
    }
    page = audited(capfd, *CONTROL, "--format", "html")
    assert "Controls by account" in page and f"1 not satisfied ({STALE})" in page
    assert "Rules by account" in audited(capfd, "--format", "html")


def test_one_account_is_not_told_apart(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", f"{STALE}.csv", "--as-of", AS_OF, *CONTROL, "--format", "json"]) == 1
    (control,) = json.loads(capfd.readouterr().out)["controls"]
    assert "accounts" not in control
