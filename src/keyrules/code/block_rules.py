"""The rules on declared blocks that are no keys, each decided once for source, plan, state and template."""

from __future__ import annotations

from collections.abc import Mapping

from keyrules.code.keys import Block
from keyrules.code.verdict import Opinion, TimedContext
from keyrules.model import Status
from keyrules.policies.patterns import HOLE

_ALWAYS = ""
GIVING: Mapping[str, tuple[str, ...]] = {
    "aws_iam_user_policy": (_ALWAYS,),
    "aws_iam_user_policy_attachment": (_ALWAYS,),
    "aws_iam_policy_attachment": ("users",),
    "aws_iam_user_policies_exclusive": ("policy_names",),
    "aws_iam_user_policy_attachments_exclusive": ("policy_arns",),
    "AWS::IAM::User": ("ManagedPolicyArns", "Policies"),
    "AWS::IAM::UserPolicy": (_ALWAYS,),
    "AWS::IAM::Policy": ("Users",),
    "AWS::IAM::ManagedPolicy": ("Users",),
}
"""What can give a policy to a user, with the arguments that do when they hold something."""

USER_POLICIES = tuple(GIVING)

TERRAFORM_BLOCKS = tuple(kind for kind in GIVING if "::" not in kind)
TEMPLATE_BLOCKS = tuple(kind for kind in GIVING if "::" in kind)
"""The types that a rule here judges."""


def through_groups(block: Block, context: TimedContext) -> Opinion | None:
    """KEY_AWS_021: no policy is given to a user directly. A block without any argument that could is no subject."""
    arguments = GIVING[block.kind]
    values = {name: value for name in arguments if name != _ALWAYS and (value := block.value(name)) is not None}
    if not values and _ALWAYS not in arguments:
        return None
    given = [name for name, value in values.items() if isinstance(value, (list, tuple)) and value]
    if given or _ALWAYS in arguments:
        how = f" ({', '.join(given)})" if given else ""
        message = f"this puts a policy on a user directly{how}; put it on a group, and add the user to that"
        return Opinion(Status.FAIL, "permissions_of_user", message)
    unknown = [name for name, value in values.items() if isinstance(value, str) and HOLE in value]
    if unknown:
        return Opinion(Status.UNKNOWN, "permissions_unknown", f"{' and '.join(unknown)} {block.open_because}")
    return Opinion(Status.PASS, "no_permissions_of_user", "no user gets permissions from this")
