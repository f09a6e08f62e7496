"""The fixtures of the rules on joined keys: the verdict is in the name of the user."""

from __future__ import annotations

from pathlib import Path

import pytest
from credential_reports import pack
from joined_cases import World

from keyrules.keys.rules import is_joined

FIXTURES = Path(__file__).parents[2] / "fixtures"
RULES = [rule.id for rule in pack().rules if is_joined(rule)]


@pytest.mark.parametrize("rule", RULES)
def test_a_fixture_gets_the_verdict_in_its_name(world: World, rule: str) -> None:
    folder = FIXTURES / rule / "joined"
    (report,) = folder.glob("*.csv")
    run = world.run("--code", folder, "--state", folder, "--state-complete", report)
    assert run.document["errors"] == []
    verdicts = {row["user"]: rule in row["findings"] for row in run.document["keys"]}
    assert {name.split("-")[0] for name in verdicts} == {"pass", "fail"}
    assert verdicts == {name: name.startswith("fail-") for name in verdicts}
