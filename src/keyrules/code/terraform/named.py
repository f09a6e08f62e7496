"""The keys of Terraform in a text that no parser reads, by name: in a file that is broken, or becomes one later."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from keyrules.code.judging import unread_verdicts
from keyrules.code.session import CheckSession
from keyrules.code.terraform.keys import KEY_TYPES
from keyrules.code.unit_results import Declared, Place
from keyrules.files import read_regular

WRITTEN = "it is Terraform in a text that is written out later; scan the configuration that it becomes"
"""Why a key in a text that becomes a configuration is known by name only."""

_RESOURCE = re.compile(rf'^\s*resource\s+"?({"|".join(KEY_TYPES)})"?\s+"?([^"\s{{]+|\{{\{{[^"\n]*)"?', re.MULTILINE)
_IN_JSON = re.compile(rf'"({"|".join(KEY_TYPES)})"\s*:\s*\[?\s*\{{\s*"([^"]+)"')


def keys_named_in(path: str, data: bytes) -> list[Place]:
    """The keys of a file that cannot be parsed, by name."""
    text = data.decode("utf-8", "replace")
    return [
        Place(path, f"{match[1]}.{match[2]}", line, line, judged=False)
        for match in _RESOURCE.finditer(text)
        for line in (text.count("\n", 0, match.start(1)) + 1,)
    ]


def keys_written(text: str) -> list[str]:
    """The addresses of keys in a text that becomes a configuration, in native syntax or in JSON."""
    return list(
        dict.fromkeys(f"{match[1]}.{match[2]}" for form in (_RESOURCE, _IN_JSON) for match in form.finditer(text))
    )


def judge(path: str, session: CheckSession, callers: Sequence[str]) -> Declared:
    """The keys of Terraform inside a text that becomes a configuration later, by name. Raises OSError."""
    data = read_regular(path)
    unread = keys_named_in(path, data)
    verdicts = list(unread_verdicts("terraform", unread, session, WRITTEN))
    return Declared(unread, verdicts=verdicts, sha256=hashlib.sha256(data).hexdigest())
