"""The kinds of values that `.keyrules.yaml` holds: each has one class that reads it and makes its JSON schema, so that
an editor and a run agree."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, TypeAlias

from keyrules.model import Parameter, Plane, Rule
from keyrules.pack.catalog import Pack
from keyrules.pack.conditions import type_word
from keyrules.pack.parameters import LARGEST, allowed_value, bounds, parse_value, show_value
from keyrules.pack.strict_yaml import is_short
from keyrules.records import dataclass
from keyrules.reports.report_formats import formats_of
from keyrules.run.configuration.exclude_globs import GLOB_PATTERN, GLOB_RULES, is_glob

Plain: TypeAlias = str | int | bool | list[Any] | dict[str, Any]
"""A value as JSON has it."""

SECTIONS: Mapping[str, Plane] = {"scan": Plane.CODE, "audit": Plane.LIVE}
"""The parts of a file that hold for one command only, and win over its top level."""

TOP = ""

_SWITCHES = {"on": True, "off": False}


class Refused(Exception):
    """A value is wrong; says what was found and what is allowed, without a sentence around it."""

    def __init__(self, found: str, allowed: str) -> None:
        super().__init__(found, allowed)
        self.found = found
        self.allowed = allowed


@dataclass(frozen=True)
class Words:
    """The names that depend on the pack."""

    pack: Pack

    @cached_property
    def frameworks(self) -> tuple[str, ...]:
        """What names a framework edition, read when it is first asked for."""
        from keyrules.completion.pack_names import read_editions

        return read_editions(self.pack.root)

    def formats(self, section: str) -> tuple[str, ...]:
        """The formats that a section's plane can express; at the top level those that both can."""
        if section != TOP:
            return formats_of(SECTIONS[section])
        return tuple(name for name in formats_of(Plane.CODE) if name in formats_of(Plane.LIVE))


class Kind(ABC):
    """A kind of value."""

    @abstractmethod
    def read(self, value: object, words: Words, section: str) -> Plain:
        """The value in its one plain form. Raises Refused."""

    @abstractmethod
    def schema(self, words: Words, section: str) -> dict[str, Any]:
        """The JSON schema (draft-07) of what `read` takes."""


class Switch(Kind):
    """On or off. YAML 1.1 reads `on` as true, and YAML 1.2, which editors follow, as text."""

    def read(self, value: object, words: Words, section: str) -> bool:
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value in _SWITCHES:
            return _SWITCHES[value]
        raise Refused(found(value), "on or off")

    def schema(self, words: Words, section: str) -> dict[str, Any]:
        return {"enum": [True, False, *_SWITCHES]}


SWITCH = Switch()


@dataclass(frozen=True)
class Whole(Kind):
    """A whole number of something."""

    minimum: int
    maximum: int
    unit: str

    def read(self, value: object, words: Words, section: str) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and self.minimum <= value <= self.maximum:
            return value
        raise Refused(found(value), f"{self.minimum} to {self.maximum} {self.unit}")

    def schema(self, words: Words, section: str) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}


@dataclass(frozen=True)
class Choice(Kind):
    """One word out of several."""

    options: Callable[[Words], tuple[str, ...]]

    def read(self, value: object, words: Words, section: str) -> str:
        options = self.options(words)
        if isinstance(value, str) and value in options:
            return value
        raise Refused(found(value), ", ".join(options))

    def schema(self, words: Words, section: str) -> dict[str, Any]:
        return {"enum": list(self.options(words))}


class FileName(Kind):
    """A file, relative to the folder of the configuration file."""

    PATTERN = r"^(?=.*[^\x00-\x20])[^\x00-\x1f]+$"

    def read(self, value: object, words: Words, section: str) -> str:
        if isinstance(value, str) and "\n" not in value and re.match(self.PATTERN, value):
            return value
        raise Refused(found(value), "the name of a file, relative to the folder of this one")

    def schema(self, words: Words, section: str) -> dict[str, Any]:
        return {"type": "string", "pattern": self.PATTERN}


class Glob(Kind):
    """What a scan leaves out."""

    def read(self, value: object, words: Words, section: str) -> str:
        if isinstance(value, str) and is_glob(value):
            return value
        raise Refused(found(value), GLOB_RULES)

    def schema(self, words: Words, section: str) -> dict[str, Any]:
        return {"type": "string", "pattern": GLOB_PATTERN}


class Report(Kind):
    """A format, or a format and a file."""

    def read(self, value: object, words: Words, section: str) -> str:
        names = words.formats(section)
        if isinstance(value, str) and "\n" not in value and re.match(self._pattern(names), value):
            return value
        everywhere = [name for other in SECTIONS for name in words.formats(other)]
        name = value.partition("=")[0] if isinstance(value, str) else ""
        if name in everywhere and name not in names:
            able = next(other for other in SECTIONS if name in words.formats(other))
            where = f"it may stand under {able}" if section == TOP else f"only {able} can express it"
            raise Refused(f"{name!r}, and {where}", self._allowed(names))
        raise Refused(found(value), self._allowed(names))

    def schema(self, words: Words, section: str) -> dict[str, Any]:
        return {"type": "string", "pattern": self._pattern(words.formats(section))}

    @staticmethod
    def _pattern(names: tuple[str, ...]) -> str:
        return rf"^(?:{'|'.join(map(re.escape, names))})(?:=[^\x00-\x1f]+)?$"

    @staticmethod
    def _allowed(names: tuple[str, ...]) -> str:
        return f"FORMAT or FORMAT=FILE, with FORMAT one of {', '.join(names)}"


@dataclass(frozen=True)
class Many(Kind):
    """A list of different values of one kind."""

    item: Kind

    def read(self, value: object, words: Words, section: str) -> list[Plain]:
        if not isinstance(value, list):
            raise Refused(found(value), "a list, as in [a, b]")
        items: list[Plain] = []
        for number, each in enumerate(value, start=1):
            try:
                item = self.item.read(each, words, section)
            except Refused as refused:
                raise Refused(f"{refused.found} as item {number}", refused.allowed) from None
            if item in items:
                raise Refused(f"item {items.index(item) + 1} a second time as item {number}", "each item once")
            items.append(item)
        return items

    def schema(self, words: Words, section: str) -> dict[str, Any]:
        return {"type": "array", "uniqueItems": True, "items": self.item.schema(words, section)}


@dataclass(frozen=True)
class ByUser(Kind):
    """Values by user: a name, ACCOUNT/NAME or an ARN, with `*` and `?`; the first that means a user counts."""

    item: Kind

    def read(self, value: object, words: Words, section: str) -> dict[str, Plain]:
        if not isinstance(value, dict) or not value:
            raise Refused(found(value), "a mapping by user, as in ci-*: …")
        items: dict[str, Plain] = {}
        for subject, each in value.items():
            try:
                items[subject] = self.item.read(each, words, section)
            except Refused as refused:
                raise Refused(f"{refused.found} for {found(subject)}", refused.allowed) from None
        return items

    def schema(self, words: Words, section: str) -> dict[str, Any]:
        return {"type": "object", "minProperties": 1, "additionalProperties": self.item.schema(words, section)}


@dataclass(frozen=True)
class Threshold(Kind):
    """The value of a rule's parameter, in its bounds."""

    parameter: Parameter

    def read(self, value: object, words: Words, section: str) -> Plain:
        numbers = value if isinstance(value, list) else [value]
        whole = all(isinstance(number, int) and not isinstance(number, bool) for number in numbers)
        if whole and isinstance(value, list) == isinstance(self.parameter.default, tuple):
            read = parse_value(self.parameter, ",".join(map(str, numbers)))
            if read is not None:
                return list(read) if isinstance(read, tuple) else read
        shape = f"a list of {bounds(self.parameter)}" if isinstance(self.parameter.default, tuple) else None
        raise Refused(found(value), shape or allowed_value(self.parameter))

    def schema(self, words: Words, section: str) -> dict[str, Any]:
        parameter = self.parameter
        about = {"description": f"{bounds(parameter)}; default: {show_value(parameter.default)}"}
        if isinstance(parameter.default, tuple):
            items = {"enum": list(parameter.allowed)}
            return about | {"type": "array", "minItems": 1, "uniqueItems": True, "items": items}
        maximum = min(LARGEST, parameter.maximum if parameter.maximum is not None else LARGEST)
        return about | {"type": "integer", "minimum": parameter.minimum, "maximum": maximum}


def thresholds(rule: Rule) -> dict[str, Threshold]:
    """The parameters that a file may set for a rule."""
    return {name: Threshold(parameter) for name, parameter in rule.parameters.items()}


def found(value: object) -> str:
    """A value for a message: short words and numbers as they are, anything else by its shape."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str) and value.strip() and is_short(value):
        return repr(value)
    return type_word(value)
