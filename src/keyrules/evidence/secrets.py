"""Keeps secrets out of packages: what is stored as received must hold none, whoever put it there."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from typing import Any, Final

from keyrules.code.literals.candidates import contains_candidate
from keyrules.code.literals.reading import read_literals
from keyrules.model import InputError
from keyrules.reports.text_style import printable

_GZIP: Final = b"\x1f\x8b"
_MOST_UNPACKED: Final = 1 << 28
_SECRET: Final = (
    "Base32StringSeed",
    "QRCodePNG",
    "SecretAccessKey",
    "SessionToken",
    "ServicePassword",
    "ServiceCredentialSecret",
    "PrivateKey",
)
"""The members of AWS's answers that hold a secret; no report and no read of an account needs them."""

_GIVEN_OUT: Final = re.compile(rb'"(%s)"\s*:\s*"[^"]' % "|".join(_SECRET).encode())


def without_secrets(answer: Mapping[str, Any]) -> dict[str, Any]:
    """An object of an answer without the members that hold a secret."""
    return {name: value for name, value in answer.items() if name not in _SECRET}


def refuse_secrets(name: str, data: bytes) -> None:
    """Raises InputError where bytes that are to be stored hold a secret. `name` is what messages call them."""
    if data.startswith(_GZIP):
        try:
            data = zlib.decompressobj(wbits=31).decompress(data, _MOST_UNPACKED)
        except zlib.error:
            raise InputError(f"{printable(name)} is a damaged gzip file: get it again") from None
    member = _GIVEN_OUT.search(data)
    found = read_literals(name, data).found if contains_candidate(data) else ()
    if member is not None or found:
        what = (
            f"a value for {member[1].decode()}" if member is not None else f"a secret (line {found[0].credential.line})"
        )
        raise InputError(
            f"{printable(name)} holds {what}, and a package never holds one: take it out of there and, if it is in "
            "use, revoke it; nothing was written"
        )
