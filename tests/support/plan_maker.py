"""Builds Terraform plans in the format of `terraform show -json`, for tests.

Only what Terraform derives is derived here: the shorter forms of references, the marks and unknown values of keys, and
the three places where a resource appears (planned_values, resource_changes, prior_state).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

AWS = "registry.terraform.io/hashicorp/aws"
SECRET = "kR7vT2mXq9Lw/ZpB4nYc+Hd8sJfG1uAe5oWi3KtN"
SMTP_PASSWORD = "BK7qSyntheticSmtpPasswordOfAFixture1234567890"
KEY_ID = "AKIAZ5SYNTHETIC5FIXT"
MODULE_STEP = re.compile(r'module\.([^.\[]+)(?:\["(?:[^"\\]|\\.)*"\]|\[\d+\])?\.?')


def ref(*names: str) -> dict[str, Any]:
    """An expression that refers to `names`, each followed by its shorter forms as Terraform writes them."""
    return {"references": [form for name in names for form in _forms(name)]}


def const(value: Any) -> dict[str, Any]:
    """An expression without references."""
    return {"constant_value": value}


def _forms(name: str) -> list[str]:
    steps = re.findall(r'[^.\[\]]+|\["[^"]*"\]|\[\d+\]', name)
    shortest = 3 if steps[0] == "data" else 2
    forms = []
    for count in range(len(steps), shortest - 1, -1):
        text = steps[0]
        for step in steps[1:count]:
            text += step if step.startswith("[") else f".{step}"
        forms.append(text)
    return forms


def new_key(user: str | None, **values: Any) -> dict[str, Any]:
    """The planned values of a key that is to be created."""
    known = {"pgp_key": None, "status": "Active", **values}
    return {**known, "user": user} if user is not None else known


def existing_key(user: str, create_date: str | None, secret: str | None = SECRET, **values: Any) -> dict[str, Any]:
    """The values of a key that exists, as the state holds them."""
    return {
        "create_date": create_date,
        "encrypted_secret": None,
        "encrypted_ses_smtp_password_v4": None,
        "id": KEY_ID,
        "key_fingerprint": None,
        "pgp_key": None,
        "secret": secret,
        "ses_smtp_password_v4": SMTP_PASSWORD if secret else None,
        "status": "Active",
        "user": user,
        **values,
    }


NEW_KEY_UNKNOWN = dict.fromkeys(
    (
        "create_date",
        "encrypted_secret",
        "encrypted_ses_smtp_password_v4",
        "id",
        "key_fingerprint",
        "secret",
        "ses_smtp_password_v4",
    ),
    True,
)
KEY_SENSITIVE = {"secret": True, "ses_smtp_password_v4": True}


class PlanMaker:
    """Collects the parts of one plan."""

    def __init__(self, timestamp: str = "2026-06-01T00:00:00Z") -> None:
        self.document: dict[str, Any] = {
            "format_version": "1.2",
            "terraform_version": "1.11.4",
            "planned_values": {"outputs": {}, "root_module": {}},
            "resource_changes": [],
            "output_changes": {},
            "prior_state": {
                "format_version": "1.0",
                "terraform_version": "1.11.4",
                "values": {"root_module": {}},
            },
            "configuration": {
                "provider_config": {"aws": {"name": "aws", "full_name": AWS}},
                "root_module": {},
            },
            "relevant_attributes": [],
            "timestamp": timestamp,
            "applyable": True,
            "complete": True,
            "errored": False,
        }

    def config(self, path: Sequence[str] = ()) -> dict[str, Any]:
        """The configuration of a module, made when it is not there yet."""
        module = self.document["configuration"]["root_module"]
        for name in path:
            call = module.setdefault("module_calls", {}).setdefault(name, {"source": f"./{name}", "module": {}})
            module = call["module"]
        found: dict[str, Any] = module
        return found

    def call(self, path: Sequence[str], **inputs: Mapping[str, Any]) -> None:
        """The arguments of a module call."""
        self.config(path)
        caller = self.config(path[:-1])
        caller["module_calls"][path[-1]]["expressions"] = inputs
        self.config(path).setdefault("variables", {}).update({name: {} for name in inputs})

    def block(self, name: str, path: Sequence[str] = (), **details: Any) -> None:
        """A block of the configuration that has no instance in the plan, or one with details of its own."""
        data = name.startswith("data.")
        kind, label = name.removeprefix("data.").split(".")
        blocks = self.config(path).setdefault("resources", [])
        blocks.append(
            {
                "address": name,
                "mode": "data" if data else "managed",
                "type": kind,
                "name": label,
                "provider_config_key": "aws",
                "expressions": {},
                "schema_version": 0,
                **details,
            }
        )

    def add(
        self,
        address: str,
        values: Mapping[str, Any],
        *,
        actions: Sequence[str] = ("create",),
        unknown: Any = None,
        sensitive: Any = None,
        expressions: Mapping[str, Any] | None = None,
        prior: Mapping[str, Any] | None = None,
        depends_on: Sequence[str] = (),
        reason: str | None = None,
        replace_paths: Sequence[Sequence[str]] = (),
        **details: Any,
    ) -> None:
        """One instance of a resource. `prior` are its values in the state; for actions no-op they are `values`."""
        steps = MODULE_STEP.findall(address)
        module = "".join(match.group(0) for match in MODULE_STEP.finditer(address)).rstrip(".")
        name = address.removeprefix(module).lstrip(".")
        index = re.search(r'\[(?:"([^"]*)"|(\d+))\]$', name)
        plain = name[: index.start()] if index else name
        mode = "data" if plain.startswith("data.") else "managed"
        kind, label = plain.removeprefix("data.").split(".")
        entry: dict[str, Any] = {"address": address, "mode": mode, "type": kind, "name": label}
        if index:
            entry["index"] = index[1] if index[1] is not None else int(index[2])
        entry["provider_name"] = AWS
        known = prior if prior is not None else (values if "create" not in actions else None)
        change: dict[str, Any] = {
            "actions": list(actions),
            "before": known,
            "after": None if actions == ["delete"] else dict(values),
            "after_unknown": unknown if unknown is not None else {},
            "before_sensitive": {} if known is not None else False,
            "after_sensitive": sensitive if sensitive is not None else {},
        }
        if replace_paths:
            change["replace_paths"] = [list(path) for path in replace_paths]
        listed = {**entry, "change": change, **({"module_address": module} if module else {})}
        if reason:
            listed["action_reason"] = reason
        self.document["resource_changes"].append(listed)
        if list(actions) != ["delete"]:
            planned = {**entry, "schema_version": 0, "values": dict(values), "sensitive_values": sensitive or {}}
            self._module("planned_values", module).setdefault("resources", []).append(planned)
        if known is not None:
            state = {**entry, "schema_version": 0, "values": dict(known), "sensitive_values": {}}
            if depends_on:
                state["depends_on"] = list(depends_on)
            self._module("prior_state", module).setdefault("resources", []).append(state)
        blocks = self.config(steps).setdefault("resources", [])
        if list(actions) != ["delete"] and not any(block["address"] == plain for block in blocks):
            self.block(plain, steps, expressions=dict(expressions or {}), **details)

    def key(self, address: str, values: Mapping[str, Any], **options: Any) -> None:
        """An access key: what is not known of a new one, and the marks of both."""
        actions = options.get("actions", ("create",))
        options.setdefault("unknown", dict(NEW_KEY_UNKNOWN) if "create" in actions else {})
        options.setdefault("sensitive", dict(KEY_SENSITIVE))
        if isinstance(values.get("user"), str):
            options.setdefault("expressions", {"user": const(values["user"])})
        self.add(address, values, **options)

    def output(
        self,
        name: str,
        expression: Mapping[str, Any],
        value: Any = None,
        *,
        sensitive: bool = False,
        unknown: bool = False,
    ) -> None:
        """An output of the root module."""
        config = {"expression": dict(expression), **({"sensitive": True} if sensitive else {})}
        self.config().setdefault("outputs", {})[name] = config
        planned: dict[str, Any] = {"sensitive": sensitive}
        change: dict[str, Any] = {"actions": ["create"], "before": None}
        if not unknown:
            planned |= {"type": "string", "value": value}
            change["after"] = value
        change |= {"after_unknown": unknown, "before_sensitive": sensitive, "after_sensitive": sensitive}
        self.document["planned_values"]["outputs"][name] = planned
        self.document["output_changes"][name] = change

    def child_output(
        self, path: Sequence[str], name: str, expression: Mapping[str, Any], *, sensitive: bool = False
    ) -> None:
        """An output of a called module."""
        config = {"expression": dict(expression), **({"sensitive": True} if sensitive else {})}
        self.config(path).setdefault("outputs", {})[name] = config

    def relevant(self, resource: str, *attribute: str) -> None:
        """A reference that the planned changes make."""
        self.document["relevant_attributes"].append({"resource": resource, "attribute": list(attribute)})

    def bytes(self) -> bytes:
        """The plan as Terraform prints it: on one line."""
        return json.dumps(self.document, ensure_ascii=False).encode()

    def _module(self, part: str, address: str) -> dict[str, Any]:
        top = self.document[part]
        module: dict[str, Any] = (top["values"] if part == "prior_state" else top)["root_module"]
        position = 0
        while match := MODULE_STEP.match(address, position):
            position = match.end()
            here = address[:position].rstrip(".")
            children = module.setdefault("child_modules", [])
            found = next((child for child in children if child["address"] == here), None)
            if found is None:
                found = {"address": here}
                children.append(found)
            module = found
        return module
