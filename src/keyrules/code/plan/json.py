"""From bytes to a checked JSON document: recognising Terraform's JSON files, and reading a plan strictly.

The format is https://developer.hashicorp.com/terraform/internals/json-format; OpenTofu writes the same one. No message
made here quotes anything from the file, because a plan holds the secrets of existing keys in plain text.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import NoReturn

MAX_DEPTH = 250
"""A module call costs four levels, so this is room for dozens of nested modules, and no recursion here gets deep."""

_VERSION = re.compile(r"[0-9]{1,4}(\.[0-9]{1,4}){0,2}", re.ASCII)
_WORDS = (b'"format_version"', b'"terraform_version"', b'"@level"')
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class PlanError(Exception):
    """A plan that cannot be read: one sentence, which never quotes the file."""


class Sealed:
    """A JSON value that may hold secrets. It has no readable form; only `value` gives it out."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "Sealed"


class Kind(Enum):
    """What a JSON file of Terraform's is. Only a plan can be judged."""

    PLAN = "a plan"
    STATE = "a state"
    LOG = "a log"


_REFUSALS = {
    Kind.STATE: "not a plan but a state, which says what exists and not what is declared; "
    "give it the output of `terraform show -json PLANFILE`",
    Kind.LOG: "not a plan but the log that `terraform plan -json` prints; "
    "write the plan with `terraform plan -out=PLANFILE` and give it the output of `terraform show -json PLANFILE`",
}


def recognise(data: bytes) -> Kind | None:
    """What the bytes are, or None when they are no JSON of Terraform's. Never raises.

    A damaged plan counts as a plan, so that it is refused and not passed over.
    """
    try:
        text = decoded(data)
    except PlanError:
        return Kind.PLAN if b'"format_version"' in data else None
    head = text.lstrip()
    if not head.startswith("{") or not any(word.decode() in head for word in _WORDS):
        return None
    try:
        document = json.loads(head)
    except RecursionError:
        return Kind.PLAN if '"format_version"' in head else None
    except ValueError:
        return _recognise_broken(head)
    return recognise_document(document)


def is_plan(data: bytes) -> bool:
    """Whether `read_plan` should be given these bytes: a plan, whole or damaged."""
    return recognise(data) is Kind.PLAN


def load_plan(data: bytes) -> Mapping[str, object]:
    """The top-level object of a plan. Raises PlanError when it is no JSON, no plan, too deep, or has a key twice."""
    text = decoded(data)
    try:
        document = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError:
        raise PlanError(f"the plan is nested deeper than {MAX_DEPTH} levels, which no plan of Terraform's is") from None
    except ValueError as error:
        kind = recognise(data)
        if kind in _REFUSALS:
            raise PlanError(_REFUSALS[kind]) from None
        line = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise PlanError(
            f"the plan is not complete JSON{line}: it was cut off or changed; repeat `terraform show -json`"
        ) from None
    _check_nesting_and_text(document)
    kind = recognise_document(document)
    if kind in _REFUSALS:
        raise PlanError(_REFUSALS[kind])
    if kind is not Kind.PLAN or not isinstance(document, dict):
        raise PlanError(
            "not a plan: it has no format_version with planned_values or resource_changes; "
            "give it the output of `terraform show -json PLANFILE`"
        )
    version = document.get("format_version")
    if not isinstance(version, str) or version.split(".")[0] not in ("0", "1"):
        found = f" but {version}" if isinstance(version, str) and _VERSION.fullmatch(version) else ""
        raise PlanError(
            f"the plan's format_version is not 0.x or 1.x{found}, which this version of keyrules cannot read; update "
            "keyrules, or write the plan with a Terraform or OpenTofu of version 1"
        )
    return document


def as_object(value: object, where: str) -> Mapping[str, object]:
    """A JSON object; null and absent count as empty. Raises PlanError for anything else."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        _wrong(value, where, "an object")
    return value


def as_list(value: object, where: str) -> Sequence[object]:
    """A JSON array; null and absent count as empty. Raises PlanError for anything else."""
    if value is None:
        return ()
    if not isinstance(value, list):
        _wrong(value, where, "an array")
    return value


def as_text(value: object, where: str) -> str:
    """A JSON string; null and absent count as empty. Raises PlanError for anything else."""
    if value is None:
        return ""
    if not isinstance(value, str):
        _wrong(value, where, "a string")
    return value


def as_flag(value: object, where: str) -> bool:
    """A JSON boolean; null and absent count as false. Raises PlanError for anything else."""
    if value is None:
        return False
    if not isinstance(value, bool):
        _wrong(value, where, "true or false")
    return value


def as_texts(value: object, where: str) -> tuple[str, ...]:
    """A JSON array of strings. Raises PlanError for anything else."""
    return tuple(as_text(item, where) for item in as_list(value, where))


def texts(value: object) -> Iterator[str]:
    """Every string in a JSON value, object keys excluded."""
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, Mapping):
            todo.extend(reversed(list(item.values())))
        elif isinstance(item, list):
            todo.extend(reversed(item))


def _wrong(value: object, where: str, expected: str) -> NoReturn:
    names = {str: "a string", bool: "a boolean", list: "an array", dict: "an object"}
    raise PlanError(f"{where} of the plan is {names.get(type(value), 'a number')}, where the format has {expected}")


def decoded(data: bytes) -> str:
    """UTF-8, or what PowerShell's `>` writes: UTF-16 with a byte order mark."""
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        raise PlanError(
            "not text in UTF-8 or UTF-16, so no plan in JSON; give it the output of `terraform show -json PLANFILE`"
        ) from None


def recognise_document(document: object) -> Kind | None:
    """What a JSON value is, or None when it is none of Terraform's."""
    if not isinstance(document, dict):
        return None
    if "format_version" in document:
        if "planned_values" in document or "resource_changes" in document:
            return Kind.PLAN
        if "values" in document:
            return Kind.STATE
        return Kind.PLAN if "terraform_version" in document and "configuration" in document else None
    if "lineage" in document and "serial" in document and "terraform_version" in document:
        return Kind.STATE
    return Kind.LOG if "@level" in document and "@message" in document else None


def _recognise_broken(text: str) -> Kind | None:
    """Text that is not one JSON value: a log has one value to a line, a plan may be cut off."""
    if text.startswith('{"@level":'):
        return Kind.LOG
    plan_words = ('"planned_values"', '"resource_changes"', '"terraform_version"')
    return Kind.PLAN if '"format_version"' in text and any(word in text for word in plan_words) else None


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise PlanError("the plan has a key twice in one object, which Terraform never writes")
    return found


def _no_constant(_: str) -> NoReturn:
    raise PlanError("the plan has a number that JSON does not allow")


def _check_nesting_and_text(document: object) -> None:
    level: Iterable[object] = (document,)
    for _ in range(MAX_DEPTH):
        level = _below(level)
        if not level:
            return
    raise PlanError(f"the plan is nested deeper than {MAX_DEPTH} levels, which no plan of Terraform's is")


def _below(level: Iterable[object]) -> list[object]:
    found: list[object] = []
    for value in level:
        if isinstance(value, dict):
            found.extend(value)
            found.extend(value.values())
        elif isinstance(value, list):
            found.extend(value)
        elif isinstance(value, str) and not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise PlanError(
                    "the plan has half a surrogate pair in a string, which Terraform never writes"
                ) from None
    return found
