"""The keys of a template as the rules about keys see them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from keyrules.code.block_rules import TEMPLATE_BLOCKS
from keyrules.code.cloudformation.conditions import Conditions
from keyrules.code.cloudformation.document import Node, Scalar, Table
from keyrules.code.cloudformation.elsewhere import asks_for_key
from keyrules.code.cloudformation.grants import grants
from keyrules.code.cloudformation.intrinsics import USER, Reader, absent, outcomes, reference
from keyrules.code.cloudformation.plain_values import OPEN, Values
from keyrules.code.cloudformation.template import ACCESS_KEY, Block, Template
from keyrules.code.keys import Attribute, Cases, ConsolePassword, Key, KeyCall, KeySet, Unread
from keyrules.code.keys import Block as DeclaredBlock
from keyrules.code.verdict import Opinion, TimedContext
from keyrules.model import FactValue, Status

_DETECTION = "ACCESS_KEYS_ROTATED"
_PROPERTIES = frozenset({"Serial", "Status", "UserName"})
"""What an access key can be given, by whatever writes its properties."""

_TYPES = frozenset(TEMPLATE_BLOCKS)
_LOOPED = "the loop that declares it runs over values that only a deployment knows; judged as if declared once"


def key_set(template: Template, path: str) -> KeySet:
    """The keys that a template declares."""
    reader = Reader(template, defaults=True)
    conditions = Conditions(template)
    pairs = [(_key(block, template, path, reader, conditions), block) for block in template.access_keys]
    blocks = {id(key): block for key, block in pairs}
    console_users = [
        (reader.named(block.logical_id), block)
        for block in template.resources.values()
        if block.type == USER and not all(absent(value) for value in outcomes(block.setting("LoginProfile")))
    ]

    def together(first: Key, second: Key) -> bool:
        # One name stands twice only in branches of a text template, and then for one resource.
        return first.address != second.address and conditions.can_coexist(blocks[id(first)], blocks[id(second)])

    def passwords(key: Key) -> Sequence[ConsolePassword]:
        return [
            ConsolePassword(block.logical_id, path, block.start_line)
            for user, block in console_users
            if user == key.owner and conditions.can_coexist(blocks[id(key)], block)
        ]

    calls = [
        _call(block, path, conditions) for block in template.resources.values() if asks_for_key(block, path, reader)
    ]
    given = cache(lambda: grants(template, path, reader, conditions, lambda key: blocks[id(key)]))
    return KeySet(
        [key for key, _ in pairs],
        together,
        passwords,
        lambda key: given().held_by(key),
        calls,
        [
            _block(b, path, Values(template, reader), conditions)
            for b in template.resources.values()
            if b.type in _TYPES
        ],
    )


def _block(block: Block, path: str, values: Values, conditions: Conditions) -> DeclaredBlock:
    return DeclaredBlock(
        block.type,
        path,
        block.logical_id,
        block.start_line,
        block.end_line,
        lambda name: values.given(block, name),
        OPEN,
        _LOOPED if block.looped else "",
        never_created(block, conditions),
    )


def _call(block: Block, path: str, conditions: Conditions) -> KeyCall:
    """A resource that asks a template that is not here for a key."""
    message = (
        f"{block.logical_id} asks a template that is not here for an access key; scan that template, "
        "and see that it rotates the key"
    )
    return KeyCall(
        block.type,
        path,
        block.logical_id,
        block.start_line,
        block.end_line,
        lambda attribute: Unread.OPEN,
        status=Unread.OPEN,
        owner=None,
        owner_shown="the user",
        rotation=lambda context: Opinion(Status.UNKNOWN, "module_not_read", message),
        never=never_created(block, conditions),
        known=False,
    )


def never_created(block: Block, conditions: Conditions) -> str:
    """Why no deployment ever creates a resource, or nothing."""
    if conditions.can_coexist(block):
        return ""
    return f"{block.logical_id} is never created: no parameter values meet its condition {block.condition}"


def _key(block: Block, template: Template, path: str, reader: Reader, conditions: Conditions) -> Key:
    name = block.setting("UserName")
    user = "" if absent(name) else reader.text(name)
    known = user if not reader.unresolved(user) else reference(name) if name is not None else None
    shown = f"user {known}" if known else "the same user"
    return Key(
        ACCESS_KEY,
        path,
        block.logical_id,
        block.start_line,
        block.end_line,
        lambda attribute: _attribute(block, attribute, reader),
        status=_attribute(block, "Status", reader),
        owner=user or None,
        owner_shown=shown,
        rotation=lambda context: _rotation(block, template, reader, context),
        open_because=OPEN,
        caveat=_LOOPED if block.looped else "",
        never=never_created(block, conditions),
        several=block.looped and not reader.unresolved(user),
    )


def _attribute(block: Block, name: str, reader: Reader) -> Attribute:
    """What is known of one property."""
    found = [_value(node, reader) for node in outcomes(block.setting(name))]
    if name in _PROPERTIES and _opaque(block.part("Properties")):
        found = [Unread.OPEN if value is Unread.ABSENT else value for value in found]
    return found[0] if len(set(found)) == 1 else Cases(found)


def _value(node: Node | None, reader: Reader) -> object:
    if absent(node):
        return Unread.ABSENT
    text = reader.text(node)
    return Unread.OPEN if reader.unresolved(text) else text


def _rotation(block: Block, template: Template, reader: Reader, context: TimedContext) -> Opinion:
    """An active key sets `Serial`, the only property whose change makes CloudFormation replace it.

    Raising it is manual, so the period is for the live plane to judge:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-accesskey.html
    """
    limit = context.limit("max_age_days")
    name = block.logical_id
    values = outcomes(block.setting("Serial"))
    if not any(absent(value) for value in values):
        return _kept(block, reader) or _manual(name, values, template)
    if _opaque(block.part("Properties")):
        message = f"{name} takes properties from elsewhere, so the template does not show whether it has a Serial"
        return Opinion(Status.UNKNOWN, "rotation_unknown", message)
    facts: dict[str, FactValue] = {"max_age_days": limit}
    how = "sets no Serial" if all(absent(value) for value in values) else "sets no Serial in one of its cases"
    message = (
        f"{name} {how}, so nothing in this template ever replaces the key; set Serial to a whole number and raise it "
        f"at least every {limit} days"
    )
    detector = _detector(template, reader)
    if detector:
        facts["detected_by"] = detector
        message += f". The Config rule {detector} only reports old keys; it rotates none"
    return Opinion(Status.FAIL, "rotation_missing", message, facts)


def _kept(block: Block, reader: Reader) -> Opinion | None:
    """The verdict on a key whose replacement leaves the old one alive. DeletionPolicy says nothing of replacements:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatereplacepolicy.html
    """
    stated = [reader.text(node).strip() for node in outcomes(block.part("UpdateReplacePolicy")) if not absent(node)]
    policies = sorted((text for text in stated if text != "Delete"), key=reader.unresolved)
    if not policies:
        return None
    policy = policies[0]
    if reader.unresolved(policy):
        message = (
            f"{block.logical_id} has an UpdateReplacePolicy that only a deployment knows, so each rotation may leave "
            "the old key alive, outside of the stack; remove the policy"
        )
        return Opinion(Status.UNKNOWN, "rotation_unknown", message)
    message = (
        f"{block.logical_id} has UpdateReplacePolicy {policy}, so each rotation leaves the old key alive, "
        "outside of the stack; remove the policy"
    )
    return Opinion(Status.FAIL, "rotation_keeps_the_old_key", message)


def _manual(key: str, values: list[Node | None], template: Template) -> Opinion:
    names = [reference(value) for value in values if value is not None]
    parameters = sorted({name for name in names if name is not None and name in template.parameters})
    source = f"the parameter {parameters[0]}" if parameters else "Serial"
    reason = "rotation_manual_serial_parameter" if parameters else "rotation_manual_serial"
    message = (
        f"{key} rotates only when somebody raises {source} and updates the stack; the age of the key is known to the "
        "live account alone"
    )
    return Opinion(Status.PASS, reason, message)


def _opaque(properties: Node | None) -> bool:
    """Whether a transform, or a function, gives properties that the template does not show."""
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
