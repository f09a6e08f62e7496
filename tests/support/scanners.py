"""What other scanners map to the checks behind our rules, beside what we map: for a test and for a page in docs.

`tests/controls/peer_mappings.csv` holds ids alone, read from the repositories at the commits that `sources.csv` names,
in our spelling where we list the control. It has a line for each peer, framework and rule.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from keyrules.controls.model import Frameworks, Relation
from keyrules.controls.tables import load_frameworks
from keyrules.pack.catalog import load_pack
from keyrules.pack.csv_table import natural_order

PEERS = Path(__file__).resolve().parents[1] / "controls" / "peer_mappings.csv"
NAMES = {"prowler": "Prowler", "steampipe": "Turbot"}

Pair = tuple[str, str, str]
"""A framework, a control and a rule."""


def peer_mappings() -> dict[Pair, frozenset[str]]:
    """Who maps what."""
    found: dict[Pair, set[str]] = {}
    with PEERS.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            for control in line["controls"].split(";"):
                found.setdefault((line["framework"], control, line["rule"]), set()).add(line["peer"])
    return {pair: frozenset(peers) for pair, peers in found.items()}


def carried(mappings: Mapping[Pair, frozenset[str]]) -> dict[str, frozenset[str]]:
    """Which peers have a framework at all."""
    found: dict[str, frozenset[str]] = {}
    for (framework, _, _), peers in mappings.items():
        found[framework] = found.get(framework, frozenset()) | peers
    return found


def against_all_peers(frameworks: Frameworks) -> list[Pair]:
    """What every peer that has the framework maps and we do not; rules that the pack does not have are left out."""
    mappings, rules = peer_mappings(), {rule.id for rule in load_pack().rules}
    every = carried(mappings)
    ours = {(edition.key, row.control, row.rule) for edition in frameworks.editions for row in edition.rows}
    missing = [
        pair for pair, peers in mappings.items() if pair not in ours and pair[2] in rules and peers == every[pair[0]]
    ]
    return sorted(missing, key=lambda pair: [natural_order(part) for part in pair])


def page() -> str:
    """The generated part of docs/where-scanners-disagree.md."""
    frameworks = load_frameworks(load_pack())
    return "\n".join(_lines(frameworks))


def _lines(frameworks: Frameworks) -> Iterator[str]:
    mappings = peer_mappings()
    every = carried(mappings)
    rules = {rule.id for rule in load_pack().rules}
    ours = {
        (edition.key, row.control, row.rule): row.relation.value
        for edition in frameworks.editions
        for row in edition.rows
        if row.rule
    }
    yield from ("### One of the two maps it", "")
    rows: list[tuple[str, ...]] = []
    for pair, peers in mappings.items():
        if len(every[pair[0]]) > 1 and peers != every[pair[0]] and pair[2] in rules:
            (one,) = peers
            rows.append((*pair, NAMES[one], ours.get(pair, "–")))
    yield from _table(("framework", "control", "rule", "who maps it", "keyrules"), rows)
    yield from ("", "### All of them map it, and keyrules does not", "")
    yield from ("A reason stands where the control is listed; the other ids are not in the edition that we list.", "")
    whys = {
        (edition.key, row.control): row.why
        for edition in frameworks.editions
        for row in edition.rows
        if row.relation is Relation.NOT_COVERED
    }
    grouped: dict[tuple[str, str], list[str]] = {}
    for framework, control, rule in against_all_peers(frameworks):
        grouped.setdefault((framework, control), []).append(rule.removeprefix("KEY_AWS_"))
    yield from _table(
        ("framework", "control", "rules", "why"),
        [(*key, ", ".join(sorted(found)), whys.get(key, "–")) for key, found in grouped.items()],
    )
    yield from ("", "### Levels and assessment of CIS controls", "")
    rows = [
        (framework, control, each.level, each.assessment or "–", ", ".join(each.sources))
        for (framework, control), levels in frameworks.levels.items()
        if len(levels) > 1
        for each in levels
    ]
    yield from _table(("framework", "control", "level", "assessment", "sources"), rows)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    ordered = sorted(rows, key=lambda row: [natural_order(cell) for cell in row])
    for row in (head, ("---",) * len(head), *ordered):
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
