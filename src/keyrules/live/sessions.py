"""Sessions of roles: assumed when first needed, one after the other, and again before they end."""

from __future__ import annotations

import threading
from typing import Any, Final

from keyrules.live.aws import Aws, Keys, Refused, Session
from keyrules.live.aws_errors import DENIED, ROLE_MISSING, AccountError
from keyrules.reports.text_style import printable

_NAME: Final = "keyrules"
# AssumeRole gives an hour where nothing else is asked for, which is all that a chain of roles can have.
# https://repost.aws/knowledge-center/iam-role-chaining-limit
_RENEW_AFTER: Final = 45 * 60.0


class RoleSession:
    """A role that another session assumes. Threads share it; one of them assumes and the others wait."""

    def __init__(self, aws: Aws, parent: Session, arn: str, external_id: str | None, policy: str | None = None) -> None:
        self._aws = aws
        self._parent = parent
        self._arn = arn
        self._parameters = {
            "RoleArn": arn,
            "RoleSessionName": _NAME,
            **({"ExternalId": external_id} if external_id is not None else {}),
            **({"Policy": policy} if policy is not None else {}),
        }
        self._lock = threading.Lock()
        self._keys: Keys | None = None
        self._until = 0.0
        self._denied: AccountError | None = None

    def keys(self) -> Any:
        """What to sign with. AccountError where the role cannot be assumed."""
        with self._lock:
            if self._denied is not None:
                raise self._denied
            now = self._aws.pacing.monotonic()
            if self._keys is None or now >= self._until:
                self._keys, self._until = self._assume(), now + _RENEW_AFTER
            return self._keys

    def renew(self) -> bool:
        """The next keys are new ones."""
        with self._lock:
            self._keys = None
        return True

    def _assume(self) -> Keys:
        try:
            given = self._aws.ask("sts:AssumeRole", self._parent, **self._parameters)["Credentials"]
        except Refused as error:
            if not error.denied:
                raise
            self._denied = _cannot_be_assumed(self._arn, error)
            raise self._denied from None
        return Keys(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


def _cannot_be_assumed(arn: str, error: Refused) -> AccountError:
    if error.state != DENIED:
        return AccountError(f"the role {printable(arn)} cannot be assumed: {error}", error.state)
    return AccountError(
        f"the role {printable(arn)} cannot be assumed: it does not exist, does not trust the credentials in use or "
        "wants another external id, or they may not assume it; AWS does not say which",
        ROLE_MISSING,
    )
