"""Whether the text around a value says that the value is an AWS secret access key.

Works on raw text of any format: only the layout that all of them share is used (a label before its value, braces,
indentation). Every function looks at a bounded stretch of text, so that a file of any shape is read in linear time.
"""

from __future__ import annotations

import re

_LABEL_REACH = 200
"""How many characters before a value its label may begin."""

_LINE_REACH = 1000
"""How much of one line is looked at on either side of a value."""

_LINES_UP = 20
_LINES_DOWN = 8

_IDENTIFIER = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"

_NAME = re.compile(
    r"(?:(?:aws|amazon)[_.\- ]?)?"
    r"(?:secret[_.\- ]?access[_.\- ]?key|access[_.\- ]?key[_.\- ]?secret|access[_.\- ]?secret|secret[_.\- ]?key)"
    r"|(?:aws|amazon)[_.\- ]?secret(?!s)",
    re.IGNORECASE | re.ASCII,
)

_WORD = re.compile(r"[A-Z]+[0-9]*(?![a-z])|[A-Z]?[a-z]+[0-9]*|[0-9]+", re.ASCII)

_FOREIGN = frozenset(
    {
        "alibaba",
        "alicloud",
        "aliyun",
        "auth0",
        "azure",
        "b2",
        "backblaze",
        "braintree",
        "captcha",
        "ceph",
        "cloudflare",
        "digitalocean",
        "discord",
        "django",
        "exoscale",
        "facebook",
        "flask",
        "flexibleengine",
        "gcp",
        "gcs",
        "github",
        "gitlab",
        "google",
        "hcaptcha",
        "heroku",
        "huaweicloud",
        "ibm",
        "jwt",
        "laravel",
        "linode",
        "mailgun",
        "minio",
        "ncloud",
        "ncp",
        "oauth",
        "opentelekomcloud",
        "oracle",
        "ovh",
        "paypal",
        "plaid",
        "qcloud",
        "r2",
        "rails",
        "recaptcha",
        "rgw",
        "scaleway",
        "scw",
        "sendgrid",
        "slack",
        "square",
        "storj",
        "stripe",
        "telegram",
        "tencent",
        "tencentcloud",
        "turnstile",
        "twilio",
        "twitter",
        "volcengine",
        "vultr",
        "wasabi",
        "webhook",
        "yandex",
    }
)
"""Words in a name that say the secret belongs to another service than AWS."""

_NOT_THE_SECRET = frozenset(
    {
        "arn",
        "checksum",
        "ciphertext",
        "commit",
        "digest",
        "encrypted",
        "etag",
        "file",
        "filename",
        "fingerprint",
        "from",
        "hash",
        "id",
        "integrity",
        "md5",
        "name",
        "nonce",
        "path",
        "ref",
        "rev",
        "revision",
        "salt",
        "sha",
        "sha1",
        "sha256",
        "sha512",
        "signature",
        "thumbprint",
        "uri",
        "url",
        "uuid",
        "version",
    }
)
"""Words that end a name which speaks about a secret, or about something else, but does not hold it."""

_CARRIERS = frozenset(
    {
        "argument",
        "content",
        "default",
        "defaultvalue",
        "parametervalue",
        "plaintext",
        "plaintextvalue",
        "s",
        "secretstring",
        "string",
        "stringvalue",
        "text",
        "val",
        "value",
    }
)
"""Labels that say nothing themselves: the name stands elsewhere in the same object."""

_LABEL_END = " \t\"'`:=,><([]{|?&!-"
_ASSIGNED = re.compile(r"(?<![\w.\-])([\w.\-]{1,120})[\"'\]]{0,3}[ \t]{0,40}(?:=>|:=|=|:)", re.ASCII)
_NAMED_BY = re.compile(
    r"(?<![\w.])(?:name|key|parameter_?key|env_?name|variable)[\"']?[ \t]{0,40}"
    r"(?:=>|=|:|(?<=[ \t]))[ \t]{0,40}[\"']?([\w.\-/]{1,120})",
    re.IGNORECASE | re.ASCII,
)
_DESCRIPTION = re.compile(r"[ \t]*[\"']?description[\"']?[ \t]{0,40}[=:]", re.IGNORECASE)
_PROVIDER = re.compile(r"^[ \t]{0,40}provider[ \t]{1,40}\"([\w\-]{1,60})\"", re.MULTILINE | re.ASCII)
_BLOCK_END = re.compile(r"^\}", re.MULTILINE)
_BLOB_LINE = re.compile(r"[A-Za-z0-9+/]{41,}")


def says_secret(text: str) -> bool:
    """Whether `text` (a name, a phrase, a line) names an AWS secret access key.

    Case and separators do not matter. A name that holds another service's name, or that ends in a word such as `arn`
    or `hash`, does not count, unless it says AWS itself.
    """
    return any(_is_secret_name(_whole_name(text, match)) for match in _NAME.finditer(text))


def _whole_name(text: str, match: re.Match[str]) -> str:
    before, after = text[: match.start()], text[match.end() :]
    start = len(before.rstrip(_IDENTIFIER))
    return text[start : len(text) - len(after.lstrip(_IDENTIFIER))]


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


def _is_secret_name(name: str) -> bool:
    words = _words(name)
    return words[-1] not in _NOT_THE_SECRET and ("aws" in words or _FOREIGN.isdisjoint(words))


def line_bounds(text: str, start: int, end: int) -> tuple[int, int]:
    """First and past-the-last offset of the line around `text[start:end]`, at most 1,000 characters away."""
    low, high = max(0, start - _LINE_REACH), min(len(text), end + _LINE_REACH)
    first = max(text.rfind("\n", low, start), text.rfind("\r", low, start))
    ends = [position for mark in "\n\r" if (position := text.find(mark, end, high)) >= 0]
    return (first + 1 if first >= 0 else low), min(ends, default=high)


class Context:
    """What surrounds the value at `text[start:end]`. Lines end at `\\n` or `\\r`."""

    def __init__(self, text: str, start: int, end: int) -> None:
        self._text = text
        self._start = start
        self._end = end
        self._line_start, self._line_end = line_bounds(text, start, end)
        self._before = text[self._line_start : start]
        self._after = text[end : self._line_end]
        prefix = self._before[-_LABEL_REACH:]
        self._phrase, self._label = _label_of(prefix)
        self._assigned = ""
        for match in _ASSIGNED.finditer(prefix):
            self._assigned = match.group(1)

    def names_secret(self) -> bool:
        """Whether a name that belongs to this value says AWS secret access key."""
        if self._rules_out_any() or self._belongs_to_foreign_provider():
            return False
        if says_secret(self._label) or _ends_in_secret_name(self._phrase) or says_secret(self._assigned):
            return True
        if not self._phrase.strip():
            above = self._line_above()
            return not _BLOB_LINE.fullmatch(above.strip()) and (says_secret(_label_of(above)[1]) or self._object_says())
        if _plain(self._label) in _CARRIERS or _plain(self._assigned) in _CARRIERS:
            return self._object_says()
        return False

    def allows_secret(self) -> bool:
        """Whether the value may be the secret of a key id that stands near, although no name says so."""
        if self._rules_out_any() or _BLOB_LINE.fullmatch(self._line_above().strip()):
            return False
        words = {*_words(self._label), *_words(self._assigned)}
        return "token" not in words and (says_secret(self._label) or _FOREIGN.isdisjoint(words))

    def _rules_out_any(self) -> bool:
        """A label that says checksum, path and the like, or an encrypted SOPS value."""
        encrypted = self._before.rfind("ENC[")
        if encrypted >= 0 and "]" not in self._before[encrypted:]:
            return True
        if says_secret(self._label):
            return False
        return any(words[-1] in _NOT_THE_SECRET for words in (_words(self._label), _words(self._assigned)) if words)

    def _belongs_to_foreign_provider(self) -> bool:
        window = self._text[max(0, self._start - 2 * _LINE_REACH) : self._start]
        providers = list(_PROVIDER.finditer(window))
        if not providers or _BLOCK_END.search(window, providers[-1].end()):
            return False
        return not _FOREIGN.isdisjoint(_words(providers[-1].group(1)))

    def _line_above(self) -> str:
        position = self._line_start
        for _ in range(3):
            if position == 0:
                break
            low, high = line_bounds(self._text, position - 1, position - 1)
            if self._text[low:high].strip():
                return self._text[low:high]
            position = low
        return ""

    def _object_says(self) -> bool:
        opening = _open_brace(self._before)
        if opening is not None:
            closing = _close_brace(self._after)
            inside = [self._before[opening + 1 :], self._after[:closing]]
            header = re.split(r"[{},;]", self._before[:opening])[-1]
            if header.strip(" \t[("):
                return _object_names_secret(inside, header)
            above = self._line_above()
            return _object_names_secret(inside, "" if "}" in above else above)
        closing = _close_brace(self._after)
        siblings, header = self._indented_object()
        return _object_names_secret([self._before, self._after[:closing], *siblings], header)

    def _indented_object(self) -> tuple[list[str], str]:
        """The other lines of the object that the value's line is in (nearest first), and the line that opens it."""
        first = self._text[self._line_start : self._line_end]
        column, item = _column(first)
        siblings: list[str] = []
        header = ""
        floor = column
        if item:
            floor = len(first) - len(first.lstrip())
        position = self._line_start
        for _ in range(_LINES_UP):
            if position == 0:
                break
            low, high = line_bounds(self._text, position - 1, position - 1)
            line, position = self._text[low:high], low
            if not line.strip():
                continue
            indent = len(line) - len(line.lstrip())
            if indent < floor:
                header = line
                break
            if item or indent > column:
                continue
            if column == 0 and line.startswith("}"):
                break
            siblings.append(line)
            if column == 0 and line.rstrip().endswith("{"):
                break
        siblings.extend(self._siblings_below(column))
        return siblings, header

    def _siblings_below(self, column: int) -> list[str]:
        siblings: list[str] = []
        position = self._line_end
        for _ in range(_LINES_DOWN):
            if position >= len(self._text):
                break
            low, high = line_bounds(self._text, position + 1, position + 1)
            line, position = self._text[low:high], max(high, position + 1)
            if not line.strip():
                continue
            indent = len(line) - len(line.lstrip())
            if indent < column or line.startswith("}"):
                break
            if indent == column:
                siblings.append(line)
        return siblings


def _label_of(prefix: str) -> tuple[str, str]:
    """The words directly before a value, and the last of them."""
    stripped = prefix.rstrip(_LABEL_END)
    phrase = stripped[len(stripped.rstrip(_IDENTIFIER + " ")) :]
    return phrase, stripped[len(stripped.rstrip(_IDENTIFIER)) :]


def _ends_in_secret_name(phrase: str) -> bool:
    matches = list(_NAME.finditer(phrase))
    return bool(matches) and matches[-1].end() == len(phrase) and _is_secret_name(_whole_name(phrase, matches[-1]))


def _plain(label: str) -> str:
    return re.sub(r"[^a-z0-9]", "", label.lower())


def _column(line: str) -> tuple[int, bool]:
    """Where the content of a line begins, and whether the line begins a YAML list item."""
    content = line.lstrip()
    indent = len(line) - len(content)
    if content.startswith("- "):
        return indent + len(content) - len(content[1:].lstrip()), True
    return indent, False


def _open_brace(before: str) -> int | None:
    depth = 0
    for index in range(len(before) - 1, -1, -1):
        if before[index] == "}":
            depth += 1
        elif before[index] == "{":
            if depth == 0:
                return index
            depth -= 1
    return None


def _close_brace(after: str) -> int:
    depth = 0
    for index, character in enumerate(after):
        if character == "{":
            depth += 1
        elif character == "}":
            if depth == 0:
                return index
            depth -= 1
    return len(after)


def _object_names_secret(parts: list[str], header: str) -> bool:
    """Whether the name nearest to the value in its object, what opens the object, or its description says so.

    `parts` are stretches of the object, nearest to the value first.
    """
    names = next((found for part in parts if (found := _NAMED_BY.findall(part))), [])
    if any(says_secret(name) for name in names) or says_secret(header):
        return True
    return not names and any(_DESCRIPTION.match(part) and says_secret(part) for part in parts)
