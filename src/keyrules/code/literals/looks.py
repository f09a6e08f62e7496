"""Whether a value looks like one that AWS generated."""

from __future__ import annotations

import re
from operator import add

# A uniformly random value of 40 characters has about 30 different ones (standard deviation 2). Stretches of four or
# more lower-case letters, of which words and paths consist, fill 20 of its places in 3 of 10,000 values, and 16 of them
# in 3 of 1,000. The other tests here fail one of a hundred million at most.
_DIFFERENT = 18
_WORDY = 20
_WORDY_STRICT = 16
_LOWER_STRETCH = re.compile(r"[a-z]{4,}")

_PLACEHOLDER_WORD = re.compile(
    r"access|actual|amazon|aws|bar|change|credential|default|demo|dummy|enter|example|fake|foo|goes|here|insert|"
    r"invalid|key|mock|not|obtain|placeholder|please|random|real|redacted|replace|sample|secret|some|string|test|this|"
    r"todo|user|value|with|xxx|you|your"
)

_STEPS = frozenset(chr(code) + chr(code + step) for code in range(1, 127) for step in (-1, 0, 1))
"""Pairs of characters of which sequences consist."""

_FEWEST_DIFFERENT = 5
"""A key id with fewer different characters after its prefix is a filler such as AKIAXXXXXXXXXXXXXXXX."""


def is_filler(value: str) -> bool:
    """Whether nobody generated this secret: a hash, a sequence, a placeholder, one of AWS's documented examples."""
    low = value.lower()
    if value in (low, value.upper()) or "EXAMPLE" in value or len(set(value)) < _DIFFERENT:
        return True
    if sum(map(_STEPS.__contains__, map(add, low, low[1:]))) >= len(value) // 2:
        return True
    return sum(map(len, _PLACEHOLDER_WORD.findall(low))) >= len(value) // 2


def looks_random(value: str, *, strict: bool) -> bool:
    """Whether a secret has the mix of a generated value: no filler, no path, no words.

    `strict` is for a value that no name vouches for.
    """
    wordy = sum(map(len, _LOWER_STRETCH.findall(value)))
    return wordy < (_WORDY_STRICT if strict else _WORDY) and not is_filler(value)


def is_example_key_id(key_id: str) -> bool:
    """Whether a key id is a filler or one of AWS's documented examples, which all hold EXAMPLE."""
    return "EXAMPLE" in key_id or len(set(key_id[4:])) < _FEWEST_DIFFERENT
