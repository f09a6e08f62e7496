"""One template file as the rules see it: what it declares, or the keys that it names and nobody can judge."""

from __future__ import annotations

from keyrules.code.cloudformation.declared import declared_blocks, declared_keys
from keyrules.code.cloudformation.document import TemplateError
from keyrules.code.cloudformation.reading import read_template
from keyrules.code.cloudformation.template import Block, Template
from keyrules.code.cloudformation.templated import has_directives
from keyrules.code.file_names import PROGRAM_SUFFIXES
from keyrules.records import dataclass

_OPEN = (
    "its type comes from values or from a file that only a deployment knows, so it may be an access key; write "
    "`Type: AWS::IAM::AccessKey`, or scan the template as it is deployed"
)


@dataclass(frozen=True)
class KeyPlace:
    """Where a declared key is named, its 1-based line, and why it cannot be judged; with `kind`, a block of that type
    which rules judge by itself."""

    logical_id: str
    line: int
    why: str
    kind: str = ""


@dataclass(frozen=True)
class TemplateFile:
    """One template: of a file, or of a text in one, where `prefix` stands before the logical ids in addresses.

    Without a template `problem` says why there is none; `unread` names the keys that are left open.
    """

    path: str
    template: Template | None
    problem: str = ""
    unread: tuple[KeyPlace, ...] = ()
    prefix: str = ""

    @property
    def access_keys(self) -> tuple[Block, ...]:
        """The keys that can be judged."""
        return self.template.access_keys if self.template else ()


def template_file(path: str, text: str) -> TemplateFile:
    """Reads one file from its text."""
    try:
        template = read_template(text)
    except TemplateError as error:
        why = f"{error}; {_advice(path, text)}"
        unread = [KeyPlace(key.logical_id, key.line, why) for key in declared_keys(text)]
        unread += [KeyPlace(block.logical_id, block.line, why, block.kind) for block in declared_blocks(text)]
        unread.sort(key=lambda place: (place.line, place.logical_id))
        return TemplateFile(path, None, why, tuple(unread))
    open_keys = tuple(KeyPlace(block.logical_id, block.start_line, _OPEN) for block in template.open_keys)
    return TemplateFile(path, template, unread=open_keys)


def _advice(path: str, text: str) -> str:
    """What to do about a text that cannot be read."""
    if path.lower().endswith(tuple(PROGRAM_SUFFIXES)):
        return "scan the template that the program writes"
    return "scan the file that it is rendered to" if has_directives(text) else "mend it, or scan what is deployed"
