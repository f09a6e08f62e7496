"""The keys of a plan as the rules about keys see them: who they belong to, and what is planned beside them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from functools import cache

from keyrules.code.block_rules import TERRAFORM_BLOCKS
from keyrules.code.keys import Attribute, Block, ConsolePassword, Key, KeySet, Unread
from keyrules.code.plan.configuration import Leaf, ProviderConfig
from keyrules.code.plan.grants import grants
from keyrules.code.plan.plain_values import OPEN, Holder, holder, plain_value
from keyrules.code.plan.references import leading
from keyrules.code.plan.rotation import judge_rotation
from keyrules.code.plan.view import Plan, Planned
from keyrules.code.terraform.account import CREDENTIALS, ROLE_ACCOUNT, ROLE_BLOCKS

_LOGIN_PROFILE = "aws_iam_user_login_profile"
_BLOCKS = frozenset(TERRAFORM_BLOCKS)


def key_set(plan: Plan, path: str) -> KeySet:
    """The keys that exist after the plan is applied."""
    profiles: dict[Hashable, list[ConsolePassword]] = defaultdict(list)
    for item in plan.planned:
        if item.type == _LOGIN_PROFILE and item.mode == "managed":
            owner = (owner_of(plan, item), account_of(plan, item))
            profiles[owner].append(ConsolePassword(item.address, path, 1))

    def passwords(key: Key) -> Sequence[ConsolePassword]:
        return profiles.get(key.owner, ())

    keys = [_key(plan, item, path) for item in plan.keys]
    given = cache(lambda: grants(plan, path, lambda item: account_of(plan, item)))
    blocks = [_block(plan, item, path) for item in plan.planned if item.mode == "managed" and item.type in _BLOCKS]
    return KeySet(keys, lambda first, second: True, passwords, lambda key: given().held_by(key), blocks=blocks)


def _block(plan: Plan, item: Planned, path: str) -> Block:
    return Block(item.type, path, item.address, 1, 1, lambda name: plain_value(plan, item, name), OPEN)


def _key(plan: Plan, item: Planned, path: str) -> Key:
    owner = owner_of(plan, item)
    # A plan's lines mean nothing to people, so every verdict is on its first.
    return Key(
        item.type,
        path,
        item.address,
        1,
        1,
        lambda name: attribute(plan, item, name),
        status=attribute(plan, item, "status"),
        owner=(owner, account_of(plan, item)),
        owner_shown=f"user {owner[1]}" if owner[0] == "name" else "the same user",
        rotation=lambda context: judge_rotation(plan, item, context),
        leaves_state=item.is_forgotten,
        open_because=OPEN,
    )


def attribute(plan: Plan, item: Planned, name: str) -> Attribute:
    """What a plan says of one attribute.

    A `status` that nobody sets is unknown in the plans of old versions of the AWS provider, which fills it in; such a
    key is created active.
    """
    if item.is_unknown(name):
        block = plan.config_block(item)
        stated = any(leaf.path == (name,) for leaf in block.leaves) if block else name != "status"
        return Unread.OPEN if stated else Unread.ABSENT
    value = item.known(name)
    return Unread.ABSENT if value is None else value


def owner_of(plan: Plan, item: Planned) -> Holder:
    """Who a key or login profile belongs to. Two resources have the same owner exactly when these are equal."""
    name = item.known("user")
    if isinstance(name, str) and name:
        return "name", name
    config = plan.config_block(item)
    found = holder(plan, item, config.references("user") if config else (), "aws_iam_user")
    return found or ("reference", item.address)


def account_of(plan: Plan, item: Planned) -> Hashable:
    """What stands for the account of a resource: equal for two unless their providers tell accounts apart."""
    block = plan.config_block(item)
    provider = next((one for one in plan.providers if block and one.key == block.provider), None)
    return _told(plan, provider) if provider else ()


def _told(plan: Plan, provider: ProviderConfig) -> Hashable:
    values = {leaf.path: _value(plan, leaf) for leaf in provider.leaves}
    allowed = values.get(("allowed_account_ids",))
    if isinstance(allowed, tuple) and len(allowed) == 1:
        return "account", allowed[0]
    # The leaves of repeated blocks have one path, and the role that is assumed last counts.
    roles = [values[kind, "role_arn"] for kind in ROLE_BLOCKS if (kind, "role_arn") in values]
    numbered = ROLE_ACCOUNT.match(roles[-1]) if roles and isinstance(roles[-1], str) else None
    if numbered is not None:
        return "account", numbered[1]
    if roles:
        return "role", roles[-1]
    return tuple((name, values[name,]) for name in CREDENTIALS if (name,) in values)


def _value(plan: Plan, leaf: Leaf) -> Hashable:
    """A constant or an input's value, else what the expression refers to."""
    value = leaf.constant.value
    first = tuple(leading(leaf.references))
    if len(first) == 1 and first[0].removeprefix("var.") in plan.variables:
        value = plan.variables[first[0].removeprefix("var.")].value
    if isinstance(value, list):
        return tuple(str(item) for item in value)
    return value if isinstance(value, str) else leaf.references
