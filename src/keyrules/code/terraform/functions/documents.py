"""JSON, YAML and CSV, which people keep lists of users in.

JSON and YAML become tuples and objects, CSV a list of objects. What YAML leaves to the reader (tags, old booleans, odd
numbers, dates) is NotComputed.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from typing import Any

from keyrules.code.terraform.functions.signature import Function, function, normalized
from keyrules.code.terraform.hcl.kinds import in_order
from keyrules.code.terraform.hcl.numbers import NotComputed, exact, number_text, parse_number
from keyrules.code.terraform.hcl.values import (
    MAX_ITEMS,
    MAX_PARTS,
    MAX_TEXT,
    ListValue,
    Loose,
    Partial,
    Refused,
    is_null,
    ordered,
)

_MAX_DEPTH = 64
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_HTML = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})
_PLAIN_STRING = re.compile(r"[A-Za-z_/][A-Za-z0-9_ ./@=+,;()$-]*", re.ASCII)
_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?", re.ASCII)
_WORDS: Mapping[str, Any] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}
_YAML_TEXT = re.compile(r"[\x20-\x7e\n\t\xa0-\u1fff\u2030-\ud7ff]*")
_QUOTED_CELL = re.compile(r'(?:(?<=[,\n])|(?<![\s\S]))"[^"\n]*"(?=[,\n]|\Z)')
_OLD_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "nan", "inf", "infinity"})


def _jsondecode(text: str) -> Any:
    if _SURROGATE.search(text):
        raise NotComputed

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = {normalized(name): value for name, value in pairs}
        if len(found) != len(pairs):
            # The last one wins, but go-cty wants to have one type for both.
            raise NotComputed
        _few(found)
        return ordered(found)

    def constant(_: str) -> Any:
        raise Refused

    if text.count("[") + text.count("{") > _MAX_DEPTH and _depth(text) > _MAX_DEPTH:
        raise NotComputed
    try:
        found = json.loads(
            text,
            object_pairs_hook=members,
            parse_int=parse_number,
            parse_float=parse_number,
            parse_constant=constant,
        )
    except json.JSONDecodeError:
        raise Refused from None
    return _strings_normalized(found)


def _depth(text: str) -> int:
    """At most how deep a text nests; brackets in strings count as well."""
    depth = deepest = 0
    for character in text:
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _few(items: Any) -> Any:
    if len(items) > MAX_ITEMS:
        raise NotComputed
    return items


def _strings_normalized(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else normalized(value)
    if isinstance(value, list):
        return [_strings_normalized(item) for item in _few(value)]
    if isinstance(value, dict):
        return {name: _strings_normalized(member) for name, member in value.items()}
    return value


def json_text(value: Any) -> str:
    """A decided value as jsonencode() writes it: without blanks, names in order, HTML's characters escaped."""
    pieces: list[str] = []
    _write(value, pieces, 0)
    if sum(map(len, pieces)) > MAX_TEXT:
        raise NotComputed
    return "".join(pieces)


def _write(value: Any, pieces: list[str], depth: int) -> None:
    if depth > _MAX_DEPTH or len(pieces) > 4 * MAX_PARTS or isinstance(value, (Loose, Partial)):
        raise NotComputed
    if is_null(value):
        pieces.append("null")
    elif isinstance(value, str):
        if any(character < " " and character not in "\n\r\t" for character in value) or "\x7f" in value:
            raise NotComputed
        pieces.append(json.dumps(value, ensure_ascii=False).translate(_HTML))
    elif isinstance(value, bool):
        pieces.append("true" if value else "false")
    elif isinstance(value, (int, float)):
        pieces.append(number_text(exact(value)))
    elif isinstance(value, dict):
        pieces.append("{")
        for number, name in enumerate(sorted(value)):
            if number:
                pieces.append(",")
            _write(name, pieces, depth + 1)
            pieces.append(":")
            _write(value[name], pieces, depth + 1)
        pieces.append("}")
    elif isinstance(value, list):
        pieces.append("[")
        for number, item in enumerate(in_order(value)):
            if number:
                pieces.append(",")
            _write(item, pieces, depth + 1)
        pieces.append("]")
    else:
        raise NotComputed


def _yamldecode(text: str) -> Any:
    import yaml

    if len(text) > 16 * MAX_TEXT or not _YAML_TEXT.fullmatch(text):
        raise NotComputed
    try:
        nodes = list(yaml.compose_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except (yaml.YAMLError, RecursionError):
        raise NotComputed from None
    if len(nodes) != 1 or "<<" in text or re.search(r"(^|[\s\[{,])[&*!%]", text):
        raise NotComputed
    return _node(nodes[0], [MAX_PARTS], 0)


def _node(node: Any, left: list[int], depth: int) -> Any:
    import yaml

    left[0] -= 1
    if left[0] < 0 or depth > _MAX_DEPTH:
        raise NotComputed
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node.value, node.style)
    if isinstance(node, yaml.SequenceNode):
        return [_node(item, left, depth + 1) for item in _few(node.value)]
    if not isinstance(node, yaml.MappingNode):
        raise NotComputed
    found: dict[str, Any] = {}
    for key, value in _few(node.value):
        name = _node(key, left, depth + 1)
        if not isinstance(name, str) or name in found:
            raise NotComputed
        found[name] = _node(value, left, depth + 1)
    return ordered(found)


def _scalar(value: str, style: str | None) -> Any:
    if style:
        return normalized(value)
    if value in _WORDS:
        return _WORDS[value]
    if _PLAIN_NUMBER.fullmatch(value):
        return parse_number(value)
    if _PLAIN_STRING.fullmatch(value) and value.lower() not in _OLD_WORDS:
        return value
    raise NotComputed


def _csvdecode(text: str) -> Any:
    if "\r" in text or '"' in _QUOTED_CELL.sub("", text):
        # Quotes and line ends inside of a field follow Go's reader, which is looser and stricter than Python's.
        raise NotComputed
    try:
        rows = [row for row in csv.reader(io.StringIO(text), strict=True) if row]
    except csv.Error:
        raise NotComputed from None
    if not rows:
        raise Refused
    names = [normalized(name) for name in rows[0]]
    if len(set(names)) != len(names):
        raise Refused
    if len(rows) > MAX_ITEMS:
        raise NotComputed
    if any(len(row) != len(names) for row in rows):
        raise Refused
    records = [ordered({name: normalized(cell) for name, cell in zip(names, row, strict=True)}) for row in rows[1:]]
    return ListValue(records, ("object", tuple((name, "string") for name in sorted(names))))


FUNCTIONS: Mapping[str, Function] = {
    "csvdecode": function(_csvdecode, "string"),
    "jsondecode": function(_jsondecode, "string"),
    "jsonencode": function(json_text, "any?"),
    "yamldecode": function(_yamldecode, "string"),
}
