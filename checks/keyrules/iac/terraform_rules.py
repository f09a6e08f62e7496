"""The rules about keys on Terraform source: each takes a root module instance and gives one verdict per subject."""

from __future__ import annotations

from collections import defaultdict

from keyrules.iac.hcl_evaluate import UNKNOWN, evaluate, instance_keys
from keyrules.iac.rotation import judge_rotation
from keyrules.iac.terraform_inputs import depends_on_inputs
from keyrules.iac.terraform_keys import DeclaredKey, declared_keys, exclusive, module_instances, user_of
from keyrules.iac.terraform_scope import Frame, Scope
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
    """KEY_AWS_004: no user gets a console password and an access key in the same configuration."""
    profiles: dict[tuple[str, str], str] = {}
    for scope in module_instances(root):
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
