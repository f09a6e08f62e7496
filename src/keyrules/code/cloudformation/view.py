"""What the rules see of CloudFormation: each template that Checkov evaluated, read again from its file.

Checkov's graph leaves out Metadata, Conditions and DeletionPolicy, and replaces a `Ref` to a parameter by its default
value, so its vertices only say which resources it saw in which file. A template never sees another one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keyrules.code.cloudformation.declared import declared_keys
from keyrules.code.cloudformation.document import TemplateError, decode_template
from keyrules.code.cloudformation.reading import read_template
from keyrules.code.cloudformation.template import ACCESS_KEY, Block, Template


@dataclass(frozen=True)
class KeyPlace:
    """Where a declared key is named. Lines are 1-based and inclusive; `why` says why it cannot be judged where that
    is not the whole file's problem."""

    logical_id: str
    start_line: int
    end_line: int
    why: str = ""


@dataclass(frozen=True)
class TemplateFile:
    """One template: of a file, or of a text inside one, whose keys have the address `prefix` and logical id.

    Without a template `problem` says why there is none; `unread` names the keys that are left open.
    """

    path: str
    template: Template | None
    problem: str = ""
    unread: tuple[KeyPlace, ...] = ()
    prefix: str = ""

    def address(self, logical_id: str) -> str:
        """What reports call a block of this template."""
        return self.prefix + logical_id

    @property
    def access_keys(self) -> tuple[Block, ...]:
        """The keys that can be judged."""
        return self.template.access_keys if self.template else ()


@dataclass(frozen=True)
class CloudFormationView:
    """The templates under judgement, sorted by path."""

    files: tuple[TemplateFile, ...]

    @classmethod
    def from_vertices(
        cls, vertices: Sequence[Mapping[str, Any]], read: Callable[[Path], bytes] = Path.read_bytes
    ) -> CloudFormationView:
        """The view of the templates that the vertices of Checkov's CloudFormation graph come from.

        A file that cannot be read or parsed keeps its keys, by name, as `unread`.
        """
        seen: dict[str, dict[str, KeyPlace]] = {}
        for vertex in vertices:
            keys = seen.setdefault(str(vertex["file_path_"]), {})
            kind, _, logical_id = str(vertex["block_name_"]).partition(".")
            if vertex["block_type_"] == "resource" and kind == ACCESS_KEY:
                lines = (vertex.get("__startline__", 1), vertex.get("__endline__", 1))
                keys[logical_id] = KeyPlace(logical_id, *lines)
        files: list[TemplateFile] = []
        for name, keys in sorted(seen.items()):
            path = Path(name).absolute()
            try:
                text = decode_template(read(path))
            except OSError as error:
                files.append(TemplateFile(str(path), None, error.strerror or "unreadable", tuple(keys.values())))
            else:
                files.append(template_file(str(path), text, keys))
        return cls(tuple(files))


_OPEN = (
    "its type comes from values or a file that only a deployment knows, so it may be one; write `Type: "
    "AWS::IAM::AccessKey` or scan the rendered template"
)


def template_file(path: str, text: str, seen: Mapping[str, KeyPlace] | None = None) -> TemplateFile:
    """One file of a view from its text; `seen` are the keys that Checkov found in it, by logical id."""
    expected = dict(seen or {})
    try:
        template = read_template(text)
    except TemplateError as error:
        named = [key for key in declared_keys(text) if key.logical_id not in expected]
        unread = [*expected.values(), *(KeyPlace(key.logical_id, key.line, key.line) for key in named)]
        return TemplateFile(path, None, str(error), _sorted(unread))
    declared = {key.logical_id for key in template.access_keys}
    unread = [place for name, place in expected.items() if name not in declared]
    problem = "the template's own text does not declare what Checkov found in it" if unread else ""
    unread += [KeyPlace(block.logical_id, block.start_line, block.end_line, _OPEN) for block in template.open_keys]
    return TemplateFile(path, template, problem, _sorted(unread))


def _sorted(places: list[KeyPlace]) -> tuple[KeyPlace, ...]:
    return tuple(sorted(places, key=lambda place: (place.start_line, place.logical_id)))
