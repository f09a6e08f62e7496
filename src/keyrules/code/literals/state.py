"""Where in Terraform's state a secret stands. What `terraform state pull` prints is recognised under any name.

The formats are not documented; versions 3 and 4 are read as Terraform's own code writes them, in
https://github.com/hashicorp/terraform/tree/main/internal/states/statefile.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Set
from typing import NamedTuple

from keyrules.code.literals.names import is_foreign

_OWN_NAMES = frozenset({"secret", "secret_key", "secret_access_key", "access_key_secret"})
"""Attributes in which a provider hands out a secret of its own service."""


class StatePlace(NamedTuple):
    """The instance whose attribute holds a secret. `foreign` says that it is the secret of another service."""

    address: str
    foreign: bool


def is_state(text: str) -> bool:
    """Whether a text is worth reading as a state."""
    return text.lstrip("\ufeff \t\r\n").startswith("{") and '"serial"' in text and '"terraform_version"' in text


def state_places(text: str, secrets: Set[str]) -> dict[str, StatePlace]:
    """Where each of the secrets stands, those of access keys first; empty where the text is no state."""
    try:
        document = json.loads(text.lstrip("\ufeff \t\r\n"))
    except (ValueError, RecursionError):
        return {}
    places: dict[str, StatePlace] = {}
    if isinstance(document, dict):
        for address, kind, values in (*_instances_of_4(document), *_instances_of_3(document)):
            for name, value in _leaves(values):
                if value in secrets and (value not in places or kind == "aws_iam_access_key"):
                    foreign = name in _OWN_NAMES and is_foreign(kind.partition("_")[0])
                    places[value] = StatePlace(address, foreign)
    return places


def _instances_of_4(document: dict[str, object]) -> Iterator[tuple[str, str, object]]:
    """Address, type and attributes of each instance; `instances` hold `attributes`, or `attributes_flat` of old."""
    for resource in _objects(document.get("resources")):
        kind, name = str(resource.get("type")), str(resource.get("name"))
        parts = [str(resource["module"])] if resource.get("module") else []
        parts += ["data"] if resource.get("mode") == "data" else []
        for instance in _objects(resource.get("instances")):
            index = instance.get("index_key")
            key = "" if index is None else f"[{json.dumps(index, ensure_ascii=False)}]"
            values = [instance.get("attributes"), instance.get("attributes_flat")]
            yield ".".join([*parts, kind, f"{name}{key}"]), kind, values


def _instances_of_3(document: dict[str, object]) -> Iterator[tuple[str, str, object]]:
    """The same of version 3: `modules` have a `path` and `resources` by name, with dots for indexes."""
    for module in _objects(document.get("modules")):
        path = module.get("path")
        names = [str(name) for name in path[1:]] if isinstance(path, list) else []
        resources = module.get("resources")
        for name, resource in resources.items() if isinstance(resources, dict) else ():
            kind = name.removeprefix("data.").partition(".")[0]
            yield ".".join([*(f"module.{part}" for part in names), name]), kind, resource


def _objects(value: object) -> Iterator[dict[str, object]]:
    yield from (item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()


def _leaves(value: object) -> Iterator[tuple[str, str]]:
    """Each text with the name of the attribute that it belongs to."""
    todo: list[tuple[str, object]] = [("", value)]
    while todo:
        name, item = todo.pop()
        if isinstance(item, str):
            yield name, item
        elif isinstance(item, list):
            todo.extend((name, inner) for inner in item)
        elif isinstance(item, dict):
            todo.extend(item.items())
