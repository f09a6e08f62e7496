"""Decides from bytes which files could matter to a rule. It may say yes too often, never no too often.

Terraform's block labels and CloudFormation's type names are plain text in the file, so a file without these words
declares no key and calls no module that does; escapes that could hide a word are read first.
"""

from __future__ import annotations

import re

TERRAFORM_WORDS = (b"iam_access_key", b"iam-user", b"iam-system-user")
"""The key resources, and the registry modules that declare a key unless told otherwise (KEY_AWS_007)."""

TEMPLATE_WORD = b"AWS::IAM::AccessKey"

_WORD = re.compile(b"|".join(re.escape(word) for word in TERRAFORM_WORDS))
_ESCAPE = re.compile(
    rb"""\\(?:
        (?: u | U0000 | x ) (?: (?<=x) | 00 ) ([0-7][0-9A-Fa-f])   # an ASCII character in JSON, HCL or YAML
      | \r?\n[ \t]*                                                # a line of a YAML string that goes on
      | (?=/)                                                      # JSON's escaped slash
    )""",
    re.VERBOSE,
)
_LOCAL_SOURCE = re.compile(rb"""["']?source["']?\s*[=:]\s*["'](\.{1,2}/[^"'\n]*)["']""")


def narrow(data: bytes) -> bytes:
    """The bytes with one byte per ASCII character, whatever the encoding says."""
    return data.replace(b"\0", b"")


def concerns_terraform(data: bytes) -> bool:
    """Whether a Terraform file, by itself, could declare a key or call a registry module that does."""
    return bool(_WORD.search(_plain(data)))


def concerns_cloudformation(data: bytes) -> bool:
    """Whether a file could be a template that declares a key."""
    return TEMPLATE_WORD in _plain(data)


def local_sources(data: bytes) -> list[str]:
    """The relative module sources that a Terraform file names; comments and strings may add some that are none."""
    return [match.decode("utf-8", "surrogateescape") for match in _LOCAL_SOURCE.findall(_plain(data))]


def _plain(data: bytes) -> bytes:
    """The bytes with one per ASCII character, as it reads inside a string."""
    return _ESCAPE.sub(lambda match: bytes([int(match[1], 16)]) if match[1] else b"", narrow(data))
