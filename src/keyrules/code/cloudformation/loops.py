"""Expands `Fn::ForEach` of AWS::LanguageExtensions where a template decides what it runs over.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-foreach.html
"""

from __future__ import annotations

from collections.abc import Iterator

from keyrules.code.cloudformation.document import (
    Entry,
    Listing,
    Node,
    Scalar,
    Table,
    TemplateError,
    listing,
    table,
)
from keyrules.code.cloudformation.intrinsics import Reader, call, reference
from keyrules.code.cloudformation.template import Template

LOOP = "Fn::ForEach::"
MAX_LOOP_NODES = 100_000
"""How many values the loops of one section may add; beyond that their values count as unknown."""


class Loops:
    """Replaces each `Fn::ForEach::Name: [variable, values, {name: block}]` of one section by what it declares.

    `template` needs its parameters and mappings only.
    """

    def __init__(self, template: Template) -> None:
        self._template = template
        self._reader = Reader(template, defaults=True)
        self._left = MAX_LOOP_NODES

    def expanded(self, entries: tuple[Entry, ...], looped: bool = False) -> Iterator[tuple[Entry, bool]]:
        """The entries, each with whether it stands for an unknown number of them.

        A parameter's default is one of the lists that a deployment may choose, so a block whose type is built from
        such a list also stands for itself, with the type open.
        """
        for entry in entries:
            if not entry.key.startswith(LOOP):
                yield entry, looped
                continue
            variable, values, body = _loop(entry)
            known = self._values(values)
            cost = len(known) * body.size if known else 0
            if known is None or cost > self._left:
                yield from self.expanded(body.entries, True)
                continue
            self._left -= cost
            for value in known:
                replaced = _replaced(body, variable.text, value)
                yield from self.expanded(replaced.entries if isinstance(replaced, Table) else (), looped)
            if reference(values) is not None and _builds_type(body, variable.text):
                yield from self.expanded(body.entries, True)

    def _values(self, node: Node) -> list[str] | None:
        """The texts that a loop runs over, None where only a deployment knows them."""
        if isinstance(node, Listing):
            texts = [self._reader.text(item) for item in node.items]
            return None if any(map(self._reader.unresolved, texts)) else texts
        found = call(node)
        if found is None:
            return None
        if found.name == "Ref" and isinstance(found.argument, Scalar):
            parameter = self._template.parameters.get(found.argument.text)
            default = parameter.get("Default") if isinstance(parameter, Table) else None
            return [part.strip() for part in default.text.split(",")] if isinstance(default, Scalar) else None
        if found.name == "Fn::FindInMap" and (mapped := self._reader.mapped(found.argument)) is not None:
            return self._values(mapped) if isinstance(mapped, Listing) else None
        if found.name == "Fn::Split" and isinstance(parts := found.argument, Listing) and len(parts.items) == 2:
            delimiter, text = [self._reader.text(item) for item in parts.items]
            return text.split(delimiter) if delimiter and not self._reader.unresolved(text) else None
        return None


def _loop(entry: Entry) -> tuple[Scalar, Node, Table]:
    items = entry.node.items if isinstance(entry.node, Listing) else ()
    if len(items) == 3 and isinstance(items[0], Scalar) and isinstance(items[2], Table):
        return items[0], items[1], items[2]
    raise TemplateError(f"the loop at line {entry.line} is not a list of a variable, values and a mapping")


def _builds_type(body: Table, variable: str) -> bool:
    """Whether a block of a loop, one of nested loops included, has a type that depends on the variable."""
    marks = ("${" + variable + "}", "&{" + variable + "}")
    todo: list[Node] = [body]
    while todo:
        node = todo.pop()
        if isinstance(node, Listing):
            todo += node.items
        elif isinstance(node, Table):
            for entry in node.entries:
                if entry.key == "Type" and any(mark in text for text in _texts(entry.node) for mark in marks):
                    return True
                todo.append(entry.node)
    return False


def _texts(node: Node) -> Iterator[str]:
    todo: list[Node] = [node]
    while todo:
        current = todo.pop()
        if isinstance(current, Scalar):
            yield current.text
        elif isinstance(current, Listing):
            todo += current.items
        else:
            for entry in current.entries:
                # `Ref: N` is the same as `${N}` where N is the variable of a loop.
                if entry.key == "Ref" and isinstance(entry.node, Scalar):
                    yield "${" + entry.node.text + "}"
                todo.append(entry.node)


def _replaced(node: Node, variable: str, value: str) -> Node:
    """The node with the loop's variable replaced: `${v}`, `&{v}` (alphanumeric characters only) and `Ref: v`."""
    if isinstance(node, Scalar):
        text = _replaced_text(node.text, variable, value)
        return node if text == node.text else Scalar(text, False, node.line, node.end_line)
    if isinstance(node, Listing):
        return listing(tuple([_replaced(item, variable, value) for item in node.items]), node.line, node.end_line)
    if len(node.entries) == 1 and isinstance(name := node.get("Ref"), Scalar) and name.text == variable:
        return Scalar(value, False, node.line, node.end_line)
    entries = [
        Entry(_replaced_text(entry.key, variable, value), entry.line, _replaced(entry.node, variable, value))
        for entry in node.entries
    ]
    return table(tuple(entries), node.line, node.end_line)


def _replaced_text(text: str, variable: str, value: str) -> str:
    plain = "".join(character for character in value if character.isalnum())
    return text.replace("${" + variable + "}", value).replace("&{" + variable + "}", plain)
