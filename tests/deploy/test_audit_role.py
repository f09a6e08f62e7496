"""The role of an audit over an organisation, and the policies of docs/live.md: exactly the calls that are made."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from aws_calls import called
from readme import PROJECT
from scanning import run

TEMPLATE = PROJECT / "deploy/audit-role.yaml"
WITHOUT_PERMISSION = {"sts:GetCallerIdentity"}
"""What AWS lets everybody call."""


class _Loader(yaml.SafeLoader):
    """Reads !Ref and !Sub as their text."""


_Loader.add_multi_constructor("!", lambda loader, suffix, node: node.value)


def test_the_role_may_what_the_code_does_in_an_account_and_nothing_else() -> None:
    document = yaml.load(TEMPLATE.read_text("utf-8"), Loader=_Loader)
    (policy,) = document["Resources"]["Role"]["Properties"]["Policies"]
    allowed = {action for each in policy["PolicyDocument"]["Statement"] for action in each["Action"]}
    assert allowed == {action for action in called(PROJECT / "src/keyrules/live") if action.startswith("iam:")}


def test_it_trusts_one_role_with_an_external_id() -> None:
    document = yaml.load(TEMPLATE.read_text("utf-8"), Loader=_Loader)
    (trust,) = document["Resources"]["Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust == {
        "Effect": "Allow",
        "Principal": {"AWS": "AuditRoleArn"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": "ExternalId"}},
    }


def test_the_page_on_live_accounts_names_every_call() -> None:
    text = (PROJECT / "docs/live.md").read_text("utf-8")
    section = text[text.index("## Permissions") : text.index("## In a pipeline, without a key")]
    policies = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", section, re.DOTALL)]
    named = {action for policy in policies for each in policy["Statement"] for action in each["Action"]}
    assert named == called(PROJECT / "src/keyrules/live") - WITHOUT_PERMISSION
    hcl = set(re.findall(r'"(iam:\w+)"', section[section.index("```hcl") :]))
    assert hcl == {action for action in called(PROJECT / "src/keyrules/live") if action.startswith("iam:")}


def test_cfn_lint_has_nothing_to_say() -> None:
    api = pytest.importorskip("cfnlint.api", reason="cfn-lint is not installed")
    # As its command does by default: errors and warnings, not what is for information.
    matches = [match for match in api.lint_all(TEMPLATE.read_text("utf-8")) if match.rule.id[0] in "EW"]
    assert [str(match) for match in matches] == []


def test_keyrules_itself_has_nothing_to_say(tmp_path: Path) -> None:
    assert run("scan", "--no-config", str(TEMPLATE), cwd=tmp_path).code == 0
