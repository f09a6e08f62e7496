"""What the tests of the CloudFormation rules share: a view of one template, and the context of a rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from keyrules.code.cloudformation.exposure import judge_outputs, judge_sinks
from keyrules.code.cloudformation.keys import judge_console, judge_rotation, judge_single_key
from keyrules.code.cloudformation.view import CloudFormationView, template_file
from keyrules.code.verdict import Context, Verdict
from keyrules.model import Lifecycle, Parameter, Plane, Rule, Selection, Severity

JUDGES: Mapping[str, Callable[[CloudFormationView, Context], list[Verdict]]] = {
    "KEY_AWS_001": judge_rotation,
    "KEY_AWS_003": judge_single_key,
    "KEY_AWS_004": judge_console,
    "KEY_AWS_009": judge_outputs,
    "KEY_AWS_010": judge_sinks,
}
PATH = "/repository/template.yaml"


def context(rule_id: str) -> Context:
    """The context of a rule with the maximum age of 90 days."""
    rule = Rule(
        id=rule_id,
        name="",
        category="IAM",
        severity=Severity.LOW,
        guideline="",
        provider="aws",
        definition={},
        runtime=None,
        parameters={"max_age_days": Parameter("max_age_days", 90, "day")},
        rationale="",
        remediation="",
        limits={},
        references=(),
        lifecycle=Lifecycle("stable", "1.0.0"),
        planes=frozenset({Plane.CODE}),
        path=Path("rule.yaml"),
    )
    return Context(rule, Selection((rule,)))


def judged(rule_id: str, text: str) -> dict[str, Verdict]:
    """The verdicts of a rule on one template, by logical id."""
    view = CloudFormationView((template_file(PATH, text),))
    return {verdict.address: verdict for verdict in JUDGES[rule_id](view, context(rule_id))}


def statuses(rule_id: str, text: str) -> dict[str, str]:
    """The statuses of a rule on one template, by logical id."""
    return {name: verdict.status.value for name, verdict in judged(rule_id, text).items()}


def template(resources: Mapping[str, Any], **sections: Any) -> dict[str, Any]:
    """A template with an access key `K` for the user `someone` beside the given resources."""
    key = {"Type": "AWS::IAM::AccessKey", "Properties": {"UserName": "someone"}}
    return {"Resources": {"K": key, **resources}, **sections}
