"""What planned values and sensitive marks say about a place that may hold a secret.

Secrets are compared in memory and go nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from keyrules.code.flow.place import SECRET_ATTRIBUTES
from keyrules.code.literals.text import base64_texts
from keyrules.code.plan.flow import Way
from keyrules.code.plan.view import Plan, Planned, static_address, texts
from keyrules.code.terraform.scope import parse_address

_SECRET = re.compile(r"[A-Za-z0-9/+=]{16,}")
"""A plan that was sanitised has a word such as REDACTED_SENSITIVE for every secret."""
_DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
"""The AWS provider before version 6 plans user data as its SHA-1 sum."""


class KnownSecrets:
    """The secrets of existing keys that a plan has, in a form that only answers whether a value holds one."""

    __slots__ = ("_owners",)

    def __init__(self, plan: Plan) -> None:
        owners: dict[str, Way] = {}
        for key in plan.keys:
            prior = key.prior.values.value if key.prior else None
            for values in (key.values.value, key.before.value, prior):
                for attribute in SECRET_ATTRIBUTES:
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
        """The origin of a secret that stands in the value: as it is, URL-encoded, or in base64."""
        if not self._owners:
            return None
        for text in texts(value):
            forms = [text, *(decoded for _, _, decoded in base64_texts(text))]
            for secret, way in self._owners.items():
                if any(secret in form for form in forms):
                    return way
        return None

    def without(self, text: str) -> str:
        """The text with every known secret cut out."""
        for secret in self._owners:
            text = text.replace(secret, "")
        return text


def may_hold(item: Planned, attribute: str, marks_lost: bool) -> bool:
    """Whether a possible way may end in an attribute, when no known secret stands there.

    The secret of a new key is not known yet, so a value that is fully known does not hold it. Terraform marks what is
    made from a secret, and the marks end only where a carrier loses them.
    """
    if not item.is_unknown(attribute) and not any(_DIGEST.fullmatch(text) for text in texts(item.known(attribute))):
        return False
    return marks_lost or item.is_sensitive(attribute) is not False


def is_relevant(plan: Plan, way: Way) -> bool:
    """Whether anything that changes refers to the secret at all, as far as the plan lists what changes refer to.

    Terraform looks through locals, inputs and outputs for that list, but not into provisioners.
    """
    if plan.relevant is None:
        return True
    named = (parse_address(resource) for resource, attribute in plan.relevant if attribute in ("", *SECRET_ATTRIBUTES))
    keys = ((tuple(name for name, _ in key.modules), f"{key.type}.{key.name}") for key in named if key is not None)
    return way.key in keys
