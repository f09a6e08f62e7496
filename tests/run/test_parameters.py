"""Which value of each parameter is in force, who said so, and which limit of a framework it exceeds."""

from __future__ import annotations

from pathlib import Path

import pytest

from keyrules.model import ParameterInForce, Plane
from keyrules.pack.catalog import load_pack
from keyrules.run.configuration.merge import settle
from keyrules.run.framework import choose
from keyrules.run.options import Asked
from keyrules.run.parameters import parameters_in_force

PACK = load_pack()
CONFIGURATION = """\
rules: {KEY_AWS_001: {max_age_days: 120}}
audit:
  overrides:
    - subject: svc-*
      rules: {KEY_AWS_001: {max_age_days: 180}}
      reason: The partner takes new keys twice a year
      owner: integration@example.com
    - tag: rotation=vault
      rules: {KEY_AWS_002: {max_idle_days: 400}}
      reason: The vault uses them once a year
      owner: vault@example.com
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def in_force(plane: Plane = Plane.LIVE, **asked: object) -> dict[str, list[ParameterInForce]]:
    settings = settle(Asked.of(asked), plane)
    chosen = choose(settings, PACK)
    rules = [rule for rule in chosen.selection.rules if plane in rule.planes]
    found: dict[str, list[ParameterInForce]] = {}
    for each in parameters_in_force(settings, chosen, rules):
        found.setdefault(f"{each.rule}.{each.name}", []).append(each)
    return found


def said(each: ParameterInForce) -> tuple[object, str, str, list[str]]:
    return each.value, each.origin, each.place, [str(demand) for demand in each.looser_than]


def test_every_parameter_of_every_rule_that_runs_has_its_default() -> None:
    found = in_force()
    running = [rule for rule in PACK.rules if rule.default_on and Plane.LIVE in rule.planes]
    assert list(found) == [f"{rule.id}.{name}" for rule in running for name in rule.parameters]
    (age,) = found["KEY_AWS_001.max_age_days"]
    assert age == ParameterInForce("KEY_AWS_001", "max_age_days", 90, "days", 90, "default", "default")


def test_the_command_line_leaves_a_trace() -> None:
    (age,) = in_force(set=["KEY_AWS_001.max_age_days=3650"])["KEY_AWS_001.max_age_days"]
    assert (age.value, age.default, age.origin) == (3650, 90, "command line")


def test_a_framework_names_the_edition_whose_limit_holds() -> None:
    both = in_force(framework=["cis_aws_1.2.0", "cis_aws_3.0.0"])
    assert said(both["KEY_AWS_001.max_age_days"][0])[:3] == (90, "framework", "cis_aws_1.2.0, cis_aws_3.0.0")
    assert said(both["KEY_AWS_002.max_idle_days"][0])[:3] == (45, "framework", "cis_aws_3.0.0")
    alone = in_force(framework=["cis_aws_1.2.0"])
    assert said(alone["KEY_AWS_002.max_idle_days"][0])[:3] == (90, "framework", "cis_aws_1.2.0")


@pytest.mark.parametrize("plane", Plane)
def test_what_is_looser_than_a_limit_names_the_limit(plane: Plane) -> None:
    found = in_force(plane, framework=["cis_aws_3.0.0"], set=["KEY_AWS_001.max_age_days=91", "KEY_AWS_001.slots=1"])
    expected = "max_age_days<=90 of cis_aws_3.0.0 1.14"
    assert said(found["KEY_AWS_001.max_age_days"][0]) == (91, "command line", "command line", [expected])
    assert found["KEY_AWS_001.slots"][0].looser_than[0].bound == "slots=1,2"
    stricter = in_force(plane, framework=["cis_aws_3.0.0"], set=["KEY_AWS_001.max_age_days=30"])
    assert stricter["KEY_AWS_001.max_age_days"][0].looser_than == ()


def test_the_configuration_and_its_overrides_say_for_whom_and_who_answers() -> None:
    Path(".keyrules.yaml").write_text(CONFIGURATION)
    found = in_force(framework=["cis_aws_3.0.0"])
    general, partner = found["KEY_AWS_001.max_age_days"]
    assert said(general)[:3] == (120, "configuration file", ".keyrules.yaml:1")
    assert said(partner)[:2] == (180, "override") and partner.place.endswith(", override 1")
    assert (partner.users, partner.owner) == ("svc-*", "integration@example.com")
    assert partner.reason == "The partner takes new keys twice a year"
    assert general.looser_than == partner.looser_than != ()
    assert [each.users for each in found["KEY_AWS_002.max_idle_days"]] == ["", "tag rotation=vault"]


def test_the_command_line_wins_over_the_file() -> None:
    Path(".keyrules.yaml").write_text(CONFIGURATION)
    found = in_force(set=["KEY_AWS_001.max_age_days=60"])["KEY_AWS_001.max_age_days"]
    assert [(each.value, each.origin) for each in found] == [(60, "command line"), (180, "override")]
