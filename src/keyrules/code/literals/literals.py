"""Finds access keys that are written out in text of any format: a key id with its secret, or a secret alone.

Only two things are taken as evidence for a secret access key: its look (40 characters of the base64 alphabet with the
mix of a generated value), and its place (a name that says so, or a literal key id within a few lines). A key id alone
is no credential and no finding. Secrets that are put together at run time from pieces are out of sight.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, replace

from keyrules.code.literals.candidates import SECRET_LENGTH
from keyrules.code.literals.context import Context
from keyrules.code.literals.text import (
    base64_texts,
    looks_random,
    plain_lines,
    unescape,
)

NEAR_LINES = 5
"""A secret that no name vouches for belongs to a key id at most this many lines away."""

NEAR_LINES_NAMED = 10
"""A secret that has a name is paired with a key id at most this many lines away."""

_NEAR_CHARACTERS = 1000
_NAME_CHARACTERS = 3000

_FEWEST_DIFFERENT = 5
"""A key id with fewer different characters after its prefix is a filler such as AKIAXXXXXXXXXXXXXXXX."""

# Key ids are base32, but hand-made and older ones hold 0, 1, 8 and 9 too; the secret beside it is the evidence.
_KEY_ID = re.compile(r"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])")

# `=` before is an assignment, `=` after is base64 padding; `:-` before is a shell default.
_SECRET = re.compile(
    rf"(?<![A-Za-z0-9/+_.])(?<![^:]-)[A-Za-z0-9/+]{{{SECRET_LENGTH}}}(?![A-Za-z0-9/+=_\-])(?!\.[A-Za-z0-9])"
)
_SECRET_WORD = re.compile(r"secret", re.IGNORECASE | re.ASCII)
_LINE_END = re.compile(r"[\n\r]")


@dataclass(frozen=True)
class LiteralCredential:
    """One hard-coded credential. Holds nothing from which its secret, or its whole key id, can be read.

    `line` and `end_line` are 1-based and span the key id and the secret. `kind` is `access_key_pair` (a key id with
    its secret), `session` (the same with a temporary key id, ASIA…) or `secret_access_key` (a secret without a key
    id). `masked_key_id` has the first four and last four characters, and is None where no key id is near.
    """

    line: int
    end_line: int
    kind: str
    masked_key_id: str | None
    message: str


@dataclass(frozen=True, repr=False)
class _Candidate:
    """A secret and its key id, while they are being matched; never leaves this module, never prints itself."""

    secret: str
    key_id: str | None
    line: int
    end_line: int
    encoded: bool = False


def find_literals(text: str) -> list[LiteralCredential]:
    """The hard-coded credentials in `text`, in the order of their lines, one for each different secret.

    Never raises on any text and takes time proportional to its length. Base64 text is decoded once and looked into.
    """
    lines = plain_lines(text)
    candidates = _candidates(unescape(lines))
    newlines = [match.start() for match in re.finditer("\n", lines)]
    for start, end, decoded in base64_texts(lines):
        line, end_line = bisect_left(newlines, start) + 1, bisect_left(newlines, end - 1) + 1
        inner = _candidates(unescape(decoded))
        candidates.extend(replace(found, line=line, end_line=end_line, encoded=True) for found in inner)
    by_secret: dict[str, list[_Candidate]] = {}
    for candidate in candidates:
        by_secret.setdefault(candidate.secret, []).append(candidate)
    found = [_credential(places) for places in by_secret.values()]
    return sorted(found, key=lambda item: (item.line, item.end_line, item.masked_key_id or "", item.message))


def _candidates(text: str) -> list[_Candidate]:
    words = [match.start() for match in _SECRET_WORD.finditer(text)]
    keys = _KeyIds(text)
    if not words and not keys.starts:
        return []
    named: list[re.Match[str]] = []
    unnamed: list[re.Match[str]] = []
    for match in _SECRET.finditer(text):
        start, end = match.span()
        word_near = _any_between(words, start - _NAME_CHARACTERS, end + _NAME_CHARACTERS)
        key_near = _any_between(keys.starts, start - _NEAR_CHARACTERS, end + _NEAR_CHARACTERS)
        if not (word_near or key_near) or not looks_random(match.group(), strict=False):
            continue
        context = Context(text, start, end)
        if word_near and context.names_secret():
            named.append(match)
        elif key_near and context.allows_secret() and looks_random(match.group(), strict=True):
            unnamed.append(match)
    pairs = [(secret, keys.claim(secret.start())) for secret in named]
    pairs += [(secret, key) for secret in unnamed if (key := keys.unclaimed_near(secret.start(), NEAR_LINES))]
    newlines = [match.start() for match in re.finditer("\n", text)]
    return [_candidate(secret, key, newlines) for secret, key in pairs]


def _candidate(secret: re.Match[str], key: re.Match[str] | None, newlines: list[int]) -> _Candidate:
    first = min(secret.start(), key.start()) if key else secret.start()
    last = max(secret.end(), key.end()) - 1 if key else secret.end() - 1
    return _Candidate(
        secret=secret.group(),
        key_id=key.group() if key else None,
        line=bisect_left(newlines, first) + 1,
        end_line=bisect_left(newlines, last) + 1,
    )


def _any_between(positions: list[int], low: int, high: int) -> bool:
    index = bisect_left(positions, low)
    return index < len(positions) and positions[index] < high


class _KeyIds:
    """The literal key ids of a text, and which of them already have their secret."""

    def __init__(self, text: str) -> None:
        self._matches = [match for match in _KEY_ID.finditer(text) if not _is_example_key_id(match.group())]
        self._line_ends = [match.start() for match in _LINE_END.finditer(text)]
        self._claimed: set[int] = set()
        self.starts = [match.start() for match in self._matches]

    def claim(self, secret: int) -> re.Match[str] | None:
        """The key id for the named secret at offset `secret`; one that has no secret yet goes first."""
        key = self.unclaimed_near(secret, NEAR_LINES_NAMED)
        if key is None:
            return next(iter(self._near(secret, NEAR_LINES_NAMED)), None)
        self._claimed.add(key.start())
        return key

    def unclaimed_near(self, secret: int, lines: int) -> re.Match[str] | None:
        """The nearest key id without a named secret: the last one before the secret, else the first one after it."""
        return next((key for key in self._near(secret, lines) if key.start() not in self._claimed), None)

    def _near(self, secret: int, lines: int) -> list[re.Match[str]]:
        """The key ids within `lines` lines of the secret, those before it first, nearest first."""
        own_line = bisect_left(self._line_ends, secret)
        low = bisect_left(self.starts, secret - _NEAR_CHARACTERS)
        high = bisect_left(self.starts, secret + _NEAR_CHARACTERS)
        near = [
            key for key in self._matches[low:high] if abs(bisect_left(self._line_ends, key.start()) - own_line) <= lines
        ]
        return sorted(near, key=lambda key: (key.start() > secret, abs(key.start() - secret)))


def _is_example_key_id(key_id: str) -> bool:
    """Whether a key id is a filler or one of AWS's documented examples, which all end in EXAMPLE."""
    return key_id.endswith("EXAMPLE") or len(set(key_id[4:])) < _FEWEST_DIFFERENT


def _credential(places: list[_Candidate]) -> LiteralCredential:
    """One finding for all the places where the same secret stands; a place with its key id says most."""
    ordered = sorted(places, key=lambda place: (place.key_id is None, place.line, place.end_line))
    first = ordered[0]
    others = sorted({place.line for place in ordered} - {first.line})
    where = " inside base64 text" if first.encoded else ""
    masked = None
    if first.key_id is None:
        kind, what = "secret_access_key", "A secret access key"
    else:
        masked = f"{first.key_id[:4]}…{first.key_id[-4:]}"
        kind = "session" if first.key_id.startswith("ASIA") else "access_key_pair"
        temporary = "temporary " if kind == "session" else ""
        what = f"The {temporary}access key {masked} with its secret"
    again = f", again on line {', '.join(map(str, others))}" if others else ""
    return LiteralCredential(
        line=first.line,
        end_line=first.end_line,
        kind=kind,
        masked_key_id=masked,
        message=f"{what} is hard-coded{where}{again}",
    )
