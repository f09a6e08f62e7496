"""What Terraform's functions make of an argument that carries a secret.

Everything that is not listed here returns a text that carries what its arguments carry: base64encode, format, join,
replace, templatefile, provider functions … (https://developer.hashicorp.com/terraform/language/functions)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from keyrules.code.flow.value import CLEAN, Value, container, encoded, members, names, part, text, union, unmasked

Known: TypeAlias = Callable[[int], Any]
"""The value of the argument at a position as far as the code decides it, else something that is neither of list,
dict, str and number."""

_MAX_FLATTENING = 8

# Digests, lengths, tests and numbers: nobody gets the secret back from them.
_HARMLESS = frozenset(
    {
        "abs",
        "alltrue",
        "anytrue",
        "base64sha256",
        "base64sha512",
        "bcrypt",
        "can",
        "ceil",
        "cidrhost",
        "cidrnetmask",
        "cidrsubnet",
        "cidrsubnets",
        "contains",
        "endswith",
        "filebase64sha256",
        "filebase64sha512",
        "fileexists",
        "filemd5",
        "fileset",
        "filesha1",
        "filesha256",
        "filesha512",
        "floor",
        "index",
        "issensitive",
        "length",
        "log",
        "max",
        "md5",
        "min",
        "parseint",
        "plantimestamp",
        "pow",
        "range",
        "sha1",
        "sha256",
        "sha512",
        "signum",
        "startswith",
        "strcontains",
        "sum",
        "timeadd",
        "timecmp",
        "timestamp",
        "tobool",
        "tonumber",
        "uuid",
        "uuidv5",
    }
)
_SAME = frozenset({"ephemeralasnull", "sensitive", "tolist", "tomap"})
_FIRST_THAT_WORKS = frozenset({"coalesce", "coalescelist", "try"})
_SAME_MEMBERS = frozenset(
    {
        "compact",
        "concat",
        "distinct",
        "reverse",
        "setintersection",
        "setsubtract",
        "setunion",
        "slice",
        "sort",
        "toset",
        "values",
    }
)


def call(name: str, values: Sequence[Value], known: Known) -> Value:
    """What a call returns when its arguments carry `values`."""
    if name in _HARMLESS:
        return CLEAN
    if name in _SAME or name in _FIRST_THAT_WORKS:
        return union(values)
    if name in _SAME_MEMBERS:
        return _list(union(members(value) for value in values))
    special = _SPECIAL.get(name)
    return special(values, known) if special and values else text(*values)


def _list(member: Value) -> Value:
    return container("list", {}, member)


def _merge(values: Sequence[Value], known: Known) -> Value:
    """Later arguments replace members of earlier ones, also by clean ones, which only their known value shows."""
    parts: dict[str, Value] = {}
    rest: list[Value] = []
    for position, value in enumerate(values):
        if value.kind == "text" and value.secrets:
            return text(*values)
        replaced = known(position)
        for name in replaced if isinstance(replaced, dict) else ():
            parts.pop(str(name), None)
        for name, member in value.parts.items():
            parts[name] = union([parts[name], member]) if name in parts else member
        if value.rest is not None:
            rest.append(value.rest)
    return container("object", parts, union(rest), union(names(value) for value in values))


def _lookup(values: Sequence[Value], known: Known) -> Value:
    name = known(1) if len(values) > 1 else None
    return union([part(values[0], name if isinstance(name, str) else None), *values[2:]])


def _element(values: Sequence[Value], known: Known) -> Value:
    items, position = known(0), known(1) if len(values) > 1 else None
    if isinstance(items, list) and items and isinstance(position, (int, float)):
        return part(values[0], str(int(position) % len(items)))
    return members(values[0])


def _zipmap(values: Sequence[Value], known: Known) -> Value:
    given = known(0)
    if len(values) != 2:
        return text(*values)
    if isinstance(given, list) and all(isinstance(name, str) for name in given):
        return container("object", {name: part(values[1], str(index)) for index, name in enumerate(given)})
    return container("object", {}, members(values[1]), members(values[0]))


def _flatten(values: Sequence[Value], known: Known) -> Value:
    member = members(values[0])
    for _ in range(_MAX_FLATTENING):
        if member.kind != "list":
            break
        member = members(member)
    return _list(member)


def _keys(values: Sequence[Value], known: Known) -> Value:
    return _list(names(values[0]))


def _decode(values: Sequence[Value], known: Known) -> Value:
    return values[0].decoded or text(*values)


def _encode(values: Sequence[Value], known: Known) -> Value:
    return encoded(values[0])


_SPECIAL: Mapping[str, Callable[[Sequence[Value], Known], Value]] = {
    "chunklist": lambda values, known: _list(_list(members(values[0]))),
    "element": _element,
    "flatten": _flatten,
    "jsondecode": _decode,
    "jsonencode": _encode,
    "keys": _keys,
    "lookup": _lookup,
    "matchkeys": lambda values, known: _list(members(values[0])),
    "merge": _merge,
    "nonsensitive": lambda values, known: unmasked(values[0]),
    "one": lambda values, known: members(values[0]),
    "yamldecode": _decode,
    "yamlencode": _encode,
    "zipmap": _zipmap,
}
