"""`keyrules controls --export DIR`: the map as CSV, JSON and an OSCAL mapping collection."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from oscal_cases import published_parts
from trestle.cli import Trestle

from keyrules.cli import main
from keyrules.controls.export import as_csv, confidence, row_id
from keyrules.controls.model import Relation
from keyrules.controls.tables import load_frameworks
from keyrules.pack.catalog import load_pack
from keyrules.records import replace

PACK = load_pack()
FRAMEWORKS = load_frameworks(PACK)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "map"
    assert main(["controls", "--export", str(path)]) == 0
    return path


def read(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text(encoding="utf-8"))


def test_csv_and_json_hold_every_row_once_with_an_id(folder: Path) -> None:
    with (folder / "mapping.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    document = read(folder, "mapping.json")
    assert lines == document["rows"]
    assert len(lines) == sum(len(edition.rows) for edition in FRAMEWORKS.editions)
    assert len({line["id"] for line in lines}) == len(lines)
    assert {each["key"] for each in document["frameworks"]} == {edition.key for edition in FRAMEWORKS.editions}
    cited = {source for line in lines for source in line["source"].split(";")}
    assert cited == {each["key"] for each in document["sources"]}


def test_a_record(folder: Path) -> None:
    (line,) = [each for each in read(folder, "mapping.json")["rows"] if each["id"] == "cis_aws_3.0.0:1.14:KEY_AWS_001"]
    why = line.pop("why")
    assert why.startswith("The rule decides the whole control")
    assert line == {
        "id": "cis_aws_3.0.0:1.14:KEY_AWS_001",
        "framework": "cis_aws_3.0.0",
        "control": "1.14",
        "title": "Access keys are rotated",
        "relation": "implements",
        "rule": "KEY_AWS_001",
        "bound": "max_age_days<=90",
        "statement": "",
        "source": "prowler;security_hub_iam;steampipe",
        "set_theory": "equivalent-to",
        "confidence": "high",
        "level": "1",
        "assessment": "automated",
    }


def test_an_id_lasts_whatever_becomes_of_the_row() -> None:
    row = FRAMEWORKS.edition("nist_800_53_r5").rows_of("IA-5")[0]
    assert row_id("nist_800_53_r5", row) == "nist_800_53_r5:IA-5:KEY_AWS_001"
    changed = replace(
        row, title="New", relation=Relation.SUPPORTS, bounds=(), sources=("prowler",), why="New.", statement=""
    )
    assert row_id("nist_800_53_r5", changed) == "nist_800_53_r5:IA-5:KEY_AWS_001"
    assert row_id("cis_aws_3.0.0", FRAMEWORKS.edition("cis_aws_3.0.0").rows_of("1.1")[0]) == "cis_aws_3.0.0:1.1:-"


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (("keyrules",), "low"),
        (("ciso_assistant", "keyrules"), "low"),
        (("gsa_fedramp_r5", "security_hub_iam"), "medium"),
        (("prowler",), "medium"),
        (("prowler", "steampipe"), "high"),
    ],
)
def test_confidence_counts_who_else_maps_the_check(sources: tuple[str, ...], expected: str) -> None:
    row = FRAMEWORKS.edition("cis_aws_3.0.0").rows_of("1.14")[0]
    assert confidence(replace(row, sources=sources)) == expected


def test_the_mapping_collection_says_what_the_rows_say(folder: Path) -> None:
    collection = read(folder, "mapping-collection.json")["mapping-collection"]
    by_framework = {prop(each, "framework"): each for each in collection["mappings"]}
    for edition in FRAMEWORKS.editions:
        mapping = by_framework[edition.key]
        rows = {row_id(edition.key, row): row for row in edition.rows if row.rule}
        maps = {prop(each, "id"): each for each in mapping["maps"]}
        assert list(maps) == list(rows)
        for name, row in rows.items():
            assert maps[name]["sources"] == [{"type": "control", "id-ref": row.rule}]
            assert (
                maps[name]["relationship"]
                == {
                    Relation.IMPLEMENTS: "equivalent-to",
                    Relation.PARTIAL: "subset-of",
                    Relation.SUPPORTS: "intersects-with",
                    Relation.CONTRADICTS: "no-relationship",
                }[row.relation]
            )
        untouched = {control for control in edition.controls if not any(row.rule for row in edition.rows_of(control))}
        gaps = mapping.get("target-gap-summary", {"unmapped-controls": [{"with-ids": []}]})["unmapped-controls"][0]
        assert len(gaps["with-ids"]) == len(untouched)


def test_every_target_is_in_the_catalog_that_it_names(folder: Path) -> None:
    published = published_parts()
    for mapping in read(folder, "mapping-collection.json")["mapping-collection"]["mappings"]:
        key, href = prop(mapping, "framework"), mapping["target-resource"]["href"]
        if href.startswith("https://"):
            found = {each for name, parts in published[catalog_of(key)].items() for each in (name, *parts)}
        else:
            found = set(ids(read(folder, href)))
        targets = {target["id-ref"] for each in mapping["maps"] for target in each["targets"]}
        gaps = mapping.get("target-gap-summary", {}).get("unmapped-controls", [{"with-ids": []}])
        assert targets | set(gaps[0]["with-ids"]) <= found, key
    rules = set(ids(read(folder, "rules/catalog.json")))
    assert {rule.id for rule in PACK.rules} <= rules


def catalog_of(key: str) -> str:
    return "nist_800_53_r5" if key.startswith("fedramp_") or key == "nist_800_53_r5_extended" else key


def ids(node: Any) -> list[str]:
    if isinstance(node, list):
        return [each for item in node for each in ids(item)]
    if not isinstance(node, dict):
        return []
    return [*([node["id"]] if "id" in node else []), *ids(list(node.values()))]


def prop(node: dict[str, Any], name: str) -> str:
    return str(next(each["value"] for each in node["props"] if each["name"] == name))


def test_trestle_imports_the_collection(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for arguments in (["init"], ["import", "-f", str(folder / "mapping-collection.json"), "-o", "map"]):
        monkeypatch.setattr(sys, "argv", ["trestle", *arguments])
        assert Trestle().run() == 0, arguments


def test_it_is_deterministic_and_whole_or_not_at_all(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert len(before) > 40
    assert main(["controls", "--export", str(folder)]) == 0
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert f" editions are in {folder}." in capfd.readouterr().out
    (tmp_path / "file").write_text("")
    (tmp_path / "taken" / "mapping.json").mkdir(parents=True)
    for name, message in (("file", "is a file; name a folder"), ("no/where", "does not exist"), ("taken", "directory")):
        assert main(["controls", "--export", str(tmp_path / name)]) == 2
        assert message in capfd.readouterr().err
    assert [path.name for path in (tmp_path / "taken").iterdir()] == ["mapping.json"]
    assert main(["controls", "--export", str(tmp_path / "x"), "--matrix"]) == 2


def test_no_cell_is_a_formula() -> None:
    for line in csv.reader(io.StringIO(as_csv(FRAMEWORKS))):
        assert not any(cell.startswith(("=", "+", "@")) for cell in line)
