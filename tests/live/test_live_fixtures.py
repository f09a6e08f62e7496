"""The fixtures of the live rules: the verdict is in the name of the user, or of the file for the root user's rules.

All of them are to be judged as of 2026-06-01T00:00:00Z, as their file names say.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from account_folders import audit_folder
from credential_reports import evaluate, pack

from keyrules.live.plan import reads_reports
from keyrules.model import Status

FIXTURES = Path(__file__).parents[2] / "fixtures"
FILES = sorted(FIXTURES.glob("KEY_AWS_*/live/*.csv"))
FOLDERS = sorted(path.parent for path in FIXTURES.glob("KEY_AWS_*/account/*/report.csv"))
ROOT_RULES = {"KEY_AWS_005", "KEY_AWS_014", "KEY_AWS_015"}
WORST = {"fail": {Status.FAIL}, "unknown": {Status.UNKNOWN}, "pass": {Status.PASS}}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_a_fixture_gets_the_verdict_in_its_name(path: Path) -> None:
    rule_id = path.parts[-3]
    assert "as-of-2026-06-01T00-00-00Z" in path.stem
    evaluation = evaluate(path.read_bytes(), int(rule_id[-3:]))
    assert evaluation.errors == ()
    if rule_id in ROOT_RULES:
        assert {f.status for f in evaluation.findings} == WORST[path.stem.split("-")[0]]
        return
    by_user: dict[str, set[Status]] = {}
    for found in evaluation.findings:
        assert found.subject is not None
        by_user.setdefault(found.subject.user or "", set()).add(found.status)
    users = [row.split(",")[0] for row in path.read_text().splitlines()[2:]]
    assert {user.split("-")[0] for user in users} >= {"pass", "fail"}
    for user in users:
        expected = WORST[user.split("-")[0]]
        verdicts = by_user.get(user, {Status.PASS})
        assert verdicts - {Status.PASS} == expected - {Status.PASS}, user


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: f"{path.parts[-3]}-{path.name}")
def test_an_account_gets_the_verdicts_in_its_names(folder: Path) -> None:
    """In the names of users, certificates …, else in that of the folder."""
    evaluation = audit_folder(folder, int(folder.parts[-3][-3:]), asked=True)
    assert evaluation.errors == ()
    said = {f.subject.name: f.status for f in evaluation.findings if f.subject is not None}
    assert said or folder.name.startswith("none")
    for name, status in said.items():
        own = re.search(r"\b(pass|fail|unknown)-", name)
        assert status.value == (own[1] if own else folder.name.split("-")[0]).upper(), name


def test_every_live_rule_has_fixtures() -> None:
    live = {rule.id for rule in pack().rules if reads_reports(rule)}
    assert {path.parts[-3] for path in (*FILES, *FOLDERS)} == live
