"""Small Terraform configurations around one access key, and what the two rules on its secret say about them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from keyrules.code.flow.flow import judge_outputs, judge_sinks
from keyrules.code.terraform.module import ModuleReader
from keyrules.code.terraform.scope import Scope
from keyrules.code.verdict import Context, Verdict
from keyrules.model import Lifecycle, Plane, Rule, Selection, Severity, Status

KEY = 'resource "aws_iam_access_key" "k" {\n  user = "ci"\n}\n'


def context(rule_id: str) -> Context:
    """A context whose rule is nothing but its id."""
    rule = Rule(
        id=rule_id,
        name=rule_id,
        category="IAM",
        severity=Severity.HIGH,
        guideline="",
        provider="aws",
        definition={},
        runtime=None,
        parameters={},
        rationale="",
        remediation="",
        limits={},
        references=(),
        lifecycle=Lifecycle("stable", "1.0.0"),
        planes=frozenset({Plane.CODE}),
        path=Path("rule.yaml"),
    )
    return Context(rule, Selection((rule,)))


def write(folder: Path, files: Mapping[str, object]) -> Path:
    """Writes text files, and anything else as JSON; names may hold folders. Returns the folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content, indent=2))
    return folder


def root(folder: Path) -> Scope:
    """The root module instance of a folder; every file of it must be readable."""
    reader = ModuleReader()
    module = reader.module(str(folder))
    assert not module.errors
    return Scope(module, reader)


def sinks(folder: Path) -> list[Verdict]:
    """The verdicts of KEY_AWS_010."""
    return judge_sinks(root(folder), context("KEY_AWS_010"))


def outputs(folder: Path) -> list[Verdict]:
    """The verdicts of KEY_AWS_009."""
    return judge_outputs(root(folder), context("KEY_AWS_009"))


def by_address(verdicts: list[Verdict]) -> dict[str, Status]:
    """Address -> status; an address must not occur twice."""
    found = {verdict.address: verdict.status for verdict in verdicts}
    assert len(found) == len(verdicts)
    return found
