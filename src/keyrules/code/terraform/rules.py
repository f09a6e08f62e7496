"""The rules about keys on Terraform source: each takes a root module instance and gives one verdict per subject."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from keyrules.code.rotation.rotation import judge_rotation
from keyrules.code.terraform.evaluate import UNKNOWN, evaluate, instance_keys
from keyrules.code.terraform.identity import exclude
from keyrules.code.terraform.keys import (
    DeclaredKey,
    Owner,
    active_when,
    declared_keys,
    exclusive,
    module_instances,
    needs,
    user_of,
)
from keyrules.code.terraform.module import Declaration
from keyrules.code.terraform.references import depends_on_inputs
from keyrules.code.terraform.scope import Frame, Scope
from keyrules.code.verdict import Context, Verdict, listed
from keyrules.model import Status

_LOGIN_PROFILE = "aws_iam_user_login_profile."


def rotation(root: Scope, context: Context) -> list[Verdict]:
    """KEY_AWS_001: every declared key has a rotation that fires in time."""
    return [judge_rotation(key, context) for key in declared_keys(root)]


def one_active_key(root: Scope, context: Context) -> list[Verdict]:
    """KEY_AWS_003: no user has two active keys that are declared together, in this root module and what it calls."""
    keys = [(key, user_of(key.declared, key.frame)) for key in declared_keys(root)]
    by_user: dict[Owner, list[DeclaredKey]] = defaultdict(list)
    for key, owner in keys:
        if not key.inactive:
            by_user[owner].append(key)
    verdicts = []
    for key, owner in keys:
        if key.inactive:
            verdicts.append(key.verdict(context, Status.PASS, "not_active", "the key is declared Inactive"))
            continue
        same = by_user[owner]
        others = [other.address for other in same if other is not key and not (len(same) > 1 and exclusive(key, other))]
        if not others:
            message = f"the only active key of {owner.shown}"
            verdicts.append(key.verdict(context, Status.PASS, "only_active_key", message))
            continue
        others.sort()
        shown = listed(others)
        verdicts.append(
            key.verdict(
                context,
                Status.FAIL,
                "several_active_keys",
                f"{owner.shown} also has {shown}; keep one active key and set the other to Inactive or remove it",
                {"active_keys": len(others) + 1, "others": shown},
            )
        )
    return verdicts


def encrypted_in_state(root: Scope, context: Context) -> list[Verdict]:
    """KEY_AWS_008: every key names a PGP key, without which the provider writes the secret into the state as it is."""
    verdicts = []
    for key in declared_keys(root):
        expr = key.declared.value("pgp_key")
        value = evaluate(expr, key.frame)
        if value is None or (isinstance(value, str) and not value.strip()):
            how = "there is no pgp_key" if expr is None else "pgp_key is empty"
            message = f"{how}, so the secret stands in plain text in the Terraform state; set pgp_key"
            verdicts.append(key.verdict(context, Status.FAIL, "no_pgp_key", message))
        elif value is UNKNOWN and depends_on_inputs(expr, key.frame.scope):
            message = "pgp_key comes from an input without a value here; give it a default, or scan the plan"
            verdicts.append(key.verdict(context, Status.UNKNOWN, "pgp_key_unknown", message))
        else:
            verdicts.append(key.verdict(context, Status.PASS, "pgp_key_set", "the state holds the secret encrypted"))
    return verdicts


def no_console_user(root: Scope, context: Context) -> list[Verdict]:
    """KEY_AWS_004: no user gets a console password and an active access key in the same configuration."""
    profiles: dict[Owner, list[Frame]] = defaultdict(list)
    for scope in module_instances(root):
        for name, declared in sorted(scope.module.resources.items()):
            if name.startswith(_LOGIN_PROFILE):
                keys = instance_keys(declared, scope)
                for each in (None,) if keys is None else keys:
                    frame = Frame(scope, each, declared)
                    profiles[user_of(declared, frame)].append(frame)
    verdicts = []
    for key in declared_keys(root):
        owner = user_of(key.declared, key.frame)
        beside = [f"{frame.scope.prefix}{declared.name}" for frame, declared in _beside(key, profiles.get(owner, ()))]
        if key.inactive or not beside:
            message = "the key is declared Inactive" if key.inactive else f"{owner.shown} gets no console password here"
            verdicts.append(key.verdict(context, Status.PASS, "no_console_password", message))
            continue
        verdicts.append(
            key.verdict(
                context,
                Status.FAIL,
                "console_user_with_key",
                f"{owner.shown} gets a console password from {beside[0]} and this access key at setup; people sign in, "
                "workloads use roles: drop one of the two",
                {"login_profile": beside[0]},
            )
        )
    return verdicts


def _beside(key: DeclaredKey, profiles: Iterable[Frame]) -> Iterator[tuple[Frame, Declaration]]:
    """The login profiles that can be declared together with an active key."""
    for frame in profiles:
        if frame.block is not None and not exclude(active_when(key), needs(frame.block, frame)):
            yield frame, frame.block
