"""Every rule says of everything in the fixtures what their tables say, no more and no less."""

from __future__ import annotations

import csv

import expected_verdicts
import pytest
from expected_verdicts import TABLES, changes, rules_of
from scanning import FIXTURES

from keyrules.model import Plane

REFRESH = "PYTHONPATH=src:tests/support python tests/support/expected_verdicts.py"


@pytest.mark.parametrize("name", TABLES)
def test_the_table_is_what_the_rules_say(name: str) -> None:
    """Where a verdict should change, refresh the table, and judge each changed line by the meaning of its rule."""
    found = changes(name)
    assert found == [], "\n".join([f"{name} says otherwise; {REFRESH}", *found])


@pytest.mark.parametrize(
    ("name", "plane"), [("expected_code_verdicts.csv", Plane.CODE), ("expected_live_verdicts.csv", Plane.LIVE)]
)
def test_every_rule_decides_something_both_ways(name: str, plane: Plane) -> None:
    with (FIXTURES / name).open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    only_failing = ("KEY_AWS_007", "KEY_AWS_011") if plane is Plane.CODE else ()
    for rule in rules_of(plane):
        said = {row[rule.id].partition(" ")[0] or "-" for row in rows}
        # On code, a declared key is one, and a literal is one where it stands: what is none has no place.
        assert said >= ({"FAIL"} if rule.id in only_failing else {"pass", "FAIL"}), rule.id


@pytest.mark.parametrize("change", ["gone", "new", "other"])
def test_a_line_too_few_too_many_or_changed_is_seen(monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    name = "expected_live_verdicts.csv"
    lines = (FIXTURES / name).read_text("utf-8").splitlines()
    changed = {"gone": lines[:-1], "new": [*lines, "x.csv,root,x"], "other": [*lines[:-1], lines[-1] + "x"]}[change]
    monkeypatch.setitem(expected_verdicts.TABLES, name, lambda: "\n".join(changed))
    assert changes(name)
