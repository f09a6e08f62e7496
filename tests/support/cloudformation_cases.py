"""What the tests of the CloudFormation rules share: one template, and the context of a rule."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from keyrules.code.cloudformation.key_set import key_set
from keyrules.code.cloudformation.view import template_file
from keyrules.code.judging import RULES
from keyrules.code.key_rules import key_verdicts
from keyrules.code.verdict import TimedContext, Verdict
from keyrules.model import Lifecycle, Parameter, Plane, Rule, Selection, Severity

AS_OF = datetime(2026, 6, 1, tzinfo=timezone.utc)
PATH = "/repository/template.yaml"


def context(rule_id: str) -> TimedContext:
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
    return TimedContext(rule, Selection((rule,)), AS_OF)


def judged(rule_id: str, text: str) -> dict[str, Verdict]:
    """The verdicts of a rule on one template, by logical id."""
    file, rule = template_file(PATH, text), RULES[rule_id]
    assert file.template is not None, file.problem
    if rule.on_keys:
        verdicts = key_verdicts(rule.on_keys, key_set(file.template, PATH), context(rule_id))
    else:
        verdicts = rule.cloudformation(file, context(rule_id)) if rule.cloudformation else []
    return {verdict.address: verdict for verdict in verdicts}


def statuses(rule_id: str, text: str) -> dict[str, str]:
    """The statuses of a rule on one template, by logical id."""
    return {name: verdict.status.value for name, verdict in judged(rule_id, text).items()}


def template(resources: Mapping[str, Any], **sections: Any) -> dict[str, Any]:
    """A template with an access key `K` for the user `someone` beside the given resources."""
    key = {"Type": "AWS::IAM::AccessKey", "Properties": {"UserName": "someone"}}
    return {"Resources": {"K": key, **resources}, **sections}
