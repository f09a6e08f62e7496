"""The sections of a CloudFormation template as the rules see them."""

from __future__ import annotations

from collections.abc import Mapping

from keyrules.code.cloudformation.document import Listing, Node, Scalar, Table
from keyrules.records import dataclass

ACCESS_KEY = "AWS::IAM::AccessKey"
SECRET = "SecretAccessKey"
"""The attribute of a key that is its secret."""


@dataclass(frozen=True)
class Block:
    """A named block of a section: a resource or an output. Lines are 1-based and inclusive.

    `looped` says that it stands for an unknown number of blocks, declared by a loop over values that only a
    deployment knows; its name then still holds the loop's variable. `directives` are the names of the conditions that
    stand for the directives of a text template around it.
    """

    logical_id: str
    body: Node
    start_line: int
    end_line: int
    looped: bool = False
    directives: tuple[str, ...] = ()

    def part(self, name: str) -> Node | None:
        """A direct attribute of the block such as `Properties`, or None when it is absent or null."""
        node = self.body.get(name) if isinstance(self.body, Table) else None
        return None if isinstance(node, Scalar) and node.null else node

    def setting(self, name: str) -> Node | None:
        """A property of a resource, or None when it is absent or null."""
        properties = self.part("Properties")
        node = properties.get(name) if isinstance(properties, Table) else None
        return None if isinstance(node, Scalar) and node.null else node

    @property
    def type(self) -> str:
        """The resource type, empty when the block states none that is plain text."""
        node = self.part("Type")
        return node.text if isinstance(node, Scalar) else ""

    @property
    def condition(self) -> str | None:
        """The name of the condition that the block is created under."""
        node = self.part("Condition")
        return node.text if isinstance(node, Scalar) else None

    @property
    def conditions(self) -> tuple[str, ...]:
        """The names of all conditions that have to hold where the block is created."""
        return self.directives if self.condition is None else (*self.directives, self.condition)


@dataclass(frozen=True)
class Template:
    """One template. `document` is the whole of it; the sections are in the order of the file.

    `open_keys` are resources whose type only a deployment knows and that may be keys; `notes` are sentences on how
    the text was read that people should know of.
    """

    document: Table
    resources: Mapping[str, Block]
    outputs: Mapping[str, Block]
    parameters: Mapping[str, Node]
    conditions: Mapping[str, Node]
    mappings: Mapping[str, Node]
    open_keys: tuple[Block, ...] = ()
    notes: tuple[str, ...] = ()

    def section(self, name: str) -> Node | None:
        """A top-level section such as `Metadata` or `Globals`, or None."""
        return self.document.get(name)

    @property
    def access_keys(self) -> tuple[Block, ...]:
        """The declared access keys."""
        return tuple(block for block in self.resources.values() if block.type == ACCESS_KEY)

    @property
    def malformed_keys(self) -> tuple[Block, ...]:
        """The resources that name the type of an access key where no resource can state its type, so that they are
        none to CloudFormation nor to any rule. A type among the properties is a value like others."""
        return tuple(block for block in self.resources.values() if _is_malformed_key(block.body))


def _is_malformed_key(body: Node) -> bool:
    if not isinstance(body, Table):
        return _names_key(body)
    stated = body.get("Type")
    if stated is None:
        return any(entry.key.strip().lower() == "type" and _names_key(entry.node) for entry in body.entries)
    return not isinstance(stated, Scalar) and _names_key(stated)


def _names_key(node: Node) -> bool:
    """Whether a value holds the type anywhere, prose not counted; without recursion, because files may nest deeply."""
    todo = [node]
    while todo:
        current = todo.pop()
        if isinstance(current, Scalar):
            if current.text.replace(" ", "").removeprefix("Type:") == ACCESS_KEY:
                return True
        elif isinstance(current, Listing):
            todo += current.items
        else:
            todo += [entry.node for entry in current.entries]
    return False
