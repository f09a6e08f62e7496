"""format() and formatlist(), with the verbs and flags of go-cty's stdlib/format.go."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from keyrules.code.terraform.functions.documents import json_text
from keyrules.code.terraform.functions.signature import Function, bounded_text, function
from keyrules.code.terraform.hcl.kinds import convert
from keyrules.code.terraform.hcl.numbers import NotComputed, truncate
from keyrules.code.terraform.hcl.values import MAX_ITEMS, MAX_TEXT, UNKNOWN, ListValue, Refused, SetValue, is_null, text

_VERB = re.compile(r"%(?P<flags>[-+ 0#]*)(?P<width>\d*)(?P<precision>\.\d*)?(?:\[(?P<index>\d+)\])?(?P<verb>[a-zA-Z%])")


def format_text(pattern: str, arguments: list[Any]) -> str:
    """The text of a format() call. Raises Refused where Terraform refuses it, NotComputed for rare flags."""
    pieces: list[str] = []
    position = used = 0
    for found in _VERB.finditer(pattern):
        pieces.append(pattern[position : found.start()])
        position = found.end()
        if found["verb"] == "%":
            if found[0] != "%%":
                raise NotComputed
            pieces.append("%")
            continue
        if found["index"] is not None:
            raise NotComputed
        if used >= len(arguments):
            raise Refused
        pieces.append(_shown(found, arguments[used]))
        used += 1
    rest = pattern[position:]
    if "%" in rest or any("%" in piece for piece in pieces[0::2] if piece != "%"):
        raise NotComputed
    if used < len(arguments):
        raise Refused
    return bounded_text([*pieces, rest])


def _shown(found: re.Match[str], value: Any) -> str:
    verb, flags, width = found["verb"], found["flags"], int(found["width"] or 0)
    if width > MAX_TEXT or found["precision"] is not None or "#" in flags:
        raise NotComputed
    if verb == "v" and not flags and not width:
        return _default(value)
    if is_null(value):
        raise Refused
    if verb == "s":
        return _padded(convert(value, "string"), flags.replace("0", ""), width) if "0" not in flags else _rare()
    if verb == "d":
        return _integer(convert(value, "number"), flags, width)
    if verb in ("x", "X", "b", "o") and not flags and not width:
        return _radix(value, verb)
    if verb == "t" and not flags and not width:
        return "true" if convert(value, "bool") else "false"
    if verb == "q" and not flags and not width:
        return json_text(convert(value, "string"))
    return _rare()


def _rare() -> str:
    raise NotComputed


def _default(value: Any) -> str:
    if is_null(value):
        return "null"
    shown = text(value)
    if shown is not None:
        return shown
    return json_text(value)


def _padded(shown: str, flags: str, width: int) -> str:
    if set(flags) - {"-"} or (width and not shown.isascii()):
        raise NotComputed
    return shown.ljust(width) if "-" in flags else shown.rjust(width)


def _integer(value: Any, flags: str, width: int) -> str:
    if not isinstance(value, int) or " " in flags or ("-" in flags and "0" in flags):
        raise NotComputed
    shown = str(truncate(value))
    if "+" in flags and value >= 0:
        shown = "+" + shown
    if "0" in flags:
        return shown.zfill(width)
    return shown.ljust(width) if "-" in flags else shown.rjust(width)


def _radix(value: Any, verb: str) -> str:
    if isinstance(value, str) and verb in ("x", "X"):
        raise NotComputed
    number = convert(value, "number")
    if not isinstance(number, int):
        raise NotComputed
    return format(truncate(number), verb)


def _format(pattern: str, *arguments: Any) -> str:
    return format_text(pattern, list(arguments))


def _formatlist(pattern: str, *arguments: Any) -> Any:
    """One text for each member of the lists among the arguments, which have to be of one length."""
    sizes = {len(each) for each in arguments if isinstance(each, list)}
    if any(isinstance(each, SetValue) for each in arguments) or not arguments:
        raise NotComputed
    if len(sizes) > 1:
        raise Refused
    size = sizes.pop() if sizes else 1
    if size > MAX_ITEMS:
        return UNKNOWN
    rows = [[each[n] if isinstance(each, list) else each for each in arguments] for n in range(size)]
    return ListValue([format_text(pattern, row) for row in rows], "string")


FUNCTIONS: Mapping[str, Function] = {
    "format": function(_format, "string", "*any?"),
    "formatlist": function(_formatlist, "string", "*any?"),
}
