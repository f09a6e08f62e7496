"""Builds Terraform states by hand, in each of the formats that are read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

PROVIDER = 'provider["registry.terraform.io/hashicorp/aws"]'
ACCOUNT = "123456789012"


def key_values(user: str, **more: Any) -> dict[str, Any]:
    """The attributes of a key as the provider records them; `secret` has to be given to be there."""
    values = {
        "create_date": "2026-01-02T03:04:05Z",
        "encrypted_secret": None,
        "id": "AKIA" + user.upper().replace("-", "").ljust(16, "7")[:16],
        "secret": None,
        "ses_smtp_password_v4": None,
        "status": "Active",
        "user": user,
    }
    return values | more


def user_values(name: str, account: str = ACCOUNT, **more: Any) -> dict[str, Any]:
    """The attributes of a user."""
    return {"arn": f"arn:aws:iam::{account}:user/{name}", "id": name, "name": name, **more}


def resource(address: str, *instances: Mapping[str, Any], provider: str = PROVIDER, **more: Any) -> dict[str, Any]:
    """A resource of version 4. An instance is its attributes; under `@` are the fields beside them."""
    module, _, name = address.rpartition(".")
    module, _, kind = module.rpartition(".")
    found = []
    for each in instances:
        values = dict(each)
        found.append({"schema_version": 0, **values.pop("@", {}), "attributes": values, "private": "bnVsbA=="})
    head = {"module": module} if module else {}
    return {**head, "mode": "managed", "type": kind, "name": name, "provider": provider, "instances": found, **more}


def state_4(*resources: Mapping[str, Any], lineage: str = "lineage-1", serial: int = 1, **more: Any) -> str:
    """A state of version 4."""
    head = {"version": 4, "terraform_version": "1.11.4", "serial": serial, "lineage": lineage, "outputs": {}}
    return json.dumps({**head, "resources": list(resources), **more})


def state_3(modules: Mapping[tuple[str, ...], Mapping[str, Any]], **more: Any) -> str:
    """A state of version 3: by path of the module, resources by name."""
    found = [{"path": list(path), "outputs": {}, "resources": dict(each)} for path, each in modules.items()]
    head = {"version": 3, "terraform_version": "0.11.14", "serial": 2, "lineage": "lineage-3"}
    return json.dumps({**head, **more, "modules": found})


def shown(resources: Sequence[Mapping[str, Any]], children: Sequence[Mapping[str, Any]] = ()) -> str:
    """What `terraform show -json` prints of a state."""
    root = {"resources": list(resources), "child_modules": list(children)}
    return json.dumps({"format_version": "1.0", "terraform_version": "1.11.4", "values": {"root_module": root}})
