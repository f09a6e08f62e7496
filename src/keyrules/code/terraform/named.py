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

_RESOURCE = re.compile(rf'^\s*resource\s+"?({"|".join(KEY_TYPES)})"?\s+"?([^"\s{{]+)"?', re.MULTILINE)


def keys_named_in(path: str, data: bytes) -> list[Place]:
    """The keys of a file that cannot be parsed, by name."""
    text = data.decode("utf-8", "replace")
    return [
        Place(path, f"{match[1]}.{match[2]}", line, line, judged=False)
        for match in _RESOURCE.finditer(text)
        for line in (text.count("\n", 0, match.start(1)) + 1,)
    ]


def judge(path: str, session: CheckSession, callers: Sequence[str]) -> Declared:
    """The keys of Terraform inside a text that becomes a configuration later, by name. Raises OSError."""
    data = read_regular(path)
    unread = keys_named_in(path, data)
    why = "it is Terraform in a text that another program writes out; scan the configuration that it becomes"
    verdicts = list(unread_verdicts("terraform", unread, session, why))
    return Declared(unread, verdicts=verdicts, sha256=hashlib.sha256(data).hexdigest())
