"""Functions on strings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from keyrules.code.terraform.functions.graphemes import clusters
from keyrules.code.terraform.functions.signature import Function, bounded_text, function, whole
from keyrules.code.terraform.hcl.lexer import WHITE_SPACE
from keyrules.code.terraform.hcl.numbers import NotComputed
from keyrules.code.terraform.hcl.values import MAX_ITEMS, MAX_TEXT, ListValue, Refused, is_null


def _mapped(change: Callable[[str], str]) -> Callable[[str], str]:
    """Case by single letters, as Go does it: a letter whose other case is several letters keeps its own."""

    def letter(character: str) -> str:
        other = change(character)
        if len(other) == 1:
            return other
        if character == "ß":
            return character
        raise NotComputed

    def work(text: str) -> str:
        if text.isascii():
            return change(text)
        _known_letters(text)
        return "".join(map(letter, text))

    return work


def _known_letters(text: str) -> None:
    """Raises NotComputed where a letter is newer than Python's table, or than Terraform's."""
    import unicodedata

    if any(unicodedata.category(character) == "Cn" or character >= "\U00010000" for character in text):
        raise NotComputed


def _title(text: str) -> str:
    if not text.isascii():
        raise NotComputed
    pieces: list[str] = []
    previous = " "
    for character in text:
        pieces.append(character if previous.isalnum() or previous == "_" else character.upper())
        previous = character
    return "".join(pieces)


def _indent(count: Any, text: str) -> str:
    spaces = whole(count)
    if spaces < 0:
        raise NotComputed
    if spaces > MAX_TEXT or len(text) + text.count("\n") * spaces > MAX_TEXT:
        raise NotComputed
    return text.replace("\n", "\n" + " " * spaces)


def _join(separator: str, *lists: Any) -> str:
    if not lists:
        raise NotComputed
    items = [item for each in lists for item in each]
    if any(is_null(item) for item in items):
        raise Refused
    return bounded_text([part for item in items for part in (separator, item)][1:])


def _split(separator: str, text: str) -> Any:
    if not separator:
        return ListValue(list(text), "string")
    if text.count(separator) >= MAX_ITEMS:
        raise NotComputed
    return ListValue(text.split(separator), "string")


def _substr(text: str, offset: Any, length: Any) -> str:
    start, count = whole(offset), whole(length)
    parts = clusters(text)
    if count < -1:
        raise NotComputed
    if start < 0:
        start += len(parts)
        if start < 0:
            raise NotComputed
    return "".join(parts[start:] if count < 0 else parts[start : start + count])


def _trim(cut: Callable[[str, str], str]) -> Callable[[str, str], str]:
    return lambda text, characters: cut(text, characters) if characters else text


def _chomp(text: str) -> str:
    return text.rstrip("\r\n")


def replace_all(text: str, old: str, new: str) -> str:
    """Every occurrence replaced. Raises NotComputed where the result is too large."""
    if text.count(old) * max(0, len(new) - len(old)) + len(text) > max(MAX_TEXT, len(text)):
        raise NotComputed
    return text.replace(old, new)


def _replace(text: str, old: str, new: str) -> str:
    if len(old) > 1 and old[0] == old[-1] == "/":
        from keyrules.code.terraform.functions.regex import replace_matches

        return replace_matches(text, old[1:-1], new)
    return replace_all(text, old, new)


def _reversed(parts: Iterable[str]) -> str:
    return "".join(reversed(list(parts)))


FUNCTIONS: Mapping[str, Function] = {
    "chomp": function(_chomp, "string"),
    "endswith": function(str.endswith, "string", "string"),
    "indent": function(_indent, "number", "string"),
    "join": function(_join, "string", "*strings"),
    "lower": function(_mapped(str.lower), "string"),
    "replace": function(_replace, "string", "string", "string"),
    "split": function(_split, "string", "string"),
    "startswith": function(str.startswith, "string", "string"),
    "strcontains": function(str.__contains__, "string", "string"),
    "strrev": function(lambda text: _reversed(clusters(text)), "string"),
    "substr": function(_substr, "string", "number", "number"),
    "title": function(_title, "string"),
    "trim": function(_trim(str.strip), "string", "string"),
    "trimprefix": function(str.removeprefix, "string", "string"),
    "trimspace": function(lambda text: text.strip(WHITE_SPACE), "string"),
    "trimsuffix": function(str.removesuffix, "string", "string"),
    "upper": function(_mapped(str.upper), "string"),
}
