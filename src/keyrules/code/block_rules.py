"""The rules on declared blocks that are no keys, each decided once for source, plan, state and template.

What a block does not set has the value that the AWS provider gives it.
"""

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

PASSWORD_POLICY = ("aws_iam_account_password_policy",)
SERVICE_CREDENTIAL = ("aws_iam_service_specific_credential",)
USER_POLICIES = tuple(GIVING)

TERRAFORM_BLOCKS = (*PASSWORD_POLICY, *SERVICE_CREDENTIAL, *(kind for kind in GIVING if "::" not in kind))
TEMPLATE_BLOCKS = tuple(kind for kind in GIVING if "::" in kind)
"""The types that a rule here judges."""


ENDLESS = ("codecommit.amazonaws.com", "cassandra.amazonaws.com")
"""The services whose credentials cannot be given an expiry:
https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateServiceSpecificCredential.html"""

_SHORTEST = 6
"""The length that a password policy asks for which does not say one."""


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


def expires(block: Block, context: TimedContext) -> Opinion:
    """KEY_AWS_022: a credential for a single service has an expiry, within the age that is allowed."""
    limit = context.limit("max_age_days")
    status, service, age = (block.value(name) for name in ("status", "service_name", "credential_age_days"))
    if status == "Inactive":
        return Opinion(Status.PASS, "not_active", "the credential is declared Inactive")
    if service in ENDLESS:
        message = f"credentials for {service} cannot expire; the account knows how old this one is"
        return Opinion(Status.PASS, "cannot_expire", message)
    if age is None and isinstance(service, str) and HOLE in service:
        return Opinion(Status.UNKNOWN, "service_unknown", f"service_name {block.open_because}")
    if age is None:
        message = f"this credential never expires; set credential_age_days to {limit} or less, or use a role"
        return Opinion(Status.FAIL, "never_expires", message)
    days = _number(age)
    if days is None:
        return Opinion(Status.UNKNOWN, "expiry_unknown", f"credential_age_days {block.open_because}")
    facts = {"credential_age_days": days, "max_age_days": limit}
    if days > limit:
        message = f"this credential expires after {days} days, more than the {limit} days allowed"
        return Opinion(Status.FAIL, "expires_too_late", message, facts)
    return Opinion(Status.PASS, "expires", f"this credential expires after {days} days", facts)


def not_in_state(block: Block, context: TimedContext) -> Opinion:
    """KEY_AWS_008 on a credential of a single service: the provider writes its password into the state as it is."""
    message = (
        "the password of this credential stands in plain text in the Terraform state, and nothing encrypts it; use a "
        "role, or create the credential outside of Terraform"
    )
    return Opinion(Status.FAIL, "password_in_state", message)


def long_passwords(block: Block, context: TimedContext) -> Opinion:
    """KEY_AWS_024: the password policy asks for passwords that are long enough."""
    return _at_least(block, context, "minimum_password_length", "minimum_length", _SHORTEST, "characters")


def no_reuse(block: Block, context: TimedContext) -> Opinion:
    """KEY_AWS_025: the password policy remembers enough passwords."""
    return _at_least(block, context, "password_reuse_prevention", "reuse_prevention", 0, "remembered passwords")


def _at_least(block: Block, context: TimedContext, argument: str, parameter: str, default: int, unit: str) -> Opinion:
    wanted = context.limit(parameter)
    value = block.value(argument)
    found = default if value is None else _number(value)
    if found is None:
        return Opinion(Status.UNKNOWN, f"{parameter}_unknown", f"{argument} {block.open_because}")
    facts = {argument: found, parameter: wanted}
    if found >= wanted:
        return Opinion(Status.PASS, f"{parameter}_enough", f"the password policy asks for {found} {unit}", facts)
    how = f"sets no {argument}, which makes" if value is None else "asks for"
    message = f"the password policy {how} {found} {unit}, fewer than {wanted}; set {argument} to {wanted} or more"
    return Opinion(Status.FAIL, f"{parameter}_too_small", message, facts)


def _number(value: object) -> int | None:
    """A whole number, or a text that Terraform converts to one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return int(value)
    return int(value) if isinstance(value, str) and value.isdecimal() else None
