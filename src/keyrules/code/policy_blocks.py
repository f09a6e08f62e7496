"""The Terraform blocks that give policies, and the data source that puts policy documents together.

https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/iam_user_policy and its neighbours
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from keyrules.policies.document import loaded
from keyrules.policies.patterns import HOLE

USER, POLICY = "aws_iam_user", "aws_iam_policy"

INLINE: Mapping[str, str] = {"aws_iam_user_policy": "user", "aws_iam_group_policy": "group"}
"""Inline policies, by the argument with the holder."""

ATTACHED: Mapping[str, tuple[tuple[str, str], ...]] = {
    "aws_iam_user_policy_attachment": (("user", "policy_arn"),),
    "aws_iam_group_policy_attachment": (("group", "policy_arn"),),
    "aws_iam_policy_attachment": (("users", "policy_arn"), ("groups", "policy_arn")),
    "aws_iam_user_policy_attachments_exclusive": (("user_name", "policy_arns"),),
    "aws_iam_group_policy_attachments_exclusive": (("group_name", "policy_arns"),),
}
"""Managed policies: the arguments with the holders and with the policies, one or many."""

MEMBERS: Mapping[str, tuple[str, str]] = {
    "aws_iam_user_group_membership": ("user", "groups"),
    "aws_iam_group_membership": ("users", "group"),
}
"""Memberships: the arguments with the users and with the groups."""

LISTS = ("users", "groups", "policy_arns")
"""The arguments that hold many."""

DOCUMENT_ARGUMENTS = (
    "source_json",
    "source_policy_documents",
    "statement",
    "override_json",
    "override_policy_documents",
)
"""What an `aws_iam_policy_document` is made of, in the order in which it is put together."""

_ELEMENTS = {"actions": "Action", "not_actions": "NotAction", "resources": "Resource", "not_resources": "NotResource"}


def is_group(argument: str) -> bool:
    """Whether an argument names groups."""
    return argument.startswith("group")


def joined_document(given: Mapping[str, Any]) -> dict[str, Any]:
    """The document that an `aws_iam_policy_document` with these arguments makes; a HOLE stands for what is not known.

    Statements of `source_policy_documents` come first and are replaced by those of the block, and these by those of
    `override_policy_documents`, that have the same `sid`. An `effect` that is not set is Allow.
    https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document
    """
    found: list[Any] = []
    for name in DOCUMENT_ARGUMENTS:
        for one in _each(given.get(name)):
            stated = [_statement(one)] if name == "statement" else _each((loaded(one) or {}).get("Statement", HOLE))
            _merge(found, stated)
    return {"Statement": found}


def _merge(found: list[Any], statements: Iterable[Any]) -> None:
    for statement in statements:
        sid = statement.get("Sid") if isinstance(statement, Mapping) else None
        known = isinstance(sid, str) and sid and HOLE not in sid
        same = (at for at, one in enumerate(found) if known and isinstance(one, Mapping) and one.get("Sid") == sid)
        place = next(same, None)
        if place is None:
            found.append(statement)
        else:
            found[place] = statement


def _statement(block: Any) -> Any:
    """A `statement` block as the document has it."""
    if not isinstance(block, Mapping):
        return HOLE
    stated = {"Effect": block.get("effect") or "Allow", "Sid": block.get("sid")}
    for argument, element in _ELEMENTS.items():
        if (value := block.get(argument)) not in (None, []):
            stated[element] = _policy_variables(value)
    condition: dict[str, Any] = {}
    for one in _each(block.get("condition")):
        test, variable = (one.get("test"), one.get("variable")) if isinstance(one, Mapping) else (HOLE, HOLE)
        condition.setdefault(str(test), {})[str(variable)] = HOLE
    return {**stated, "Condition": condition} if condition else stated


def _policy_variables(value: Any) -> Any:
    """`&{aws:username}` is how this data source writes a policy variable."""
    if isinstance(value, list):
        return [_policy_variables(item) for item in value]
    return value.replace("&{", "${") if isinstance(value, str) else value


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
