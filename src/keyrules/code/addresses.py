"""Terraform addresses as text."""

from __future__ import annotations

import re

_INSTANCE_KEY = re.compile(r'\[(?:"(?:[^"\\]|\\.)*"|[^\]]*)\]')
_MODULES = re.compile(r'(?:module\.[^.\[\]"]+(?:\[(?:"(?:[^"\\]|\\.)*"|[^\]]*)\])?\.)+')


def without_keys(address: str) -> str:
    """An address without its count and for_each keys."""
    return _INSTANCE_KEY.sub("", address)


def module_prefix(address: str) -> str:
    """The module calls at the start of an address, with the final dot: `module.a["x"].module.b.`, or nothing."""
    match = _MODULES.match(address)
    return match[0] if match else ""
