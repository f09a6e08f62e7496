"""Which rules run, with which thresholds, and what a wrong request is told."""

from __future__ import annotations

import re
from typing import Any

import pytest

from keyrules.model import Selection, UsageError
from keyrules.pack.catalog import Pack, Retired, load_pack
from keyrules.pack.listing import describe_facts, describe_rule, list_rules, runtime_text
from keyrules.pack.selection import select
from keyrules.records import replace


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack()


def ids(selection: Selection) -> list[str]:
    return [rule.id for rule in selection.rules]


def test_the_default_is_every_rule_that_is_on(pack: Pack) -> None:
    expected = [rule.id for rule in pack.rules if rule.id not in ("KEY_AWS_007", "KEY_AWS_017", "KEY_AWS_019")]
    assert ids(select(pack)) == expected


def test_rule_selects_exactly_those_opt_in_included_and_sorted(pack: Pack) -> None:
    assert ids(select(pack, only=["KEY_AWS_007", "KEY_AWS_001", "KEY_AWS_007"])) == ["KEY_AWS_001", "KEY_AWS_007"]


def test_skip_takes_away(pack: Pack) -> None:
    assert "KEY_AWS_003" not in ids(select(pack, skip=["KEY_AWS_003"]))
    with pytest.raises(UsageError, match="No rule is left to run"):
        select(pack, only=["KEY_AWS_003"], skip=["KEY_AWS_003"])


def test_settings_replace_defaults_and_the_last_one_wins(pack: Pack) -> None:
    chosen = select(
        pack, settings=["KEY_AWS_001.max_age_days=45", "KEY_AWS_001.slots=1", "KEY_AWS_001.max_age_days=30"]
    )
    rule = chosen.rule("KEY_AWS_001")
    assert rule is not None
    assert (chosen.value(rule, "max_age_days"), chosen.value(rule, "slots")) == (30, (1,))
    other = chosen.rule("KEY_AWS_016")
    assert other is not None
    assert chosen.value(other, "max_age_days") == 90


def test_a_framework_chooses_rules_and_thresholds_and_settings_win(pack: Pack) -> None:
    rules = tuple(rule for rule in pack.rules if rule.id in ("KEY_AWS_001", "KEY_AWS_017"))
    framework = Selection(rules, {("KEY_AWS_001", "max_age_days"): 45, ("KEY_AWS_017", "max_age_days"): 60})
    chosen = select(pack, framework=framework, settings=["KEY_AWS_001.max_age_days=30"])
    assert ids(chosen) == ["KEY_AWS_001", "KEY_AWS_017"]
    assert [chosen.value(rule, "max_age_days") for rule in chosen.rules] == [30, 60]
    assert ids(select(pack, only=["KEY_AWS_017"], framework=framework)) == ["KEY_AWS_017"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"only": ["KEY_AWS_01"]}, "There is no rule 'KEY_AWS_01'; `keyrules rules` lists them all."),
        ({"only": ["KEYAWS_005"]}, "There is no rule 'KEYAWS_005'; did you mean KEY_AWS_005? "),
        ({"skip": ["key_aws_005"]}, "There is no rule 'key_aws_005'; did you mean KEY_AWS_005? "),
        ({"only": ["nonsense"]}, "There is no rule 'nonsense'; `keyrules rules` lists them all."),
        ({"settings": ["KEY_AWS_001"]}, "is not of the form RULE.parameter=value"),
        ({"settings": ["KEY_AWS_099.x=1"]}, "There is no rule 'KEY_AWS_099'"),
        ({"settings": ["KEY_AWS_001.age=1"]}, "KEY_AWS_001 has no parameter 'age'; it has: max_age_days, slots."),
        ({"settings": ["KEY_AWS_005.age=1"]}, "KEY_AWS_005 has no parameter 'age'; it has: none."),
        (
            {"settings": ["KEY_AWS_001.max_age_days=0"]},
            "cannot be '0'; allowed: a whole number of days from 1 to 999,999,999.",
        ),
        (
            {"settings": ["KEY_AWS_001.max_age_days=1.5"]},
            "cannot be '1.5'; allowed: a whole number of days from 1 to 999,999,999.",
        ),
        (
            {"settings": ["KEY_AWS_001.max_age_days="]},
            "cannot be ''; allowed: a whole number of days from 1 to 999,999,999.",
        ),
        ({"settings": ["KEY_AWS_001.max_age_days=1e3"]}, "allowed: a whole number of days from 1 to 999,999,999."),
        ({"settings": ["KEY_AWS_001.max_age_days=9999999999"]}, "whole number of days from 1 to 999,999,999."),
        (
            {"settings": ["KEY_AWS_001.max_age_days=1,2"]},
            "cannot be '1,2'; allowed: a whole number of days from 1 to 999,999,999.",
        ),
        ({"settings": ["KEY_AWS_001.slots=3"]}, "cannot be '3'; allowed: one or more of 1,2."),
        ({"settings": ["KEY_AWS_001.slots=1,1"]}, "cannot be '1,1'; allowed: one or more of 1,2."),
    ],
)
def test_wrong_requests(pack: Pack, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        select(pack, **arguments)


def test_a_retired_rule_names_what_replaced_it(pack: Pack) -> None:
    retired = {
        "KEY_AWS_098": Retired("KEY_AWS_098", "1.2.0", "KEY_AWS_001", "merged"),
        "KEY_AWS_099": Retired("KEY_AWS_099", "1.2.0", "", "AWS ended the feature"),
    }
    older = replace(pack, retired=retired)
    with pytest.raises(UsageError, match=r"KEY_AWS_098 was retired in 1\.2\.0; use KEY_AWS_001 \(merged\)"):
        select(older, only=["KEY_AWS_098"])
    with pytest.raises(UsageError, match=r"nothing replaces it \(AWS ended the feature\)"):
        select(older, skip=["KEY_AWS_099"])


class TestListing:
    def test_the_table_is_aligned_and_complete(self, pack: Pack) -> None:
        header, *lines = list_rules(pack).splitlines()
        assert len(lines) == len(pack.rules)
        for rule, line in zip(pack.rules, lines, strict=True):
            assert line.startswith(rule.id)
            assert line[header.index("NAME") :] == rule.name
            assert line[header.index("DEFAULT") :].split()[0] == ("on" if rule.default_on else "off")

    def test_one_rule_in_full(self, pack: Pack) -> None:
        for rule in pack.rules:
            text = describe_rule(rule)
            flat = " ".join(text.split())
            for prose in (rule.rationale, rule.remediation, *rule.limits.values(), rule.name, *rule.parameters):
                assert " ".join(prose.split()) in flat
            for url in (rule.guideline, *rule.references):
                assert url in flat
            assert all(len(line) <= 100 for line in text.splitlines() if "://" not in line and "File:" not in line)

    def test_conditions_read_as_sentences(self, pack: Pack) -> None:
        flat = " ".join(describe_rule(pack.rules[2]).split())
        assert (
            "Each access key where active is true and is_younger_key_of_user is false complies when "
            "active_keys_of_user ≤ 1 or days_since_younger_key_of_user < overlap_days." in flat
        )

    def test_conditions_name_their_subjects_as_people_do(self, pack: Pack) -> None:
        said = {rule.id: runtime_text(rule.runtime) for rule in pack.rules if rule.runtime}
        assert said["KEY_AWS_020"].startswith("Each user where has_active_access_key is true complies")
        assert said["KEY_AWS_023"].startswith("Each SSH public key where")
        assert said["KEY_AWS_027"] == "Each account complies when roles ≥ 1."

    def test_facts_say_when_they_are_unknown(self) -> None:
        text = describe_facts()
        assert "  days_since_use  (days)" in text
        assert "Unknown when the date is absent or cannot be read." in text
