"""The view of Checkov's vertices: files kept apart, keys never lost, and the fixtures through the real Checkov."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from cloudformation_cases import JUDGES, context

from keyrules.code.cloudformation.view import CloudFormationView, KeyPlace

FIXTURES = Path(__file__).parents[3] / "fixtures"
TEMPLATE = "Resources:\n  K:\n    Type: AWS::IAM::AccessKey\n    Properties: {UserName: same}\n"


def vertex(path: str, name: str, kind: str = "AWS::IAM::AccessKey") -> dict[str, Any]:
    return {
        "block_type_": "resource",
        "block_name_": f"{kind}.{name}",
        "file_path_": path,
        "__startline__": 2,
        "__endline__": 4,
    }


def test_templates_never_see_each_other(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yaml"):
        (tmp_path / name).write_text(TEMPLATE)
    vertices = [vertex(str(tmp_path / name), "K") for name in ("b.yaml", "a.yaml")]
    view = CloudFormationView.from_vertices(vertices)
    verdicts = JUDGES["KEY_AWS_003"](view, context("KEY_AWS_003"))
    assert [(Path(verdict.path).name, verdict.status.value) for verdict in verdicts] == [
        ("a.yaml", "PASS"),
        ("b.yaml", "PASS"),
    ]


def test_a_relative_path_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text(TEMPLATE)
    view = CloudFormationView.from_vertices([vertex("a.yaml", "K")])
    assert [file.path for file in view.files] == [str(tmp_path / "a.yaml")]


def test_a_file_that_is_gone_leaves_its_keys_unknown(tmp_path: Path) -> None:
    view = CloudFormationView.from_vertices([vertex(str(tmp_path / "gone.yaml"), "K")])
    verdict = JUDGES["KEY_AWS_001"](view, context("KEY_AWS_001"))[0]
    assert (verdict.address, verdict.status.value, verdict.start_line) == ("K", "UNKNOWN", 2)
    assert "No such file" in verdict.message


def test_a_key_that_only_checkov_sees_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(TEMPLATE)
    vertices = [vertex(str(path), "K"), vertex(str(path), "Ghost"), vertex(str(path), "U", "AWS::IAM::User")]
    view = CloudFormationView.from_vertices(vertices)
    assert view.files[0].unread == (KeyPlace("Ghost", 2, 4),)
    found = {v.address: v.status.value for v in JUDGES["KEY_AWS_004"](view, context("KEY_AWS_004"))}
    assert found == {"K": "PASS", "Ghost": "UNKNOWN"}


def test_every_key_of_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(TEMPLATE + "  L:\n    Type: AWS::IAM::AccessKey\n  L: {}\n")
    view = CloudFormationView.from_vertices([vertex(str(path), "K")])
    assert [place.logical_id for place in view.files[0].unread] == ["K", "L"]


@pytest.fixture(scope="module")
def checkov_vertices(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The vertices of all CloudFormation fixtures, as Checkov's runner hands them to a graph check."""
    logging.getLogger().addHandler(logging.NullHandler())
    from checkov.cloudformation.runner import Runner
    from checkov.common.checks_infra.checks_parser import GraphCheckParser
    from checkov.common.checks_infra.registry import Registry
    from checkov.common.graph.checks_infra.base_check import BaseGraphCheck
    from checkov.runner_filter import RunnerFilter

    found: list[dict[str, Any]] = []

    class Collect(BaseGraphCheck):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.id = self.name = "KEY_COLLECT"
            self.category = "IAM"

        def run(self, graph_connector: Any) -> tuple[list[Any], list[Any], list[Any]]:
            found.extend(attributes for _, attributes in graph_connector.nodes())
            return [], [], []

    no_policies = str(tmp_path_factory.mktemp("policies"))
    for rule in sorted(JUDGES):
        runner = Runner()
        runner.graph_registry = Registry(checks_dir=no_policies, parser=GraphCheckParser())
        runner.graph_registry.checks.append(Collect())
        report = runner.run(
            root_folder=str(FIXTURES / rule / "cloudformation"),
            runner_filter=RunnerFilter(framework=["cloudformation"], checks=["KEY_*"], show_progress_bar=False),
        )
        assert report.parsing_errors == []
    return found


@pytest.mark.parametrize("rule", sorted(JUDGES))
def test_the_fixtures_get_the_verdict_in_their_names(rule: str, checkov_vertices: list[dict[str, Any]]) -> None:
    mine = [node for node in checkov_vertices if f"/{rule}/" in node["file_path_"]]
    view = CloudFormationView.from_vertices(mine)
    verdicts = JUDGES[rule](view, context(rule))
    declared = {
        node["block_name_"].partition(".")[2] for node in mine if node.get("resource_type") == "AWS::IAM::AccessKey"
    }
    assert {verdict.address for verdict in verdicts} == declared
    for verdict in verdicts:
        assert verdict.address.upper().startswith(verdict.status.value), verdict.message
    assert {"PASS", "FAIL"} <= {verdict.status.value for verdict in verdicts}
