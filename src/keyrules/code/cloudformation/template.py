"""The sections of a CloudFormation template, with loops of AWS::LanguageExtensions expanded where they can be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from keyrules.code.cloudformation.document import (
    Entry,
    Listing,
    Node,
    Scalar,
    Table,
    TemplateError,
    listing,
    read_document,
    table,
)

ACCESS_KEY = "AWS::IAM::AccessKey"
LOOP = "Fn::ForEach::"
MAX_LOOP_NODES = 100_000
"""How many values the loops of one section may add; beyond that their values count as unknown."""


@dataclass(frozen=True)
class Block:
    """A named block of a section: a resource or an output. Lines are 1-based and inclusive.

    `looped` says that it stands for an unknown number of blocks, declared by a loop over values that only a
    deployment knows; its name then still holds the loop's variable.
    """

    logical_id: str
    body: Node
    start_line: int
    end_line: int
    looped: bool = False

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


@dataclass(frozen=True)
class Template:
    """One template. `document` is the whole of it; the sections are in the order of the file."""

    document: Table
    resources: Mapping[str, Block]
    outputs: Mapping[str, Block]
    parameters: Mapping[str, Node]
    conditions: Mapping[str, Node]
    mappings: Mapping[str, Node]

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


def read_template(text: str) -> Template:
    """The template in `text`, YAML or JSON. Raises TemplateError when it cannot be read as one."""
    document = read_document(text)
    if not isinstance(document, Table):
        raise TemplateError("the document is not a mapping")
    if not isinstance(document.get("Resources"), Table):
        raise TemplateError("the document has no Resources mapping")
    parameters = _nodes(document, "Parameters")
    return Template(
        document=document,
        resources=_blocks(document, "Resources", parameters),
        outputs=_blocks(document, "Outputs", parameters),
        parameters=parameters,
        conditions={name: block.body for name, block in _blocks(document, "Conditions", parameters).items()},
        mappings=_nodes(document, "Mappings"),
    )


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


def _section(document: Table, name: str) -> tuple[Entry, ...]:
    node = document.get(name)
    if node is None or (isinstance(node, Scalar) and node.null):
        return ()
    if not isinstance(node, Table):
        raise TemplateError(f"the section {name} at line {node.line} is not a mapping")
    return node.entries


def _nodes(document: Table, name: str) -> dict[str, Node]:
    return {entry.key: entry.node for entry in _section(document, name)}


def _blocks(document: Table, section: str, parameters: Mapping[str, Node]) -> dict[str, Block]:
    blocks: dict[str, Block] = {}
    for entry, looped in _Loops(parameters).expanded(_section(document, section), False):
        if entry.key in blocks:
            raise TemplateError(f"lines {blocks[entry.key].start_line} and {entry.line} declare the same name")
        end = max(entry.line, entry.node.end_line)
        blocks[entry.key] = Block(entry.key, entry.node, entry.line, end, looped)
    return blocks


class _Loops:
    """Replaces each `Fn::ForEach::Name: [variable, values, {name: block}]` of one section by what it declares."""

    def __init__(self, parameters: Mapping[str, Node]) -> None:
        self._parameters = parameters
        self._left = MAX_LOOP_NODES

    def expanded(self, entries: tuple[Entry, ...], looped: bool) -> Iterator[tuple[Entry, bool]]:
        """The entries, each with whether it stands for an unknown number of them."""
        for entry in entries:
            if not entry.key.startswith(LOOP):
                yield entry, looped
                continue
            variable, values, body = _loop(entry)
            known = _values(values, self._parameters)
            cost = len(known) * body.size if known else 0
            if known is None or cost > self._left:
                yield from self.expanded(body.entries, True)
                continue
            self._left -= cost
            for value in known:
                replaced = _replaced(body, variable.text, value)
                yield from self.expanded(replaced.entries if isinstance(replaced, Table) else (), looped)


def _loop(entry: Entry) -> tuple[Scalar, Node, Table]:
    items = entry.node.items if isinstance(entry.node, Listing) else ()
    if len(items) == 3 and isinstance(items[0], Scalar) and isinstance(items[2], Table):
        return items[0], items[1], items[2]
    raise TemplateError(f"the loop at line {entry.line} is not a list of a variable, values and a mapping")


def _values(node: Node, parameters: Mapping[str, Node]) -> list[str] | None:
    if isinstance(node, Table) and isinstance(name := node.get("Ref"), Scalar):
        parameter = parameters.get(name.text)
        default = parameter.get("Default") if isinstance(parameter, Table) else None
        return [part.strip() for part in default.text.split(",")] if isinstance(default, Scalar) else None
    if isinstance(node, Listing):
        values = [item.text for item in node.items if isinstance(item, Scalar)]
        return values if len(values) == len(node.items) else None
    return None


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
