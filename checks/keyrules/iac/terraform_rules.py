"""The rules about keys on Terraform source: each takes a root module instance and gives one verdict per subject."""

from __future__ import annotations

from collections import defaultdict

from keyrules.iac.hcl_evaluate import instance_keys
from keyrules.iac.rotation import judge_rotation
from keyrules.iac.terraform_keys import DeclaredKey, declared_keys, exclusive, user_of
from keyrules.iac.terraform_scope import Frame, Scope, walk
from keyrules.iac.verdict import Context, Verdict
from keyrules.model import Status

_LOGIN_PROFILE = "aws_iam_user_login_profile"


def rotation(root: Scope, context: Context) -> list[Verdict]:
    """KEY_AWS_001: every declared key has a rotation that fires in time."""
    return [judge_rotation(key, context) for key in declared_keys(root)]


def one_active_key(root: Scope, context: Context) -> list[Verdict]:
    """KEY_AWS_003: no user has two active keys that are declared together, in this root module and what it calls."""
    keys = list(declared_keys(root))
    by_user: dict[tuple[str, str], list[DeclaredKey]] = defaultdict(list)
    for key in keys:
        if not key.inactive:
            by_user[user_of(key.declared, key.frame)].append(key)
    verdicts = []
    for key in keys:
        if key.inactive:
            verdicts.append(key.verdict(context, Status.PASS, "not_active", "the key is declared Inactive"))
            continue
        owner = user_of(key.declared, key.frame)
        others = [other for other in by_user[owner] if other is not key and not exclusive(key, other)]
        if others:
            names = ", ".join(sorted(other.address for other in others))
            verdicts.append(
                key.verdict(
                    context,
                    Status.FAIL,
                    "several_active_keys",
                    f"{_shown(owner)} also has {names}; keep one active key and set the other to Inactive or remove it",
                    {"active_keys": len(others) + 1, "others": names},
                )
            )
        else:
            verdicts.append(key.verdict(context, Status.PASS, "only_active_key", f"the only active key of {_shown(owner)}"))
    return verdicts


def no_console_user(root: Scope, context: Context) -> list[Verdict]:
    """KEY_AWS_004: no user gets a console password and an access key in the same configuration."""
    profiles: dict[tuple[str, str], str] = {}
    for scope in walk(root):
        for name, declared in sorted(scope.module.resources.items()):
            if name.startswith(f"{_LOGIN_PROFILE}."):
                keys = instance_keys(declared, scope)
                for key in (None,) if keys is None else keys:
                    owner = user_of(declared, Frame(scope, key, declared))
                    profiles.setdefault(owner, f"{scope.prefix}{name}")
    verdicts = []
    for key in declared_keys(root):
        owner = user_of(key.declared, key.frame)
        profile = profiles.get(owner)
        if profile is None or key.inactive:
            verdicts.append(
                key.verdict(context, Status.PASS, "no_console_password", f"{_shown(owner)} gets no console password here")
            )
        else:
            verdicts.append(
                key.verdict(
                    context,
                    Status.FAIL,
                    "console_user_with_key",
                    f"{_shown(owner)} gets a console password from {profile} and this access key at setup; people sign in, "
                    "workloads use roles: drop one of the two",
                    {"login_profile": profile},
                )
            )
    return verdicts


def _shown(owner: tuple[str, str]) -> str:
    return f"user {owner[1]}" if owner[1] else "the user"
