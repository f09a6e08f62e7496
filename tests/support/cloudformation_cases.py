"""What the tests of the CloudFormation rules share: one template, and the context of a rule."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from keyrules.code.cloudformation.key_set import key_set
from keyrules.code.cloudformation.view import template_file
from keyrules.code.judges import judge_unit
from keyrules.code.judging import RULES, verdicts_of
from keyrules.code.session import CheckSession
from keyrules.code.verdict import TimedContext, Verdict
from keyrules.model import Selection
from keyrules.pack.catalog import load_pack

AS_OF = datetime(2026, 6, 1, tzinfo=timezone.utc)
RULE_IDS = [rule_id for rule_id, rule in RULES.items() if rule.on_key_of("cloudformation")]
PATH = "/repository/template.yaml"


def context(rule_id: str) -> TimedContext:
    """The context of a rule of the pack at its defaults."""
    selection = Selection(load_pack().rules)
    rule = selection.rule(rule_id)
    assert rule is not None
    return TimedContext(rule, selection, AS_OF)


def judged(rule_id: str, text: str) -> dict[str, Verdict]:
    """The verdicts of a rule on one template, by logical id."""
    file = template_file(PATH, text)
    assert file.template is not None, file.problem
    verdicts = verdicts_of(rule_id, "cloudformation", context(rule_id), key_set(file.template, PATH), file)
    return {verdict.address: verdict for verdict in verdicts}


def unread(rule_id: str, folder: Path, text: str) -> dict[str, Verdict]:
    """The verdicts of a rule on the keys of a file that is no sound template, by logical id."""
    path = folder / "template.yaml"
    path.write_text(text)
    session = CheckSession({rule_id: context(rule_id).rule}, Selection((context(rule_id).rule,)), AS_OF)
    return {verdict.address: verdict for verdict in judge_unit("cloudformation", str(path), session).verdicts}


def statuses(rule_id: str, text: str) -> dict[str, str]:
    """The statuses of a rule on one template, by logical id."""
    return {name: verdict.status.value for name, verdict in judged(rule_id, text).items()}


def template(resources: Mapping[str, Any], **sections: Any) -> dict[str, Any]:
    """A template with an access key `K` for the user `someone` beside the given resources."""
    key = {"Type": "AWS::IAM::AccessKey", "Properties": {"UserName": "someone"}}
    return {"Resources": {"K": key, **resources}, **sections}
