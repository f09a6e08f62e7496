"""Packages of live accounts: what AWS gave, as AWS gave it, who asked, and what became of every account."""

from __future__ import annotations

import base64
import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from canaries import assert_no_leak, make_canary
from credential_reports import AS_OF
from fake_aws import CALLER, FakeAws, serving
from live_accounts import environment
from organization_runs import ONE, ORGANIZATION, THREE, TWO, organization
from organization_runs import csv as stale
from packages import CIS, Run

from keyrules import cli


@pytest.fixture
def fake() -> FakeAws:
    return organization()


@pytest.fixture
def address(fake: FakeAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> Iterator[str]:
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "current_time", lambda: AS_OF)
    with serving(fake) as address:
        yield address


def document(path: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(path).read_bytes())
    return found


def accounts() -> dict[str, tuple[str, str]]:
    """State and verdict on 1.14 of each account."""
    with Path(f"pkg/results/{CIS}/live/accounts.csv").open(encoding="utf-8", newline="") as file:
        return {row["account"]: (row["state"], row["1.14"]) for row in csv.DictReader(file)}


def test_one_account(address: str, fake: FakeAws, run: Run) -> None:
    made = run("pkg", "--framework", CIS, "--endpoint-url", address)
    assert made.code == 0, made
    stored = document(f"pkg/inputs/reports/{CALLER}.json")
    assert base64.b64decode(stored["Content"]) == fake.accounts[CALLER].report
    manifest = document("pkg/manifest.json")
    assert manifest["caller"].startswith("arn:aws:") and CALLER in manifest["caller"]
    checked = run("verify", "pkg")
    assert checked.code == 0, checked


def test_an_organization_with_an_account_that_cannot_be_asked(address: str, fake: FakeAws, run: Run) -> None:
    fake.accounts[ONE].report = stale(ONE)
    fake.accounts[TWO].denied = {"GetCredentialReport": "SCP"}
    fake.accounts[THREE].state = "SUSPENDED"
    made = run("pkg", "--framework", CIS, "--endpoint-url", address, *ORGANIZATION)
    assert made.code == 3, "an account was not judged"
    found = accounts()
    assert found[ONE] == ("evaluated", "not satisfied") and found[CALLER] == ("evaluated", "satisfied")
    assert found[TWO][0] == "denied by SCP" and found["all"][1] == "not satisfied"
    listed = document("pkg/inputs/accounts.json")
    assert {each["account"] for each in listed["accounts"]} == {ONE, TWO, CALLER}
    assert [each["account"] for each in listed["not_in_the_list"]] == [THREE]
    assert "service control policy" in listed["failures"][TWO]["cause"]
    calls = len(fake.calls)
    assert run("verify", "pkg").code == 0 and len(fake.calls) == calls, "verifying asks nobody"
    text = Path(f"pkg/results/{CIS}/live/report.html").read_text("utf-8")
    assert "denied by SCP" in text and THREE in text


def test_what_is_around_the_keys_is_recorded(address: str, fake: FakeAws, run: Run) -> None:
    fake.accounts[ONE].denied = {"GetAccountPasswordPolicy": ""}
    made = run("pkg", "--framework", CIS, "--endpoint-url", address, *ORGANIZATION)
    assert made.code == 3
    stored = document(f"pkg/inputs/documents/{TWO}/get-account-password-policy.json")
    assert stored == {"PasswordPolicy": {"MinimumPasswordLength": 14, **stored["PasswordPolicy"]}}
    assert not Path(f"pkg/inputs/documents/{ONE}/get-account-password-policy.json").exists()
    unread = document("pkg/inputs/accounts.json")["documents_not_read"]
    assert "iam:GetAccountPasswordPolicy" in unread[ONE]["get-account-password-policy"]
    with Path(f"pkg/results/{CIS}/live/population.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["credential"] == "the password policy"]
    policies = {row["account"]: row["KEY_AWS_024"] for row in rows}
    assert policies[ONE] == "UNKNOWN" and policies[TWO] == "PASS"
    assert run("verify", "pkg").code == 0
    path = Path(f"pkg/inputs/documents/{TWO}/get-account-password-policy.json")
    path.write_text(path.read_text("utf-8").replace("14", "15"), "utf-8")
    assert run("verify", "pkg").code == 1


def test_no_policy_is_an_answer(address: str, fake: FakeAws, run: Run) -> None:
    fake.accounts[CALLER].errors = {"GetAccountPasswordPolicy": ["NoSuchEntity"] * 9}
    run("pkg", "--framework", CIS, "--endpoint-url", address)
    assert document(f"pkg/inputs/documents/{CALLER}/get-account-password-policy.json") == {"PasswordPolicy": None}
    assert "KEY_AWS_024,MEDIUM,FAIL" in Path(f"pkg/results/{CIS}/live/findings.csv").read_text("utf-8")
    assert run("verify", "pkg").code == 0


def test_reports_that_aws_had_already_are_told(address: str, fake: FakeAws, run: Run) -> None:
    run("pkg", "--framework", CIS, "--endpoint-url", address, *ORGANIZATION)
    assert "makes none anew within 4 hours" in document("pkg/inputs/accounts.json")["notes"][0]


def test_nothing_can_be_reached(address: str, fake: FakeAws, run: Run, tmp_path: Path) -> None:
    refused = run("pkg", "--framework", CIS, "--endpoint-url", "http://127.0.0.1:1", "--deadline", "1s")
    assert refused.code == 3 and refused.err.count("\n") == 1 and not any(tmp_path.iterdir())


def test_no_secret_of_the_command_line(address: str, fake: FakeAws, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    canary = make_canary("caller")
    for number in (ONE, TWO, THREE):
        fake.accounts[number].external_id = canary.secret
    monkeypatch.setenv("AWS_SESSION_TOKEN", canary.session_token)
    host = address.removeprefix("http://")
    words = ("--endpoint-url", f"http://user:{canary.key_id}@{host}", "--external-id", canary.secret, *ORGANIZATION)
    made = run("pkg", "--framework", CIS, *words)
    if not Path("pkg").exists():
        made = run("pkg", "--framework", CIS, "--endpoint-url", address, *words[2:])
    files = [(str(path), path.read_bytes()) for path in Path("pkg").rglob("*") if path.is_file()]
    assert files, made
    assert_no_leak(files, [canary])


def test_code_and_an_account_in_one_package(address: str, run: Run) -> None:
    Path("infra").mkdir()
    Path("infra/main.tf").write_text('resource "aws_iam_access_key" "k" { user = "u" }\n', "utf-8")
    made = run("pkg", "--framework", CIS, "--endpoint-url", address, "--live", "--code", "infra")
    assert made.code == 0 and "on live accounts" in made.out and "on code" in made.out, made
    assert run("verify", "pkg", "--code", "infra").code == 0
    assert "repository" in document("pkg/manifest.json")
