"""Reads Terraform's JSON syntax (`.tf.json`) into the same syntax tree as its native syntax.

JSON does not say what is a block and what is an argument, nor which strings are templates; the tables here do, after
https://developer.hashicorp.com/terraform/language/syntax/json. Nested blocks that only a provider's schema knows are
arguments with object or list expressions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from keyrules.code.terraform.hcl.ast import Attribute, Block, Body, Expr, HclSyntaxError, ListExpr, Literal, ObjectExpr
from keyrules.code.terraform.hcl.expression import MAX_NESTING
from keyrules.code.terraform.hcl.json_reader import COMMENT_KEY, JsonArray, JsonNode, JsonObject, JsonScalar, read_json
from keyrules.code.terraform.hcl.syntax import parse_expression, parse_template
from keyrules.code.terraform.hcl.walk import nests_deeper_than

_ReadString: TypeAlias = Callable[[str, int], Expr]

# Block type -> number of labels.
_TOP_LEVEL = {
    "action": 2,
    "check": 1,
    "data": 2,
    "ephemeral": 2,
    "import": 0,
    "locals": 0,
    "module": 1,
    "moved": 0,
    "output": 1,
    "provider": 1,
    "removed": 0,
    "resource": 2,
    "terraform": 0,
    "variable": 1,
}
_IN_RESOURCE = {"_": 0, "connection": 0, "dynamic": 1, "lifecycle": 0, "provisioner": 1}
# Type of the outer block -> type of a block in it -> number of labels.
_NESTED: Mapping[str, Mapping[str, int]] = {
    "check": {"assert": 0, "data": 2},
    "content": {"dynamic": 1},
    "data": _IN_RESOURCE,
    "dynamic": {"content": 0},
    "ephemeral": _IN_RESOURCE,
    "lifecycle": {"action_trigger": 0, "postcondition": 0, "precondition": 0},
    "module": {"_": 0, "lifecycle": 0},
    "output": {"precondition": 0},
    "provider": {"_": 0, "dynamic": 1},
    "provisioner": {"connection": 0},
    "removed": {"connection": 0, "lifecycle": 0, "provisioner": 1},
    "resource": _IN_RESOURCE,
    "terraform": {"backend": 1, "cloud": 0, "provider_meta": 1, "required_providers": 0},
    "variable": {"validation": 0},
}
_RESOURCE_REFERENCES = frozenset({"depends_on", "provider"})
# Type of a block -> its arguments whose strings are bare references, keywords or type expressions.
_REFERENCES: Mapping[str, frozenset[str]] = {
    "action": _RESOURCE_REFERENCES,
    "data": _RESOURCE_REFERENCES,
    "dynamic": frozenset({"iterator"}),
    "ephemeral": _RESOURCE_REFERENCES,
    "import": frozenset({"provider", "to"}),
    "lifecycle": frozenset({"ignore_changes", "replace_triggered_by"}),
    "module": frozenset({"depends_on", "providers"}),
    "moved": frozenset({"from", "to"}),
    "output": frozenset({"depends_on"}),
    "provisioner": frozenset({"on_failure", "when"}),
    "removed": frozenset({"from"}),
    "resource": _RESOURCE_REFERENCES,
    "variable": frozenset({"type"}),
}


def parse_terraform_json(text: str) -> Body:
    """The body of a whole `.tf.json` file.

    Raises HclSyntaxError for text that is not JSON or not Terraform's, duplicate keys included. The lines of a block
    run from the key of its last label (or of its type) to its closing brace.
    """
    try:
        root = read_json(text, MAX_NESTING)
        return Body({}, tuple(block for item in _objects(root) for block in _blocks(item, _TOP_LEVEL)))
    except RecursionError:
        raise HclSyntaxError(1, "the text is nested deeper than the program's stack allows") from None


def parse_values_json(text: str) -> Body:
    """The inputs that a `.tfvars.json` file sets; its strings are never templates. Raises HclSyntaxError."""
    try:
        attributes: dict[str, Attribute] = {}
        for item in _objects(read_json(text, MAX_NESTING)):
            for entry in item.properties:
                if entry.key != COMMENT_KEY:
                    value = _expression(entry.value, _plain)
                    attributes[entry.key] = Attribute(entry.key, value, entry.line, entry.value.end_line)
        return Body(attributes, ())
    except RecursionError:
        raise HclSyntaxError(1, "the text is nested deeper than the program's stack allows") from None


def _blocks(found: JsonObject, types: Mapping[str, int]) -> Iterator[Block]:
    """The blocks of an object that has nothing but blocks."""
    for item in found.properties:
        if item.key == COMMENT_KEY:
            continue
        if item.key not in types:
            raise HclSyntaxError(item.line, f"expected one of the block types {', '.join(types)}")
        yield from _labelled(item.key, (), types[item.key], item.value, item.line)


def _labelled(block_type: str, labels: tuple[str, ...], missing: int, value: JsonNode, line: int) -> Iterator[Block]:
    """The blocks under a type or label key: one level of keys per missing label, then bodies."""
    in_array = isinstance(value, JsonArray)
    for item in _objects(value):
        if missing == 0:
            body = _body(block_type, item)
            yield Block(block_type, labels, body, item.line if in_array else line, item.end_line)
            continue
        for label in item.properties:
            if label.key != COMMENT_KEY:
                yield from _labelled(block_type, (*labels, label.key), missing - 1, label.value, label.line)


def _objects(value: JsonNode) -> Iterator[JsonObject]:
    """The one object, or those of an array; null stands for none."""
    for item in value.items if isinstance(value, JsonArray) else (value,):
        if isinstance(item, JsonObject):
            yield item
        elif not (isinstance(item, JsonScalar) and item.value is None):
            raise HclSyntaxError(item.line, "expected an object, or an array of objects, for a block")


def _body(block_type: str, found: JsonObject) -> Body:
    attributes: dict[str, Attribute] = {}
    blocks: list[Block] = []
    nested = _NESTED.get(block_type, {})
    for item in found.properties:
        if item.key == COMMENT_KEY:
            continue
        if item.key in nested:
            blocks.extend(_labelled(item.key, (), nested[item.key], item.value, item.line))
            continue
        value = _expression(item.value, _string_reader(block_type, item.key))
        if nests_deeper_than(value, MAX_NESTING):
            raise HclSyntaxError(item.line, f"the text is nested deeper than {MAX_NESTING} levels")
        attributes[item.key] = Attribute(item.key, value, item.line, item.value.end_line)
    return Body(attributes, tuple(blocks))


def _string_reader(block_type: str, argument: str) -> _ReadString:
    if argument in _REFERENCES.get(block_type, ()):
        return parse_expression
    if (block_type, argument) == ("variable", "default"):
        return _plain
    return parse_template


def _plain(text: str, _line: int) -> Expr:
    return Literal(text)


def _expression(value: JsonNode, read_string: _ReadString) -> Expr:
    """The expression of an argument. The keys of an object are templates where its strings are, else plain text."""
    if isinstance(value, JsonArray):
        return ListExpr(tuple(_expression(item, read_string) for item in value.items))
    if isinstance(value, JsonObject):
        read_key = parse_template if read_string is parse_template else _plain
        return ObjectExpr(
            tuple((read_key(item.key, item.line), _expression(item.value, read_string)) for item in value.properties)
        )
    return read_string(value.value, value.line) if isinstance(value.value, str) else Literal(value.value)
