"""Derives the words that make a file relevant from the rules themselves, and writes iac/trigger_words.py.

    PYTHONPATH=src python tests/support/trigger_vocabulary.py

Where they come from: the resource types that the rule files' definitions name, the patterns in them that module
sources are held against, and the types that the Python rules judge.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from keyrules.code.block_rules import GIVING, TEMPLATE_BLOCKS, TERRAFORM_BLOCKS
from keyrules.code.cloudformation.template import ACCESS_KEY
from keyrules.code.terraform.keys import KEY_TYPES
from keyrules.code.terraform.known_modules import KnownModule, known_modules
from keyrules.model import Plane
from keyrules.pack.catalog import Pack, load_pack
from keyrules.pack.conditions import SENTINEL

TARGET = Path(__file__).resolve().parents[2] / "src/keyrules/code/trigger_words.py"
REGENERATE = "PYTHONPATH=src python tests/support/trigger_vocabulary.py"
_BLOCK_NOTE = "Types that a rule judges besides keys, each with arguments of which one stands in a file that matters."
_MODULE = "module"
_SHORTEST = 8
_NONE: frozenset[str] = frozenset()
_PATTERNS = frozenset({"regex_match", "not_regex_match"})


class Vocabulary(NamedTuple):
    """Each sorted. A module source that a rule knows holds one of `module_sources`."""

    terraform_types: tuple[str, ...]
    module_sources: tuple[str, ...]
    template_types: tuple[str, ...]
    terraform_blocks: tuple[tuple[str, ...], ...]
    template_blocks: tuple[tuple[str, ...], ...]


def source_words(row: KnownModule) -> set[str]:
    """Words of which every source that a row is about holds one."""
    if row.folder:
        return {f"/{row.folder}"}
    owner = f"{row.owner}/" if row.owner else ""
    provider, _, name = row.repository.removeprefix("terraform-").partition("-")
    registry = {f"{owner}{name}/{provider}"} if row.repository.startswith("terraform-") else set()
    return {f"{owner}{row.repository}"} | registry


def vocabulary(pack: Pack) -> Vocabulary:
    """The words of a pack. Raises ValueError for a rule from which none can be derived."""
    types = {*KEY_TYPES, ACCESS_KEY}
    sources = {word for row in known_modules() for word in source_words(row)}
    for rule in pack.rules:
        if Plane.CODE in rule.planes and rule.definition != SENTINEL:
            named = {name for condition in conditions(rule.definition) for name in condition.get("resource_types", ())}
            types |= named - {_MODULE}
    template = {name for name in types if "::" in name}
    blocks = [sorted(_blocks(kinds)) for kinds in (TERRAFORM_BLOCKS, TEMPLATE_BLOCKS)]
    return Vocabulary(
        tuple(sorted(types - template)),
        tuple(sorted(sources)),
        tuple(sorted(template)),
        tuple(blocks[0]),
        tuple(blocks[1]),
    )


def _blocks(kinds: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Each type that a rule on blocks judges with the arguments of which one has to stand in the file too; what stands
    in a longer type is found with the shorter one."""
    for kind in kinds:
        arguments = tuple(argument for argument in GIVING.get(kind, ()) if argument)
        if not any(kind != other and kind.startswith(other) and not any(GIVING.get(other, ())) for other in kinds):
            yield (kind, *arguments)


def conditions(definition: Any) -> Iterator[Mapping[str, Any]]:
    """Every condition of a rule's definition, wherever it stands."""
    if isinstance(definition, Mapping):
        if "resource_types" in definition:
            yield definition
        for value in definition.values():
            yield from conditions(value)
    elif isinstance(definition, list):
        for value in definition:
            yield from conditions(value)


def render(words: Vocabulary) -> str:
    """The source of iac/trigger_words.py."""
    doc = (
        '"""The words that make a file relevant, as bytes. Generated from the rules, as a test watches:\n\n'
        f"    {REGENERATE}\n\n"
        "Deriving them takes PyYAML and every rule file, longer than a whole run that finds none of them.\n"
        '"""\n\nfrom __future__ import annotations\n'
    )
    notes = {
        "TERRAFORM_TYPES": ("terraform_types", "Resource types that a rule judges."),
        "MODULE_SOURCES": ("module_sources", "The source of a registry module that a rule knows holds one of these."),
        "TEMPLATE_TYPES": ("template_types", "CloudFormation types that a rule judges."),
    }
    for name, (field, note) in notes.items():
        values = [f"b{_quoted(word)}" for word in getattr(words, field)]
        lines = "".join(f"\n    {value}," for value in values) + "\n" if len(values) > 1 else f"{values[0]},"
        doc += f'\n{name} = ({lines})\n"""{note}"""\n'
    for name, rows in (("TERRAFORM_BLOCKS", words.terraform_blocks), ("TEMPLATE_BLOCKS", words.template_blocks)):
        shown = [", ".join(f"b{_quoted(word)}" for word in row) + ("," if len(row) == 1 else "") for row in rows]
        doc += f"\n{name} = (" + "".join(f"\n    ({row})," for row in shown) + f'\n)\n"""{_BLOCK_NOTE}"""\n'
    return doc


def _quoted(word: str) -> str:
    if not word.isascii() or '"' in word or "\\" in word or not word.isprintable():
        raise ValueError(f"{word!r} cannot be written as plain bytes")
    return f'"{word}"'


if __name__ == "__main__":
    TARGET.write_text(render(vocabulary(load_pack())), encoding="utf-8")
