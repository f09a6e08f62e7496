"""What planned values and sensitive marks say about a place that may hold a secret.

Secrets are compared in memory and go nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from keyrules.code.flow.value import SECRETS
from keyrules.code.literals.looks import looks_random
from keyrules.code.literals.text import base64_runs, decoded_text
from keyrules.code.plan.addresses import static_address
from keyrules.code.plan.flow import Way
from keyrules.code.plan.json import PlanError, texts
from keyrules.code.plan.view import Plan, Planned
from keyrules.code.plan.wrapping import unpacked

_SECRET = re.compile(r"[A-Za-z0-9/+=]{16,}")
"""A plan that was sanitised has a word such as REDACTED_SENSITIVE for every secret."""
_DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
"""The AWS provider before version 6 plans user data as its SHA-1 sum."""
_LENGTH = 40
_RUN = re.compile(rf"[A-Za-z0-9+/]{{{_LENGTH},}}")
"""What is made of a secret, and holds all of it, is as long as the secret at least."""
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_PART = 12
_MOST_READINGS = 64
_LARGEST = 2**22


class KnownSecrets:
    """The secrets of existing keys that a plan has, in a form that only answers whether a value holds one."""

    __slots__ = ("_owners",)

    def __init__(self, plan: Plan) -> None:
        owners: dict[str, Way] = {}
        for key in (item for item in plan.planned if item.mode == "managed" and item.type in SECRETS):
            prior = key.prior.values.value if key.prior else None
            for values in (key.values.value, key.before.value, prior):
                for attribute in SECRETS[key.type]:
                    secret = values.get(attribute) if isinstance(values, Mapping) else None
                    if isinstance(secret, str) and _SECRET.fullmatch(secret):
                        stop = f"{static_address(key.path, key.block)}.{attribute}"
                        way = Way((key.path, key.block), (stop,), certain=True)
                        for form in (secret, quote(secret, safe="")):
                            owners.setdefault(form, way)
        self._owners = owners

    def __repr__(self) -> str:
        return "KnownSecrets"

    def found_in(self, value: object) -> Way | None:
        """The origin of a secret that stands in the value: as it is, URL-encoded, or in base64 or gzip."""
        if not self._owners:
            return None
        for text in texts(value):
            readings, _ = _readings(text)
            for secret, way in self._owners.items():
                if any(secret in reading for reading in readings):
                    return way
        return None

    def may_be_hidden_in(self, value: object, way: Way) -> bool:
        """Whether a value in which no secret is found can have been made of the one that goes this way.

        That takes a secret which is known while planning, and a part of it or something that nobody can read.
        """
        secrets = [secret for secret, owner in self._owners.items() if owner.key == way.key]
        parts = {secret[at : at + _PART] for secret in secrets for at in range(len(secret) - _PART + 1)}
        for text in texts(value) if secrets else ():
            readings, closed = _readings(text)
            if closed or any(part in reading for reading in readings for part in parts):
                return True
        return False

    def rules_out(self, value: object, way: Way) -> bool:
        """Whether a known value shows that a way through something that holds the secret took another part of that."""
        known = value is not None and any(owner.key == way.key for owner in self._owners.values())
        return way.marks_lost and known and self.found_in(value) is None and not self.may_be_hidden_in(value, way)

    def without(self, text: str) -> str:
        """The text with every known secret cut out."""
        for secret in self._owners:
            text = text.replace(secret, "")
        return text


def may_hold(item: Planned, attribute: str, way: Way, secrets: KnownSecrets) -> bool:
    """Whether a possible way may end in an attribute, when no known secret stands there.

    Terraform marks what is made from a secret. The marks end only where a carrier loses them, and they say nothing of a
    collection that is not known as a whole.
    """
    if not way.marks_lost and item.is_sensitive(attribute) is False and not item.hides_marks(attribute):
        return False
    return item.is_unknown(attribute) or secrets.may_be_hidden_in(item.known(attribute), way)


def _readings(text: str) -> tuple[list[str], bool]:
    """The text and what base64 and gzip in it hold, level by level; and whether anything stays closed that could be a
    text in another form.
    """
    readings, closed = [text], _DIGEST.fullmatch(text) is not None
    for reading in readings:
        readable = []
        for start, end, data in base64_runs(reading):
            inner = _unpacked(data)
            readings.append(inner)
            readable += [(start, end)] if _CONTROL.search(inner) is None else []
        if len(readings) > _MOST_READINGS:
            return readings, True
        for run in _RUN.finditer(reading):
            if not any(start < run.end() and run.start() < end for start, end in readable):
                pieces = (run[0][at : at + _LENGTH] for at in range(0, len(run[0]) - _LENGTH + 1, _LENGTH))
                closed = closed or any(looks_random(piece, strict=True) for piece in pieces)
    return readings, closed


def _unpacked(data: bytes) -> str:
    """What base64 held as text; what is no text has control characters in it."""
    try:
        data = unpacked(data, _LARGEST)
    except PlanError:
        return "\0"
    return decoded_text(data)
