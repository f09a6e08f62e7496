"""The rule files as Checkov itself reads and runs them."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from checkov.cloudformation.runner import Runner as CloudFormationRunner
from checkov.common.checks_infra.checks_parser import GraphCheckParser
from checkov.common.checks_infra.registry import Registry
from checkov.runner_filter import RunnerFilter
from checkov.terraform.plan_runner import Runner as PlanRunner
from checkov.terraform.runner import Runner as TerraformRunner
from checkov.terraform_json.runner import TerraformJsonRunner

from keyrules.model import Plane
from keyrules.pack.catalog import load_pack
from keyrules.pack.conditions import SENTINEL

ROOT = Path(__file__).resolve().parents[2]
PACK = load_pack()
RULES = {rule.id: rule for rule in PACK.rules}
BY_CHECKOV = sorted(rule.id for rule in PACK.rules if rule.definition != SENTINEL)
RUNNERS = {
    "terraform": TerraformRunner,
    "terraform_json": TerraformJsonRunner,
    "terraform_plan": PlanRunner,
    "cloudformation": CloudFormationRunner,
}
FIXTURES = [
    (rule_id, framework)
    for rule_id in BY_CHECKOV
    for framework in RUNNERS
    if (ROOT / "fixtures" / rule_id / framework).is_dir()
]


def evaluate(folder: Path, framework: str, empty: Path) -> dict[str, dict[str, set[str]]]:
    """The rule files alone on a folder: rule id -> PASS or FAIL -> resource names without type and module."""
    runner = RUNNERS[framework]()
    # A registry of its own: Checkov's shared one also holds the checks that other tests register.
    runner.graph_registry = Registry(checks_dir=str(empty), parser=GraphCheckParser())
    report = runner.run(
        root_folder=str(folder),
        external_checks_dir=[str(ROOT / "rules")],
        runner_filter=RunnerFilter(
            framework=[framework], checks=["KEY_AWS_*"], show_progress_bar=False, download_external_modules=False
        ),
    )
    assert {check.id for check in runner.graph_registry.checks} == set(RULES)
    assert not report.parsing_errors
    found: dict[str, dict[str, set[str]]] = {}
    for verdict, records in (("PASS", report.passed_checks), ("FAIL", report.failed_checks)):
        for record in records:
            name = record.resource.split(".")[-1]
            found.setdefault(record.check_id, {}).setdefault(verdict, set()).add(re.sub(r"\[.*", "", name))
    return found


def test_ids_are_unique_and_in_sequence() -> None:
    assert [rule.id for rule in PACK.rules] == [f"KEY_AWS_{number:03d}" for number in range(1, 30)]


@pytest.mark.parametrize("rule", PACK.rules, ids=lambda rule: str(rule.id))
def test_checkov_keeps_id_name_category_severity_and_guideline(rule: Any) -> None:
    raw = json.loads(json.dumps(yaml.safe_load(rule.path.read_text(encoding="utf-8"))))
    parser = GraphCheckParser()
    assert parser.validate_check_config(str(rule.path), raw)
    check = parser.parse_raw_check(raw, resources_types=[], check_path=str(rule.path))
    assert (check.id, check.name, check.category, check.guideline) == (rule.id, rule.name, "IAM", rule.guideline)
    assert check.severity is not None
    assert check.severity.name == rule.severity.name


@pytest.mark.parametrize("rule", PACK.rules, ids=lambda rule: str(rule.id))
def test_each_file_opens_with_one_sentence(rule: Any) -> None:
    text = rule.path.read_text(encoding="utf-8")
    head = " ".join(line.removeprefix("# ") for line in text.partition("metadata:")[0].splitlines())
    assert text.startswith("# ")
    assert head.endswith(".")
    assert head.count(". ") == 0


@pytest.mark.parametrize("rule", PACK.rules, ids=lambda rule: str(rule.id))
def test_the_remediation_has_advice_for_each_plane_with_real_flags(rule: Any) -> None:
    labels = {line.split(":")[0] for line in rule.remediation.splitlines() if line.strip()}
    assert labels == {plane.value.capitalize() for plane in rule.planes}
    for command in re.findall(r"`aws iam ([a-z-]+-access-key[a-z-]*)([^`]*)`", rule.remediation):
        flags = set(re.findall(r"--[a-z-]+", command[1]))
        expected = {
            "create-access-key": {"--user-name"},
            "get-access-key-last-used": {"--access-key-id"},
            "update-access-key": {"--user-name", "--access-key-id", "--status"},
            "delete-access-key": {"--user-name", "--access-key-id"},
        }
        assert flags == expected[command[0]]


def test_planes_are_those_of_the_catalogue() -> None:
    code = {f"KEY_AWS_{number:03d}" for number in (1, *range(3, 12), 20, 21, 22, 24, 25, 29)}
    live = {f"KEY_AWS_{number:03d}" for number in (*range(1, 8), *range(12, 30))}
    assert {rule.id for rule in PACK.rules if Plane.CODE in rule.planes} == code
    assert {rule.id for rule in PACK.rules if Plane.LIVE in rule.planes} == live
    assert BY_CHECKOV == ["KEY_AWS_005", "KEY_AWS_006", "KEY_AWS_007"]


@pytest.mark.parametrize(("rule_id", "framework"), FIXTURES)
def test_fixtures_get_the_verdict_in_their_name(rule_id: str, framework: str, tmp_path: Path) -> None:
    """`pass…` and `fail…` get just that, `unknown…` and others get nothing. Checkov gives no record for UNKNOWN."""
    folder = ROOT / "fixtures" / rule_id / framework
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*")) if path.is_file())
    names = set(re.findall(r"\b((?:pass|fail|Pass|Fail)_?[A-Za-z]\w*)\b", text))
    expected = {verdict: {name for name in names if name.upper().startswith(verdict)} for verdict in ("PASS", "FAIL")}
    found = evaluate(folder, framework, tmp_path)[rule_id]
    assert found == {verdict: subjects for verdict, subjects in expected.items() if subjects}


def test_every_rule_that_checkov_decides_has_fixtures_in_every_format_it_has() -> None:
    formats = {rule_id: {framework for each, framework in FIXTURES if each == rule_id} for rule_id in BY_CHECKOV}
    for rule_id, found in formats.items():
        assert found == set(RUNNERS), rule_id


SUBJECTS = """
resource "aws_iam_access_key" "key" {
  user = "build"
}
resource "aws_iam_user" "user" {
  name = "root"
}
resource "aws_s3_bucket" "bucket" {
  bucket = "b"
}
data "aws_iam_access_keys" "keys" {
  user = "root"
}
provider "aws" {
  region = "eu-west-1"
}
module "local" {
  source = "./local"
}
output "secret" {
  value = aws_iam_access_key.key.secret
}
"""


def test_only_keys_and_module_calls_get_verdicts_and_the_sentinel_gives_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "code" / "local").mkdir(parents=True)
    (tmp_path / "code" / "main.tf").write_text(SUBJECTS)
    (tmp_path / "code" / "local" / "main.tf").write_text('resource "aws_sns_topic" "topic" {\n  name = "t"\n}\n')
    with caplog.at_level(logging.WARNING):
        found = evaluate(tmp_path / "code", "terraform", tmp_path / "none")
    assert found == {
        "KEY_AWS_005": {"PASS": {"key"}},
        "KEY_AWS_006": {"PASS": {"key"}},
        "KEY_AWS_007": {"FAIL": {"key"}, "PASS": {"local"}},
    }
    assert caplog.records == []


def test_the_same_in_cloudformation(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    template = {
        "Resources": {
            "Key": {"Type": "AWS::IAM::AccessKey", "Properties": {"UserName": {"Ref": "User"}}},
            "User": {"Type": "AWS::IAM::User", "Properties": {"UserName": "root"}},
            "Topic": {"Type": "AWS::SNS::Topic"},
        },
        "Outputs": {"Secret": {"Value": {"Fn::GetAtt": ["Key", "SecretAccessKey"]}}},
    }
    (tmp_path / "template.json").write_text(json.dumps(template, indent=1))
    with caplog.at_level(logging.WARNING):
        found = evaluate(tmp_path, "cloudformation", tmp_path / "none")
    assert set(found) == {"KEY_AWS_005", "KEY_AWS_006", "KEY_AWS_007"}
    assert {name for verdicts in found.values() for names in verdicts.values() for name in names} == {"Key"}
    assert caplog.records == []


def test_no_data_file_of_the_repository_upsets_a_whole_repository_walk() -> None:
    """Checkov parses every .yaml and .json that it finds as a policy; a tag, a date or a second document crashes it."""
    for top in ("rules", "fixtures"):
        for path in sorted((ROOT / top).rglob("*")):
            if path.suffix in (".yaml", ".yml"):
                assert isinstance(json.loads(json.dumps(yaml.safe_load(path.read_text(encoding="utf-8")))), dict)
            if path.suffix == ".json":
                assert isinstance(json.loads(path.read_text(encoding="utf-8")), dict)
