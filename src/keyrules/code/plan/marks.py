"""The trees that mark what is unknown or sensitive in a planned value: true at a leaf, the shape of the value above."""

from __future__ import annotations

from collections.abc import Mapping


def part(marks: object, attribute: str) -> object:
    """The marks of one attribute: those of the whole value count for each of its attributes."""
    if marks is True:
        return True
    return marks.get(attribute) if isinstance(marks, Mapping) else None


def marked(marks: object) -> bool:
    """Whether anything in a tree of marks is true."""
    todo = [marks]
    while todo:
        item = todo.pop()
        if item is True:
            return True
        if isinstance(item, Mapping):
            todo.extend(item.values())
        elif isinstance(item, list):
            todo.extend(item)
    return False


def hides_members(unknown: object, marks: object) -> bool:
    """Whether something unknown is marked with an empty collection: Terraform writes that for an unknown collection,
    whatever its members are (hashicorp/terraform internal/command/jsonstate/state.go, SensitiveAsBool).
    """
    todo = [(unknown, marks)]
    while todo:
        item, mark = todo.pop()
        if item is True and isinstance(mark, (Mapping, list)):
            return True
        if isinstance(item, Mapping):
            todo.extend((each, part(mark, name)) for name, each in item.items())
        elif isinstance(item, list) and isinstance(mark, list):
            todo.extend(zip(item, mark, strict=False))
    return False
