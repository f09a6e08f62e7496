"""The tables of docs/configuration.md, from what the loader checks a file against.

What a value may be is said in the words of the refusal, so that the page and an error message cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from keyrules.pack.catalog import load_pack
from keyrules.pack.parameters import bounds, show_value
from keyrules.run.configuration.file import RULES
from keyrules.run.configuration.keys import KEYS, Key
from keyrules.run.configuration.kinds import TOP, ByUser, Choice, Kind, Many, Refused, Words
from keyrules.run.configuration.schema import configuration_schema

_MOST_OPTIONS = 12


def allowed(kind: Kind, words: Words, place: str) -> str:
    """What a value of this kind may be at a place of the file."""
    if isinstance(kind, Many):
        return f"a list, of each {allowed(kind.item, words, place)}"
    if isinstance(kind, ByUser):
        return f"a mapping by user, as in `ci-*: …`, to {allowed(kind.item, words, place)}"
    if isinstance(kind, Choice) and len(options := kind.options(words)) > _MOST_OPTIONS:
        return f"one of {len(options)} words, as `{options[0]}`; `keyrules controls` lists them"
    try:
        kind.read(object(), words, place)
    except Refused as refused:
        return refused.allowed
    raise RuntimeError(f"{kind} takes anything")


def keys_table(keys: Iterable[Key] = KEYS) -> str:
    """Every key with its places; one that takes other values in another place has a row for each."""
    words = Words(load_pack())
    rules = configuration_schema(words.pack)["properties"][RULES]["description"]
    rows = [(f"`{RULES}`", "top", "by rule: on, off, or a mapping of its parameters, below", rules)]
    for key in keys:
        places: dict[str, list[str]] = {}
        for place in key.places:
            places.setdefault(allowed(key.kind, words, place), []).append("top" if place == TOP else f"`{place}`")
        rows += [(f"`{key.name}`", ", ".join(where), value, key.about) for value, where in places.items()]
    return _table(("key", "where", "what it takes", "what it says"), rows)


def parameters_table() -> str:
    """Every parameter of every rule."""

    def rows() -> Iterator[tuple[str, ...]]:
        for rule in load_pack().rules:
            for name, parameter in rule.parameters.items():
                page = f"[{rule.id}](rules/{rule.id}.md)"
                yield page, f"`{name}`", bounds(parameter), f"`{show_value(parameter.default)}`", rule.name

    return _table(("rule", "parameter", "what it takes", "default", "what holds"), rows())


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (head, ("---",) * len(head), *rows)
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
