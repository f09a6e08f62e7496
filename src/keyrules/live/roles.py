"""Roles, external ids and session policies as people write them, checked before AWS is asked."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from keyrules.files import read_named
from keyrules.model import UsageError
from keyrules.reports.text_style import printable

_ROLE: Final = re.compile(r"/?[\w+=,.@-]+(?:/[\w+=,.@-]+)*", re.ASCII)
_ROLE_ARN: Final = re.compile(r"arn:[a-z0-9-]+:iam::([0-9]{12}):role/([\w+=,.@/-]+)", re.ASCII)
_EXTERNAL_ID: Final = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
_LONGEST_POLICY: Final = 2048


def role_arn(role: str, partition: str, account: str) -> str:
    """The ARN of a role in an account, from its ARN, or its name with or without a path."""
    return role if role.startswith("arn:") else f"arn:{partition}:iam::{account}:role/{role.strip('/')}"


def is_role(text: str) -> bool:
    """Whether a text is the name of a role, with or without its path, or an ARN of one."""
    return bool(_ROLE_ARN.fullmatch(text) if text.startswith("arn:") else _ROLE.fullmatch(text))


def account_of(arn: str) -> str | None:
    """The account in the ARN of a role; None for what is none."""
    match = _ROLE_ARN.fullmatch(arn)
    return match[1] if match else None


def role_everywhere(text: str) -> str:
    """What --role names, as it is called in every account: of an ARN the part after `role/`. UsageError."""
    if not is_role(text):
        raise UsageError(
            f"--role: {printable(text)!r} is no role; write its name, with its path if it has one, or its ARN"
        )
    match = _ROLE_ARN.fullmatch(text)
    return match[2] if match else text


def checked_external_id(text: str | None) -> str | None:
    """What --external-id gives. UsageError, which does not repeat it, for what STS does not take."""
    if text is not None and not is_external_id(text):
        raise UsageError("--external-id: it has 2 to 1,224 letters, digits and _ + = , . @ : / -, as STS takes them")
    return text


def is_external_id(text: str) -> bool:
    """Whether STS takes it."""
    return bool(_EXTERNAL_ID.fullmatch(text))


def checked_via(arns: Sequence[str]) -> tuple[str, ...]:
    """The roles that --via names. UsageError."""
    for arn in arns:
        if account_of(arn) is None:
            raise UsageError(
                f"--via: {printable(arn)!r} is no ARN of a role; write it as in arn:aws:iam::123456789012:role/NAME"
            )
    return tuple(arns)


def read_session_policy(path: Path) -> str:
    """The policy in a file, as short as it can be written. UsageError for what is none."""
    name = f"--session-policy: {printable(str(path))}"
    try:
        document = json.loads(read_named(str(path)).decode("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror or type(error).__name__}") from None
    except (ValueError, RecursionError):
        raise UsageError(f"{name} is no JSON; write an IAM policy, with Version and Statement") from None
    if not isinstance(document, dict) or "Statement" not in document:
        raise UsageError(f"{name} is no IAM policy: it has no Statement")
    policy = json.dumps(document, separators=(",", ":"))
    if len(policy) > _LONGEST_POLICY:
        raise UsageError(f"{name} is longer than the 2,048 characters that STS takes; allow less in it")
    return policy
