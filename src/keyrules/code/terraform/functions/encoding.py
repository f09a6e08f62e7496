"""Hashes, Base64 and URL encoding of strings, which Terraform takes as UTF-8."""

from __future__ import annotations

import base64
import binascii
import hashlib
import uuid
from collections.abc import Callable, Mapping
from urllib.parse import quote_plus

from keyrules.code.terraform.functions.signature import Function, function
from keyrules.code.terraform.hcl.numbers import NotComputed
from keyrules.code.terraform.hcl.values import Refused

_NAMESPACES = {
    "dns": uuid.NAMESPACE_DNS,
    "oid": uuid.NAMESPACE_OID,
    "url": uuid.NAMESPACE_URL,
    "x500": uuid.NAMESPACE_X500,
}
_CHARACTER_SETS = {"UTF-8": "utf-8", "UTF-16LE": "utf-16-le", "UTF-16BE": "utf-16-be"}


def digest(algorithm: str) -> Callable[[bytes], bytes]:
    """The function that hashes bytes; nothing is protected by it here."""
    return lambda data: hashlib.new(algorithm, data, usedforsecurity=False).digest()


def hexadecimal(algorithm: str) -> Callable[[bytes], str]:
    """The hash of bytes as lower-case hexadecimal digits."""
    work = digest(algorithm)
    return lambda data: work(data).hex()


def base64_text(data: bytes) -> str:
    """Bytes as Base64 with its standard alphabet and padding."""
    return base64.b64encode(data).decode("ascii")


HASHES: Mapping[str, Callable[[bytes], str]] = {
    "base64sha256": lambda data: base64_text(digest("sha256")(data)),
    "base64sha512": lambda data: base64_text(digest("sha512")(data)),
    "md5": hexadecimal("md5"),
    "sha1": hexadecimal("sha1"),
    "sha256": hexadecimal("sha256"),
    "sha512": hexadecimal("sha512"),
}


def _of_text(work: Callable[[bytes], str]) -> Callable[[str], str]:
    return lambda text: work(text.encode("utf-8"))


def _decoded(text: str) -> bytes:
    # Go passes over line ends in Base64 and wants nothing else beside its alphabet.
    text = text.replace("\r", "").replace("\n", "")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refused from None


def _base64decode(text: str) -> str:
    try:
        return _decoded(text).decode("utf-8")
    except UnicodeDecodeError:
        raise Refused from None


def _textencode(text: str, encoding: str) -> str:
    return base64_text(text.encode(_character_set(encoding)))


def _textdecode(text: str, encoding: str) -> str:
    try:
        return _decoded(text).decode(_character_set(encoding))
    except UnicodeDecodeError:
        raise NotComputed from None


def _character_set(name: str) -> str:
    if name not in _CHARACTER_SETS:
        raise NotComputed
    return _CHARACTER_SETS[name]


def _uuidv5(namespace: str, name: str) -> str:
    if namespace in _NAMESPACES:
        return str(uuid.uuid5(_NAMESPACES[namespace], name))
    if len(namespace) != 36:
        raise NotComputed
    return str(uuid.uuid5(uuid.UUID(namespace), name))


FUNCTIONS: Mapping[str, Function] = {
    **{name: function(_of_text(work), "string") for name, work in HASHES.items()},
    "base64decode": function(_base64decode, "string"),
    "base64encode": function(_of_text(base64_text), "string"),
    "textdecodebase64": function(_textdecode, "string", "string"),
    "textencodebase64": function(_textencode, "string", "string"),
    "urlencode": function(lambda text: quote_plus(text, safe=""), "string"),
    "uuidv5": function(_uuidv5, "string", "string"),
}
