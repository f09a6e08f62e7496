"""One template file as the rules see it: what it declares, or the keys that it names and nobody can judge."""

from __future__ import annotations

from dataclasses import dataclass

from keyrules.code.cloudformation.declared import declared_keys
from keyrules.code.cloudformation.document import TemplateError
from keyrules.code.cloudformation.template import Block, Template, read_template


@dataclass(frozen=True)
class KeyPlace:
    """Where a declared key is named. Lines are 1-based and inclusive."""

    logical_id: str
    line: int


@dataclass(frozen=True)
class TemplateFile:
    """One file: its template, or the sentence that says why there is none; `unread` names the keys it leaves open."""

    path: str
    template: Template | None
    problem: str = ""
    unread: tuple[KeyPlace, ...] = ()

    @property
    def access_keys(self) -> tuple[Block, ...]:
        """The keys that can be judged."""
        return self.template.access_keys if self.template else ()


def template_file(path: str, text: str) -> TemplateFile:
    """Reads one file from its text."""
    try:
        return TemplateFile(path, read_template(text))
    except TemplateError as error:
        unread = [KeyPlace(key.logical_id, key.line) for key in declared_keys(text)]
        unread.sort(key=lambda place: (place.line, place.logical_id))
        return TemplateFile(path, None, str(error), tuple(unread))
