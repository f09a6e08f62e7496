"""The `references` of a plan's configuration, read back into what they name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from keyrules.records import dataclass

_STEP = re.compile(r'\.?(?:(?P<name>[^.\[\]"]+)|\[(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<number>\d+)|[^\]"]*)\])')


@dataclass(frozen=True)
class PlanReference:
    """A reference: `root` is `var`, `local`, `module`, `data`, `each`, `count`, `self` … or a resource type.

    `name` is the variable, local, module call or resource, with the type before it for data sources. `index` is the
    instance key. `rest` are the attributes and keys below, a module's output first.
    """

    text: str
    root: str
    name: str
    index: int | str | None
    rest: tuple[str, ...]

    @property
    def block(self) -> str:
        """The name of the resource or data source among its module's blocks."""
        return f"{self.root}.{self.name}"


def leading(references: Sequence[str]) -> Iterator[str]:
    """The references as they were written, without the shorter forms that Terraform adds after each."""
    previous = ""
    for text in references:
        if not (previous.startswith(text) and previous[len(text) : len(text) + 1] in (".", "[")):
            yield text
        previous = text


def parse_reference(text: str) -> PlanReference:
    """Reads one reference; text of any other form becomes a reference to nothing that is known."""
    steps: list[tuple[str | None, int | str | None]] = []
    position = 0
    while position < len(text) and (match := _STEP.match(text, position)):
        steps.append((match["name"], _key(match)))
        position = match.end()
    root = steps[0][0] if steps and steps[0][0] else ""
    named = 2 if root == "data" else 0 if root == "self" else 1
    name = ".".join(step or "" for step, _ in steps[1 : 1 + named])
    below = steps[1 + named :]
    index: int | str | None = None
    if below and below[0][0] is None and root not in ("var", "local", "each", "self"):
        index, below = below[0][1], below[1:]
    rest = tuple(str(step if step is not None else key) for step, key in below)
    return PlanReference(text, root, name, index, rest)


def iterates(reference: PlanReference) -> bool:
    """Whether the value differs from instance to instance of the same block."""
    return reference.root in ("each", "count")


def _key(match: re.Match[str]) -> int | str | None:
    if match["number"] is not None:
        return int(match["number"])
    if match["text"] is not None:
        try:
            return str(json.loads(match["text"]))
        except ValueError:
            return match["text"]
    return None
