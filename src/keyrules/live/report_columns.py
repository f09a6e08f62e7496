"""The columns of a credential report: what their values look like, and which field of a row each fills."""

from __future__ import annotations

import re
from typing import Final, NamedTuple


class Column(NamedTuple):
    """`common` matches the usual values and captures one group for each of `fields`, the fields of Row that it fills.

    `required` is whether a report without the column is refused.
    """

    common: str
    fields: tuple[str, ...]
    required: bool = True


_DAY: Final = (
    r"(?:19[7-9][0-9]|2[01][0-9][0-9])-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
_CLOCK: Final = r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_UTC: Final = r"(?:Z|\+00:00)"
_DATE: Final = rf"({_DAY}{_CLOCK}){_UTC}"
_FLAG: Final = r"(?:(true|TRUE|True)|false|FALSE|False)"
# Control characters, line breaks among them, are part of no value.
_TEXT: Final = r'([^,"\x00-\x1f]*)'
_IGNORED: Final = r'[^,"\x00-\x1f]*'

NOT_SUPPORTED: Final = "not_supported"
NO_VALUE: Final = "N/A"
NO_DATE: Final = frozenset({NO_VALUE, "no_information", NOT_SUPPORTED})
"""What the report writes where there is no date, or none since AWS began to record it."""


def _date_or_none(field: str) -> Column:
    return Column(rf"(?:{NO_VALUE}|{_DATE})", (field,))


def _last_use(field: str) -> Column:
    return Column(rf"(?:{NO_VALUE}|no_information|{_DATE})", (field,))


def _flag(field: str) -> Column:
    return Column(_FLAG, (field,))


def _place(field: str) -> Column:
    return Column(_TEXT, (field,), required=False)


MORE_CREDENTIALS: Final = "additional_credentials_info"
"""Documented, and in no report that was recorded up to 2026; AWS does not say what it holds where there is nothing to
say."""

_FURTHER: Final = re.compile(rf"{MORE_CREDENTIALS}|(?:access_key|cert)_[0-9]+_[a-z_]+")
_NOTHING: Final = {value.casefold() for value in NO_DATE} | {"", "false"}


def common_form(name: str) -> str:
    """Matches the usual values of a column. One that is not in COLUMNS has any, but for those that tells_of_more."""
    if name in COLUMNS:
        return COLUMNS[name].common
    return "(?i:" + "|".join(sorted(_NOTHING, reverse=True)) + ")" if _FURTHER.fullmatch(name) else _IGNORED


def tells_of_more(name: str, value: str) -> bool:
    """Whether a column tells of a credential beside the two keys and certificates that a report shows."""
    return name not in COLUMNS and _FURTHER.fullmatch(name) is not None and value.casefold() not in _NOTHING


COLUMNS: Final = {
    "user": Column(r'([^,"<\x00-\x1f][^,"\x00-\x1f]*)', ("user",)),
    "arn": Column(r'((arn:[^:,"\x00-\x1f]+:iam::[^:,"\x00-\x1f]+:)user/[^,"\x00-\x1f]+)', ("arn", "account_prefix")),
    "user_creation_time": Column(_DATE, ("user_created",)),
    "password_enabled": _flag("password_enabled"),
    "password_last_used": _last_use("password_used"),
    "password_last_changed": _date_or_none("password_changed"),
    "password_next_rotation": Column(rf"(?:{NO_VALUE}|{_DAY}{_CLOCK}{_UTC})", (), required=False),
    "mfa_active": _flag("mfa_active"),
    "access_key_1_active": _flag("key_1_active"),
    "access_key_1_last_rotated": _date_or_none("key_1_created"),
    "access_key_1_last_used_date": _last_use("key_1_used"),
    "access_key_1_last_used_region": _place("key_1_region"),
    "access_key_1_last_used_service": _place("key_1_service"),
    "access_key_2_active": _flag("key_2_active"),
    "access_key_2_last_rotated": _date_or_none("key_2_created"),
    "access_key_2_last_used_date": _last_use("key_2_used"),
    "access_key_2_last_used_region": _place("key_2_region"),
    "access_key_2_last_used_service": _place("key_2_service"),
    "cert_1_active": _flag("certificate_1_active"),
    "cert_1_last_rotated": _date_or_none("certificate_1_created"),
    "cert_2_active": _flag("certificate_2_active"),
    "cert_2_last_rotated": _date_or_none("certificate_2_created"),
}
"""In the order of a report recorded from AWS."""
