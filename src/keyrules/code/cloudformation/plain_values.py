"""Properties of a template as plain values, with a HOLE for each part that only a deployment knows."""

from __future__ import annotations

from typing import Any

from keyrules.code.cloudformation.document import Listing, Node, Scalar, Table
from keyrules.code.cloudformation.intrinsics import USER, Reader, absent, call, outcomes, reference
from keyrules.code.cloudformation.template import Block, Template
from keyrules.code.grants import user_arn
from keyrules.policies.patterns import HOLE

OPEN = "is known only to a deployment; give its parameter a default"
"""Why a template leaves something open, and what to do."""

_MAX_SIZE = 20_000
_AS_TEXT = frozenset({"Ref", "Fn::FindInMap", "Fn::GetAtt", "Fn::Join", "Fn::Select", "Fn::Sub"})


class Values:
    """Reads the properties of one template."""

    def __init__(self, template: Template, reader: Reader) -> None:
        self._template = template
        self._reader = reader

    def plain(self, node: Node | None) -> Any:
        """A value as text, list or dict; None where it is not set. What a condition decides is a HOLE."""
        if node is None or (isinstance(node, Scalar) and node.null):
            return None
        if node.size > _MAX_SIZE:
            return HOLE
        if isinstance(node, Scalar):
            return self._reader.holed(node.text, HOLE)
        if isinstance(node, Listing):
            return [self.plain(item) for item in node.items if not _no_value(item)]
        found = call(node)
        if found is None:
            return {entry.key: self.plain(entry.node) for entry in node.entries if not _no_value(entry.node)}
        if found.name == "Fn::GetAtt" and (named := self._reader.attribute(found.argument)):
            user = self._template.resources.get(named[0])
            if user is not None and user.type == USER and named[1] == "Arn":
                return self.arn(user)
        return self.text(node) if found.name in _AS_TEXT else HOLE

    def text(self, node: Node | None) -> str:
        """A value as text; empty where it is not set."""
        return self._reader.holed(self._reader.text(node), HOLE)

    def arn(self, user: Block) -> str:
        """The ARN of a user that the template declares. One without a name gets one that holds its logical id."""
        name = self.text(user.setting("UserName")) or f"*-{user.logical_id}-*"
        return user_arn(name, self.text(user.setting("Path")) or "/")

    def members(self, node: Node | None) -> list[Node | None]:
        """The members that a list has in some case of its conditions; None for those that only a deployment knows."""
        found: list[Node | None] = []
        for case in outcomes(node):
            if isinstance(case, Listing):
                found += [each for item in case.items for each in outcomes(item) if not absent(each)]
            elif not absent(case):
                found += self._of_parameter(case)
        return found

    def _of_parameter(self, node: Node | None) -> list[Node | None]:
        """The members of the default of a parameter that is a list."""
        parameter = self._template.parameters.get(reference(node) or "") if node is not None else None
        default = parameter.get("Default") if isinstance(parameter, Table) else None
        if isinstance(default, Scalar) and not default.null and not default.text.strip():
            return []
        text = self._reader.text(node)
        if node is None or self._reader.unresolved(text):
            return [None]
        return [Scalar(part.strip(), False, node.line, node.end_line) for part in text.split(",") if part.strip()]

    def given(self, block: Block, name: str) -> object:
        """A property that is a list: its members as plain values, and a HOLE where they are not known."""
        members = self.members(block.setting(name))
        known = [self.plain(member) for member in members if member is not None]
        return known or (HOLE if members else None)


def _no_value(node: Node) -> bool:
    return isinstance(node, Table) and absent(node) and call(node) is not None
