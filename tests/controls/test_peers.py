"""Our map against those of Prowler and Turbot: what we cite is there, and what we leave out against both is listed."""

from __future__ import annotations

import re
from pathlib import Path

from scanners import NAMES, against_all_peers, carried, peer_mappings

from keyrules.controls.model import Relation
from keyrules.controls.tables import load_frameworks
from keyrules.pack.catalog import load_pack

FRAMEWORKS = load_frameworks(load_pack())
PEERS = peer_mappings()
GOLDEN = Path(__file__).parents[1] / "golden" / "against_all_peers.txt"
# Turbot's control for 1.1 of CIS 1.2.0 is answered by hand, so that no check stands behind it.
BY_HAND = {("cis_aws_1.2.0", "1.1", "KEY_AWS_015")}


def test_the_copies_are_of_the_commits_that_are_cited() -> None:
    for peer in NAMES:
        assert re.search(r"/tree/[0-9a-f]{40}", FRAMEWORKS.sources[peer].url)
    assert {peer for peers in PEERS.values() for peer in peers} == set(NAMES)
    assert {framework for framework, _, _ in PEERS} <= {edition.key for edition in FRAMEWORKS.editions}


def test_who_is_cited_maps_the_check() -> None:
    """CMMC is left out: its rows are those of NIST SP 800-171 r2, sources included."""
    copied = {rule for _, _, rule in PEERS}
    controls = {(framework, control, peer) for (framework, control, _), peers in PEERS.items() for peer in peers}
    for edition in FRAMEWORKS.editions:
        if edition.key == "cmmc_2.0":
            continue
        for row in edition.rows:
            pair = (edition.key, row.control, row.rule)
            for peer in set(row.sources) & set(NAMES):
                if row.rule not in copied or pair in BY_HAND:
                    continue
                of_another_rule = row.relation is Relation.PARTIAL and (edition.key, row.control, peer) in controls
                assert peer in PEERS.get(pair, ()) or of_another_rule, (pair, peer)


def test_a_change_of_ours_against_all_peers_is_seen() -> None:
    """A line of the golden file is a framework, a control and the rules that all of its peers map there, and we do not.

    When a line comes or goes, and it is meant, change the file with it; docs/where-scanners-disagree.md shows it.
    """
    found: dict[tuple[str, str], list[str]] = {}
    for framework, control, rule in against_all_peers(FRAMEWORKS):
        found.setdefault((framework, control), []).append(rule)
    lines = [f"{framework}\t{control}\t{' '.join(rules)}" for (framework, control), rules in found.items()]
    assert lines == GOLDEN.read_text(encoding="utf-8").splitlines()


def test_a_mapping_that_goes_is_noticed() -> None:
    mapped = {(edition.key, row.control, row.rule) for edition in FRAMEWORKS.editions for row in edition.rows}
    agreed = [pair for pair, peers in PEERS.items() if peers == carried(PEERS)[pair[0]] and pair in mapped]
    assert len(agreed) > 400
