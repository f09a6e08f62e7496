"""Reads `.keyrules.yaml`, strictly or not at all: a key that nobody understands is a gate that nobody set.

Every refusal is a UsageError of one sentence: file, line, key, what was found, what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NoReturn

from keyrules.model import Plane, Rule, UsageError
from keyrules.nearest import nearest
from keyrules.pack.catalog import Pack
from keyrules.pack.selection import find_rule
from keyrules.pack.strict_yaml import Block, is_short, parse_bytes
from keyrules.records import dataclass
from keyrules.run.configuration.keys import KEYS
from keyrules.run.configuration.kinds import (
    SECTIONS,
    SWITCH,
    TOP,
    Kind,
    Plain,
    Refused,
    Words,
    found,
    thresholds,
)

RULES = "rules"

_WORD = re.compile(r"[a-z_-]{1,30}")


@dataclass(frozen=True)
class Given:
    """A value that a file gives, in its plain form, and the line of its key."""

    value: Plain
    line: int


@dataclass(frozen=True)
class Configuration:
    """What one file says. `name` is the file as messages call it.

    `settings` are by key, after the name of its section where it stands in one: `fail_on`, `scan.format`. `switches`
    are the rules that the file turns on or off, `parameters` the thresholds that it sets, by rule and parameter.
    """

    name: str
    settings: Mapping[str, Given]
    switches: Mapping[str, Given]
    parameters: Mapping[tuple[str, str], Given]

    def setting(self, key: str, plane: Plane) -> Given | None:
        """What holds for a command: the value of its section, else that of the top level, else None."""
        section = next(name for name, of in SECTIONS.items() if of is plane)
        return self.settings.get(f"{section}.{key}", self.settings.get(key))

    def place(self, given: Given) -> str:
        """Where a value stands, as in `.keyrules.yaml:3`."""
        return f"{self.name}:{given.line}"


def parse_configuration(data: bytes, name: str, pack: Pack) -> Configuration:
    """The configuration that a file's bytes state under the rules of a pack; an empty file states nothing.

    Raises UsageError.
    """
    if not data.strip():
        return Configuration(name, {}, {}, {})
    return _Reader(name, Words(pack)).configuration(parse_bytes(data, name, may_be_empty=True))


class _Reader:
    def __init__(self, name: str, words: Words) -> None:
        self.name = name
        self.words = words

    def configuration(self, top: Block) -> Configuration:
        settings = dict(self._settings(top, TOP, (RULES, *SECTIONS)))
        for section in SECTIONS:
            if section in top:
                block = self._block(top, section, section)
                settings |= {f"{section}.{key}": given for key, given in self._settings(block, section)}
        switches: dict[str, Given] = {}
        parameters: dict[tuple[str, str], Given] = {}
        if RULES in top:
            block = self._block(top, RULES, RULES)
            for key in block:
                self._rule(block, self._known(block, key), switches, parameters)
        self._refuse_contradiction(settings, switches)
        return Configuration(self.name, settings, switches, parameters)

    def _settings(self, block: Block, section: str, others: Iterable[str] = ()) -> Iterator[tuple[str, Given]]:
        keys = {key.name: key for key in KEYS if section in key.places}
        prefix = f"{section}." if section else ""
        for name in block:
            if name in keys:
                value = self._value(block, name, prefix + name, keys[name].kind, section)
                yield name, Given(value, block.key_lines[name])
            elif name not in others:
                self._unknown(block, name, prefix, [*others, *keys])

    def _unknown(self, block: Block, name: str, prefix: str, allowed: list[str]) -> NoReturn:
        key = next((key for key in KEYS if key.name == name), None)
        if key is not None:
            places = " or ".join("at the top level" if place == TOP else f"under `{place}`" for place in key.places)
            self._refuse(block, name, prefix + name, f"stands in the wrong place, it belongs {places}", allowed)
        near = _perhaps(name, allowed)
        # A file of which nothing is known may be anything, and of it no more than a plain word is quoted.
        ours = near or any(key in allowed for key in block) or _WORD.fullmatch(name)
        shown = _shown(name) if ours else "…"
        self._refuse(block, name, prefix + shown, f"is an unknown key{near}", allowed)

    def _known(self, block: Block, key: str) -> Rule:
        if not is_short(key):
            self._refuse(block, key, f"{RULES}.…", "is no rule id", ["ids as `keyrules rules` lists them"])
        try:
            return find_rule(self.words.pack, key)
        except UsageError as error:
            raise UsageError(f"{self.name}, line {block.key_lines[key]}: `{RULES}`: {error}") from None

    def _rule(
        self,
        block: Block,
        rule: Rule,
        switches: dict[str, Given],
        parameters: dict[tuple[str, str], Given],
    ) -> None:
        value, where, kinds = block[rule.id], f"{RULES}.{rule.id}", thresholds(rule)
        shapes = ["on", "off", *([f"a mapping of {', '.join(kinds)}"] if kinds else [])]
        if not isinstance(value, Block):
            try:
                switches[rule.id] = Given(SWITCH.read(value, self.words, TOP), block.key_lines[rule.id])
            except Refused as refused:
                self._refuse(block, rule.id, where, f"has {refused.found}", shapes)
            return
        if not kinds:
            self._refuse(block, rule.id, where, "has a mapping, and the rule has no parameters", shapes)
        if not value:
            self._refuse(block, rule.id, where, "has an empty mapping", shapes)
        for name in value:
            if name not in kinds:
                what = f"is no parameter of the rule{_perhaps(name, kinds)}"
                self._refuse(value, name, f"{where}.{_shown(name)}", what, kinds)
            read = self._value(value, name, f"{where}.{name}", kinds[name], TOP)
            parameters[rule.id, name] = Given(read, value.key_lines[name])

    def _refuse_contradiction(self, settings: Mapping[str, Given], switches: Mapping[str, Given]) -> None:
        framework = next((key for key in settings if key.rpartition(".")[2] == "framework"), None)
        if framework is not None:
            for rule_id, given in switches.items():
                raise UsageError(
                    f"{self.name}, line {given.line}: `{RULES}.{rule_id}` is turned {found(given.value)}, and "
                    f"`{framework}` (line {settings[framework].line}) chooses the rules; allowed: one of both, or a "
                    "mapping of parameters for the rule."
                )

    def _block(self, parent: Block, key: str, where: str) -> Block:
        value = parent[key]
        if not isinstance(value, Block):
            self._refuse(parent, key, where, f"has {found(value)}", ["a mapping of keys"])
        return value

    def _value(self, block: Block, key: str, where: str, kind: Kind, section: str) -> Plain:
        try:
            return kind.read(block[key], self.words, section)
        except Refused as refused:
            self._refuse(block, key, where, f"has {refused.found}", [refused.allowed])

    def _refuse(self, block: Block, key: str, where: str, what: str, allowed: Iterable[str]) -> NoReturn:
        line = block.key_lines.get(key, block.line)
        raise UsageError(f"{self.name}, line {line}: `{where}` {what}; allowed: {', '.join(allowed)}.")


def _perhaps(wrong: str, known: Iterable[str]) -> str:
    word = nearest(wrong.replace("-", "_"), known, 0.6)
    return f", perhaps meant as `{word}`" if word else ""


def _shown(key: str) -> str:
    return key if is_short(key) else "…"
