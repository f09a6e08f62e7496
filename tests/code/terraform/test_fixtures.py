"""Each Terraform fixture of the rules about keys names its subjects by the verdict that its rule must give."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from terraform_cases import judged, root_scope

RULES = ("KEY_AWS_001", "KEY_AWS_003", "KEY_AWS_004")
FIXTURES = Path(__file__).parents[3] / "fixtures"
CASES = [
    (rule, folder)
    for rule in RULES
    for kind in ("terraform", "terraform_json")
    for folder in sorted(FIXTURES.glob(f"{rule}/{kind}/*"))
]
_VERDICT = re.compile(r'(?:^|\.|\[")(pass|fail|unknown)_')
REASONS = {
    *("rotation_missing", "rotation_never_fires", "rotation_too_slow", "rotation_manual", "rotation_unknown"),
    *("rotation_fires", "not_active"),
}


def wanted(address: str) -> str:
    """The verdict in the last name that has one: a resource's own, else its module call's or that call's key."""
    found = _VERDICT.findall(address)
    assert found, f"{address} names no verdict"
    return str(found[-1]).upper()


@pytest.mark.parametrize(("rule", "folder"), CASES, ids=lambda value: value if isinstance(value, str) else value.name)
def test_each_subject_gets_the_verdict_in_its_name(rule: str, folder: Path) -> None:
    root = root_scope(folder)
    assert root.module.errors == ()
    verdicts = judged(rule, root)
    assert verdicts or folder.name == "unrelated_root_b"
    wrong = {a: (v.status.value, v.reason, v.message) for a, v in verdicts.items() if v.status.value != wanted(a)}
    assert wrong == {}


def test_the_fixtures_show_every_verdict_and_reason() -> None:
    assert len(CASES) > 30
    statuses: dict[str, set[str]] = {rule: set() for rule in RULES}
    reasons: set[str] = set()
    for rule, folder in CASES:
        for verdict in judged(rule, root_scope(folder)).values():
            statuses[rule].add(verdict.status.value)
            reasons |= {verdict.reason} if rule == "KEY_AWS_001" else set()
    assert reasons == REASONS
    assert statuses["KEY_AWS_001"] == {"PASS", "FAIL", "UNKNOWN"}
    assert statuses["KEY_AWS_003"] == statuses["KEY_AWS_004"] == {"PASS", "FAIL"}


def test_no_fixture_shares_a_module_instance_with_another() -> None:
    """Two root modules with a key of the same user each pass, because they are judged apart."""
    for rule in ("KEY_AWS_003", "KEY_AWS_004"):
        for name in ("unrelated_root_a", "unrelated_root_b"):
            verdicts = judged(rule, root_scope(FIXTURES / rule / "terraform" / name))
            assert {verdict.status.value for verdict in verdicts.values()} == {"PASS"}
