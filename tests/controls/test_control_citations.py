"""Which controls stand beside a rule in formats that cite them, and in which order."""

from __future__ import annotations

import pytest
from evaluations import make_evaluation

from keyrules.controls.citations import citations, with_controls
from keyrules.controls.model import Frameworks, Relation
from keyrules.controls.tables import load_frameworks
from keyrules.model import FrameworkReport
from keyrules.pack.catalog import Pack, load_pack


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack()


@pytest.fixture(scope="module")
def frameworks(pack: Pack) -> Frameworks:
    return load_frameworks(pack)


def test_only_the_newest_edition_of_each_framework_is_cited(pack: Pack, frameworks: Frameworks) -> None:
    cited = citations(frameworks, [rule.id for rule in pack.rules])
    keys = {framework for pairs in cited.values() for framework, _ in pairs}
    assert {
        "cis_aws_7.0.0",
        "cis_controls_v8.1",
        "nist_800_171_r3",
        "fedramp_r5_high",
        "pci_dss_4.0.1",
        "nist_csf_2.0",
    } <= keys
    assert (
        not {"cis_aws_6.0.0", "cis_controls_v8", "nist_800_171_r2", "ffiec_cat", "pci_dss_3.2.1", "nist_csf_1.1"} & keys
    )
    # The pages that this project began with are no framework.
    assert "source_pages" not in keys


def test_every_pair_is_a_row_of_its_framework_and_each_stands_once(pack: Pack, frameworks: Frameworks) -> None:
    for rule, pairs in citations(frameworks, [rule.id for rule in pack.rules]).items():
        assert len(pairs) == len(set(pairs))
        for framework, control in pairs:
            assert any(row.rule == rule for row in frameworks.edition(framework).rows_of(control))


def test_what_a_rule_decides_comes_before_what_it_supports(frameworks: Frameworks) -> None:
    order = [Relation.IMPLEMENTS, Relation.PARTIAL, Relation.SUPPORTS]
    (pairs,) = citations(frameworks, ["KEY_AWS_014"]).values()
    relations = [
        next(row.relation for row in frameworks.edition(framework).rows_of(control) if row.rule == "KEY_AWS_014")
        for framework, control in pairs
    ]
    assert relations == sorted(relations, key=order.index)
    assert len(set(relations)) == 3


def test_frameworks_take_turns(frameworks: Frameworks) -> None:
    (pairs,) = citations(frameworks, ["KEY_AWS_001"]).values()
    supporting = [
        framework
        for framework, control in pairs
        if Relation.SUPPORTS
        in [row.relation for row in frameworks.edition(framework).rows_of(control) if row.rule == "KEY_AWS_001"]
    ]
    every = set(supporting)
    assert len(supporting) > len(every) > 5
    assert set(supporting[: len(every)]) == every


def test_the_framework_that_was_asked_for_comes_first_in_the_edition_asked_for(frameworks: Frameworks) -> None:
    cited = citations(frameworks, ["KEY_AWS_001", "KEY_AWS_999"], ["cis_aws_3.0.0"])
    assert cited["KEY_AWS_001"][0] == ("cis_aws_3.0.0", "1.14")
    assert ("cis_aws_7.0.0", "2.12") in cited["KEY_AWS_001"]
    assert cited["KEY_AWS_999"] == ()


def test_a_run_cites_for_its_own_rules_and_its_own_framework() -> None:
    evaluation = with_controls(make_evaluation(framework=FrameworkReport("cis_aws_1.2.0", "CIS", "https://x", ())))
    assert set(evaluation.controls) == {rule.id for rule in evaluation.rules}
    assert evaluation.controls["KEY_AWS_001"][0] == ("cis_aws_1.2.0", "1.4")
