"""OSCAL documents: accepted by compliance-trestle, with derived UUIDs, and joined to each other."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from evaluations import every_kind_of_live_result
from oscal_cases import CASES, FRAMEWORKS, MODELS, PACK, nodes, under, uuids, values

from keyrules.cli import main
from keyrules.model import Evaluation
from keyrules.records import replace
from keyrules.reports.oscal import results
from keyrules.reports.oscal.catalogs import edition_of
from keyrules.reports.oscal.documents import EvidenceFile, documents, pack_documents
from keyrules.reports.text_style import ReportOptions

REFERENCES = ("observation-uuid", "risk-uuid", "subject-uuid", "component-uuid", "activity-uuid", "actor-uuid")


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_trestle_accepts_each_of_them(case: Evaluation) -> None:
    for name, document in documents(case).items():
        MODELS[name.rpartition("/")[2]].model_validate(json.loads(json.dumps(document, ensure_ascii=True)))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_uuids_are_one_of_a_kind_and_what_is_referred_to_is_there(case: Evaluation) -> None:
    made = documents(case)
    assert documents(case) == made
    for name, document in made.items():
        found = uuids(document)
        assert len(set(found)) == len(found), name
        folder = name.partition("/")[0]
        for node in nodes(document):
            assert {node[each] for each in REFERENCES if each in node} <= {*found}, (name, node)
            href = str(node.get("href", ""))
            if href.startswith("#"):
                assert href[1:] in found, (name, href)
            if node.get("media-type", "").startswith("application/"):
                assert f"{folder}/{href}" in made or href == "system-security-plan.json", (name, href)
        for imported in nodes(document.get("profile", {}).get("imports", [])):
            assert str(imported.get("href", "https://")).startswith("https://") or f"{folder}/catalog.json" in made


def test_each_edition_has_a_folder_and_a_catalog_where_none_is_published() -> None:
    names = {*documents(CASES["two"])}
    joint = {
        "profile.json",
        "component-definition.json",
        "assessment-plan.json",
        "assessment-results.json",
        "poam.json",
    }
    assert names == {
        *(f"nist_csf_2.0/{each}" for each in joint),
        *(f"hipaa_security_rule/{each}" for each in joint | {"catalog.json"}),
    }


@pytest.mark.parametrize("name", ["cis", "nist", "accepted"])
def test_a_rule_has_the_same_name_in_all_of_them(name: str) -> None:
    made = {each.rpartition("/")[2]: document for each, document in documents(CASES[name]).items()}
    ran = {rule.id for rule in CASES[name].rules}
    plan = made["assessment-plan.json"]["assessment-plan"]
    assert {each["title"] for each in plan["local-definitions"]["activities"]} == ran
    (result,) = made["assessment-results.json"]["assessment-results"]["results"]
    assert {each for node in result["observations"] for each in values(node, "assessment-rule-id")} == ran
    components = made["component-definition.json"]["component-definition"]["components"]
    assert [{*values(each, "Rule_Id")} for each in components] == [ran, ran]
    tasks = {each["uuid"] for each in plan["tasks"]}
    assert {each["task-uuid"] for each in nodes(result) if "task-uuid" in each} == tasks
    risks = {each["uuid"] for each in result.get("risks", ())}
    items = made["poam.json"]["plan-of-action-and-milestones"]["poam-items"]
    assert {each["risk-uuid"] for item in items for each in item.get("related-risks", ())} == risks


def test_another_moment_keeps_the_credentials_and_their_risks_and_nothing_else() -> None:
    case = CASES["cis"]
    later = replace(case, as_of=case.as_of + timedelta(seconds=1))
    first, second = (
        documents(each)["cis_aws_3.0.0/assessment-results.json"]["assessment-results"] for each in (case, later)
    )
    for kept in ("risks", "findings", "observations"):
        one, other = ({each["uuid"] for each in made["results"][0][kept]} for made in (first, second))
        assert (one == other) == (kept == "risks"), kept
    assert uuids(first["results"][0]["local-definitions"]) == uuids(second["results"][0]["local-definitions"])
    assert first["uuid"] != second["uuid"]


def test_a_run_begins_before_it_ends_whatever_moment_it_judges() -> None:
    case = CASES["live"]
    ran = (case.as_of + timedelta(days=3), case.as_of + timedelta(days=3, seconds=2))
    made = documents(replace(case, ran=ran))["rules/assessment-results.json"]["assessment-results"]
    (result,) = made["results"]
    assert (result["start"], result["end"]) == ("2026-02-03T09:30:00Z", "2026-02-03T09:30:02Z")
    assert made["metadata"]["last-modified"] == result["end"]
    assert {each["collected"] for each in result["observations"]} == {"2026-01-31T09:30:00Z"}
    at_once = replace(case, ran=(case.as_of, case.as_of))
    (quick,) = documents(at_once)["rules/assessment-results.json"]["assessment-results"]["results"]
    assert (quick["start"], quick["end"]) == ("2026-01-31T09:30:00Z", "2026-01-31T09:30:01Z")
    generated = replace(case.inputs[0], generated_at=case.as_of - timedelta(hours=1))
    for inputs, expected in (
        ((), ("2026-01-31T09:30:00Z", None)),
        ((generated,), ("2026-01-31T08:30:00Z", "2026-01-31T09:30:00Z")),
    ):
        unsaid = documents(replace(case, inputs=inputs))["rules/assessment-results.json"]["assessment-results"]
        assert (unsaid["results"][0]["start"], unsaid["results"][0].get("end")) == expected


def test_a_kept_input_is_evidence_with_its_hash() -> None:
    kept = EvidenceFile("../../inputs/report.csv", "ef" * 32, "text/csv")
    made = documents(CASES["live"], evidence={"report.csv": kept}, assessor="Audit & Co", facts={"git-commit": "abc"})
    document = made["rules/assessment-results.json"]["assessment-results"]
    (evidence,) = (each for each in document["back-matter"]["resources"] if each["title"] == "report.csv")
    hashes = [{"algorithm": "SHA-256", "value": "ef" * 32}]
    assert evidence["rlinks"] == [{"href": "../../inputs/report.csv", "media-type": "text/csv", "hashes": hashes}]
    seen = [each for each in document["results"][0]["observations"] if "subjects" in each]
    assert seen
    assert {each["href"] for one in seen for each in one["relevant-evidence"]} == {f"#{evidence['uuid']}"}
    assert document["metadata"]["parties"][0]["name"] == "Audit & Co"
    assert "abc" in [value for each in nodes(document) for value in values(each, "git-commit")]


def test_the_older_version_differs_by_its_number_only() -> None:
    def versions(version: str) -> tuple[set[str], Any]:
        found = set()
        made = json.loads(json.dumps(documents(CASES["cis"], version=version)))
        for node in nodes(made):
            node.pop("uuid", None)
            node.pop("href", None)
            found |= {node.pop("oscal-version")} if "oscal-version" in node else set()
        return found, made

    (new, first), (old, second) = versions("1.2"), versions("1.1.2")
    assert (new, old) == ({"1.2.1"}, {"1.1.2"})
    assert first == second


def test_the_results_alone_are_those_of_the_folder() -> None:
    alone = json.loads("".join(results.render(CASES["cis"], ReportOptions())))
    assert alone == documents(CASES["cis"])["cis_aws_3.0.0/assessment-results.json"]


def test_several_editions_are_in_one_file_of_results_with_their_own_findings() -> None:
    case = under(every_kind_of_live_result(), "cis_aws_3.0.0", "cis_aws_5.0.0")
    document = json.loads("".join(results.render(case, ReportOptions())))
    MODELS["assessment-results.json"].model_validate(document)
    (result,) = document["assessment-results"]["results"]
    assert {each for node in result["findings"] for each in values(node, "framework")} == {
        "cis_aws_3.0.0",
        "cis_aws_5.0.0",
    }
    assert len(set(uuids(document))) == len(uuids(document))


def test_a_folder_is_written_whole(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "main.tf").write_text('resource "aws_iam_access_key" "k" {\n  user = "ci"\n}\n')
    folder = tmp_path / "oscal"
    argv = ["scan", str(tmp_path), "--framework", "nist_800_53_r5", "--format", f"oscal={folder}/", "--oscal-version"]
    assert main([*argv, "1.1.2"]) == 1
    assert sorted(each.name for each in (folder / "nist_800_53_r5").iterdir()) == sorted({*MODELS} - {"catalog.json"})
    found = json.loads((folder / "nist_800_53_r5" / "assessment-results.json").read_text())["assessment-results"]
    assert found["metadata"]["oscal-version"] == "1.1.2"
    assert found["results"][0]["start"] < found["results"][0]["end"]
    assert main([*argv, "1.1.3"]) == 2
    assert "use 1.1.2 or 1.2" in capfd.readouterr().err


def test_an_input_that_is_still_there_is_evidence(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    report = tmp_path / "the report.csv"
    shutil.copy(Path(__file__).parents[3] / "fixtures" / "example_report" / "report.csv", report)
    folder = tmp_path / "oscal"
    for name, expected in ((str(report), ["../../the%20report.csv"]), ("-", [])):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(report.read_bytes()))))
        main(["audit", name, "--as-of", "2026-06-01", "--format", f"oscal={folder}/"])
        made = json.loads((folder / "rules" / "assessment-results.json").read_text())["assessment-results"]
        links = [
            link for each in made["back-matter"]["resources"] for link in each.get("rlinks", ()) if "hashes" in link
        ]
        assert [link["href"] for link in links] == expected
        for link in links:
            assert link["hashes"][0]["value"] == hashlib.sha256(report.read_bytes()).hexdigest()
            assert ((folder / "rules") / unquote(link["href"])).resolve() == report
    assert "Traceback" not in capfd.readouterr().err


def test_a_folder_that_cannot_be_made_leaves_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "main.tf").write_text("")
    (tmp_path / "a").write_text("")
    before = sorted(tmp_path.rglob("*"))
    assert main(["scan", str(tmp_path / "main.tf"), "--format", f"oscal={tmp_path}/a/"]) == 2
    assert main(["scan", str(tmp_path / "main.tf"), "--format", f"oscal={tmp_path}/b/c/"]) == 2
    assert main(["scan", str(tmp_path / "main.tf"), "--format", f"json={tmp_path}/b/"]) == 2
    assert sorted(tmp_path.rglob("*")) == before
    assert "Traceback" not in capfd.readouterr().err


def test_a_file_in_the_way_leaves_no_new_folder(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "main.tf").write_text("")
    (tmp_path / "oscal").mkdir()
    (tmp_path / "oscal" / "rules").write_text("in the way")
    assert main(["scan", str(tmp_path / "main.tf"), "--format", f"oscal={tmp_path}/oscal"]) == 2
    assert [each.name for each in (tmp_path / "oscal").iterdir()] == ["rules"]
    assert "cannot be written" in capfd.readouterr().err


def test_whole_frameworks_are_written_with_their_catalogs(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "pack"
    assert main(["controls", "--format", f"oscal={folder}/"]) == 0
    component = json.loads((folder / "component-definition.json").read_text())
    MODELS["component-definition.json"].model_validate(component)
    sources = [node["source"] for node in nodes(component) if "source" in node]
    assert len(sources) == len(FRAMEWORKS.editions)
    for source in sources:
        profile = json.loads((folder / source).read_text())
        MODELS["profile.json"].model_validate(profile)
        (imported,) = profile["profile"]["imports"]
        if not imported["href"].startswith("https://"):
            MODELS["catalog.json"].model_validate(json.loads((folder / source).with_name("catalog.json").read_text()))
    assert main(["controls", "--format", "oscal"]) == 0
    assert json.loads(capfd.readouterr().out) == component
    for spec in ("oscal=", f"oscal={folder}/missing/below", f"oscal={folder}/component-definition.json/", "csv=x"):
        assert main(["controls", "--format", spec]) == 2, spec
    assert main(["controls", "--format", "oscal", "--oscal-version", "2"]) == 2
    assert not (folder / "missing").exists()


@pytest.mark.parametrize("argv", [("--matrix",), ("--rule", "KEY_AWS_001"), ("cis_aws_3.0.0:1.14",)])
def test_oscal_describes_whole_frameworks(argv: tuple[str, ...], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["controls", *argv, "--format", "oscal"]) == 2
    assert "whole frameworks" in capfd.readouterr().err


def test_what_the_rules_check_is_what_the_rows_say() -> None:
    made = pack_documents(list(map(edition_of, FRAMEWORKS.editions)), PACK.rules, PACK.stamp, "2026-01-31T00:00:00Z")
    found = {
        (values(each, "framework")[0], values(requirement, "control")[0]): {*values(requirement, "Rule_Id")}
        for each in nodes(made["component-definition.json"])
        for requirement in each.get("implemented-requirements", ())
    }
    expected: dict[tuple[str, str], set[str]] = {}
    for edition in FRAMEWORKS.editions:
        for row in edition.rows:
            if row.runs:
                expected.setdefault((edition.key, row.control), set()).add(row.rule)
    assert found == expected
    said = {each["description"] for each in nodes(made) if "control-id" in each and "description" in each}
    titles = {row.title for edition in FRAMEWORKS.editions for row in edition.rows}
    assert not said & titles and all("changes nothing" in each for each in said)
