"""What CloudFormation's intrinsic functions evaluate to, as far as a template alone can tell."""

from __future__ import annotations

import re
from collections.abc import Iterator

from keyrules.code.cloudformation.document import Listing, Node, Scalar, Table
from keyrules.code.cloudformation.template import Template
from keyrules.records import dataclass

USER, GROUP = "AWS::IAM::User", "AWS::IAM::Group"
_NAMES = {USER: "UserName", GROUP: "GroupName"}
"""The property that a `Ref` yields."""

_MARK, _INNER = "\0", "\1"
"""What stands around what only a deployment knows, and around such a part inside of another."""

_MAX_DEPTH = 40
_MAX_SIZE = 2000
_MAX_LENGTH = 4096
_OPEN_PART = re.compile(r"(?:\0[^\0]*\0|[$&]\{[^{}]*\}|\{\{.*?\}\})+", re.DOTALL)
_DEPLOYED = re.compile(r"(?:\0[^\0]*\0|\{\{.*?\}\})+", re.DOTALL)
_SUBSTITUTION = re.compile(r"\$\{(!?)([^{}]*)\}")


@dataclass(frozen=True)
class Call:
    """An intrinsic function: `Ref`, `Condition` or `Fn::…`, its argument and its line."""

    name: str
    argument: Node
    line: int


def call(node: Node) -> Call | None:
    """The function that a node is a call of, or None for plain data."""
    if not isinstance(node, Table) or len(node.entries) != 1:
        return None
    entry = node.entries[0]
    if entry.key in ("Ref", "Condition") or entry.key.startswith("Fn::"):
        return Call(entry.key, entry.node, entry.line)
    return None


def reference(node: Node) -> str | None:
    """The name in a `Ref`, or None."""
    found = call(node)
    if found and found.name == "Ref" and isinstance(found.argument, Scalar):
        return found.argument.text
    return None


def absent(node: Node | None) -> bool:
    """Whether a property with this value is as good as not set: null, empty, or `AWS::NoValue`."""
    if node is None or reference(node) == "AWS::NoValue":
        return True
    if isinstance(node, Scalar):
        return node.null or not node.text.strip()
    return not (node.items if isinstance(node, Listing) else node.entries)


def outcomes(node: Node | None) -> list[Node | None]:
    """The values that a property can take through `Fn::If`, in the order of the file; just the node without one."""
    todo: list[Node | None] = [node]
    found: list[Node | None] = []
    while todo:
        current = todo.pop()
        choice = call(current) if current is not None else None
        branches = choice.argument if choice and choice.name == "Fn::If" else None
        if isinstance(branches, Listing) and len(branches.items) == 3 and len(found) < _MAX_SIZE:
            todo.extend((branches.items[2], branches.items[1]))
        else:
            found.append(current)
    return found


def substitutions(text: str) -> Iterator[tuple[str, str | None]]:
    """The parts of an `Fn::Sub` text in order: (literal, None), or ("", name) for each `${name}`."""
    position = 0
    for match in _SUBSTITUTION.finditer(text):
        if match.start() > position:
            yield text[position : match.start()], None
        position = match.end()
        if match[1]:
            yield "${" + match[2] + "}", None
        else:
            yield "", match[2].strip()
    if position < len(text):
        yield text[position:], None


class Reader:
    """Reads values of one template as text. An unresolved part stays as a mark that equals only itself.

    With `defaults`, a parameter reads as its default value, as Checkov renders it; without, as itself.
    """

    def __init__(self, template: Template, defaults: bool) -> None:
        self._template = template
        self._defaults = defaults
        self._names: dict[str, str] = {}

    def text(self, node: Node | None, depth: int = 0) -> str:
        """The value as text, with marks around what only a deployment knows; empty for an absent value.

        What is too large or too deep to read counts as unknown too, equal to nothing but itself.
        """
        if node is None or (isinstance(node, Scalar) and node.null):
            return ""
        if depth <= _MAX_DEPTH and node.size <= _MAX_SIZE:
            text = node.text if isinstance(node, Scalar) else self._evaluated(node, depth)
            if len(text) <= _MAX_LENGTH:
                return text
        return self._unknown(str(id(node)))

    def _evaluated(self, node: Listing | Table, depth: int) -> str:
        found = call(node)
        if found is None:
            return self._data(node, depth)
        if found.name == "Ref" and isinstance(found.argument, Scalar):
            return self.named(found.argument.text, depth)
        if found.name == "Fn::Sub":
            return self._substituted(found.argument, depth)
        if found.name == "Fn::Join" and isinstance(joined := found.argument, Listing) and len(joined.items) == 2:
            delimiter, parts = joined.items
            if isinstance(parts, Listing):
                return self.text(delimiter, depth + 1).join([self.text(part, depth + 1) for part in parts.items])
        if found.name == "Fn::GetAtt" and (named := self.attribute(found.argument, depth)):
            return self._unknown(".".join(named))
        if found.name == "Fn::FindInMap" and isinstance(value := self.mapped(found.argument, depth), Scalar):
            return value.text
        if found.name == "Fn::Select" and isinstance(listed := found.argument, Listing) and len(listed.items) == 2:
            index, choices = self.text(listed.items[0], depth + 1), listed.items[1]
            if isinstance(choices, Listing) and index in map(str, range(len(choices.items))):
                return self.text(choices.items[int(index)], depth + 1)
        return self._unknown(f"{found.name} {self.text(found.argument, depth + 1)}")

    def attribute(self, argument: Node, depth: int = 0) -> tuple[str, str] | None:
        """The logical id and the attribute that an `Fn::GetAtt` names, or None when it is malformed."""
        if isinstance(argument, Listing) and len(argument.items) >= 2:
            parts = [self.text(item, depth + 1) for item in argument.items]
            return parts[0], ".".join(parts[1:])
        only = argument.items[0] if isinstance(argument, Listing) and argument.items else argument
        logical_id, _, attribute = only.text.partition(".") if isinstance(only, Scalar) else ("", "", "")
        return (logical_id, attribute) if attribute else None

    def holed(self, text: str, hole: str) -> str:
        """A text that this reader gave, with `hole` for each part that only a deployment knows."""
        return _DEPLOYED.sub(hole, text)

    def unresolved(self, text: str) -> bool:
        """Whether a text that this reader gave holds a part that only a deployment, or a rendering, knows."""
        return _MARK in text or "{{" in text or "${" in text

    def may_be(self, text: str, value: str) -> bool:
        """Whether a text that this reader gave is the value for some deployment; the value itself included.

        What is open through and through says nothing and does not count.
        """
        parts = _OPEN_PART.split(text)
        if len(parts) == 1 or not re.search("[A-Za-z]", "".join(parts)):
            return text == value
        return re.fullmatch(".*".join(map(re.escape, parts)), value, re.DOTALL) is not None

    def _unknown(self, text: str) -> str:
        return f"{_MARK}{text.replace(_MARK, _INNER)}{_MARK}"

    def _data(self, node: Listing | Table, depth: int) -> str:
        if isinstance(node, Listing):
            return self._unknown("[" + ",".join([self.text(item, depth + 1) for item in node.items]) + "]")
        parts = [f"{entry.key}:{self.text(entry.node, depth + 1)}" for entry in node.entries]
        return self._unknown("{" + ",".join(sorted(parts)) + "}")

    def named(self, name: str, depth: int = 0) -> str:
        """What a `Ref` to the name yields; for a user the user's name."""
        if name not in self._names:
            # Set first, so that a user named after itself ends as unknown.
            self._names[name] = self._unknown(name)
            self._names[name] = self._read(name, depth)
        return self._names[name]

    def _read(self, name: str, depth: int) -> str:
        parameter = self._template.parameters.get(name)
        if isinstance(parameter, Table) and self._defaults:
            default = parameter.get("Default")
            if isinstance(default, Scalar) and default.text:
                return self.text(default, depth + 1)
        resource = self._template.resources.get(name)
        named = resource.setting(_NAMES[resource.type]) if resource is not None and resource.type in _NAMES else None
        if not absent(named):
            return self.text(named, depth + 1)
        return self._unknown(name)

    def _substituted(self, argument: Node, depth: int) -> str:
        own: Table | None = None
        if isinstance(argument, Listing) and argument.items:
            variables = argument.items[-1]
            own = variables if isinstance(variables, Table) else None
            argument = argument.items[0]
        if not isinstance(argument, Scalar):
            return self._unknown(f"Fn::Sub {self.text(argument, depth + 1)}")
        parts: list[str] = []
        for literal, name in substitutions(argument.text):
            if name is None:
                parts.append(literal)
            elif own is not None and (value := own.get(name)) is not None:
                parts.append(self.text(value, depth + 1))
            else:
                parts.append(self._unknown(name) if "." in name else self.named(name, depth + 1))
        return "".join(parts)

    def mapped(self, argument: Node, depth: int = 0) -> Node | None:
        """What an `Fn::FindInMap` finds, text or a list; None where that is not decided."""
        if not isinstance(argument, Listing) or len(argument.items) < 3:
            return None
        name, first, second = [self.text(item, depth + 1) for item in argument.items[:3]]
        node: Node | None = self._template.mappings.get(name)
        for key in (first, second):
            node = node.get(key) if isinstance(node, Table) else None
        return node
