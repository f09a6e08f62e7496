"""What the name of a value says: an AWS secret access key, another service's secret, something else, or nothing."""

from __future__ import annotations

import re
from functools import lru_cache

IDENTIFIER = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"

_NAME = re.compile(
    r"(?:(?:aws|amazon)[_.\- ]?)?"
    r"(?:secret[_.\- ]?access[_.\- ]?key|access[_.\- ]?key[_.\- ]?secret|access[_.\- ]?secret|secret[_.\- ]?key)"
    r"|(?:aws|amazon)[_.\- ]?secret(?!s)",
    re.IGNORECASE | re.ASCII,
)

_WORD = re.compile(r"[A-Z]+[0-9]*(?![a-z])|[A-Z]?[a-z]+[0-9]*|[0-9]+", re.ASCII)

_KEY_ID = re.compile(r"A[KS]IA[A-Z0-9]{16}")

FOREIGN = frozenset(
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
        "gs",
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

NOT_THE_SECRET = frozenset(
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

CARRIERS = frozenset(
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


@lru_cache(maxsize=4096)
def says_secret(text: str) -> bool:
    """Whether `text` (a name, a phrase, a line) names an AWS secret access key.

    Case and separators do not matter. A name that holds another service's name, or that ends in a word such as `arn`
    or `hash`, does not count, unless it says AWS itself.
    """
    return any(_is_secret_name(_whole_name(text, match)) for match in _NAME.finditer(text))


def _whole_name(text: str, match: re.Match[str]) -> str:
    before, after = text[: match.start()], text[match.end() :]
    start = len(before.rstrip(IDENTIFIER))
    return text[start : len(text) - len(after.lstrip(IDENTIFIER))]


@lru_cache(maxsize=4096)
def words_of(name: str) -> tuple[str, ...]:
    """The words of a name in lower case: `awsSecretKey`, `AWS_SECRET_KEY` and `aws-secret-key` have the same three.

    The letters of a key id, which stands where a name would in `id:secret`, are none.
    """
    if _KEY_ID.fullmatch(name):
        return ()
    return tuple(word.lower() for word in _WORD.findall(name))


def _is_secret_name(name: str) -> bool:
    words = words_of(name)
    return words[-1] not in NOT_THE_SECRET and ("aws" in words or FOREIGN.isdisjoint(words))


def ends_in_secret_name(phrase: str) -> bool:
    """Whether the last words of `phrase` name an AWS secret access key."""
    matches = list(_NAME.finditer(phrase))
    return bool(matches) and matches[-1].end() == len(phrase) and _is_secret_name(_whole_name(phrase, matches[-1]))


def is_foreign(name: str) -> bool:
    """Whether a name holds the name of another service than AWS."""
    return not FOREIGN.isdisjoint(words_of(name))


def says_bare_secret(label: str) -> bool:
    """Whether a label is a usual one for a secret that stands beside its key id: `secret`, as Terraform's state has it,
    or one of the longer names."""
    return says_secret(label) or words_of(label) == ("secret",)


def says_smtp_password(label: str) -> bool:
    """Whether a label names the password that is made from a secret access key for Amazon SES."""
    words = set(words_of(label))
    return {"ses", "smtp", "password"} <= words and not words & {"arn", "name", "path"}


def says_password(label: str) -> bool:
    """Whether a label names a password of any kind."""
    return not {"pass", "password", "passwd", "pwd"}.isdisjoint(words_of(label))
