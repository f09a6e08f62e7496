"""From text to a template: YAML or JSON, plain or with the directives of a text template around it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress

from keyrules.code.cloudformation.branches import condition, condition_name, extra, settled
from keyrules.code.cloudformation.document import (
    Doubled,
    Entry,
    Listing,
    Node,
    Scalar,
    Table,
    TemplateError,
    read_document,
    table,
)
from keyrules.code.cloudformation.intrinsics import Reader
from keyrules.code.cloudformation.loops import Loops
from keyrules.code.cloudformation.template import ACCESS_KEY, Block, Template
from keyrules.code.cloudformation.templated import (
    Plain,
    UnsoundError,
    has_blocks,
    has_directives,
    is_templated,
    plain_text,
)
from keyrules.records import replace

_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_FRAGMENT_NAME = re.compile(r"(?:[A-Za-z0-9]|\{\{.*?\}\})+|AWS::IAM::AccessKey")
_SHOWN_KEY = re.compile(r"[A-Za-z][A-Za-z0-9:]{0,17}")
_NO_DIRECTIVES = Plain("")


def read_template(text: str) -> Template:
    """The template in `text`. Raises TemplateError when it cannot be read as one, whichever way it is looked at."""
    templated = is_templated(text)
    around: Template | None = None
    if templated and has_blocks(text):
        with suppress(TemplateError, UnsoundError):
            around = _read_around(text)
    try:
        plain = _read_plain(text)
        # YAML comments hide no directive from the program that renders the text, so the other reading counts; but what
        # only looks like a directive must not hide a key.
        return plain if around is None or len(around.access_keys) < len(plain.access_keys) else around
    except TemplateError as plain_error:
        if around is not None:
            return around
        if not templated:
            raise
        try:
            return _read_around(text, interpolated=True)
        except UnsoundError:
            raise TemplateError("its directives do not nest, so what they leave out is not known") from None
        except TemplateError as error:
            # `${name}` is CloudFormation's own; a text with nothing else is simply no template.
            raise (TemplateError(f"without its directives, {error}") if has_directives(text) else plain_error) from None


def _read_plain(text: str) -> Template:
    doubled: list[Doubled] = []
    return template_of(_document(text, doubled), _NO_DIRECTIVES, doubled)


def _read_around(text: str, interpolated: bool = False) -> Template:
    plain = plain_text(text, interpolated)
    return template_of(settled(_document(plain.text, None, alternatives=True), plain), plain)


def _document(text: str, doubled: list[Doubled] | None, alternatives: bool = False) -> Node:
    try:
        return read_document(text, doubled, alternatives)
    except TemplateError:
        if text.lstrip("\ufeff \t\r\n")[:1] not in ("{", "/"):
            raise
        stripped = _COMMENT.sub(_without_comment, text)
        if stripped == text:
            raise
        if doubled:
            doubled.clear()
        return read_document(stripped, doubled, alternatives)


def _without_comment(match: re.Match[str]) -> str:
    return match[0] if match[0].startswith('"') else re.sub(r"[^\n]", " ", match[0])


def template_of(document: Node, plain: Plain = _NO_DIRECTIVES, doubled: Sequence[Doubled] = ()) -> Template:
    """A template from its document, or from a fragment of one: resources, or one resource, that a template includes."""
    if not isinstance(document, Table):
        raise TemplateError("the document is not a mapping")
    resources = document.get("Resources")
    if resources is None and _is_key(document):
        document = table((Entry(ACCESS_KEY, 0, document),), document.line, document.end_line)
    if resources is None and any(
        _is_key(entry.node) for entry in document.entries if _FRAGMENT_NAME.fullmatch(entry.key)
    ):
        document = table((Entry("Resources", 0, document),), document.line, document.end_line)
    elif not isinstance(resources, Table) and not any(map(_includes_elsewhere, _transforms(document))):
        raise TemplateError("the document has no Resources mapping")
    parameters, mappings = _nodes(document, "Parameters"), _nodes(document, "Mappings")
    base = Template(document, {}, {}, parameters, {}, mappings)
    sections = _Sections(base, plain)
    blocks = {name: sections.blocks(name) for name in ("Resources", "Outputs", "Conditions")}
    reader = Reader(base, defaults=True)
    typed = {name: _typed(block, reader) for name, block in blocks["Resources"].items()}
    return replace(
        base,
        resources=typed,
        outputs=blocks["Outputs"],
        conditions={**{n: block.body for n, block in blocks["Conditions"].items()}, **sections.directives},
        open_keys=(
            *(block for block in typed.values() if _may_be_key(block, reader)),
            *(
                Block("Transform", node, node.line, node.end_line)
                for node in _transforms(document)
                if _includes_elsewhere(node)
            ),
        ),
        notes=tuple(_notes(document, doubled)),
    )


def _is_key(node: Node) -> bool:
    kind = node.get("Type") if isinstance(node, Table) else None
    return isinstance(kind, Scalar) and kind.text == ACCESS_KEY


def _typed(block: Block, reader: Reader) -> Block:
    """The block with its type as text where a function builds it from what the template knows."""
    node = block.part("Type")
    if not isinstance(node, Table) or not isinstance(block.body, Table):
        return block
    text = reader.text(node)
    stated = Scalar(text, False, node.line, node.end_line)
    if text != ACCESS_KEY and not reader.may_be(text, ACCESS_KEY):
        return block
    entries = tuple(Entry(e.key, e.line, stated) if e.key == "Type" else e for e in block.body.entries)
    return replace(block, body=table(entries, block.body.line, block.body.end_line))


def _may_be_key(block: Block, reader: Reader) -> bool:
    if block.logical_id == "Fn::Transform":
        return _includes_elsewhere(block.body)
    inner = block.part("Fn::Transform")
    if inner is not None and block.part("Type") is None:
        return _includes_elsewhere(inner)
    return block.type != ACCESS_KEY and reader.may_be(block.type, ACCESS_KEY)


def _includes_elsewhere(node: Node) -> bool:
    """Whether an `AWS::Include` takes its text from a bucket or a value; a file of its own is read as a fragment."""
    name = node.get("Name") if isinstance(node, Table) else None
    if not isinstance(node, Table) or not isinstance(name, Scalar) or name.text != "AWS::Include":
        return False
    given = node.get("Parameters")
    location = given.get("Location") if isinstance(given, Table) else None
    return not isinstance(location, Scalar) or "://" in location.text or "{{" in location.text


def _transforms(document: Table) -> Iterator[Node]:
    """What the whole template is handed to."""
    for section in ("Transform", "Fn::Transform"):
        stated = document.get(section)
        if isinstance(stated, Listing):
            yield from stated.items
        elif stated is not None:
            yield stated


def _macros(document: Table) -> Iterator[str]:
    """The macros of an account that the template is handed to before it is deployed."""
    for node in _transforms(document):
        name = node.get("Name") if isinstance(node, Table) else node
        if isinstance(name, Scalar) and not name.text.startswith("AWS::"):
            yield name.text


def _notes(document: Table, doubled: Sequence[Doubled]) -> Iterator[str]:
    if any(True for _ in _macros(document)):
        yield "a macro of the account may change the resources before they are deployed; they are judged as they stand"
    for twice in doubled:
        name = twice.key if _SHOWN_KEY.fullmatch(twice.key) else "a key"
        yield f"lines {twice.first} and {twice.line} both declare {name}; CloudFormation takes the last, and so do we"


def _section(document: Table, name: str) -> tuple[Entry, ...]:
    node = document.get(name)
    if node is None or (isinstance(node, Scalar) and (node.null or "{{" in node.text)):
        return ()
    if not isinstance(node, Table):
        raise TemplateError(f"the section {name} at line {node.line} is not a mapping")
    return node.entries


def _nodes(document: Table, name: str) -> dict[str, Node]:
    return {entry.key: entry.node for entry in _section(document, name)}


class _Sections:
    """The named blocks of the sections of one template; `directives` are the conditions of the text around them."""

    def __init__(self, template: Template, plain: Plain) -> None:
        self._template = template
        self._plain = plain
        self._lines = plain.text.split("\n") if plain.open_lines else []
        self.directives: dict[str, Node] = {}

    def blocks(self, section: str) -> dict[str, Block]:
        """The blocks of a section by name; further ones of a name, from other branches, under a name of their own."""
        document = self._template.document
        around = self._plain.at(entry.line) if (entry := document.entry(section)) else ()
        found: dict[str, Block] = {}
        times: Counter[str] = Counter()
        for entry, looped in Loops(self._template).expanded(_section(document, section)):
            branches = extra(self._plain, entry.line, around)
            self.directives.update((condition_name(branch), condition(branch)) for branch in branches)
            block = Block(
                logical_id=entry.key,
                body=entry.node,
                start_line=entry.line,
                end_line=max(entry.line, entry.node.end_line),
                looped=looped or any(branch.loop for branch in branches),
                directives=tuple(condition_name(branch) for branch in branches),
            )
            if entry.key in found and not self._plain.branches:
                raise TemplateError(f"lines {found[entry.key].start_line} and {entry.line} declare the same name")
            times[entry.key] += 1
            name = entry.key if times[entry.key] == 1 else f"{entry.key}\0{times[entry.key]}"
            found[name] = self._opened(block)
        return found

    def _has_open_line(self, block: Block) -> bool:
        """Whether the rendering writes a line inside a block: between its first and last, or indented below it."""
        index = bisect_left(self._plain.open_lines, (block.start_line, 0))
        if index == len(self._plain.open_lines):
            return False
        line, indent = self._plain.open_lines[index]
        if line <= block.end_line:
            return True
        own = len(self._lines[block.start_line - 1]) - len(self._lines[block.start_line - 1].lstrip())
        return indent > own and not any(each.strip() for each in self._lines[block.end_line : line - 1])

    def _opened(self, block: Block) -> Block:
        """The block with a mark among its properties where the rendering puts something of its own into it."""
        if not isinstance(block.body, Table) or not self._has_open_line(block):
            return block
        mark = Entry("Fn::Transform", block.start_line, Scalar("{{ }}", False, block.start_line, block.start_line))
        properties = block.part("Properties")
        if properties is not None and not isinstance(properties, Table):
            return block
        own = properties.entries if properties is not None else ()
        body = [entry for entry in block.body.entries if entry.key != "Properties"]
        filled = Entry("Properties", block.start_line, table((*own, mark), block.start_line, block.end_line))
        return replace(block, body=table((*body, filled), block.body.line, block.body.end_line))
