"""Regular expressions, as far as Go's (RE2) and Python's surely find the same.

Refused or read differently are: flags and classes that only one of them has, a group that may repeat (which of its
matches stays is not the same, and neither is how long a search may take), and searches that could take long.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from keyrules.code.terraform.functions.signature import Function, bounded_text, function
from keyrules.code.terraform.hcl.numbers import NotComputed
from keyrules.code.terraform.hcl.values import MAX_ITEMS, ListValue, Refused

_MAX_PATTERN = 512
_MAX_COST = 4_000_000
_TOKEN = re.compile(
    r"""(?P<group>\((?:\?:|\?P?<(?P<name>[A-Za-z_][A-Za-z0-9_]*)>)?(?!\?))
    | (?P<close>\))
    | (?P<set>\[\^?(?:[A-Za-z0-9_]-[A-Za-z0-9_]|[^\\\[\]&~|\-]|-(?=\])|\\[dwsntr.\-\]\[/\\^$*+?(){}|@:&])+\])
    | (?P<repeat>[*+?]\??|\{\d{1,3}(?:,\d{0,3})?\}\??)
    | (?P<escape>\\(?:[dDwWsSbntr]|[^A-Za-z0-9_\s]))
    | (?P<anchor>[\^$])
    | (?P<other>[^\\\[\](){}*+?])""",
    re.VERBOSE,
)
_GO = {"\\s": "[\\t\\n\\f\\r ]", "\\S": "[^\\t\\n\\f\\r ]", "$": "\\Z"}
_GO_IN_SET = "\\t\\n\\f\\r "


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> tuple[re.Pattern[str], int]:
    """A pattern in Python's words, and how many of its parts can be of any length. Raises NotComputed."""
    if len(pattern) > _MAX_PATTERN or not pattern.isascii():
        raise NotComputed
    pieces: list[str] = []
    lengths = 0
    position, before, repeated_in = 0, "", [False]
    while position < len(pattern):
        found = _TOKEN.match(pattern, position)
        if found is None:
            raise NotComputed
        position, group, token = found.end(), found.lastgroup, found[0]
        if group == "name" or token.startswith("("):
            group = "group"
            token = re.sub(r"\(\?<", "(?P<", token)
            repeated_in.append(False)
        elif group == "close":
            if len(repeated_in) == 1:
                raise NotComputed
            inner = repeated_in.pop()
            repeated_in[-1] = repeated_in[-1] or inner
        elif group == "repeat":
            if before not in ("set", "escape", "other", "close") or pieces[-1] in ("|", "\\b"):
                raise NotComputed
            if before == "close" and token not in ("?",):
                raise NotComputed
            variable = "*" in token or "+" in token or "," in token
            repeated_in[-1] = repeated_in[-1] or variable
            lengths += variable
        elif group == "set":
            token = token.replace("\\s", _GO_IN_SET)
        else:
            token = _GO.get(token, token)
        pieces.append(token)
        before = group or ""
    if len(repeated_in) > 1:
        raise NotComputed
    try:
        return re.compile("".join(pieces), re.ASCII), lengths
    except re.error:
        raise NotComputed from None


def _pattern(pattern: str, text: str) -> re.Pattern[str]:
    compiled, lengths = _compiled(pattern)
    if (len(text) + 1) ** (lengths + 1) > _MAX_COST:
        raise NotComputed
    return compiled


def _captured(found: re.Match[str]) -> Any:
    names = found.re.groupindex
    if not found.re.groups:
        return found[0]
    if any(group is None for group in found.groups()):
        raise NotComputed
    if names:
        if len(names) != found.re.groups:
            raise NotComputed
        return dict(sorted(found.groupdict().items()))
    return list(found.groups())


def _regex(pattern: str, text: str) -> Any:
    found = _pattern(pattern, text).search(text)
    if found is None:
        raise Refused
    return _captured(found)


def _regexall(pattern: str, text: str) -> Any:
    compiled = _pattern(pattern, text)
    if compiled.match("") is not None:
        # Where an empty match may follow another one is not the same in both.
        raise NotComputed
    found = [_captured(each) for each in compiled.finditer(text)]
    if len(found) > MAX_ITEMS:
        raise NotComputed
    kind: Any = "string"
    if compiled.groups:
        names = sorted(compiled.groupindex)
        kind = (
            ("object", tuple((name, "string") for name in names)) if names else ("tuple", ("string",) * compiled.groups)
        )
    return ListValue(found, kind)


def replace_matches(text: str, pattern: str, new: str) -> str:
    """Every match replaced by a text that may name groups as `$1` or `${name}`. Raises NotComputed."""
    compiled = _pattern(pattern, text)
    if compiled.match("") is not None:
        raise NotComputed
    pieces: list[str] = []
    position = 0
    for found in compiled.finditer(text):
        pieces += [text[position : found.start()], _expanded(new, found)]
        position = found.end()
    return bounded_text([*pieces, text[position:]])


def _expanded(new: str, found: re.Match[str]) -> str:
    """As Go's Expand: the longest name of letters, digits and underscores; a group that does not exist is empty."""

    def group(reference: re.Match[str]) -> str:
        if reference[0] == "$$":
            return "$"
        name = reference["braced"] or reference["plain"]
        if name is None:
            raise NotComputed
        if name.isdigit():
            return (found[int(name)] or "") if int(name) <= found.re.groups else ""
        return (found[name] or "") if name in found.re.groupindex else ""

    return re.sub(r"\$(?:\$|\{(?P<braced>\w+)\}|(?P<plain>\w+))?", group, new, flags=re.ASCII)


FUNCTIONS: Mapping[str, Function] = {
    "regex": function(_regex, "string", "string"),
    "regexall": function(_regexall, "string", "string"),
}
