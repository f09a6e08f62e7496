"""Catalogs: every id that a document names is one of the catalog that its profile imports from."""

from __future__ import annotations

import re

import pytest
from oscal_cases import CASES, FRAMEWORKS, PACK, nodes, published_parts

from keyrules.controls.model import FrameworkEdition
from keyrules.reports.oscal.catalogs import PUBLISHED, control_id, edition_of, statement_id
from keyrules.reports.oscal.documents import documents, pack_documents

MOMENT = "2026-01-31T00:00:00Z"
EDITIONS = {edition.key: edition for edition in FRAMEWORKS.editions}


def parts_of(key: str) -> dict[str, set[str]]:
    """The same of one edition; those of our own catalog where none is published."""
    if key in PUBLISHED:
        return published_parts()[key]
    made = pack_documents([edition_of(EDITIONS[key])], PACK.rules, PACK.stamp, MOMENT)
    (group,) = made[f"{key}/catalog.json"]["catalog"]["groups"]
    return {each["id"]: {node["id"] for node in nodes(each["parts"]) if "id" in node} for each in group["controls"]}


def test_it_is_known_which_statements_each_published_catalog_has() -> None:
    assert {*published_parts()} == {*PUBLISHED}


@pytest.mark.parametrize("edition", FRAMEWORKS.editions, ids=lambda edition: edition.key)
def test_every_control_and_statement_is_in_its_catalog(edition: FrameworkEdition) -> None:
    made = edition_of(edition)
    catalog = parts_of(edition.key)
    missing = {
        (control.id, token)
        for control in made.controls
        for token in made.statements(control)
        if token not in catalog.get(made.control_id(control.id), ())
    }
    assert not missing


@pytest.mark.parametrize("name", ["cis", "clean", "nist", "two"])
def test_every_target_of_a_run_is_in_its_catalog(name: str) -> None:
    found = 0
    for path, document in documents(CASES[name]).items():
        key = path.partition("/")[0]
        catalog = parts_of(key)
        for node in nodes(document):
            if "target-id" in node:
                assert node["type"] == "statement-id"
                assert any(node["target-id"] in parts for parts in catalog.values()), node
                found += 1
            if "control-id" in node:
                named = [*node.get("statement-ids", ()), *(each["statement-id"] for each in node.get("statements", ()))]
                assert {*named} <= catalog[node["control-id"]], node
                found += 1
            assert {*node.get("with-ids", ())} <= {*catalog}
    assert found


@pytest.mark.parametrize(
    ("key", "control", "statement", "expected"),
    [
        ("nist_800_53_r5", "AC-2(1)", "", ("ac-2.1", "ac-2.1_smt")),
        ("nist_800_53_r4", "IA-5", "", ("ia-5", "ia-5_smt")),
        ("nist_800_53_r5", "IA-5", "ia-5_smt.f", ("ia-5", "ia-5_smt.f")),
        ("nist_800_53_r5_extended", "AC-2(3)(a)", "", ("ac-2.3", "ac-2.3_smt.a")),
        ("nist_800_53_r5_extended", "AC-3(3)(b)(1)", "", ("ac-3.3", "ac-3.3_smt.b.1")),
        ("nist_800_53_r5_extended", "AC-2(g)", "", ("ac-2", "ac-2_smt.g")),
        ("fedramp_r5_high", "ac-2.3", "ac-2.3_smt.d", ("ac-2.3", "ac-2.3_smt.d")),
        ("fedramp_r5_low", "AC-2", "", ("ac-2", "ac-2_smt")),
        ("nist_csf_2.0", "PR.AA-01", "", ("PR.AA-01", "PR.AA-01_statement")),
        ("nist_800_171_r3", "03.05.12", "", ("SP_800_171_03.05.12", "statement_03.05.12")),
        ("nist_800_171_r3", "03.05.12", "SR-03.05.12.e", ("SP_800_171_03.05.12", "SR-03.05.12.e")),
        ("cis_aws_3.0.0", "1.10", "", ("cis_aws_3.0.0_1.10", "cis_aws_3.0.0_1.10_smt")),
        ("soc_2", "CC6.1", "a (b)", ("soc_2_CC6.1", "soc_2_CC6.1_smt.a_b_")),
        ("rules", "KEY_AWS_001", "", ("KEY_AWS_001", "KEY_AWS_001_smt")),
    ],
)  # fmt: skip
def test_each_catalog_has_ids_of_its_own_form(
    key: str, control: str, statement: str, expected: tuple[str, str]
) -> None:
    assert (control_id(key, control), statement_id(key, control, statement)) == expected


@pytest.mark.parametrize("edition", FRAMEWORKS.editions, ids=lambda edition: edition.key)
def test_statements_of_two_controls_differ(edition: FrameworkEdition) -> None:
    tokens = [statement_id(edition.key, control) for control in edition.controls]
    assert len(set(tokens)) == len(tokens)


def test_a_catalog_of_ours_has_ids_and_our_titles() -> None:
    made = pack_documents([edition_of(EDITIONS["cis_aws_3.0.0"])], PACK.rules, PACK.stamp, MOMENT)
    document = made["cis_aws_3.0.0/catalog.json"]["catalog"]
    control = next(each for each in document["groups"][0]["controls"] if each["id"] == "cis_aws_3.0.0_1.14")
    assert control["title"] == EDITIONS["cis_aws_3.0.0"].rows_of("1.14")[0].title
    assert {"name": "label", "value": "1.14"} in control["props"]
    assert "our own words" in document["metadata"]["remarks"]
    assert made["cis_aws_3.0.0/profile.json"]["profile"]["imports"][0]["href"] == "catalog.json"


def test_a_published_catalog_is_pinned() -> None:
    assert all(re.search(r"/[0-9a-f]{40}/", href) for href in PUBLISHED.values())
    made = pack_documents([edition_of(EDITIONS["nist_800_53_r5"])], PACK.rules, PACK.stamp, MOMENT)
    assert "nist_800_53_r5/catalog.json" not in made
    (imported,) = made["nist_800_53_r5/profile.json"]["profile"]["imports"]
    assert imported["href"] == PUBLISHED["nist_800_53_r5"]
    assert "ac-2.3" in imported["include-controls"][0]["with-ids"]
