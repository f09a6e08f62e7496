"""Keeps secrets out of packages: what is stored as received must hold none, whoever put it there."""

from __future__ import annotations

import codecs
import io
import re
from typing import Final

from keyrules.code.literals.candidates import contains_candidate
from keyrules.code.literals.reading import read_literals
from keyrules.live.around.documents import SECRET_MEMBERS
from keyrules.live.report_inputs import unpacked
from keyrules.model import InputError
from keyrules.reports.text_style import printable

_MOST_UNPACKED: Final = 1 << 28
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_GIVEN_OUT: Final = re.compile(rb'"(%s)"\s*:\s*"[^"]' % "|".join(SECRET_MEMBERS).encode())


def refuse_secrets(name: str, data: bytes) -> None:
    """Raises InputError where bytes that are to be stored hold a secret, as whoever reads them would find it: without
    gzip around them, and whatever Unicode they are in. `name` is what messages call them."""
    try:
        data = unpacked(io.BufferedReader(io.BytesIO(data))).read(_MOST_UNPACKED + 1)
    except InputError as error:
        raise InputError(f"{printable(name)} {error}") from None
    if len(data) > _MOST_UNPACKED:
        raise InputError(f"{printable(name)} is larger than any input is; nothing was written")
    if data.startswith(_UTF_16):
        data = data.decode("utf-16", "replace").encode()
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
