"""Says from the bytes of a file whether it can hold a hard-coded credential at all, thousands of files in a blink.

A finding needs a secret, which is a run of 40 characters, and a word beside it; both may stand inside base64 text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

SECRET_LENGTH = 40
"""An AWS secret access key has 40 characters of the base64 alphabet."""

BASE64_RUN = 56
"""The name of a secret and its 40 characters fill as many characters of base64 or more."""

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_WORDS = (b"AKIA", b"ASIA", b"secret", b"smtp")
"""Any finding needs one of these, or base64 of it; lower-case ones in any letter case."""

_ENCODED_KEY_IDS = (b"QUtJQ", b"QVNJQ")
"""How the base64 of a key id by itself begins."""

_LENGTHS = frozenset({SECRET_LENGTH, 44, 54, 55, 56, 59, 60, 62})
"""A secret, a password for SES (44), and the base64 of one by itself, with the line end that is often encoded, too."""


def _table(classes: Mapping[bytes, bytes]) -> bytes:
    """A translation of each byte to the name of its class, a space for those of none."""
    return bytes(next((ord(name) for name, members in classes.items() if byte in members), 32) for byte in range(256))


# The escapes of slash and plus in strings and URLs stand inside a secret; every other one ends it.
_RUNS = _table({b"A": _BASE64 + b"\\%"})
_LOOKS = _table({b"U": _BASE64[:26], b"l": _BASE64[26:52], b"d": _BASE64[52:], b"E": b"\\%"})


def contains_candidate(data: bytes) -> bool:
    """Whether a file with these bytes can hold a hard-coded credential at all; never says no wrongly.

    Holds for text that was decoded as UTF-8 (undecodable bytes replaced or escaped, not dropped), UTF-16 or Latin-1.
    """
    dense = _unfolded(data.replace(b"\0", b""))
    runs = dense.translate(_RUNS)
    if b"A" * SECRET_LENGTH not in runs:
        return False
    folded = dense.lower()
    if (
        any(word in (folded if word.islower() else dense) for word in _WORDS)
        or any(word in dense for word in _ENCODED_KEY_IDS)
    ) and any(map(_could_be_secret, dense.translate(_LOOKS).split())):
        return True
    return any(_encoded_words().search(blob.translate(None, b" \t\r\n")) for blob in _blobs(dense, runs))


def _blobs(data: bytes, runs: bytes) -> Iterator[bytes]:
    """What could be base64 of text, with the lines that it may be wrapped into."""
    start = runs.find(b"A" * BASE64_RUN)
    while start >= 0:
        blob = _blob().match(data, start)
        assert blob is not None
        yield blob.group()
        start = runs.find(b"A" * BASE64_RUN, blob.end())


@cache
def _blob() -> re.Pattern[bytes]:
    return re.compile(rb"[A-Za-z0-9+/\\%]+(?:[ \t]*\r?\n[ \t]*[A-Za-z0-9+/\\%]+)*")


def _unfolded(data: bytes) -> bytes:
    """The bytes without the line ends inside values: a backslash before them, or an equals sign in a mail."""
    # Searching for one byte, or for a long word, is what costs least in the many files that have neither.
    if b"\\" in data and (b"\\\n" in data or b"\\\r\n" in data):
        data = re.sub(rb"\\\r?\n[ \t]*", b"", data)
    if b"rintable" in data and b"quoted-printable" in data.lower():
        data = re.sub(rb"=\r?\n", b"", data)
    return data


def _could_be_secret(run: bytes) -> bool:
    """Whether a run, given by the classes of its characters, has the length and both letter cases of a secret, or
    escapes from which one could be made. Hashes have neither; files about secrets are full of them. In a patch one
    or two plus signs may stand before it."""
    if any(len(run) - signs in _LENGTHS and run.startswith(b"dd"[:signs]) for signs in range(3)):
        return b"E" in run or (b"U" in run and b"l" in run)
    return len(run) > SECRET_LENGTH and b"E" in run


@cache
def _encoded_words() -> re.Pattern[bytes]:
    """Compiled where a file first needs it: that takes as long as reading hundreds of files."""
    return re.compile(b"|".join(_encoded_patterns()))


def _sextet_pattern(choices: list[tuple[int, ...]], shift: int) -> bytes:
    """A pattern for base64 text that holds one of the `choices` of each byte, `shift` bytes into a group of three."""
    bits: list[tuple[int, ...]] = []
    for values in choices:
        bits.extend(tuple({value >> place & 1 for value in values}) for place in range(7, -1, -1))
    pattern = b""
    for first in range(-shift * 8 % 6, len(bits) - 5, 6):
        codes = [0]
        for options in bits[first : first + 6]:
            codes = [code << 1 | option for code in codes for option in options]
        pattern += b"[" + re.escape(bytes(sorted({_BASE64[code] for code in codes}))) + b"]"
    return pattern


def _encoded_patterns() -> Iterator[bytes]:
    """Patterns for the base64 of each word that any finding needs, in ASCII and UTF-16, at all three alignments."""
    for word in _WORDS:
        ascii_choices = [tuple({byte, byte ^ 32} if word.islower() else {byte}) for byte in word]
        wide_choices = [choice for options in ascii_choices for choice in (options, (0,))][:-1]
        for choices in (ascii_choices, wide_choices):
            for shift in range(3):
                yield _sextet_pattern(choices, shift)
