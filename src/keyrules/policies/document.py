"""Reads a policy document of IAM: as JSON text, URL-encoded as the API sends it, or as objects.

The grammar is AWS's: `Statement`, `Action` and `Resource` hold one or a list, actions are compared without regard to
case, and a statement has exactly one of `Action` and `NotAction`, of `Resource` and `NotResource`. What breaks it says
so and decides nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from keyrules.policies.patterns import HOLE
from keyrules.records import dataclass


@dataclass(frozen=True)
class Statement:
    """One statement. `actions` are in lower case; `besides` says that they are those of a `NotAction`, `elsewhere` that
    the resources are those of a `NotResource`. `allow` and `conditional` are None when the code leaves them open;
    `keys` are the condition keys."""

    allow: bool | None
    actions: tuple[str, ...]
    besides: bool
    resources: tuple[str, ...]
    elsewhere: bool
    conditional: bool | None
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Document:
    """The statements of a document, or the `problem` that goes on after its name in a sentence."""

    statements: tuple[Statement, ...] = ()
    problem: str = ""


class _Malformed(Exception):
    """What is wrong, to go on after the name of the policy."""


def read_document(raw: object) -> Document:
    """Reads a document: a mapping, JSON text, or the same URL-encoded. Never raises."""
    try:
        return Document(tuple(_statements(_loaded(raw))))
    except _Malformed as error:
        return Document(problem=str(error))


def loaded(raw: object) -> Mapping[str, Any] | None:
    """The elements of a document in one of these forms, None where it has none."""
    try:
        return _loaded(raw)
    except _Malformed:
        return None


def default_document(policy: Mapping[str, Any]) -> Document:
    """The document in force of a managed policy as GetAccountAuthorizationDetails gives it: of up to five versions the
    one that IsDefaultVersion marks, which DefaultVersionId names too."""
    versions = policy.get("PolicyVersionList") or []
    if not isinstance(versions, list) or not all(isinstance(version, Mapping) for version in versions):
        return Document(problem="has no list of versions")
    marked = [version for version in versions if version.get("IsDefaultVersion") is True]
    named = policy.get("DefaultVersionId")
    if len(marked) != 1 or (named is not None and named != marked[0].get("VersionId")):
        return Document(problem="does not say which of its versions is in force")
    return read_document(marked[0].get("Document"))


def _loaded(raw: object) -> Mapping[str, Any]:
    if isinstance(raw, str):
        text = raw.strip()
        if text[:3].upper() == "%7B":
            text = unquote(text)
        if text == HOLE:
            raise _Malformed("has a document that is not known here")
        try:
            raw = json.loads(text, object_pairs_hook=_once)
        except RecursionError:
            raise _Malformed("is nested too deeply") from None
        except ValueError:
            raise _Malformed("is not a JSON document") from None
    if not isinstance(raw, Mapping):
        raise _Malformed("is not a policy document")
    return raw


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Malformed("names an element twice")
    return found


def _statements(document: Mapping[str, Any]) -> list[Statement]:
    if "Statement" not in document:
        raise _Malformed("has no Statement")
    stated = document["Statement"]
    return [_statement(item, number) for number, item in enumerate(stated if _many(stated) else [stated], 1)]


def _statement(stated: object, number: int) -> Statement:
    if stated == HOLE:
        raise _Malformed("has statements that are not known here")
    if not isinstance(stated, Mapping):
        raise _Malformed(f"has a statement that is none (number {number})")
    effect = stated.get("Effect")
    if effect not in ("Allow", "Deny") and not (isinstance(effect, str) and HOLE in effect):
        raise _Malformed(f"has neither Allow nor Deny as the Effect of statement {number}")
    actions, besides = _one_of(stated, ("Action", "NotAction"), number)
    resources, elsewhere = _one_of(stated, ("Resource", "NotResource"), number)
    conditional, keys = _condition(stated.get("Condition"), number)
    return Statement(
        {"Allow": True, "Deny": False}.get(str(effect)),
        tuple(action.lower() for action in actions),
        besides,
        tuple(resources),
        elsewhere,
        conditional,
        keys,
    )


def _one_of(stated: Mapping[str, Any], names: tuple[str, str], number: int) -> tuple[list[str], bool]:
    """The texts of the one of two elements that is there, and whether it is the second."""
    there = [name for name in names if name in stated]
    if len(there) != 1:
        how = "both" if there else "neither"
        raise _Malformed(f"has {how} {names[0]} {'and' if there else 'nor'} {names[1]} in statement {number}")
    value = stated[there[0]]
    texts = list(value) if _many(value) else [value]
    if not texts or not all(isinstance(text, str) and text for text in texts):
        raise _Malformed(f"has a {there[0]} without text in statement {number}")
    return texts, there[0] == names[1]


def _condition(stated: object, number: int) -> tuple[bool | None, tuple[str, ...]]:
    if stated is None:
        return False, ()
    if isinstance(stated, str) and HOLE in stated:
        return None, ()
    if not isinstance(stated, Mapping):
        raise _Malformed(f"has a Condition that is none in statement {number}")
    keys: set[str] = set()
    for operator, wanted in stated.items():
        if isinstance(wanted, str) and HOLE in wanted:
            keys.add(str(operator))
        elif isinstance(wanted, Mapping):
            keys.update(str(key) for key in wanted)
        else:
            raise _Malformed(f"has a Condition that is none in statement {number}")
    return bool(keys), tuple(sorted(keys))


def _many(value: object) -> bool:
    return isinstance(value, (list, tuple))
