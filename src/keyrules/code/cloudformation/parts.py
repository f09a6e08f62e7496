"""The templates that one file holds: itself, each of its documents, and those that stand inside others.

A StackSet's `TemplateBody`, the `resources` of a Serverless service, the `template_body` of an Ansible task and a
Kubernetes resource that makes a stack are templates in a mapping or in a text of another document.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from keyrules.code.cloudformation.branches import settled
from keyrules.code.cloudformation.declared import declared_keys
from keyrules.code.cloudformation.document import Listing, Node, Scalar, Table, TemplateError, read_document
from keyrules.code.cloudformation.reading import read_template, template_of
from keyrules.code.cloudformation.template import ACCESS_KEY, Block, Template
from keyrules.code.cloudformation.templated import UnsoundError, is_templated, plain_text
from keyrules.code.cloudformation.view import KeyPlace, TemplateFile, template_file
from keyrules.records import dataclass, replace

_DOCUMENT = re.compile(r"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)
_HEADS = ("AWS::IAM::", "AWS::Include", "Fn::ForEach")
_MAX_NESTING = 4
"""Templates inside of templates inside of templates; deeper ones are named, not judged."""


@dataclass(frozen=True)
class _Inner:
    """A template inside a document: where it stands, and either its node or its text."""

    prefix: str
    node: Table | Scalar


def template_files(path: str, text: str, prefix: str = "", depth: int = 0) -> list[TemplateFile]:
    """What a file's text declares, the whole of it first; a file of which nothing can be read keeps its keys by name.

    With `prefix` the text stands at that address of another file; its lines count from that file's first.
    """
    whole = template_file(path, text)
    found = [replace(whole, prefix=prefix)]
    if whole.template is None:
        documents = list(_documents(text))
        if documents and documents != [text]:
            parts = [part for each in documents for part in template_files(path, each, prefix, depth)]
            if any(part.template is not None for part in parts):
                return parts
    root = whole.template.document if whole.template is not None else _document(text)
    if root is None:
        return found
    inner = list(_inner(root, whole.template is not None)) if depth < _MAX_NESTING else []
    below: list[TemplateFile] = []
    names: Counter[str] = Counter()
    for part in inner:
        names[part.prefix] += 1
        number = f"#{names[part.prefix]}" if names[part.prefix] > 1 else ""
        below += _inside(path, part, f"{prefix}{part.prefix}{number}/", depth)
    if whole.template is None and any(part.template is not None or part.unread for part in below):
        return below
    return found + below


def _documents(text: str) -> Iterator[str]:
    """The documents of a YAML stream that may declare a key, each with the lines before it left empty."""
    starts = [0, *(match.start() for match in _DOCUMENT.finditer(text))]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        if any(word in text[start:end] for word in _HEADS):
            yield "\n" * text.count("\n", 0, start) + text[start:end]


def _document(text: str) -> Node | None:
    """The document of a text that is no template, None where it is none at all."""
    try:
        return read_document(text)
    except TemplateError:
        pass
    if not is_templated(text):
        return None
    try:
        plain = plain_text(text)
        return settled(read_document(plain.text, alternatives=True), plain)
    except (TemplateError, UnsoundError):
        return None


def _inner(root: Node, is_template: bool) -> Iterator[_Inner]:
    """The outermost templates below a document, which is one itself or not."""
    todo: list[tuple[Node, tuple[str, ...]]] = [(root, ())]
    while todo:
        node, names = todo.pop()
        if isinstance(node, Listing):
            todo += [(item, names) for item in reversed(node.items)]
        elif isinstance(node, Scalar):
            # The type alone is a value like others, and a sentence about it is no template.
            if ACCESS_KEY in node.text and node.text.strip() != ACCESS_KEY and names:
                yield _Inner(_prefix(names, is_template), node)
        elif names and _holds_key(node):
            yield _Inner(_prefix(names, is_template), node)
        else:
            todo += [(entry.node, (*names, entry.key)) for entry in reversed(node.entries)]


def _holds_key(node: Table) -> bool:
    resources = node.get("Resources")
    blocks = resources.entries if isinstance(resources, Table) else ()
    kinds = (entry.node.get("Type") for entry in blocks if isinstance(entry.node, Table))
    return any(isinstance(kind, Scalar) and kind.text == ACCESS_KEY for kind in kinds)


def _prefix(names: tuple[str, ...], is_template: bool) -> str:
    """How an address says where the template stands: the resource, or the keys on the way to it."""
    if is_template and len(names) > 1 and names[0] == "Resources":
        return names[1]
    return ".".join(name for name in names if not name.startswith("Fn::"))


def _inside(path: str, part: _Inner, prefix: str, depth: int) -> list[TemplateFile]:
    if isinstance(part.node, Table):
        try:
            return [TemplateFile(path, template_of(part.node), prefix=prefix)]
        except TemplateError as error:
            return [TemplateFile(path, None, str(error), (KeyPlace("", part.node.line, str(error)),), prefix)]
    return text_inside(path, part.node.text, part.node.line, part.node.end_line, prefix, depth)


def text_inside(path: str, text: str, line: int, end_line: int, prefix: str, depth: int = 0) -> list[TemplateFile]:
    """The templates in a text that stands on these lines of a file; none where the text only speaks of a key."""
    body = text.rstrip("\n").lstrip("\ufeff")
    # A block of text (YAML's `|`, a heredoc) starts below the line that opens it; in a string all is on one line.
    first = line + 1 if "\n" in body and end_line - line > body.count("\n") else line
    if body.count("\n") > end_line - line and body.lstrip().startswith("{"):
        body = body.replace("\n", " ")
    lines = "\n" * (first - 1) + body
    if not declared_keys(body) and read_or_none(lines) is None:
        return []
    return [_clamped(part, line, end_line) for part in template_files(path, lines, prefix, depth + 1)]


def read_or_none(text: str) -> Template | None:
    """The template in a text, None where there is none."""
    try:
        return read_template(text)
    except TemplateError:
        return None


def _clamped(part: TemplateFile, line: int, end_line: int) -> TemplateFile:
    """The template with its blocks on the lines that the text really stands on."""

    def block(found: Block) -> Block:
        first = min(max(found.start_line, line), end_line)
        return replace(found, start_line=first, end_line=min(max(found.end_line, first), end_line))

    unread = tuple(replace(place, line=min(place.line, end_line)) for place in part.unread)
    template = part.template
    if template is not None:
        template = replace(
            template,
            resources={name: block(found) for name, found in template.resources.items()},
            outputs={name: block(found) for name, found in template.outputs.items()},
        )
    return replace(part, template=template, unread=unread)
