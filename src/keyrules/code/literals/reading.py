"""Reads one file for hard-coded credentials, each with the block that it stands in and with its skip comment."""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from keyrules.code.cloudformation.document import TemplateError, decode_template
from keyrules.code.cloudformation.reading import read_template
from keyrules.code.literals.findings import LITERALS, FileLiterals, LiteralPlace
from keyrules.code.literals.literals import LiteralCredential, find_secrets, in_order
from keyrules.code.literals.masking import digest_of
from keyrules.code.literals.state import StatePlace, state_places
from keyrules.code.skip_comments import safe_reason
from keyrules.code.state.instances import is_state
from keyrules.code.terraform.hcl.ast import HclSyntaxError
from keyrules.code.terraform.hcl.syntax import parse_hcl
from keyrules.code.trigger_words import TEMPLATE_TYPES
from keyrules.records import dataclass

_SKIP = re.compile(r"(?:checkov|bridgecrew|cortex):skip= *([A-Za-z_\d-]+(?:,[A-Za-z_\d-]+)*)(?::([^\n]*))?")
_METADATA_ID = re.compile(rf"""["']?id["']?\s*:\s*["']?{LITERALS}\b""")
_METADATA_COMMENT = re.compile(r"""["']?comment["']?\s*:\s*["']?([^"'\n}}]*)""")
_NATIVE = (".tf", ".tofu")
_TEMPLATE_WORDS = ("Resources", *(name.decode() for name in TEMPLATE_TYPES))
_TEMPLATES = (".yaml", ".yml", ".json", ".template")


@dataclass(frozen=True)
class _Region:
    address: str
    start_line: int
    end_line: int


def read_literals(path: str, data: bytes) -> FileLiterals:
    """The hard-coded credentials in one file's bytes, which are read as what a byte order mark or UTF-8 says.

    Depends on nothing but its arguments, raises nothing and takes time proportional to the file.
    """
    text = decode_template(data)
    secrets = find_secrets(text)
    if not secrets:
        return FileLiterals()
    digests = frozenset(digest_of(secret.secret) for secret in secrets)
    placed = state_places(text, {secret.secret for secret in secrets}) if is_state(text) else {}
    credentials = [
        (found.credential, place)
        for found in secrets
        for place in (placed.get(found.secret),)
        if found.credential is not None and not (place and place.foreign and found.credential.masked_key_id is None)
    ]
    places = _places(path, text, sorted(credentials, key=lambda item: in_order(item[0])))
    return FileLiterals(
        tuple(place for place in places if place.credential.kind != "session"),
        tuple(place for place in places if place.credential.kind == "session"),
        digests,
        hashlib.sha256(data).hexdigest(),
    )


def _places(
    path: str, text: str, credentials: Sequence[tuple[LiteralCredential, StatePlace | None]]
) -> list[LiteralPlace]:
    regions = _Regions(_regions(path, text))
    skips = _Skips(text)
    seen: Counter[str] = Counter()
    places = []
    for credential, state in credentials:
        region = regions.around(credential)
        base = state.address if state else region.address if region else "literal"
        seen[base] += 1
        address = base if seen[base] == 1 else f"{base}#{seen[base]}"
        places.append(LiteralPlace(credential, address, skips.reason(region, credential)))
    return places


def _regions(path: str, text: str) -> list[_Region]:
    """The blocks of a file that a credential can stand in; none where the file is not code that can be parsed."""
    name = Path(path).name
    if name.endswith(_NATIVE):
        try:
            body = parse_hcl(text)
        except HclSyntaxError:
            return []
        return [_Region(_block_address(b.type, b.labels), b.start_line, b.end_line) for b in body.blocks]
    if name.endswith(_TEMPLATES) and any(word in text for word in _TEMPLATE_WORDS):
        try:
            template = read_template(text)
        except TemplateError:
            return []
        blocks = [_Region(block.logical_id, block.start_line, block.end_line) for block in template.resources.values()]
        return blocks + [_Region(name, node.line, node.end_line) for name, node in template.parameters.items()]
    return []


def _block_address(kind: str, labels: tuple[str, ...]) -> str:
    if kind == "resource":
        return ".".join(labels)
    return ".".join((kind, *labels))


class _Regions:
    """The blocks of a file, of which none lies in another; several may share a line."""

    def __init__(self, regions: Iterable[_Region]) -> None:
        # The last ones first, and of those that begin on one line the shortest.
        self._regions = sorted(regions, key=lambda region: (region.start_line, -region.end_line), reverse=True)
        self._starts = [-region.start_line for region in self._regions]

    def around(self, credential: LiteralCredential) -> _Region | None:
        """The block that a credential stands in."""
        index = bisect_left(self._starts, -credential.line)
        if index == len(self._regions) or self._regions[index].end_line < credential.end_line:
            return None
        return self._regions[index]


class _Skips:
    """The skip comments and the metadata of a file that name this rule."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n") if "skip" in text else []
        self._comments: list[tuple[int, str]] = []
        for number, line in enumerate(self._lines, 1):
            match = _SKIP.search(line) if "skip=" in line else None
            if match is not None and LITERALS in match[1].split(","):
                self._comments.append((number, safe_reason(match[2] or "")))
        self._metadata: dict[_Region, str | None] = {}

    def reason(self, region: _Region | None, credential: LiteralCredential) -> str | None:
        """A comment inside the block, or on the credential's lines or the line above them; or the block's metadata."""
        if not self._lines:
            return None
        first = min(credential.line, region.start_line) if region else credential.line - 1
        last = max(credential.end_line, region.end_line) if region else credential.end_line
        index = bisect_left(self._comments, (first, ""))
        if index < len(self._comments) and self._comments[index][0] <= last:
            return self._comments[index][1]
        if region is None:
            return None
        if region not in self._metadata:
            self._metadata[region] = self._in_metadata(region)
        return self._metadata[region]

    def _in_metadata(self, region: _Region) -> str | None:
        block = "\n".join(self._lines[region.start_line - 1 : region.end_line])
        found = _METADATA_ID.search(block)
        if found is None or "skip" not in block:
            return None
        comment = _METADATA_COMMENT.search(block, found.start())
        return safe_reason(comment[1] if comment else "")
