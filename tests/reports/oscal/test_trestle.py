"""compliance-trestle as a consumer: it imports and validates every document, and writes Markdown of the components."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from oscal_cases import CASES, nodes, published_parts, values
from trestle.cli import Trestle

from keyrules.reports.oscal.documents import documents


class Workspace:
    """A trestle workspace, and what trestle says of its commands."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder / "workspace"
        self.folder.mkdir()
        self._monkeypatch = monkeypatch
        monkeypatch.chdir(self.folder)
        self("init")

    def __call__(self, *arguments: str) -> None:
        self._monkeypatch.setattr(sys, "argv", ["trestle", *arguments])
        assert Trestle().run() == 0, arguments

    def take(self, name: str, document: dict[str, Any]) -> None:
        """Imports a document under the name of its file."""
        source = self.folder.parent / f"{name}.json"
        source.write_text(json.dumps(document))
        self("import", "-f", str(source), "-o", name)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    return Workspace(tmp_path, monkeypatch)


def stand_in(profile: dict[str, Any]) -> dict[str, Any]:
    """A catalog with the ids of the published one, for the controls that a profile selects."""
    parts = published_parts()["nist_800_53_r5"]
    (imported,) = profile["profile"]["imports"]

    def control(name: str) -> dict[str, Any]:
        top, *items = sorted(parts[name])
        made = [{"id": each, "name": "item", "props": [{"name": "label", "value": f"{each[-1]}."}]} for each in items]
        statement = {"id": top, "name": "statement", "prose": "As NIST has it.", **({"parts": made} if made else {})}
        return {"id": name, "title": name, "parts": [statement]}

    controls = [control(name) for name in imported["include-controls"][0]["with-ids"]]
    metadata = {**profile["profile"]["metadata"], "title": "Stands in"}
    return {"catalog": {"uuid": "3b3f6b6a-7a2f-4c0e-9f53-9d1f1a2b3c4d", "metadata": metadata, "controls": controls}}


@pytest.mark.parametrize("case", ["cis", "nist", "accepted"])
def test_it_imports_validates_and_writes_the_components(case: str, workspace: Workspace) -> None:
    made = {name.rpartition("/")[2].removesuffix(".json"): each for name, each in documents(CASES[case]).items()}
    if "catalog" not in made:
        made["catalog"] = stand_in(made["profile"])
    for name, document in made.items():
        workspace.take(name, document)
    workspace("validate", "-a")
    # The addresses that trestle has for the same documents in its workspace.
    made["profile"]["profile"]["imports"][0]["href"] = "trestle://catalogs/catalog/catalog.json"
    for node in nodes(made["component-definition"]):
        if "source" in node:
            node["source"] = "trestle://profiles/own/profile.json"
    workspace.take("own", made["profile"])
    workspace.take("joined", made["component-definition"])
    workspace("author", "component-generate", "-n", "joined", "-o", "markdown")
    pages = {page.stem: page.read_text() for page in (workspace.folder / "markdown").rglob("*.md")}
    implemented = made["component-definition"]["component-definition"]["components"][0]["control-implementations"]
    requirements = {each["control-id"]: each for each in implemented[0]["implemented-requirements"]}
    assert {*pages} == {*requirements}
    for control, page in pages.items():
        assert "planned" not in page.replace("partial, planned,", "")
        for rule in values(requirements[control], "Rule_Id"):
            assert f"- {rule}" in page
            assert f"name: {rule}" in page


def test_a_statement_of_a_control_has_its_own_rules(workspace: Workspace) -> None:
    made = documents(CASES["nist"])
    profile = made["nist_800_53_r5/profile.json"]
    component = made["nist_800_53_r5/component-definition.json"]
    workspace.take("catalog", stand_in(profile))
    profile["profile"]["imports"][0]["href"] = "trestle://catalogs/catalog/catalog.json"
    workspace.take("own", profile)
    component["component-definition"]["components"][0]["control-implementations"][0]["source"] = (
        "trestle://profiles/own/profile.json"
    )
    workspace.take("joined", component)
    workspace("author", "component-generate", "-n", "joined", "-o", "markdown")
    (page,) = (each.read_text() for each in (workspace.folder / "markdown").rglob("ia-5.md"))
    assert "KEY_AWS_008" in page.partition("## Implementation for part g.")[2]
    assert "KEY_AWS_001" in page.partition("## Implementation for part f.")[2].partition("## Implementation")[0]
