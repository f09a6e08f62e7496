"""Finds a plan in what pipelines put around it: gzip, colours, timestamps, and lines of text before and after.

The wrapper of setup-terraform prints the command before the plan and more behind it (hashicorp/setup-terraform#42,
#307). This is for what somebody names or pipes as a plan; in a folder such a file is a log.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator

from keyrules.code.file_walk import MAX_FILE_BYTES
from keyrules.code.plan.json import Kind, PlanError, decoded, is_plan, recognise_document

GZIP = b"\x1f\x8b"
_AGAIN = "write it with `terraform show -json PLANFILE`"
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_TIME = re.compile(
    r"^\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?\]?[ \t]", re.MULTILINE | re.ASCII
)
_START = re.compile(r'\{(?=\s*")')
_PLAN_START = re.compile(r'\{(?=\s*"format_version")')
_MOST_MEMBERS = 1000
_MOST_STARTS = 1000
_MOST_READINGS = 4
"""How often a text is read in search of a plan; what is nested and cut off would be read again for each level."""


def unpacked(data: bytes, limit: int = MAX_FILE_BYTES) -> bytes:
    """The bytes that a gzip file holds, other bytes as they are. Raises PlanError where it is damaged or too large."""
    if not data.startswith(GZIP):
        return data
    found = bytearray()
    members = 0
    while data:
        members += 1
        if members > _MOST_MEMBERS:
            raise PlanError(f"a gzip file of more than {_MOST_MEMBERS} parts; pack it again, or {_AGAIN}")
        member = zlib.decompressobj(wbits=31)
        try:
            found += member.decompress(data, limit + 1 - len(found))
        except zlib.error:
            raise PlanError(f"a damaged gzip file; pack it again, or {_AGAIN}") from None
        if len(found) > limit:
            raise PlanError(f"a gzip file that holds more than {limit // 2**20} MiB, which is the limit for a plan")
        if not member.eof:
            raise PlanError(f"a gzip file that was cut off; pack it again, or {_AGAIN}")
        data = member.unused_data.lstrip(b"\0")
    return bytes(found)


def unwrapped(data: bytes) -> tuple[bytes, str]:
    """A plan without what is around it, with a sentence on that; bytes in which there is none as they are unpacked.

    Raises PlanError for gzip that cannot be unpacked, and where there are several plans.
    """
    inner = unpacked(data)
    packed = "was unpacked" if inner is not data else ""
    try:
        text = _COLOUR.sub("", decoded(inner))
    except PlanError:
        return inner, packed
    for candidate in (text, _TIME.sub("", text)):
        span = next(_plans(candidate), None)
        if span is not None:
            break
    else:
        start = _PLAN_START.search(text)
        if start is None or not is_plan(text[start.start() :].encode()):
            return inner, packed
        candidate, span = text, (start.start(), len(text))
    first, end = span
    if next(_plans(candidate[end:]), None) is not None:
        raise PlanError(f"several plans in one file; give each in a file of its own, or {_AGAIN}")
    around = [line for line in (candidate[:first] + "\n" + candidate[end:]).splitlines() if line.strip()]
    lines = (
        "1 line of text around the plan was"
        if len(around) == 1
        else f"{len(around)} lines of text around the plan were"
    )
    note = f"{lines} passed over" if around else packed
    return candidate[first:end].encode(), note


def _plans(text: str) -> Iterator[tuple[int, int]]:
    """Where whole plans stand in a text."""
    if '"format_version"' not in text:
        return
    decoder, position, work = json.JSONDecoder(), 0, _MOST_READINGS * len(text)
    for _ in range(_MOST_STARTS):
        start = _START.search(text, position)
        if start is None:
            return
        try:
            document, position = decoder.raw_decode(text, start.start())
        except ValueError as error:
            position = start.end()
            work -= (error.pos if isinstance(error, json.JSONDecodeError) else len(text)) - start.start()
            if work < 0:
                return
            continue
        except RecursionError:
            return
        if recognise_document(document) is Kind.PLAN:
            yield start.start(), position
