"""What a reader takes for one character: Terraform counts and cuts strings by these clusters.

The rules are Unicode's (UAX #29) for the scripts whose clusters are a letter with the marks above and below it. Text in
other scripts, emoji and conjoining letters need tables that change with each edition of Unicode: those are NotComputed.
"""

from __future__ import annotations

import re

from keyrules.code.terraform.hcl.numbers import NotComputed

_CLUSTER = re.compile(r"\r\n|[^\u0300-\u036f]?[\u0300-\u036f]+|[\s\S]")
# Latin, Greek, Cyrillic, punctuation, arrows, kana, ideographs and their full-width forms, without emoji.
_SIMPLE = re.compile(
    r"[\x20-\x7e\n\r\t\xa1-\xa8\xaa-\xac\xaf-\u0482\u048a-\u052f\u1e00-\u1fff\u2010-\u2027\u2030-\u203b\u20a0-\u20bf"
    r"\u3001-\u3029\u3041-\u3096\u30a0-\u30ff\u4e00-\u9fff\uff01-\uff5e]*"
)


def clusters(text: str) -> list[str]:
    """A string as its clusters. Raises NotComputed for text whose clusters are not sure."""
    if text.isascii() and "\r" not in text:
        return list(text)
    if not _SIMPLE.fullmatch(text) or "\u0300" <= text[:1] <= "\u036f" or re.search("[\r\n\t][\u0300-\u036f]", text):
        raise NotComputed
    return _CLUSTER.findall(text)
