"""Masks the secrets that a scan knows wherever they appear in what it says: addresses, names, paths, messages.

A secret can be the key of a `for_each`, the name of a user or of a folder, and all formats print those. Secrets are
known here by their SHA-256 sums only; a secret has 240 random bits, so its sum gives nothing away.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from keyrules.model import Evaluation
from keyrules.records import replace, values_of

_LENGTHS = (44, 40)
"""An SMTP password, a secret access key."""

# One character of a secret, as it is or as strings, URLs and markup write it.
_CHARACTER = re.compile(
    r"[A-Za-z0-9]|\\{0,8}[/+]|\\{1,8}(?:u00|x)(?:2[bBfF]|[3-7][0-9A-Fa-f])|%2[bBfF]|&#(?:4[37]|x2[bBfF]);"
)
_RUN = re.compile(rf"(?:{_CHARACTER.pattern}){{{min(_LENGTHS)},}}")


def digest_of(secret: str) -> str:
    """What a secret is known by."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class KnownSecrets:
    """The secrets that a run has met."""

    __slots__ = ("_digests",)

    def __init__(self, digests: Iterable[str] = ()) -> None:
        self._digests = frozenset(digests)

    def __bool__(self) -> bool:
        return bool(self._digests)

    def masked(self, text: str) -> str:
        """The text with `[secret …]` in place of each known secret, also where it is escaped or part of a longer run.

        The digits in it tell secrets apart, so that two addresses stay two.
        """
        return _RUN.sub(lambda run: self._masked_run(run.group()), text) if self._digests else text

    def _masked_run(self, run: str) -> str:
        written = [match.group() for match in _CHARACTER.finditer(run)]
        plain = "".join(map(_plain, written))
        parts: list[str] = []
        place = 0
        while place < len(plain):
            digest, length = self._at(plain, place)
            parts.append(f"[secret {digest[:8]}]" if digest else written[place])
            place += length
        return "".join(parts)

    def _at(self, plain: str, place: int) -> tuple[str, int]:
        """The sum and length of the secret that begins there, or nothing and 1."""
        for length in _LENGTHS:
            if place + length <= len(plain):
                digest = digest_of(plain[place : place + length])
                if digest in self._digests:
                    return digest, length
        return "", 1


def masked(evaluation: Evaluation, secrets: KnownSecrets) -> Evaluation:
    """The evaluation without a known secret in anything that it says; the rules and the pack say nothing of a scan."""
    if not secrets:
        return evaluation
    mask = cache(secrets.masked)
    return replace(
        evaluation,
        **{
            name: _masked(value, mask) for name, value in values_of(evaluation).items() if name not in ("rules", "pack")
        },
    )


def _masked(value: Any, mask: Callable[[str], str]) -> Any:
    """A value with every text in it masked: in tuples, mappings and the fields of our own types."""
    if type(value) is str:
        return mask(value)
    if isinstance(value, tuple):
        return tuple(_masked(item, mask) for item in value)
    if isinstance(value, Mapping):
        return {_masked(name, mask): _masked(item, mask) for name, item in value.items()}
    if old := values_of(value):
        new = {name: _masked(item, mask) for name, item in old.items()}
        return replace(value, **new) if new != old else value
    return value


def _plain(written: str) -> str:
    """The character that is meant."""
    if written[0] == "&":
        code = written.strip("&#;")
        return chr(int(code[1:], 16) if code.startswith("x") else int(code))
    if written[0] == "%" or "u00" in written or "x" in written[1:]:
        return chr(int(written[-2:], 16))
    return written[-1]
