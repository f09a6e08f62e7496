"""The rules on how an AWS::IAM::AccessKey is declared: KEY_AWS_001, KEY_AWS_003 and KEY_AWS_004."""

from __future__ import annotations

from keyrules.code.cloudformation.conditions import Conditions
from keyrules.code.cloudformation.document import Node, Scalar, Table
from keyrules.code.cloudformation.intrinsics import USER, Reader, absent, outcomes, reference
from keyrules.code.cloudformation.judging import Judge, Opinion, verdicts
from keyrules.code.cloudformation.template import Block, Template
from keyrules.code.cloudformation.view import CloudFormationView
from keyrules.code.verdict import Context, Verdict
from keyrules.model import FactValue, Status

_DETECTION = "ACCESS_KEYS_ROTATED"


def judge_rotation(view: CloudFormationView, context: Context) -> list[Verdict]:
    """KEY_AWS_001: an active key sets `Serial`, the only property whose change makes CloudFormation replace it.

    Raising it is manual, so the period is for the live plane to judge:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-accesskey.html
    """
    limit = context.limit("max_age_days")
    return verdicts(view, context, lambda template, _: _rotation_judge(template, limit))


def judge_single_key(view: CloudFormationView, context: Context) -> list[Verdict]:
    """KEY_AWS_003: no two active keys of one user that can exist in the same stack."""
    return verdicts(view, context, _single_key_judge)


def judge_console(view: CloudFormationView, context: Context) -> list[Verdict]:
    """KEY_AWS_004: no key for a user that the same template gives a LoginProfile."""
    return verdicts(view, context, _console_judge)


def _rotation_judge(template: Template, limit: int) -> Judge:
    reader = Reader(template, defaults=True)
    detector = _detector(template, reader)

    def judge(key: Block) -> Opinion:
        name = key.logical_id
        if not _active(key, reader):
            return Opinion(Status.PASS, "not_active", f"{name} is declared Inactive; rotation is for active keys.")
        values = outcomes(key.setting("Serial"))
        if not any(absent(value) for value in values):
            return _manual(name, values, template)
        if _opaque(key.part("Properties")):
            message = (
                f"{name} takes properties from a transform, so the template does not show whether it has a Serial."
            )
            return Opinion(Status.UNKNOWN, "rotation_unknown", message)
        facts: dict[str, FactValue] = {"max_age_days": limit}
        how = "sets no Serial" if all(absent(value) for value in values) else "sets no Serial in one case of its Fn::If"
        message = (
            f"{name} {how}, so nothing in this template ever replaces the key; set Serial to a whole number and "
            f"raise it at least every {limit} days."
        )
        if detector:
            facts["detected_by"] = detector
            message += f" The Config rule {detector} only reports old keys; it rotates none."
        return Opinion(Status.FAIL, "rotation_missing", message, facts)

    return judge


def _manual(key: str, values: list[Node | None], template: Template) -> Opinion:
    names = [reference(value) for value in values if value is not None]
    parameters = sorted({name for name in names if name is not None and name in template.parameters})
    source = f"the parameter {parameters[0]}" if parameters else "Serial"
    reason = "rotation_manual_serial_parameter" if parameters else "rotation_manual_serial"
    message = (
        f"{key} rotates only when somebody raises {source} and updates the stack; the age of the key is known to the "
        "live account alone."
    )
    return Opinion(Status.PASS, reason, message)


def _active(key: Block, reader: Reader) -> bool:
    """Whether the key is, or can be, created active; without a Status it is."""
    return any(absent(value) or reader.text(value) != "Inactive" for value in outcomes(key.setting("Status")))


def _opaque(properties: Node | None) -> bool:
    if properties is None or absent(properties):
        return False
    return not isinstance(properties, Table) or any(
        entry.key == "Ref" or entry.key.startswith("Fn::") for entry in properties.entries
    )


def _detector(template: Template, reader: Reader) -> str:
    """The logical id of a Config rule that watches the age of keys, or nothing."""
    for resource in template.resources.values():
        source = resource.setting("Source") if resource.type == "AWS::Config::ConfigRule" else None
        identifier = source.get("SourceIdentifier") if isinstance(source, Table) else None
        if isinstance(identifier, Scalar) and reader.text(identifier) == _DETECTION:
            return resource.logical_id
    return ""


def _user(key: Block, reader: Reader) -> str:
    """The user of a key as text that is equal for the same user; empty when the key names none."""
    name = key.setting("UserName")
    return "" if absent(name) else reader.text(name)


def _single_key_judge(template: Template, conditions: Conditions) -> Judge:
    reader = Reader(template, defaults=True)
    keys_of: dict[str, list[Block]] = {}
    for key in template.access_keys:
        if _active(key, reader) and (user := _user(key, reader)):
            keys_of.setdefault(user, []).append(key)

    def judge(key: Block) -> Opinion:
        if not _active(key, reader):
            return Opinion(Status.PASS, "not_active", f"{key.logical_id} is declared Inactive.")
        same_user = keys_of.get(_user(key, reader), [])
        others = [other for other in same_user if other is not key and conditions.can_coexist(key, other)]
        if not others:
            return Opinion(Status.PASS, "only_active_key", f"{key.logical_id} is the only active key of its user here.")
        names = ", ".join(other.logical_id for other in others)
        message = (
            f"{key.logical_id} is one of {len(others) + 1} active keys of the same user, beside {names}; keep one."
        )
        trace = tuple((block.logical_id, block.start_line) for block in (key, *others))
        return Opinion(Status.FAIL, "several_active_keys", message, {"others": names}, trace)

    return judge


def _console_judge(template: Template, conditions: Conditions) -> Judge:
    reader = Reader(template, defaults=True)
    console_users = [
        (reader.named(block.logical_id), block)
        for block in template.resources.values()
        if block.type == USER and not all(absent(value) for value in outcomes(block.setting("LoginProfile")))
    ]

    def judge(key: Block) -> Opinion:
        name = _user(key, reader)
        if not _active(key, reader):
            return Opinion(Status.PASS, "not_active", f"{key.logical_id} is declared Inactive, so it opens nothing.")
        users = [block for user, block in console_users if user == name and name and conditions.can_coexist(key, block)]
        if not users:
            return Opinion(
                Status.PASS, "no_console_password", f"{key.logical_id} is not for a user with a LoginProfile."
            )
        user = users[0]
        message = (
            f"{key.logical_id} is created for {user.logical_id}, who also gets a LoginProfile for the console; people "
            "need no access key at setup, and a program needs no console."
        )
        trace = ((key.logical_id, key.start_line), (user.logical_id, user.start_line))
        return Opinion(Status.FAIL, "console_user_with_key", message, {"user": user.logical_id}, trace)

    return judge
