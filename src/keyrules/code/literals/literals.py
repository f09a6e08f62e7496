"""Finds access keys that are written out in text of any format: a key id with its secret, or a secret alone.

Only two things are taken as evidence for a secret access key: its look (40 characters of the base64 alphabet with the
mix of a generated value), and its place (a name that says so, or a literal key id within a few lines). Beside its key
id and under its usual name its place is enough. A key id alone is no credential and no finding. Secrets that are put
together at run time from pieces are out of sight.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

from keyrules.code.literals.candidates import SECRET_LENGTH
from keyrules.code.literals.context import Context, Layout
from keyrules.code.literals.looks import is_example_key_id, is_filler, looks_random
from keyrules.code.literals.names import says_password, says_smtp_password
from keyrules.code.literals.text import base64_texts, open_values, plain_lines, unescape, without_transport
from keyrules.code.verdict import listed
from keyrules.records import dataclass, replace

NEAR_LINES = 5
"""A secret that no name vouches for belongs to a key id at most this many lines away."""

NEAR_LINES_NAMED = 10
"""A secret that has a name is paired with a key id at most this many lines away."""

_NEAR_CHARACTERS = 1000
_NAME_CHARACTERS = 3000

# Key ids are base32, but hand-made and older ones hold 0, 1, 8 and 9 too; the secret beside it is the evidence.
_KEY_ID = re.compile(r"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])")

# `=` before is an assignment, `=` after is base64 padding; `:-` before is a shell default.
_BEFORE, _AFTER = r"(?<![A-Za-z0-9/+_.])(?<![^:]-)", r"(?![A-Za-z0-9/+=_\-])(?!\.[A-Za-z0-9])"
_SECRET = re.compile(rf"{_BEFORE}[A-Za-z0-9/+]{{{SECRET_LENGTH}}}{_AFTER}")

# The password that is made from a secret for SES: base64 of 33 bytes, of which the first is 4 (2 until 2020). See
# https://docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html
_SMTP_PASSWORD = re.compile(rf"{_BEFORE}(?:B[A-P]|A[g-v])[A-Za-z0-9/+]{{42}}{_AFTER}")

_SECRET_WORD = re.compile(r"secret", re.IGNORECASE | re.ASCII)
_SMTP_WORD = re.compile(r"smtp", re.IGNORECASE | re.ASCII)
_ADJACENT = re.compile(r"[\"' \t]{0,3}[:,;|\t ][\"' \t]{0,3}")


@dataclass(frozen=True)
class LiteralCredential:
    """One hard-coded credential. Holds nothing from which its secret, or its whole key id, can be read.

    `line` and `end_line` are 1-based and span the key id and the secret. `kind` is `access_key_pair` (a key id with
    its secret), `session` (the same with a temporary key id, ASIA…), `secret_access_key` (a secret without a key id) or
    `ses_smtp_password` (what is made from a secret to send mail). `masked_key_id` has the first four and last four
    characters, and is None where no key id is near.
    """

    line: int
    end_line: int
    kind: str
    masked_key_id: str | None
    message: str


@dataclass(frozen=True, repr=False)
class LiteralSecret:
    """A credential with its secret, for those who look for the same value elsewhere; never prints itself.

    `credential` is None for an SMTP password whose key id has its secret there, too: that is one credential.
    """

    secret: str
    credential: LiteralCredential | None


@dataclass(frozen=True, repr=False)
class _Candidate:
    """A secret and its key id, while they are being matched; never leaves this module, never prints itself."""

    secret: str
    key_id: str | None
    line: int
    end_line: int
    smtp: bool = False
    counts: bool = True
    encoded: bool = False


def find_literals(text: str) -> list[LiteralCredential]:
    """The hard-coded credentials in `text`, in the order of their lines, one for each different secret.

    Never raises on any text and takes time proportional to its length. Base64 text is decoded once and looked into.
    """
    found = [secret.credential for secret in find_secrets(text) if secret.credential is not None]
    return sorted(found, key=in_order)


def in_order(item: LiteralCredential) -> tuple[int, int, str, str]:
    """What credentials are sorted by."""
    return item.line, item.end_line, item.masked_key_id or "", item.message


def find_secrets(text: str) -> list[LiteralSecret]:
    """The same in no order that counts, each with its secret."""
    lines = without_transport(plain_lines(text))
    candidates = _candidates(lines)
    newlines = _positions("\n", lines)
    for start, end, decoded in base64_texts(lines):
        line, end_line = bisect_left(newlines, start) + 1, bisect_left(newlines, end - 1) + 1
        inner = _candidates(decoded)
        candidates.extend(replace(found, line=line, end_line=end_line, encoded=True) for found in inner)
    by_secret: dict[str, list[_Candidate]] = {}
    for candidate in candidates:
        by_secret.setdefault(candidate.secret, []).append(candidate)
    return [LiteralSecret(secret, _credential(places)) for secret, places in by_secret.items()]


def _positions(mark: str, text: str) -> list[int]:
    return [match.start() for match in re.finditer(mark, text)]


def _candidates(lines: str) -> list[_Candidate]:
    opened = open_values(unescape(lines))
    text = opened.text
    secrets, passwords, keys = _SECRET_WORD.search(text), _SMTP_WORD.search(text), _KEY_ID.search(text)
    if not (secrets or passwords or keys):
        return []
    matcher = _Matcher(text)
    found = [_Pair(secret, key) for secret, key in matcher.secrets()]
    if passwords or keys:
        found += matcher.smtp_passwords({pair.key.start() for pair in found if pair.key})
    newlines = _positions("\n", text) if found else []
    return [pair.candidate(newlines, opened.values) for pair in found]


@dataclass(frozen=True, repr=False)
class _Pair:
    """Where a secret and its key id stand."""

    secret: re.Match[str]
    key: re.Match[str] | None
    smtp: bool = False
    counts: bool = True

    def candidate(self, newlines: list[int], decoded: frozenset[str]) -> _Candidate:
        """The same with lines."""
        first = min(self.secret.start(), self.key.start()) if self.key else self.secret.start()
        last = max(self.secret.end(), self.key.end()) - 1 if self.key else self.secret.end() - 1
        return _Candidate(
            secret=self.secret.group(),
            key_id=self.key.group() if self.key else None,
            line=bisect_left(newlines, first) + 1,
            end_line=bisect_left(newlines, last) + 1,
            smtp=self.smtp,
            counts=self.counts,
            encoded=self.secret.group() in decoded,
        )


class _Matcher:
    """Matches the secrets of a text with its key ids."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._layout = Layout(text)
        self._keys = [match for match in _KEY_ID.finditer(text) if not is_example_key_id(match.group())]
        self._key_starts = [match.start() for match in self._keys]
        self._claimed: set[int] = set()

    def secrets(self) -> list[tuple[re.Match[str], re.Match[str] | None]]:
        """The secret access keys, each with its key id where one is near."""
        named: list[re.Match[str]] = []
        unnamed: list[tuple[re.Match[str], bool]] = []
        for match, word_near, key_near in self._near_words(_SECRET, _SECRET_WORD):
            context = Context(self._layout, *match.span())
            if word_near and context.names_secret():
                named.append(match)
            elif key_near and context.allows_secret():
                unnamed.append((match, context.says_bare_secret))
        pairs: list[tuple[re.Match[str], re.Match[str] | None]] = []
        for secret in named:
            key = self._claim(secret)
            beside = key is not None and self._lines_between(secret, key) <= NEAR_LINES
            if beside or looks_random(secret.group(), strict=False):
                pairs.append((secret, key))
        for secret, usual in unnamed:
            key = self._unclaimed_near(secret, NEAR_LINES)
            if key and (usual or self._adjacent(key, secret) or looks_random(secret.group(), strict=True)):
                pairs.append((secret, key))
        taken = {key.start() for _, key in pairs if key}
        return [(secret, self._long_lived(secret, key, taken)) for secret, key in pairs]

    def smtp_passwords(self, taken: set[int]) -> Iterator[_Pair]:
        """The passwords for SES, by their name or beside a key id; `taken` are the key ids that have a secret."""
        for match, word_near, key_near in self._near_words(_SMTP_PASSWORD, _SMTP_WORD):
            context = Context(self._layout, *match.span())
            if context.rules_out_any():
                continue
            key = next(self._near(match, NEAR_LINES), None) if key_near else None
            if (word_near and says_smtp_password(context.label)) or (key and says_password(context.label)):
                yield _Pair(match, key, smtp=True, counts=key is None or key.start() not in taken)

    def _near_words(self, value: re.Pattern[str], word: re.Pattern[str]) -> Iterator[tuple[re.Match[str], bool, bool]]:
        """The values that are no filler, with whether the word is in reach of a name, and whether a key id is near."""
        words = [match.start() for match in word.finditer(self._text)]
        for match in value.finditer(self._text):
            start, end = match.span()
            word_near = _any_between(words, start - _NAME_CHARACTERS, end + _NAME_CHARACTERS)
            key_near = _any_between(self._key_starts, start - _NEAR_CHARACTERS, end + _NEAR_CHARACTERS)
            if (word_near or key_near) and not is_filler(match.group()):
                yield match, word_near, key_near

    def _claim(self, secret: re.Match[str]) -> re.Match[str] | None:
        """The key id for a named secret; one that has no secret yet goes first."""
        key = self._unclaimed_near(secret, NEAR_LINES_NAMED)
        if key is None:
            return next(self._near(secret, NEAR_LINES_NAMED), None)
        self._claimed.add(key.start())
        return key

    def _unclaimed_near(self, secret: re.Match[str], lines: int) -> re.Match[str] | None:
        """The nearest key id without a named secret: the last one before the secret, else the first one after it."""
        return next((key for key in self._near(secret, lines) if key.start() not in self._claimed), None)

    def _long_lived(self, secret: re.Match[str], key: re.Match[str] | None, taken: set[int]) -> re.Match[str] | None:
        """In place of a temporary key id a long-lived one that has no secret: the secret may be that one's."""
        if key is None or not _is_temporary(key.group()):
            return key
        others = (near for near in self._near(secret, NEAR_LINES) if not _is_temporary(near.group()))
        return next((other for other in others if other.start() not in taken), key)

    def _near(self, secret: re.Match[str], lines: int) -> Iterator[re.Match[str]]:
        """The key ids within `lines` lines of the secret, those before it first, nearest first."""
        place = bisect_left(self._key_starts, secret.start())
        for side in (range(place - 1, -1, -1), range(place, len(self._keys))):
            for index in side:
                if abs(self._key_starts[index] - secret.start()) > _NEAR_CHARACTERS:
                    break
                if self._lines_between(secret, self._keys[index]) > lines:
                    break
                yield self._keys[index]

    def _lines_between(self, secret: re.Match[str], key: re.Match[str]) -> int:
        return abs(self._layout.index(secret.start()) - self._layout.index(key.start()))

    def _adjacent(self, key: re.Match[str], secret: re.Match[str]) -> bool:
        """Whether nothing but a separator stands between a key id and what follows it, as in `id:secret`."""
        return _ADJACENT.fullmatch(self._text, key.end(), max(key.end(), secret.start())) is not None


def _any_between(positions: list[int], low: int, high: int) -> bool:
    index = bisect_left(positions, low)
    return index < len(positions) and positions[index] < high


def _is_temporary(key_id: str) -> bool:
    return key_id.startswith("ASIA")


def _credential(places: list[_Candidate]) -> LiteralCredential | None:
    """One finding for all the places where the same secret stands; a place with its long-lived key id says most."""
    counted = [place for place in places if place.counts]
    if not counted:
        return None

    def rank(place: _Candidate) -> tuple[int, int, int]:
        kinds = 2 if place.key_id is None else 1 if _is_temporary(place.key_id) else 0
        return kinds, place.line, place.end_line

    first, *rest = sorted(counted, key=rank)
    others = sorted({place.line for place in rest} - {first.line})
    where = " inside base64 text" if first.encoded else ""
    again = f", again on line {listed([str(line) for line in others])}" if others else ""
    masked = None if first.key_id is None else f"{first.key_id[:4]}…{first.key_id[-4:]}"
    kind, what = _kind_of(first, masked)
    return LiteralCredential(
        line=first.line,
        end_line=first.end_line,
        kind=kind,
        masked_key_id=masked,
        message=f"{what} is hard-coded{where}{again}",
    )


def _kind_of(place: _Candidate, masked: str | None) -> tuple[str, str]:
    if place.smtp:
        return (
            "ses_smtp_password",
            f"The SMTP password of the access key {masked}" if masked else "An SES SMTP password",
        )
    if place.key_id is None:
        return "secret_access_key", "A secret access key"
    if _is_temporary(place.key_id):
        return "session", f"The temporary access key {masked} with its secret"
    return "access_key_pair", f"The access key {masked} with its secret"
