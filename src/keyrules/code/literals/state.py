"""Where in Terraform's state a secret stands. What `terraform state pull` prints is recognised under any name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Set
from typing import NamedTuple

from keyrules.code.literals.names import is_foreign
from keyrules.code.state.instances import instances

_OWN_NAMES = frozenset({"secret", "secret_key", "secret_access_key", "access_key_secret"})
"""Attributes in which a provider hands out a secret of its own service."""


class StatePlace(NamedTuple):
    """The instance whose attribute holds a secret. `foreign` says that it is the secret of another service."""

    address: str
    foreign: bool


def state_places(text: str, secrets: Set[str]) -> dict[str, StatePlace]:
    """Where each of the secrets stands, those of access keys first; empty where the text is no state."""
    try:
        document = json.loads(text.lstrip("\ufeff \t\r\n"))
    except (ValueError, RecursionError):
        return {}
    places: dict[str, StatePlace] = {}
    for instance in instances(document) if isinstance(document, dict) else ():
        for name, value in _leaves(list(instance.values)):
            if value in secrets and (value not in places or instance.kind == "aws_iam_access_key"):
                foreign = name in _OWN_NAMES and is_foreign(instance.kind.partition("_")[0])
                places[value] = StatePlace(instance.address, foreign)
    return places


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
