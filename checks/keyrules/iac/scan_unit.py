"""What is evaluated in one go, and for how long."""

from __future__ import annotations

from typing import NamedTuple

UNIT_SECONDS = 120.0
"""How long one root module, template or plan may take unless the caller says otherwise."""


class Unit(NamedTuple):
    """kind is terraform (a root module's folder), cloudformation or plan (a file).

    `readable` is False for a file that Checkov passes over because of its name.
    """

    kind: str
    path: str
    readable: bool = True
