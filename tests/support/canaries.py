"""Canary secrets: synthetic credentials that no output may ever contain, and the search for them in every disguise."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

_SECRET_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_KEY_ID_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_MINIMUM_FRAGMENT = 16


@dataclass(frozen=True)
class Canary:
    """A key id and a secret of AWS's shape, made from a label; both are synthetic and the same in every run."""

    label: str
    key_id: str
    secret: str
    session_token: str


def make_canary(label: str) -> Canary:
    """The canary of a label. The secret always holds `/` and `+`, so that encoded forms differ from the plain one."""
    secret = _letters(label + "/secret", _SECRET_ALPHABET, 38)
    return Canary(
        label=label,
        key_id="AKIA" + _letters(label + "/id", _KEY_ID_ALPHABET, 16),
        secret=f"{secret[:12]}/{secret[12:25]}+{secret[25:]}",
        session_token=_letters(label + "/token", _SECRET_ALPHABET, 120),
    )


def disguises(secret: str) -> dict[str, bytes]:
    """The forms in which a secret could leave: as it is, encoded, escaped, or a long piece of it.

    Base64 is searched for at all three alignments, because a secret inside a longer encoded text starts anywhere.
    """
    raw = secret.encode()
    forms = {
        "plain": raw,
        "URL-encoded": quote(secret, safe="").encode(),
        "form-encoded": quote_plus(secret).encode(),
        "JSON-escaped": json.dumps(secret)[1:-1].replace("/", "\\/").encode(),
        "hexadecimal": raw.hex().encode(),
        "first part": raw[:_MINIMUM_FRAGMENT],
        "last part": raw[-_MINIMUM_FRAGMENT:],
    }
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw)
        # The characters at both ends also depend on the neighbouring bytes.
        forms[f"base64 at offset {shift}"] = encoded[(shift * 8 + 5) // 6 : len(raw) * 4 // 3 - 2]
    return forms


def leaks(outputs: Iterable[tuple[str, str | bytes]], canaries: Iterable[Canary]) -> list[str]:
    """`<output>: <label> <what> <form>` for every canary secret or token found; empty when nothing leaked.

    Key ids are identifiers and may be shown; whoever forbids them searches for `key_id` itself.
    """
    forms = [
        (f"{canary.label} {what}, {form}", needle)
        for canary in canaries
        for what, value in (("secret", canary.secret), ("session token", canary.session_token))
        for form, needle in disguises(value).items()
    ]
    found: list[str] = []
    for name, content in outputs:
        data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
        found += [f"{name}: {description}" for description, needle in forms if needle in data]
    return found


def assert_no_leak(outputs: Iterable[tuple[str, str | bytes]], canaries: Iterable[Canary]) -> None:
    """Fails, naming every output and form, when any canary is in any output. At least one output must not be empty."""
    named = list(outputs)
    assert any(content for _, content in named), "every output is empty: nothing was searched"
    found = leaks(named, canaries)
    assert not found, "secrets leaked:\n" + "\n".join(found)


def _letters(seed: str, alphabet: str, length: int) -> str:
    stream = b"".join(hashlib.sha256(f"{seed}/{block}".encode()).digest() for block in range(length // 32 + 1))
    return "".join(alphabet[byte % len(alphabet)] for byte in stream[:length])
